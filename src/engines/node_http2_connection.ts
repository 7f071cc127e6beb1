/**
 * One connection of HTTP/2: how many streams are open, and how long there was none.
 *
 * @module
 */

import type { ServerHttp2Session } from "node:http2";
import type { GateConnection } from "./node_settings.ts";
import type { Placed } from "./open_list.ts";

/** A connection. */
export class Http2Connection implements Placed {
  place = -1;
  readonly gate: GateConnection;
  readonly session: ServerHttp2Session;
  #open = 0;
  #since: number;

  constructor(gate: GateConnection, session: ServerHttp2Session, now: number) {
    this.gate = gate;
    this.session = session;
    this.#since = now;
  }

  /** A stream was opened. */
  began(): void {
    this.#open++;
  }

  /** A stream was closed. */
  ended(now: number): void {
    this.#open--;
    this.#since = now;
  }

  /** Says goodbye where there was no stream for too long. */
  check(now: number, keepAliveTimeoutMs: number): void {
    if (this.#open === 0 && keepAliveTimeoutMs > 0 && now - this.#since >= keepAliveTimeoutMs) this.session.close();
  }
}
