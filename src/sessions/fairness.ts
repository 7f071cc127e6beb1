/**
 * Keeps an app that loops on an ended exchange from starving everybody else.
 *
 * After an end, `send` resolves without effect and `receive` gives the same event again: both at once, so `for (;;) await send(…)` would
 * be an endless chain of microtasks, in which no other client, no timer and no signal is ever looked at. So every hundredth such call
 * of a home costs a turn of the event loop.
 *
 * @module
 */

import type { Clock } from "../exchange.ts";
import { RESOLVED } from "./context.ts";

/** Calls without a turn. */
const PATIENCE = 100;

/** Counts the calls without effect of one home. */
export class Fairness {
  readonly #clock: Clock;
  #calls = 0;

  /** Turns come from `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What a call without effect waits for. */
  pass(): Promise<void> {
    this.#calls = (this.#calls + 1) % PATIENCE;
    return this.#calls === 0 ? this.#clock.turn() : RESOLVED;
  }
}
