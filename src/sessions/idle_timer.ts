/**
 * Calls back when nothing has happened for a while.
 *
 * Being touched costs one clock reading; the timer is re-armed only when it fires.
 *
 * @module
 */

import type { Clock, Timer } from "../exchange.ts";

/** A timer that every sign of life puts off. */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #expired: () => void;
  #last: number;
  #timer: Timer | null;

  /** Starts to wait; `expired` is called once, after `ms` without a {@linkcode touch}. */
  constructor(clock: Clock, ms: number, expired: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#expired = expired;
    this.#last = clock.now();
    this.#timer = clock.after(ms, () => this.#check());
  }

  /** A sign of life. */
  touch(): void {
    this.#last = this.#clock.now();
  }

  /** Ends the wait. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #check(): void {
    const left = this.#last + this.#ms - this.#clock.now();
    if (left > 0) {
      this.#timer = this.#clock.after(left, () => this.#check());
      return;
    }
    this.#timer = null;
    this.#expired();
  }
}
