/**
 * Time under the test's control.
 *
 * @module
 */

import type { Clock, Timer } from "../exchange.ts";
import { settle } from "./waiting.ts";

interface Pending {
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until the test moves it. Keepalives, idle limits and timeouts of the server run on it, so a test of them takes no time.
 *
 * @example
 * ```ts
 * import { ManualClock, testClient } from "@pagi/server/testing";
 * import { defineApp } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const app = defineApp({
 *   async sse(_scope, receive, send) {
 *     await send({ type: "sse.start" });
 *     await send({ type: "sse.keepalive", interval: 15, comment: "still here" });
 *     while ((await receive()).type !== "sse.disconnect");
 *   },
 * });
 * const clock = new ManualClock();
 * await using client = await testClient(app, { clock });
 * const stream = await client.sse("/");
 * await clock.advance(30_000);
 * assertEquals(stream.comments.length, 2);
 * ```
 */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #pending = new Set<Pending>();

  /** Starts at `nowMs` milliseconds. */
  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  /** Milliseconds. */
  now(): number {
    return this.#nowMs;
  }

  /** Calls back once when the clock has been moved by `ms`. */
  after(ms: number, callback: () => void): Timer {
    const pending = { dueMs: this.#nowMs + Math.max(0, ms), callback };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** A turn of the real event loop: it is no time. */
  turn(): Promise<void> {
    return new Promise((resolve) => void setImmediate(resolve));
  }

  /** How many callbacks are pending. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Milliseconds until the next callback, `null` where none is pending. */
  get nextMs(): number | null {
    const first = this.#first();
    return first === null ? null : first.dueMs - this.#nowMs;
  }

  /**
   * Moves the clock. Callbacks that fall due run in their order, each at its own time; after each one, everything that is ready runs
   * before the clock goes on, so a timer that a callback starts is not missed.
   *
   * @param ms Milliseconds, 0 or more.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`Cannot advance the clock by ${ms} ms: it only goes forward`);
    const targetMs = this.#nowMs + ms;
    await settle();
    for (let first = this.#first(); first !== null && first.dueMs <= targetMs; first = this.#first()) {
      this.#pending.delete(first);
      this.#nowMs = Math.max(this.#nowMs, first.dueMs);
      first.callback();
      await settle();
    }
    this.#nowMs = targetMs;
  }

  /** The earliest one; of two that are due at once, the one that was set first. */
  #first(): Pending | null {
    let first: Pending | null = null;
    for (const pending of this.#pending) {
      if (first === null || pending.dueMs < first.dueMs) first = pending;
    }
    return first;
  }
}
