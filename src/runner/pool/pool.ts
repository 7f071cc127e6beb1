/**
 * A home of several workers: it hands each exchange to one of them and keeps their number.
 *
 * Not here: the life of a worker (`worker.ts`), its replacement (`slot.ts`), how it is started (`../homes/`).
 *
 * @module
 */

import type { Host, Inbound, Outbound, RequestHead, SocketInbound, SocketOutbound, Start } from "../../exchange.ts";
import { StartupError } from "../../spec/errors.ts";
import type { PoolOptions, WorkerHost } from "./ports.ts";
import { WaitQueue } from "./queue.ts";
import { Slot } from "./slot.ts";
import { SupervisedWorker } from "./worker.ts";
import type { WorkerInfo } from "./worker_info.ts";

/** What the workers that did start get for their lifespan shutdown where another one could not. */
const CLEANUP_MS = 1000;

/** The home. */
export class Pool implements Host {
  /** A pool replaces what it loses as long as the server runs: this never settles. */
  readonly lost: Promise<string> = new Promise(() => {});
  readonly #options: PoolOptions;
  readonly #queue: WaitQueue;
  readonly #workers = new Set<SupervisedWorker>();
  #slots: Slot[] = [];
  /** The hosts of the ready workers. */
  #ready: readonly WorkerHost[] = [];
  #turn = 0;
  #start: Start | null = null;
  /** Workers are replaced one at a time. */
  #lane: Promise<unknown> = Promise.resolve();
  #isRolling = false;
  #rollAgain = false;
  #isClosing = false;
  #isRefusing = false;
  #idle: PromiseWithResolvers<void> | null = null;
  #drained: { readonly reason: string; readonly dueAt: number } | null = null;

  /** Nothing is started yet. */
  constructor(options: PoolOptions) {
    this.#options = options;
    const { maxQueue, queueTimeoutMs, clock } = options;
    this.#queue = new WaitQueue(maxQueue, queueTimeoutMs, clock, () => this.#refused());
  }

