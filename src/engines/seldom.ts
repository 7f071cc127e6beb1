/**
 * Lines for the log that a client could cause without end: one a second of each kind, with the number of those that were left out.
 *
 * @module
 */

/** One kind of line. */
export class Seldom {
  #last = -Infinity;
  #leftOut = 0;

  /** Whether one may be written now; if so, the number of those left out before it, else -1. `now` in milliseconds. */
  next(now: number): number {
    if (now - this.#last < 1000) {
      this.#leftOut++;
      return -1;
    }
    const leftOut = this.#leftOut;
    this.#last = now;
    this.#leftOut = 0;
    return leftOut;
  }
}
