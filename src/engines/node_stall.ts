/**
 * Whether something that should move does not: looked at now and then, so that nothing has to be noted when it moves.
 *
 * @module
 */

/** Watches a number that grows as long as things move. */
export class Stall {
  #seen = -1;
  #since = 0;

  /** Whether the number is what it was `ms` milliseconds ago. */
  lasts(now: number, value: number, ms: number): boolean {
    if (value !== this.#seen) {
      this.#seen = value;
      this.#since = now;
      return false;
    }
    return now - this.#since >= ms;
  }
}
