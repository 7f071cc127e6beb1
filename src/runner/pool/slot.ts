/**
 * One worker number: the worker that serves under it, the one that takes its place, and when a new one is due.
 *
 * Not here: the life of one worker (`worker.ts`), how many numbers there are (`pool.ts`).
 *
 * @module
 */

import type { Timer } from "../../exchange.ts";
import { Backoff } from "./backoff.ts";
import type { PoolOptions } from "./ports.ts";
import type { SupervisedWorker } from "./worker.ts";
import type { WorkerInfo } from "./worker_info.ts";

/** What a slot needs. */
export interface SlotPorts extends Pick<PoolOptions, "clock" | "log" | "random" | "shutdownTimeoutMs"> {
  /** Makes a worker; it is not started. */
  create(slot: Slot): SupervisedWorker;
  /** Runs one replacement after the other. */
  inTurn<R>(run: () => Promise<R>): Promise<R>;
}

/** A worker number. */
export class Slot {
  readonly number: number;
  readonly #ports: SlotPorts;
  readonly #backoff: Backoff;
  readonly #leaving = new Set<SupervisedWorker>();
  /** It serves, or is meant to. */
  #current: SupervisedWorker | null = null;
  /** It starts, and takes the place of the current one once it is ready. */
  #next: SupervisedWorker | null = null;
  #starting: Promise<void> | null = null;
  #timer: Timer | null = null;
  #restarts = 0;
  #lastCause: string | null = null;
  #isClosed = false;

  /** Nothing is started yet. */
  constructor(number: number, ports: SlotPorts) {
    this.number = number;
    this.#ports = ports;
    this.#backoff = new Backoff(ports.random);
  }

  /** No new worker comes any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Nothing of it is left. */
  get isEmpty(): boolean {
    return this.#isClosed && this.#current === null && this.#next === null && this.#leaving.size === 0;
  }

  /**
   * Starts a worker where there is none.
   *
   * @throws {Error} What made it fail. Another try is up to the caller.
   */
  async start(): Promise<void> {
    const worker = this.#ports.create(this);
    this.#current = worker;
    this.#starting = worker.start();
    try {
      await this.#starting;
    } catch (error) {
      this.#current = null;
      throw error;
    }
    this.#follow(worker);
  }

  /** The same, but a failure is logged and leads to another try. */
  async restart(): Promise<void> {
    this.#cancel();
    try {
      await this.start();
    } catch (error) {
      if (this.#isClosed) return;
      this.#log("error", `could not start: ${error instanceof Error ? error.message : error}`);
      this.#later(this.#backoff.next(null), "starts again", () => this.restart());
    }
  }

  /**
   * Puts a new worker in the place of the current one, which takes no more exchanges as soon as the new one does.
   *
   * @returns The old one, which drains; `null` where there was nothing to replace.
   * @throws {Error} Where the new one can't be started: the old one goes on.
   */
  replace(cause: string): Promise<{ readonly gone: Promise<unknown> } | null> {
    return this.#ports.inTurn(() => this.#replace(cause));
  }

  /** The same for a worker that asks for it; a failure is logged and leads to another try. Who asks again and again has to wait. */
  recycle(worker: SupervisedWorker, cause: string): void {
    if (this.#isClosed || worker !== this.#current) return;
    this.#cancel();
    this.#log("info", `is to be replaced: ${cause}`);
    const now = this.#ports.clock.now();
    const delayMs = this.#backoff.next(now - (worker.readyAt ?? now));
    if (delayMs === 0) void this.#recycle(worker, cause);
    else this.#later(delayMs, "is replaced", () => this.#recycle(worker, cause));
  }

  /** No new worker comes; the current one drains. */
  close(cause: string): void {
    this.shut();
    this.#next?.kill(cause);
    if (this.#current !== null) this.#retire(this.#current, cause);
    this.#current = null;
  }

  /** No new worker comes. */
  shut(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  /** What there is to tell: a line for each worker, and one where none is there. */
  info(): WorkerInfo[] {
    const shared = { number: this.number, restarts: this.#restarts, lastCause: this.#lastCause };
    const lines = [...this.#workers()].map(({ pid, state, open }) => ({ ...shared, pid, state, open }));
    if (lines.length === 0 && !this.#isClosed) lines.push({ ...shared, pid: null, state: "gone", open: 0 });
    return lines;
  }

  *#workers(): Iterable<SupervisedWorker> {
    if (this.#current !== null) yield this.#current;
    if (this.#next !== null) yield this.#next;
    yield* this.#leaving;
  }

  async #recycle(worker: SupervisedWorker, cause: string): Promise<void> {
    try {
      await this.#ports.inTurn(() => worker === this.#current ? this.#replace(cause) : Promise.resolve(null));
    } catch (error) {
      if (this.#isClosed || worker !== this.#current) return;
      this.#log("error", `could not be replaced, the old one goes on: ${error instanceof Error ? error.message : error}`);
      this.#later(this.#backoff.next(null), "is tried to be replaced again", () => this.#recycle(worker, cause));
    }
  }

  async #replace(cause: string): Promise<SupervisedWorker | null> {
    if (this.#isClosed || this.#next !== null) return null;
    // Nobody waits for a worker that is due.
    if (this.#current === null) {
      await this.restart();
      return null;
    }
    // One that starts may have been loaded before whatever is the cause.
    if (this.#current.state === "starting") await this.#starting!.catch(() => {});
    if (!this.#current?.isReady) return null;
    const next = this.#ports.create(this);
    this.#next = next;
    try {
      await next.start();
    } catch (error) {
      this.#next = null;
      // The old one has ended meanwhile.
      if (this.#current === null) this.#later(this.#backoff.next(null), "starts again", () => this.restart());
      throw error;
    }
    this.#next = null;
    const old = this.#current;
    this.#current = next;
    this.#follow(next);
    // Where the old one has ended meanwhile, that was counted.
    if (old === null) return null;
    this.#count(cause);
    return this.#retire(old, cause);
  }

  #retire(worker: SupervisedWorker, cause: string): SupervisedWorker {
    this.#leaving.add(worker);
    worker.retire(cause, this.#ports.shutdownTimeoutMs);
    void worker.gone.then(() => this.#leaving.delete(worker));
    return worker;
  }

  // A worker that ends although nobody asked it to gets a successor.
  #follow(worker: SupervisedWorker): void {
    void worker.gone.then((cause) => {
      if (this.#current !== worker) return;
      this.#current = null;
      if (this.#isClosed) return;
      this.#count(cause);
      if (this.#next === null) {
        this.#later(this.#backoff.next(this.#ports.clock.now() - worker.readyAt!), "starts again", () => this.restart());
      }
    });
  }

  #later(delayMs: number, what: string, run: () => Promise<void>): void {
    if (this.#isClosed) return;
    this.#cancel();
    if (delayMs > 0) this.#log("info", `${what} in ${delayMs / 1000} s`);
    this.#timer = this.#ports.clock.after(delayMs, () => void run());
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #count(cause: string): void {
    this.#restarts++;
    this.#lastCause = cause;
  }

  #log(level: "info" | "error", text: string): void {
    this.#ports.log(level, `Worker ${this.number} ${text}`, { worker: this.number });
  }
}
