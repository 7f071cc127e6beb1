/**
 * When an engine that takes no more connections may close those without a request: once nothing is on its way any more.
 *
 * A client can't know that its connection is about to close, and the answer to a request that crosses the close would be a reset. So
 * there is to be a while without a new request, in which the event loop was never late: on a machine that is busy, requests lie unread
 * for long, and a clock alone would not know of them.
 *
 * @module
 */

/** So long nothing may come, … */
const QUIET_MS = 250;
/** … looked at so often. */
const LOOK_MS = 25;
/** A look that is so late tells of a loop that is behind. */
const LATE_MS = 20;
/** Connections whose first request has not come yet, and requests that have begun to come, are waited for so long. */
const ARRIVE_MS = 5000;
/** In any case it is over after that. */
const MOST_MS = 10_000;

/** What is looked at. */
export interface Traffic {
  /** Requests so far. */
  readonly begun: number;
  /** Connections whose first request has not come yet, or whose next one has begun to come. */
  readonly arriving: number;
}

/** The wait. */
export class Farewell {
  /** Resolves once it is over, or was given up. */
  readonly over: Promise<void>;
  readonly #end = Promise.withResolvers<void>();
  readonly #traffic: Traffic;
  readonly #startedAt = performance.now();
  #timer: ReturnType<typeof setTimeout>;
  #begun: number;
  #quietSince = performance.now();
  #dueAt = 0;

  /** Begins. */
  constructor(traffic: Traffic) {
    this.#traffic = traffic;
    this.#begun = traffic.begun;
    this.over = this.#end.promise;
    this.#timer = this.#later();
  }

  /** Gives it up. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#end.resolve();
  }

  #later(): ReturnType<typeof setTimeout> {
    this.#dueAt = performance.now() + LOOK_MS;
    return setTimeout(() => this.#look(), LOOK_MS);
  }

  #look(): void {
    const now = performance.now();
    const { begun, arriving } = this.#traffic;
    const elapsedMs = now - this.#startedAt;
    if (now - this.#dueAt > LATE_MS || begun !== this.#begun || arriving > 0 && elapsedMs < ARRIVE_MS) this.#quietSince = now;
    this.#begun = begun;
    if (now - this.#quietSince >= QUIET_MS || elapsedMs >= MOST_MS) this.#end.resolve();
    else this.#timer = this.#later();
  }
}
