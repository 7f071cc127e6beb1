/**
 * Watches one worker that serves: its age, its number of exchanges, its memory, and whether it is alive.
 *
 * Not here: what is done about it (`worker.ts`, `slot.ts`).
 *
 * @module
 */

import type { Clock, Timer } from "../../exchange.ts";
import type { WorkerHandle, WorkerLimits } from "./ports.ts";

/** How often the memory is looked at: an allocation loop fills a gigabyte in a second. */
const MEMORY_MS = 250;

/** From this share of the memory limit on, a worker is not replaced but killed. */
const HARD_FACTOR = 1.5;

/** A timer that comes so late tells of a front that was asleep, not of a silent worker. */
const OWN_DELAY_MS = 500;

const MEBIBYTE = 1_048_576;
const MEGABYTE = 1_000_000;

/** What a limit leads to. */
export interface LimitActions {
  /** Make room for a new one, gracefully. Called once at most. */
  recycle(cause: string): void;
  /** End it now. */
  kill(cause: string): void;
}

/** The watch over one worker. */
export class LimitWatch {
  readonly #handle: WorkerHandle;
  readonly #limits: WorkerLimits;
  readonly #clock: Clock;
  readonly #actions: LimitActions;
  readonly #maxRequests: number;
  readonly #timers = new Map<string, Timer>();
  #recycled = false;
  #stopped = false;

  /** Begins with the watch for silence; the rest follows with {@linkcode serving}. */
  constructor(handle: WorkerHandle, limits: WorkerLimits, clock: Clock, random: () => number, actions: LimitActions) {
    this.#handle = handle;
    this.#limits = limits;
    this.#clock = clock;
    this.#actions = actions;
    this.#maxRequests = limits.maxRequests === 0 ? Infinity : limits.maxRequests + Math.floor(random() * (limits.maxRequestsJitter + 1));
    if (limits.heartbeatTimeoutMs > 0) this.#expectBeat(limits.heartbeatTimeoutMs);
    if (limits.memoryBytes > 0) this.#watchMemory();
  }

  /** The worker takes exchanges from now on. */
  serving(): void {
    const { maxLifetimeMs } = this.#limits;
    if (maxLifetimeMs > 0) this.#after("lifetime", maxLifetimeMs, () => this.#recycle(`it is ${maxLifetimeMs / 1000} s old`));
  }

  /** An exchange is over. */
  ended(): void {
    const { completed } = this.#handle.host;
    if (completed >= this.#maxRequests) this.#recycle(`it has served ${completed} ${completed === 1 ? "exchange" : "exchanges"}`);
  }

  /** Stops watching. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #expectBeat(afterMs: number): void {
    const dueAt = this.#clock.now() + afterMs;
    this.#after("beat", afterMs, () => {
      const { heartbeatTimeoutMs } = this.#limits;
      const now = this.#clock.now();
      const silentMs = now - this.#handle.host.heardAt;
      if (silentMs < heartbeatTimeoutMs) this.#expectBeat(heartbeatTimeoutMs - silentMs);
      // What the worker has said meanwhile is still unread.
      else if (now - dueAt > OWN_DELAY_MS) this.#expectBeat(Math.min(OWN_DELAY_MS, heartbeatTimeoutMs));
      else this.#actions.kill(`no sign of life for ${heartbeatTimeoutMs / 1000} s`);
    });
  }

  #watchMemory(): void {
    this.#after("memory", MEMORY_MS, () => {
      const { memoryBytes } = this.#limits;
      const bytes = this.#handle.rssBytes() ?? 0;
      const cause = memoryCause(bytes, memoryBytes);
      if (bytes >= memoryBytes * HARD_FACTOR) return this.#actions.kill(cause);
      if (bytes >= memoryBytes) this.#recycle(cause);
      this.#watchMemory();
    });
  }

  #recycle(cause: string): void {
    if (this.#recycled || this.#stopped) return;
    this.#recycled = true;
    this.#actions.recycle(cause);
  }

  #after(name: string, ms: number, callback: () => void): void {
    if (this.#stopped) return;
    this.#timers.set(name, this.#clock.after(ms, callback));
  }
}

// In the unit that the limit was given in: 150M is no whole number of MiB.
function memoryCause(bytes: number, limit: number): string {
  const [unit, name] = limit % MEBIBYTE === 0 ? [MEBIBYTE, "MiB"] as const : [MEGABYTE, "MB"] as const;
  const text = (size: number) => `${Math.round(size / unit)} ${name}`;
  return `it takes ${text(bytes)} of memory, its limit is ${text(limit)}`;
}
