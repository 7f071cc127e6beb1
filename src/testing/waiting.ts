/**
 * Waiting for something in a test: in real time, since a test that hangs says nothing, and with a name for what was awaited.
 *
 * @module
 */

import { WaitError } from "./errors.ts";

/**
 * Waits for a promise, at most for so long.
 *
 * @param ms Milliseconds of real time, 0 waits forever.
 * @param what What is awaited, for the error.
 * @throws {WaitError} Where the promise has not settled by then.
 */
export function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  if (ms === 0) return promise;
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new WaitError(ms, what)), ms);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** Waits for a promise as a client was told to: with its limit of time, and with a memory for the errors that it has thrown. */
export type Wait = <T>(promise: Promise<T>, what: string) => Promise<T>;

/** Lets everything that is ready run: one turn of the event loop, after which no microtask is left. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** A queue that one side fills and the other awaits; it can be ended or failed. */
export class Mailbox<T> {
  readonly #items: T[] = [];
  readonly #waiting: PromiseWithResolvers<T | null>[] = [];
  #over = false;
  #error: unknown = null;

  /** Adds an item. Does nothing after the end. */
  put(item: T): void {
    if (this.#over) return;
    const first = this.#waiting.shift();
    if (first) first.resolve(item);
    else this.#items.push(item);
  }

  /** No more items: what is there is still given out, then `null`, or the error where there is one. */
  end(error: unknown = null): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    for (const waiting of this.#waiting.splice(0)) {
      if (error === null) waiting.resolve(null);
      else waiting.reject(error);
    }
  }

  /** The next item, `null` at the end. A wait that fails swallows no later item. */
  async take(wait: Wait, what: string): Promise<T | null> {
    if (this.#items.length > 0) return this.#items.shift()!;
    if (this.#over) return this.#error === null ? null : await wait(Promise.reject(this.#error), what);
    const waiting = Promise.withResolvers<T | null>();
    this.#waiting.push(waiting);
    try {
      return await wait(waiting.promise, what);
    } finally {
      const at = this.#waiting.indexOf(waiting);
      if (at >= 0) this.#waiting.splice(at, 1);
    }
  }
}
