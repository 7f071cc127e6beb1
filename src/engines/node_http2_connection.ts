/**
 * One connection of HTTP/2: how many streams are open, and how long there was none.
 *
 * @module
 */

import type { ServerHttp2Session } from "node:http2";
import type { GateConnection, WireLimits } from "./node_settings.ts";
import { Stall } from "./node_stall.ts";
import type { Placed } from "./open_list.ts";

/** GOAWAY of any stream (2^31-1), without an error. RFC 9113 section 6.8. */
const LEAVING_SOON = Uint8Array.of(0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** Streams that a client may reset at once, and for each second that passes. */
const RESET_BURST = 200;
const RESETS_PER_SECOND = 50;

/** Node waits for a client to take the last words and to close its half; only so long. */
const LINGER_MS = 2000;

/** A connection. */
export class Http2Connection implements Placed {
  place = -1;
  readonly gate: GateConnection;
  readonly session: ServerHttp2Session;
  /** Its client resets too many streams: it is about to end. */
  isFlooding = false;
  /** What its end means to a stream that is open. */
  failure = "client_closed";
  #open = 0;
  #since: number;
  #resets = RESET_BURST;
  #resetAt: number;
  #stall: Stall | null = null;
  #overSince: number | null = null;

  constructor(gate: GateConnection, session: ServerHttp2Session, now: number) {
    this.gate = gate;
    this.session = session;
    this.#since = this.#resetAt = now;
  }

  /** A stream was opened. */
  began(): void {
    this.#open++;
  }

  /**
   * Whether more streams are open than a client may have: some must have been reset, of which Node tells behind all that begin in the same
   * packet. Twice as many may be, as it tells late of those that are answered, too.
   */
  hasTooMany(maxStreams: number): boolean {
    return maxStreams > 0 && this.#open > 2 * maxStreams;
  }

  /**
   * A stream was closed.
   *
   * @param wasReset It did not come to a good end.
   * @returns Whether its client may go on.
   */
  ended(now: number, wasReset: boolean): boolean {
    this.#open--;
    this.#since = now;
    if (!wasReset) return true;
    this.#resets = Math.min(RESET_BURST, this.#resets + (now - this.#resetAt) / 1000 * RESETS_PER_SECOND) - 1;
    this.#resetAt = now;
    return this.#resets > 0;
  }

  /** Says that it will say goodbye: the last stream is not known yet. Node can't, it takes its own GOAWAY for the last word. */
  announce(): void {
    const { session, gate } = this;
    if (!session.destroyed && !session.closed) gate.socket.write(LEAVING_SOON);
  }

  /** Looks at a connection without a stream, at a client that takes nothing, and at one that stays though all was said. */
  check(now: number, { keepAliveTimeoutMs, writeTimeoutMs }: Pick<WireLimits, "keepAliveTimeoutMs" | "writeTimeoutMs">): void {
    const { session } = this;
    const { socket } = this.gate;
    if (session.destroyed) {
      this.#overSince ??= now;
      if (now - this.#overSince >= LINGER_MS) socket.destroy();
      return;
    }
    if (this.#open === 0 && keepAliveTimeoutMs > 0 && now - this.#since >= keepAliveTimeoutMs) session.close();
    if (writeTimeoutMs === 0) return;
    const { writableLength } = socket;
    if (writableLength === 0) this.#stall = null;
    else if ((this.#stall ??= new Stall()).lasts(now, writableLength, writeTimeoutMs)) socket.destroy();
  }
}
