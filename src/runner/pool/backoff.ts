/**
 * How long a new worker waits for its turn after others have failed: exponential, with jitter, so that workers that fell together do
 * not rise together.
 *
 * @module
 */

/** The second delay in a row; the first is none. */
const BASE_MS = 100;

/** The longest delay where the worker could not start. */
const MAX_START_MS = 30_000;

/** The longest delay where it had served: clients wait meanwhile. */
const MAX_SERVED_MS = 2000;

/** Whoever served for so long was no failure. */
const HEALTHY_MS = 5000;

/** The delays of one worker number. */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** Takes a source of numbers from 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * The delay before the next start, in milliseconds.
   *
   * @param servedMs How long the last one was ready, `null` where it never was.
   */
  next(servedMs: number | null): number {
    if (servedMs !== null && servedMs >= HEALTHY_MS) this.#failures = 0;
    this.#failures++;
    if (this.#failures === 1) return 0;
    const longest = servedMs === null ? MAX_START_MS : MAX_SERVED_MS;
    const delay = Math.min(longest, BASE_MS * 2 ** (this.#failures - 2));
    return Math.round(delay * (0.5 + this.#random() / 2));
  }
}
