/**
 * The log of one server: its logger, its level, and how to empty it at the end.
 *
 * @module
 */

import { DefaultLogger } from "./default_logger.ts";
import { type Log, type LoggerLike, logTo } from "./logger.ts";
import type { Settings } from "./settings.ts";

/** A log that can be emptied. */
export interface Logging {
  readonly log: Log;
  /** Settles when all is written. */
  flush(): Promise<void>;
  /** The same in haste, for a process that is about to end. */
  flushNow(): Promise<void>;
}

/** Builds the log: to `logger` where there is one, else through LogTape to standard error. */
export function openLogging({ logLevel, logFormat }: Pick<Settings, "logLevel" | "logFormat">, logger?: LoggerLike): Logging {
  if (logger !== undefined) return { log: logTo(logger, logLevel), flush: () => Promise.resolve(), flushNow: () => Promise.resolve() };
  const own = new DefaultLogger(logFormat, Deno.stderr);
  return { log: logTo(own, logLevel), flush: () => own.flush(), flushNow: () => own.flushNow() };
}
