/**
 * Where the server's own messages go: any object with `debug`, `info`, `warn` and `error`.
 *
 * `console` is one, a LogTape logger is one, and so is a logger of `@std/log`. Not here: the default (`default_logger.ts`).
 *
 * @module
 */

import type { Fields, Level } from "../exchange.ts";

/**
 * What the server needs of a logger. It is called with a message and, where there are any, with one object of fields.
 *
 * @example
 * ```ts
 * import type { LoggerLike } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const keep = (level: string) => (message: string) => lines.push(`${level}: ${message}`);
 * const logger: LoggerLike = { debug: keep("debug"), info: keep("info"), warn: keep("warn"), error: keep("error") };
 * logger.warn("careful");
 * assertEquals(lines, ["warn: careful"]);
 * ```
 */
export interface LoggerLike {
  /** What helps to find a fault. */
  /** Takes a line of level debug. */
  debug(message: string, ...rest: unknown[]): unknown;
  /** What happens in the normal course. */
  /** Takes a line of level info. */
  info(message: string, ...rest: unknown[]): unknown;
  /** What may need somebody's attention. */
  /** Takes a line of level warn. */
  warn(message: string, ...rest: unknown[]): unknown;
  /** What went wrong. */
  /** Takes a line of level error. */
  error(message: string, ...rest: unknown[]): unknown;
}

/** How the server logs: it never throws. */
export type Log = (level: Level, text: string, fields?: Fields) => void;

const SEVERITY: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Builds the server's log from a logger: drops what is below `leastLevel` and adapts the call to the kind of logger. */
export function logTo(logger: LoggerLike, leastLevel: Level): Log {
  const least = SEVERITY[leastLevel];
  const call = caller(logger);
  return (level, text, fields) => {
    if (SEVERITY[level] < least) return;
    try {
      call(level, text, fields !== undefined && hasFields(fields) ? fields : null);
    } catch (error) {
      // A logger that fails must not end an exchange, and there is nowhere else to say it.
      console.error(`The logger failed: ${error}; the message was: ${text}`);
    }
  };
}

/** A message with its fields behind it, `name=value` each, for loggers that print the message alone. */
export function withFields(text: string, fields: Fields | null): string {
  if (fields === null) return text;
  return `${text} ${
    Object.entries(fields).map(([name, value]) => `${name}=${typeof value === "string" ? JSON.stringify(value) : value}`).join(" ")
  }`;
}

function caller(logger: LoggerLike): (level: Level, text: string, fields: Fields | null) => void {
  // @std/log formats the message and leaves the arguments to formatters of one's own.
  if (isStdLog(logger)) return (level, text, fields) => void logger[level](withFields(text, fields));
  // LogTape takes {braces} in a message for placeholders.
  if (isLogTape(logger)) {
    return (level, text, fields) => {
      const message = text.replace(/[{}]/g, "$&$&");
      if (fields === null) logger[level](message);
      else logger[level](message, fields);
    };
  }
  return (level, text, fields) => {
    if (fields === null) logger[level](text);
    else logger[level](text, fields);
  };
}

function isStdLog(logger: LoggerLike): boolean {
  return "levelName" in logger && "handlers" in logger && "critical" in logger;
}

function isLogTape(logger: LoggerLike): boolean {
  return "category" in logger && "getChild" in logger && "with" in logger;
}

function hasFields(fields: Fields): boolean {
  for (const _ in fields) return true;
  return false;
}
