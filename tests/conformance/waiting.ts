/**
 * Waiting with an end: a test that waits in vain fails with the name of what it waited for.
 *
 * @module
 */

/** How long a wait may take. */
const WAIT_MS = 5000;

/** Waits for a promise. */
export async function within<T>(promise: Promise<T>, what: string, ms: number = WAIT_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${ms} ms for ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks at something again and again, for states that nothing tells of, until it gives a value. */
export async function until<T>(look: () => T | undefined | false, what: string, ms: number = WAIT_MS): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`Waited ${ms} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Lets everything that is ready run, for what must not happen: an answer that is not held back, a callback that is not called. */
export async function settle(ms = 20): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

const settling = new Set<() => Promise<void>>();

/** From now on a mailbox gives an item only after this; what it returns ends that. */
export function settleFirst(settle: () => Promise<void>): () => void {
  settling.add(settle);
  return () => void settling.delete(settle);
}

/** A queue between an app and its test. */
export class Mailbox<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  /** Puts something in. */
  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  /** The next item; waits for it. */
  async take(what = "the app"): Promise<T> {
    const item = this.#items.shift() ?? await within(new Promise<T>((resolve) => this.#takers.push(resolve)), what);
    for (const settle of settling) await settle();
    return item;
  }

  /** What is in it and not taken. */
  get waiting(): number {
    return this.#items.length;
  }
}

/** A door that is opened once. */
export class Gate {
  readonly #opened = Promise.withResolvers<void>();

  /** Lets everybody through. */
  open(): void {
    this.#opened.resolve();
  }

  /** Waits until it is open. */
  pass(): Promise<void> {
    return within(this.#opened.promise, "a gate");
  }
}
