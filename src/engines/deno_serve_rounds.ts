/**
 * Things to be looked at a little later, all with one timer.
 *
 * @module
 */

/** Looks at what was added, after `ms` milliseconds and again as often, until each look says that it was the last. */
export class Rounds<T> {
  readonly #ms: number;
  readonly #look: (one: T) => boolean;
  readonly #waiting = new Set<T>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** `look` returns `true` for the last time. */
  constructor(ms: number, look: (one: T) => boolean) {
    this.#ms = ms;
    this.#look = look;
  }

  /** Adds one, unless it is there already. */
  add(one: T): void {
    this.#waiting.add(one);
    if (this.#waiting.size > 1 || this.#timer !== null) return;
    // Not here: in a handler of Deno.serve, setTimeout runs all waiting microtasks before it returns, in the midst of a call of a session.
    queueMicrotask(() => this.#arm());
  }

  /** Forgets all. */
  stop(): void {
    this.#waiting.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #round(): void {
    this.#timer = null;
    for (const one of [...this.#waiting]) {
      if (this.#look(one)) this.#waiting.delete(one);
    }
    this.#arm();
  }

  #arm(): void {
    if (this.#waiting.size > 0) this.#timer ??= setTimeout(() => this.#round(), this.#ms);
  }
}