  /**
   * Starts all workers; one that can't start ends the others.
   *
   * @throws {StartupError} With the text of the worker that could not.
   */
  async start(start: Start): Promise<void> {
    this.#start = start;
    this.#slots = Array.from({ length: this.#options.count }, (_, index) => this.#slot(index + 1));
    try {
      await Promise.all(this.#slots.map((slot) => slot.start()));
    } catch (error) {
      const isStopped = this.#isClosing;
      await this.stop(isStopped ? 0 : CLEANUP_MS);
      if (isStopped) throw new StartupError("The server was stopped during the startup");
      throw error instanceof StartupError ? error : new StartupError(message(error), { cause: error });
    }
  }

  /** Hands an exchange to the ready worker with the fewest open ones. */
  open(head: RequestHead, out: Outbound): Inbound {
    const host = this.#next();
    return host === null ? this.#queue.add(out, (ready) => ready.open(head, out)) : host.open(head, out);
  }

  /** The same for a WebSocket. */
  openSocket(head: RequestHead, out: SocketOutbound): SocketInbound {
    const host = this.#next();
    return host === null ? this.#queue.add(out, (ready) => ready.openSocket(head, out)) : host.openSocket(head, out);
  }

  /** Tells all apps; from now on no worker is replaced. */
  drain(reason: string, secondsLeft: number): void {
    this.#close();
    this.#drained = { reason, dueAt: this.#options.clock.now() + secondsLeft * 1000 };
    for (const worker of this.#workers) worker.drain(reason, secondsLeft);
    this.#settleQueue();
  }

  /** Stops all workers; after `graceMs` they are killed. */
  async stop(graceMs: number): Promise<void> {
    this.#close();
    await Promise.all([...this.#workers].map((worker) => worker.stop(graceMs)));
    this.#queue.refuseAll();
  }

  /** Kills all workers: the process is about to end. */
  kill(cause: string): void {
    this.#close();
    for (const worker of this.#workers) worker.kill(cause);
  }

  /** What there is to tell about the workers. */
  workers(): WorkerInfo[] {
    return this.#slots.flatMap((slot) => slot.info());
  }

  /** Open exchanges of all workers. */
  get size(): number {
    let open = 0;
    for (const worker of this.#workers) open += worker.open;
    return open;
  }

  /** Resolves once no worker has an open exchange, or can get one without the pool. */
  idle(): Promise<void> {
    this.#idle ??= Promise.withResolvers();
    this.#settleIdle();
    return this.#idle.promise;
  }

  /** Something has changed that all workers are to know: plain data that they understand. Those that start know it already. */
  tell(what: unknown): void {
    for (const worker of this.#workers) worker.tell(what);
  }

  /** Exchanges that wait for a worker. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Replaces all workers, one after the other, the new one before the old. Asked meanwhile, it does so once more. */
  async roll(cause: string): Promise<void> {
    if (this.#isClosing) return;
    if (this.#isRolling) {
      this.#rollAgain = true;
      return;
    }
    this.#isRolling = true;
    do {
      this.#rollAgain = false;
      await this.#rollOnce(cause);
    } while (this.#rollAgain && !this.#isClosing);
    this.#isRolling = false;
  }

  /** One worker more. */
  async grow(cause: string): Promise<void> {
    if (this.#isClosing) return;
    const count = this.#open().length + 1;
    this.#options.log("info", `${cause}: one worker more`, { workers: count });
    const slot = this.#slot(count);
    this.#slots = [...this.#slots, slot];
    await slot.restart();
  }

  /** One worker less, but never none. */
  shrink(cause: string): void {
    if (this.#isClosing) return;
    const { log } = this.#options;
    const slots = this.#open();
    if (slots.length === 1) return log("warn", `${cause}: the last worker stays`);
    log("info", `${cause}: one worker less`, { workers: slots.length - 1 });
    slots.at(-1)!.close(cause);
  }

  // The hosts in turn, so that of equals not always the first is taken.
  #next(): WorkerHost | null {
    const ready = this.#ready;
    const count = ready.length;
    if (count === 0) return null;
    if (this.#turn >= count) this.#turn = 0;
    let best = this.#turn;
    let fewest = ready[best]!.size;
    for (let step = 1; fewest > 0 && step < count; step++) {
      const at = (this.#turn + step) % count;
      const { size } = ready[at]!;
      if (size < fewest) {
        best = at;
        fewest = size;
      }
    }
    this.#turn = best + 1;
    return ready[best]!;
  }

  async #rollOnce(cause: string): Promise<void> {
    const { log } = this.#options;
    const slots = this.#open();
    log("info", `${cause}: all workers are replaced, one at a time`, { workers: slots.length });
    for (const slot of slots) {
      if (this.#isClosing) return;
      try {
        const old = await slot.replace(cause);
        await old?.gone;
      } catch (error) {
        // It was one too many meanwhile.
        if (slot.isClosed) continue;
        log("error", `${cause}: worker ${slot.number} could not be replaced, the old ones go on: ${message(error)}`, {
          worker: slot.number,
        });
        return;
      }
    }
  }

  // Those that are meant to serve, by their numbers; the rest is forgotten as soon as it is empty.
  #open(): Slot[] {
    this.#slots = this.#slots.filter((slot) => !slot.isEmpty);
    return this.#slots.filter((slot) => !slot.isClosed);
  }

  #slot(number: number): Slot {
    return new Slot(number, { ...this.#options, create: (slot) => this.#create(slot), inTurn: (run) => this.#inTurn(run) });
  }

  #create(slot: Slot): SupervisedWorker {
    const worker: SupervisedWorker = new SupervisedWorker(slot.number, {
      ...this.#options,
      start: this.#start!,
      changed: () => this.#changed(worker),
      ended: () => this.#settleIdle(),
      recycle: (cause) => slot.recycle(worker, cause),
    });
    this.#workers.add(worker);
    return worker;
  }

  // Replacements start one at a time.
  #inTurn<R>(run: () => Promise<R>): Promise<R> {
    const result = this.#lane.then(run);
    this.#lane = result.catch(() => {});
    return result;
  }

  #changed(worker: SupervisedWorker): void {
    if (worker.state === "gone") this.#workers.delete(worker);
    this.#ready = [...this.#workers].filter(({ isReady }) => isReady).map(({ host }) => host);
    if (worker.isReady && this.#drained !== null) {
      const { reason, dueAt } = this.#drained;
      worker.drain(reason, Math.max(0, dueAt - this.#options.clock.now()) / 1000);
    }
    this.#settleQueue();
    this.#settleIdle();
  }

  #settleIdle(): void {
    if (this.#idle !== null && [...this.#workers].every(({ isIdle }) => isIdle)) this.#idle.resolve();
  }

  #settleQueue(): void {
    if (this.#ready.length > 0) {
      this.#isRefusing = false;
      this.#queue.flush(() => this.#next()!);
    } else if (this.#isClosing && ![...this.#workers].some(({ state }) => state === "starting")) this.#queue.refuseAll();
  }

  #refused(): void {
    if (this.#isRefusing || this.#isClosing) return;
    this.#isRefusing = true;
    this.#options.log("warn", "No worker is ready, and exchanges that can't wait are answered 503", { waiting: this.#queue.size });
  }

  #close(): void {
    this.#isClosing = true;
    for (const slot of this.#slots) slot.shut();
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
