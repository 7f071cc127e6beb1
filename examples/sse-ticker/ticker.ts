/** A value that moves once a second, and remembers its last minute. */

/** One step of the value. */
export interface Tick {
  readonly number: number;
  readonly value: number;
  readonly at: string;
}

const INTERVAL_MS = 1000;
const REMEMBERED = 60;

/** It ticks from its creation until `stop`. */
export class Ticker {
  readonly #ticks: Tick[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #timer: ReturnType<typeof setInterval>;
  #value = 100;
  #number = 0;
  #watchers = 0;

  constructor() {
    this.#tick();
    this.#timer = setInterval(() => this.#tick(), INTERVAL_MS);
  }

  /** Streams that are open. */
  get watchers(): number {
    return this.#watchers;
  }

  /** The remembered ticks behind a number; all of them where it is none, or one that this ticker has not reached. */
  since(number: number): readonly Tick[] {
    return this.#ticks.filter((tick) => !(number <= this.#number) || tick.number > number);
  }

  /** Resolves at the next tick, or at once when the signal aborts. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }

  /** Counts a watcher until it is disposed of. */
  watched(): Disposable {
    this.#watchers++;
    return { [Symbol.dispose]: () => this.#watchers-- };
  }

  /** No more ticks. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#value = Math.max(1, this.#value * (1 + (Math.random() - 0.5) / 50));
    this.#ticks.push({ number: ++this.#number, value: Math.round(this.#value * 100) / 100, at: new Date().toISOString() });
    if (this.#ticks.length > REMEMBERED) this.#ticks.shift();
    for (const resolve of [...this.#waiting]) resolve();
  }
}
