/**
 * So much in a second, and no more: a budget that fills up with time.
 *
 * @module
 */

/** Counts what is spent. */
export class Allowance {
  readonly #perSecond: number;
  #left: number;
  #at: number;

  /** Begins full. */
  constructor(perSecond: number, now: number = performance.now()) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
    this.#at = now;
  }

  /** Takes `amount`, or says that there is not so much. */
  spend(amount: number = 1, now: number = performance.now()): boolean {
    if (this.#left < amount) {
      this.#left = Math.min(this.#perSecond, this.#left + (now - this.#at) / 1000 * this.#perSecond);
      this.#at = now;
      if (this.#left < amount) return false;
    }
    this.#left -= amount;
    return true;
  }
}
