/**
 * Outbound flow control of one exchange: watermarks, waiting sends, and the `pagi.transport` handle.
 *
 * A send that finds the buffer below the high mark resolves at once, however big it is; while the buffer is high, sends are taken and
 * wait. An app that does not wait is stopped at `maxSendBufferBytes`. Contract section 8.
 *
 * @module
 */

import type { Clock, Limits, Outbound } from "../exchange.ts";
import type { Transport } from "../spec/handles.ts";
import { RESOLVED, runCallbacks } from "./context.ts";

/** So many high marks' worth of bytes go out before an app whose sends never wait has to let others in. */
const LOOKS = 16;

/** The state of one exchange's outbound buffer. */
export class Flow {
  readonly out: Outbound;
  readonly #clock: Clock;
  readonly limits: Limits;
  /** The buffer was high and has not fallen below the low mark since. */
  high = false;
  /** The exchange is over: nothing waits, nothing is buffered. */
  over = false;
  /** The buffer holds no more than this. */
  #atMost = 0;
  /** Looks that found the buffer low. */
  #looks = 0;
  #waiting: (() => void)[] = [];
  readonly #onHigh: (() => void)[] = [];
  readonly #onDrain: (() => void)[] = [];

  /** Watches the buffer of an exchange. */
  constructor(out: Outbound, limits: Limits, clock: Clock) {
    this.#clock = clock;
    this.out = out;
    this.limits = limits;
  }

  /**
   * To be called after every write, with the bytes of it, or more.
   *
   * Asking the wire for its buffer has a price on a WebSocket. As long as all that was written since the last look would not fill it to
   * the high mark, there is nothing to ask.
   *
   * @returns What the `send` returns, or `null` where the app wrote past the hard limit without waiting: the exchange is to be
   * aborted with `queue_overflow`.
   */
  wrote(bytes: number): Promise<void> | null {
    if (this.high) {
      // What was just written does not count: an app that waits may write as much at once as it likes.
      return this.out.buffered - bytes > this.limits.maxSendBufferBytes ? null : this.wait();
    }
    this.#atMost += bytes;
    if (this.#atMost < this.limits.highWaterBytes) return RESOLVED;
    this.#atMost = this.out.buffered;
    if (this.#atMost >= this.limits.highWaterBytes) {
      this.high = true;
      runCallbacks(this.#onHigh, this.out);
      return RESOLVED;
    }
    // The wire has taken it all. A client that reads this fast must not keep the app from ever letting go of the event loop.
    this.#looks = (this.#looks + 1) % LOOKS;
    return this.#looks === 0 ? this.#clock.turn() : RESOLVED;
  }

  /** Resolves when the buffer is no longer high, or the exchange is over. */
  wait(): Promise<void> {
    if (!this.high || this.over) return RESOLVED;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The wire says that the buffer has shrunk. */
  drained(): void {
    if (!this.high || this.over) return;
    const { buffered } = this.out;
    if (buffered > 0 && buffered >= this.limits.lowWaterBytes) return; // a low mark of 0 is reached by an empty buffer
    this.high = false;
    this.#atMost = buffered;
    runCallbacks(this.#onDrain, this.out);
    this.#release();
  }

  /** The exchange is over: waiting sends resolve, no drain is reported. */
  end(): void {
    this.over = true;
    this.#release();
  }

  /** Registers a callback for crossings of the high mark. */
  onHigh(callback: () => void): void {
    if (this.#onHigh.includes(callback)) return; // it is called for each crossing as it is
    this.#onHigh.push(callback);
    if (this.high && !this.over) runCallbacks([callback], this.out);
  }

  /** Registers a callback for the fall below the low mark. */
  onDrain(callback: () => void): void {
    if (!this.#onDrain.includes(callback)) this.#onDrain.push(callback);
  }

  #release(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** `pagi.transport`: the public face of a {@linkcode Flow}. */
export class TransportHandle implements Transport {
  readonly #flow: Flow;

  /** Creates the handle of one exchange. */
  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** Bytes accepted and not yet handed to the network. */
  bufferedAmount(): number {
    return this.#flow.over ? 0 : this.#flow.out.buffered;
  }

  /** Bytes. */
  highWaterMark(): number {
    return this.#flow.limits.highWaterBytes;
  }

  /** Bytes. */
  lowWaterMark(): number {
    return this.#flow.limits.lowWaterBytes;
  }

  /** Once for each crossing; at once where the buffer is high already. */
  onHighWater(callback: () => void): void {
    this.#flow.onHigh(callback);
  }

  /** Once for each fall below the low mark after a high. */
  onDrain(callback: () => void): void {
    this.#flow.onDrain(callback);
  }
}
