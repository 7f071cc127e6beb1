/**
 * Where exchanges wait while no worker is ready: bounded in number and in time, first come, first served.
 *
 * What can't wait is answered with 503 and `retry-after`. A client that leaves is forgotten, as far as the engine can tell.
 *
 * @module
 */

import type { Clock, End, Host, Inbound, Outbound, SocketInbound, Timer } from "../../exchange.ts";
import { answer } from "../../wire/answers.ts";

/** Why an exchange was answered here, for the access log. */
type Refusal = "x-queue-full" | "x-queue-timeout" | "server_shutdown";

/** The queue. */
export class WaitQueue {
  readonly #limit: number;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #refused: (refusal: Refusal) => void;
  readonly #waiting = new Set<Waiting>();
  #timer: Timer | null = null;

  /** `refused` hears of each exchange that got a 503. */
  constructor(limit: number, timeoutMs: number, clock: Clock, refused: (refusal: Refusal) => void) {
    this.#limit = limit;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#refused = refused;
  }

  /** Exchanges that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Lets an exchange wait, or answers it.
   *
   * @param open Opens it once there is a host.
   * @returns What stands for the session that the exchange will get.
   */
  add(out: Outbound, open: (host: Host) => Inbound): SocketInbound {
    const waiting = new Waiting(out, open, this.#clock.now() + this.#timeoutMs, (gone) => this.#forget(gone));
    if (this.#waiting.size >= this.#limit || this.#timeoutMs === 0) {
      this.#refuse(waiting, "x-queue-full");
      return waiting;
    }
    this.#waiting.add(waiting);
    // So that a client that leaves is told of.
    out.watch();
    this.#timer ??= this.#clock.after(this.#timeoutMs, () => this.#expire());
    return waiting;
  }

  /** Hands everything that waits to hosts, each exchange to the next one. */
  flush(next: () => Host): void {
    if (this.#waiting.size === 0) return;
    const all = [...this.#waiting];
    this.#clear();
    for (const waiting of all) waiting.dispatch(next());
  }

  /** Answers everything that waits: the server stops, and no worker will come. */
  refuseAll(): void {
    if (this.#waiting.size === 0) return;
    const all = [...this.#waiting];
    this.#clear();
    for (const waiting of all) this.#refuse(waiting, "server_shutdown");
  }

  #expire(): void {
    this.#timer = null;
    const now = this.#clock.now();
    for (const waiting of this.#waiting) {
      if (waiting.dueAt > now) {
        this.#timer = this.#clock.after(waiting.dueAt - now, () => this.#expire());
        return;
      }
      this.#waiting.delete(waiting);
      this.#refuse(waiting, "x-queue-timeout");
    }
  }

  #refuse(waiting: Waiting, refusal: Refusal): void {
    const { status, headers, body } = answer(503);
    waiting.out.respond(status, headers, body, 0, refusal);
    this.#refused(refusal);
  }

  #forget(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size === 0) this.#clear();
  }

  #clear(): void {
    this.#waiting.clear();
    this.#timer?.cancel();
    this.#timer = null;
  }
}

/** One exchange that waits, and after that the way to its session. */
class Waiting implements SocketInbound {
  readonly out: Outbound;
  readonly dueAt: number;
  readonly #open: (host: Host) => Inbound;
  readonly #left: (waiting: Waiting) => void;
  #session: Inbound | null = null;

  constructor(out: Outbound, open: (host: Host) => Inbound, dueAt: number, left: (waiting: Waiting) => void) {
    this.out = out;
    this.dueAt = dueAt;
    this.#open = open;
    this.#left = left;
  }

  dispatch(host: Host): void {
    this.#session = this.#open(host);
  }

  closed(end: End): void {
    if (this.#session === null) this.#left(this);
    else this.#session.closed(end);
  }

  // Before there is a session, nothing is asked of the engine that these would answer.

  body(chunk: Uint8Array, more: boolean): void {
    this.#session?.body(chunk, more);
  }

  drained(): void {
    this.#session?.drained();
  }

  flushed(): void {
    this.#session?.flushed();
  }

  message(data: string | Uint8Array): void {
    (this.#session as SocketInbound | null)?.message(data);
  }

  pong(token: number): void {
    (this.#session as SocketInbound | null)?.pong(token);
  }
}
