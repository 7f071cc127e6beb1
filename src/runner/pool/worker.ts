/**
 * One supervised worker, from its start to its end: a walk through `worker_table.ts`.
 *
 * Not here: who takes its place (`slot.ts`), which exchange it gets (`pool.ts`).
 *
 * @module
 */

import type { Start, Timer } from "../../exchange.ts";
import { IGNORE } from "../../sessions/table.ts";
import { WorkerError } from "../../spec/errors.ts";
import { LimitWatch } from "./limits.ts";
import type { WorkerHandle, WorkerPorts } from "./ports.ts";
import type { WorkerState } from "./worker_info.ts";
import * as T from "./worker_table.ts";

/** What a worker may take to load its app, beside the time of the lifespan startup. */
const LOAD_MS = 30_000;

/** A worker whose time is over has this long for its lifespan shutdown, however late it is. */
const CLEANUP_MS = 1000;

/** What a worker may take to end by itself, after an event; after the others it is killed at once. */
const PATIENCE_MS: Readonly<Record<number, number>> = {
  [T.FAILED]: 1000,
  [T.STOPPED]: 1000,
  // So that its own cause is known.
  [T.LOST]: 200,
};

/** Whoever ends all processes of a service asks the server too, a moment later. */
const ASKED_MS = 100;

/** What the last bytes of a process that has ended may take. */
const LINK_MS = 500;

/** After that, a killed worker is given up: the system does not end it. */
const GIVE_UP_MS = 5000;

/** A worker. */
export class SupervisedWorker {
  readonly number: number;
  /** Resolves with the cause once nothing is left of it. */
  readonly gone: Promise<string>;
  /** When it became ready, `null` as long as it was not. */
  readyAt: number | null = null;
  readonly #ports: WorkerPorts;
  readonly #over: PromiseWithResolvers<string> = Promise.withResolvers();
  readonly #spawned: PromiseWithResolvers<void> = Promise.withResolvers();
  #handle: WorkerHandle | null = null;
  #watch: LimitWatch | null = null;
  #state = T.STARTING;
  /** Why it has to go, or went. */
  #cause = "";
  #deadline: Timer | null = null;
  /** It was asked to stop. */
  #asked: Timer | null = null;
  #dueAt = Infinity;

  /** Nothing is started yet. */
  constructor(number: number, ports: WorkerPorts) {
    this.number = number;
    this.gone = this.#over.promise;
    this.#ports = ports;
  }

