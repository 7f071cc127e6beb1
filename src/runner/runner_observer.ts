/**
 * What the runner does with what an engine tells: it counts, and feeds the logs.
 *
 * @module
 */

import type { End, Fields, Level, Observer, RequestHead } from "../exchange.ts";
import type { AccessLog } from "./access_log.ts";
import type { Log } from "./logger.ts";

/** Counts open exchanges and feeds the access log and the log. */
export class RunnerObserver implements Observer {
  /** Exchanges that have begun and not ended. */
  open = 0;
  readonly #accessLog: AccessLog | null;
  readonly #log: Log;

  /** Without an access log, an exchange costs one addition and one subtraction here. */
  constructor(accessLog: AccessLog | null, log: Log) {
    this.#accessLog = accessLog;
    this.#log = log;
  }

  opened(head: RequestHead): void {
    this.open++;
    if (this.#accessLog !== null) this.#accessLog.opened(head);
  }

  finished(head: RequestHead, status: number, bytes: number, end: End): void {
    this.open--;
    if (this.#accessLog !== null) this.#accessLog.finished(head, status, bytes, end);
  }

  note(level: Level, text: string, fields: Fields | undefined, head: RequestHead | null): void {
    if (head === null) this.#log(level, text, fields);
    else this.#log(level, text, { request: `${head.method} ${head.rawPath}`, ...fields });
  }
}
