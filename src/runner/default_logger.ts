/**
 * The logger where none is given: LogTape, to standard error.
 *
 * It is loaded with the first message, so a start without messages does not pay for it. Where the app has configured LogTape, the
 * messages go where that configuration sends the category `["pagi", "server"]`; else they are formatted by LogTape and written here,
 * and the process-wide configuration stays the app's to make.
 *
 * @module
 */

import type { Fields, Level } from "../exchange.ts";
import { LineSink, type LineTarget } from "./line_sink.ts";
import { type LoggerLike, withFields } from "./logger.ts";
import { printable } from "./printable.ts";

type LogTape = typeof import("@logtape/logtape");
type Formatter = (record: Message) => string;

interface Message {
  readonly level: Level;
  readonly text: string;
  readonly fields: Fields | null;
  readonly timestamp: number;
}

/** A message of the startup does not hold up the first answer. */
const LOAD_AFTER_MS = 50;

const CATEGORY = ["pagi", "server"] as const;

/**
 * A message as one line of JSON: `time`, `level`, `message`, then its fields beside them, as in the JSON access log. LogTape's own
 * formatter has other names, and no choice of them.
 */
export function jsonLine({ level, text, fields, timestamp }: {
  readonly level: Level;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>> | null;
  readonly timestamp: number;
}): string {
  const own = { time: new Date(timestamp).toISOString(), level, message: text };
  return JSON.stringify({ ...own, ...fields, ...own });
}

/** Logs through LogTape. */
export class DefaultLogger implements LoggerLike {
  readonly #isJson: boolean;
  readonly #sink: LineSink;
  #tape: LogTape | null = null;
  #loading: Promise<void> | null = null;
  #isSoon = false;
  /** That it can't be loaded was said. */
  #isMissed = false;
  #format: Formatter;
  /** What came before LogTape was there. */
  #early: Message[] = [];

  /** Writes lines as text or as JSON to `target`, which is standard error as a rule. */
  constructor(format: "text" | "json", target: LineTarget) {
    this.#isJson = format === "json";
    this.#format = this.#isJson ? jsonLine : plainText;
    // Where standard error itself fails, there is nowhere left to say it.
    this.#sink = new LineSink(target, () => {});
  }

  debug(text: string, fields?: unknown): void {
    this.#log("debug", text, fields);
  }

  info(text: string, fields?: unknown): void {
    this.#log("info", text, fields);
  }

  warn(text: string, fields?: unknown): void {
    this.#log("warn", text, fields);
  }

  error(text: string, fields?: unknown): void {
    this.#log("error", text, fields);
  }

  /** Settles when all is written. */
  async flush(): Promise<void> {
    if (this.#early.length > 0) this.#loading ??= this.#load();
    await this.#loading;
    await this.#sink.flush();
  }

  /** The same without waiting for LogTape, for a process that is about to end. */
  async flushNow(): Promise<void> {
    this.#isSoon = false;
    for (const message of this.#early.splice(0)) this.#sink.write(this.#format(message));
    await this.#sink.flush();
  }

  #log(level: Level, text: string, fields: unknown): void {
    const message: Message = { level, text, fields: (fields as Fields | undefined) ?? null, timestamp: Date.now() };
    if (this.#tape !== null) this.#write(message, this.#tape);
    else {
      this.#early.push(message);
      if (this.#loading === null && !this.#isSoon) this.#loadSoon();
    }
  }

  // Not `setTimeout`, whose first use in a process takes 3 ms. This timer does not keep the process alive: whoever ends it flushes.
  #loadSoon(): void {
    this.#isSoon = true;
    AbortSignal.timeout(LOAD_AFTER_MS).addEventListener("abort", () => {
      if (this.#isSoon) this.#loading ??= this.#load();
    }, { once: true });
  }

  async #load(): Promise<void> {
    this.#isSoon = false;
    try {
      const tape = await import("@logtape/logtape");
      if (!this.#isJson) this.#format = tapeText(tape);
      this.#tape = tape;
      for (const message of this.#early.splice(0)) this.#write(message, tape);
    } catch (error) {
      // Messages are worth more than their looks. The next one tries again.
      const why = String(error).replaceAll(/\s*\n\s*/g, " ");
      if (!this.#isMissed) {
        this.#early.unshift({ level: "warn", text: `LogTape could not be loaded: ${why}`, fields: null, timestamp: Date.now() });
      }
      this.#isMissed = true;
      for (const message of this.#early.splice(0)) this.#sink.write(this.#format(message));
    } finally {
      this.#loading = null;
    }
  }

  #write(message: Message, tape: LogTape): void {
    if (tape.getConfig() !== null) {
      const logger = tape.getLogger(CATEGORY);
      logger[message.level](message.text.replace(/[{}]/g, "$&$&"), { ...message.fields });
      return;
    }
    this.#sink.write(this.#format(message));
  }
}

function tapeText(tape: LogTape): Formatter {
  const format = tape.getTextFormatter({
    timestamp: "rfc3339",
    level: (level) => level === "warning" ? "warn" : level,
    format: ({ timestamp, level, message }) => `${timestamp} ${level} ${message}`,
  });
  return (message) => format(toRecord(message, readable(message))).trimEnd();
}

function toRecord({ level, fields, timestamp }: Message, text: string): Parameters<ReturnType<LogTape["getTextFormatter"]>>[0] {
  return {
    category: CATEGORY,
    level: level === "warn" ? "warning" : level,
    message: [text],
    rawMessage: text,
    timestamp,
    properties: { ...fields },
  };
}

function plainText(message: Message): string {
  return `${new Date(message.timestamp).toISOString()} ${message.level} ${readable(message)}`;
}

// A message stays one line. A field of several lines, such as a stack, follows it, indented: so no line of it looks like a message.
function readable({ text, fields }: Message): string {
  const short: Record<string, string | number> = {};
  let long = "";
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (typeof value === "string" && value.includes("\n")) {
      long += "\n" + value.split(/\r\n|[\r\n]/).map((line) => `    ${printable(line)}`).join("\n");
    } else short[name] = value;
  }
  const line = withFields(text, Object.keys(short).length === 0 ? null : short);
  return printable(line) + long;
}