  /** The state by name. */
  get state(): WorkerState {
    return T.WORKER_TABLE.states[this.#state] as WorkerState;
  }

  /** It takes exchanges. */
  get isReady(): boolean {
    return this.#state === T.READY;
  }

  /** The process, where it is one. */
  get pid(): number | null {
    return this.#handle?.pid ?? null;
  }

  /** Open exchanges. */
  get open(): number {
    return this.#handle?.host.size ?? 0;
  }

  /** It has no open exchange, and gets none any more. */
  get isIdle(): boolean {
    return this.#state === T.STARTING || this.#state > T.STOPPING || this.#handle!.host.idle;
  }

  /** Something has changed since its start. One that starts knows it already. */
  tell(what: unknown): void {
    if (this.#state !== T.STARTING && this.#state < T.ENDING) this.host.tell(what);
  }

  /** Where its exchanges go. Only of a worker that has been ready. */
  get host(): WorkerHandle["host"] {
    return this.#handle!.host;
  }

  /**
   * Starts it: process or thread, app, lifespan startup.
   *
   * @throws {StartupError} With the worker's own text.
   * @throws {WorkerError} Where it ended first.
   */
  async start(): Promise<void> {
    const { start, clock } = this.#ports;
    const limitMs = start.lifespanStartupTimeoutMs;
    // An app whose modules never settle would hold up every replacement.
    const late = limitMs === 0
      ? null
      : clock.after(LOAD_MS + limitMs, () => this.kill(`it was not ready within ${(LOAD_MS + limitMs) / 1000} s of its start`));
    try {
      await this.#start(start);
    } finally {
      late?.cancel();
    }
  }

  /** It takes no more exchanges and ends once those it has are over, at the latest after `graceMs`. */
  retire(cause: string, graceMs: number): void {
    this.#dueAt = this.#ports.clock.now() + graceMs;
    this.#on(T.RETIRE, cause);
  }

  /** Tells the app that the server stops. */
  drain(reason: string, secondsLeft: number): void {
    if (this.#state !== T.STARTING && this.#state < T.STOPPING) this.host.drain(reason, secondsLeft);
  }

  /** Runs the lifespan shutdown, then ends it; after `graceMs` it is killed. Resolves when it is gone. */
  stop(graceMs: number): Promise<string> {
    const dueAt = this.#ports.clock.now() + graceMs;
    if (this.#state !== T.STOPPING) this.#dueAt = dueAt;
    else if (dueAt < this.#dueAt) this.#arm(dueAt);
    this.#on(T.STOP, "the server stops");
    return this.gone;
  }

  /** Ends it now. */
  kill(cause: string): void {
    this.#on(T.KILL, cause);
  }

  async #start(start: Start): Promise<void> {
    const handle = await this.#spawn();
    try {
      await handle.host.start({ ...start, isWorker: true, workerNum: this.number });
    } catch (error) {
      // How it ended says more than that its link broke.
      if (error instanceof WorkerError) throw await this.#ended(error);
      this.#on(T.FAILED, text(error));
      throw error;
    }
    this.#on(T.STARTED, "");
    if (!this.isReady) throw await this.#ended();
  }

  async #spawn(): Promise<WorkerHandle> {
    const { home, log, limits, clock, random, recycle } = this.#ports;
    try {
      const handle = await home.spawn(this.number, {
        marks: { worker: this.number },
        note: (level, text, fields) => log(level, text, { ...fields, worker: this.number }),
        ended: () => this.#oneLess(),
        asked: () => {
          if (this.#state > T.READY) return;
          this.#asked?.cancel();
          this.#asked = clock.after(ASKED_MS, () => recycle("it was asked to stop"));
        },
      });
      if (this.#state !== T.STARTING) {
        // It was killed before it was there.
        handle.host.abandon(this.#cause);
        handle.kill();
        await this.#within(GIVE_UP_MS, handle.exited);
        throw new WorkerError(`Worker ${this.number} ended while it started: ${this.#cause}`);
      }
      this.#handle = handle;
      void handle.host.lost.then((cause) => this.#on(T.LOST, cause));
      void handle.exited.then((how) => this.#on(T.EXITED, how));
      this.#watch = new LimitWatch(handle, limits, clock, random, { recycle, kill: (cause) => this.kill(cause) });
      return handle;
    } catch (error) {
      this.#on(T.FAILED, text(error));
      throw error;
    } finally {
      this.#spawned.resolve();
    }
  }

  async #ended(cause?: WorkerError): Promise<WorkerError> {
    const how = await this.gone;
    const words = this.#handle?.lastWords?.() ?? "";
    return new WorkerError(`Worker ${this.number} ended while it started: ${how}${words === "" ? "" : `: ${words}`}`, { cause });
  }

  #oneLess(): void {
    this.#watch?.ended();
    // A turn later: the exchanges of a worker that is lost are over too, and then that comes first.
    if (this.#state === T.DRAINING && this.host.idle) queueMicrotask(() => this.#on(T.IDLE, ""));
    this.#ports.ended();
  }

  #on(event: number, cause: string): void {
    const next = T.WORKER_TABLE.rows[this.#state]![event] as number;
    if (next === IGNORE) return;
    const from = this.#state;
    this.#state = next;
    if (cause !== "") this.#cause = cause;
    if (next > T.READY) this.#asked?.cancel();
    if (next === T.READY) this.readyAt = this.#ports.clock.now();
    this.#ports.changed();
    this.#enter(next, event, from);
  }

  #enter(state: number, event: number, from: number): void {
    switch (state) {
      case T.READY:
        this.#watch!.serving();
        this.#log("info", "is ready");
        break;
      case T.DRAINING:
        return this.#drain();
      case T.STOPPING:
        return this.#stop(event);
      case T.ENDING:
        return void this.#end(event, from);
      case T.GONE:
        this.#over.resolve(this.#cause);
    }
  }

  #drain(): void {
    const leftMs = Math.max(0, this.#dueAt - this.#ports.clock.now());
    // One that listens itself tells its number from time to time.
    this.#log("info", `takes no more exchanges: ${this.#cause}`, this.#ports.home.name === "listener" ? {} : { open: this.open });
    this.host.drain("restart", leftMs / 1000);
    this.#arm(this.#dueAt);
    // Not at once: whoever asked sees it drain before it stops.
    if (this.host.idle) queueMicrotask(() => this.#on(T.IDLE, ""));
  }

  #stop(event: number): void {
    const { clock } = this.#ports;
    if (event === T.LATE && this.open > 0) {
      this.#log("warn", "still has open exchanges at the end of its time: they are cut", { open: this.open });
    }
    const leftMs = Math.max(event === T.STOP ? 0 : CLEANUP_MS, this.#dueAt - clock.now());
    this.#arm(clock.now() + leftMs);
    void this.host.stop(leftMs).then(() => this.#on(clock.now() < this.#dueAt ? T.STOPPED : T.LATE, ""));
  }

  async #end(event: number, from: number): Promise<void> {
    this.#deadline?.cancel();
    this.#watch?.stop();
    const { open } = this;
    if (this.#handle === null) await this.#within(GIVE_UP_MS, this.#spawned.promise);
    else if (event === T.EXITED) await this.#readLast(this.#handle);
    else await this.#finish(this.#handle, event, open);
    // Its end may be seen before its last word.
    if (event === T.EXITED && from === T.STOPPING) this.#log("info", `has stopped (${this.#cause})`);
    else if (event === T.LOST || event === T.EXITED) this.#log("error", `is gone: ${this.#cause}`);
    this.#on(T.OVER, "");
  }

  // The process has ended; what it sent last is still on the way.
  async #readLast({ host }: WorkerHandle): Promise<void> {
    await this.#within(LINK_MS, host.lost);
    host.abandon(this.#cause);
  }

  async #finish(handle: WorkerHandle, event: number, open: number): Promise<void> {
    // Without its link a worker ends by itself. One that was told to stop has had its time; its clients may come again.
    handle.host.abandon(this.#cause, event === T.STOPPED || event === T.LATE ? "server_shutdown" : "x-worker-lost");
    const patienceMs = PATIENCE_MS[event];
    const how = patienceMs === undefined ? null : await this.#within(patienceMs, handle.exited);
    if (how === null) {
      if (event === T.KILL) this.#log("warn", `is killed: ${this.#cause}`, { open });
      if (event === T.LATE || event === T.STOPPED) this.#log("warn", "is killed: it did not end in time", { open });
      handle.kill();
      if (await this.#within(GIVE_UP_MS, handle.exited) === null) this.#log("error", "does not end although it was killed: it is given up");
    } else if (event === T.LOST) this.#cause += ` (${how})`;
    else if (event === T.STOPPED) this.#log("info", `has stopped (${how})`);
  }

  async #within<R>(ms: number, promise: Promise<R>): Promise<R | null> {
    const late = Promise.withResolvers<null>();
    const timer = this.#ports.clock.after(ms, () => late.resolve(null));
    const result = await Promise.race([promise, late.promise]);
    timer.cancel();
    return result;
  }

  #arm(at: number): void {
    const { clock } = this.#ports;
    this.#deadline?.cancel();
    this.#dueAt = at;
    this.#deadline = clock.after(Math.max(0, at - clock.now()), () => this.#on(T.LATE, ""));
  }

  #log(level: "info" | "warn" | "error", text: string, fields: Record<string, number> = {}): void {
    const { pid } = this;
    this.#ports.log(level, `Worker ${this.number} ${text}`, { worker: this.number, ...(pid === null ? {} : { pid }), ...fields });
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
