/**
 * A home whose workers do what a test says, and an engine's side of an exchange that counts its calls.
 *
 * @module
 */

import type {
  End,
  Fields,
  Inbound,
  Level,
  Outbound,
  Pairs,
  RequestHead,
  SocketInbound,
  SocketOutbound,
  Start,
} from "../../../src/exchange.ts";
import { Pool } from "../../../src/runner/pool/pool.ts";
import type { PoolOptions, WorkerHandle, WorkerHome, WorkerHooks, WorkerHost } from "../../../src/runner/pool/ports.ts";
import { StartupError, WorkerError } from "../../../src/spec/errors.ts";
import { ManualClock } from "../../../src/testing/clock.ts";

const START: Start = {
  isWorker: false,
  lifespan: "auto",
  lifespanStartupTimeoutMs: 30_000,
  validateEvents: false,
  limits: {
    highWaterBytes: 65_536,
    lowWaterBytes: 16_384,
    maxSendBufferBytes: 1 << 24,
    maxReceiveQueue: 1000,
    maxReceiveQueueBytes: 1 << 24,
    maxMessageBytes: 1 << 20,
    requestTimeoutMs: 0,
    wsIdleTimeoutMs: 0,
    sseIdleTimeoutMs: 0,
  },
};

/** The engine's side of one exchange. */
export class FakeOut implements SocketOutbound {
  readonly request: RequestHead;
  buffered = 0;
  watched = 0;
  /** How it ended, in order; a right exchange has one entry. */
  readonly ends: string[] = [];
  headers: Pairs = [];

  constructor(id: number, kind: RequestHead["kind"] = "http") {
    this.request = {
      kind,
      id,
      httpVersion: "1.1",
      method: "GET",
      scheme: "http",
      rawPath: "/",
      path: "/",
      query: "",
      rootPath: "",
      headers: [],
      server: ["127.0.0.1", 80],
      body: "none",
      capabilities: [],
    };
  }

  watch(): void {
    this.watched++;
  }
  respond(status: number, headers: Pairs, _body: Uint8Array | string, _flags: number, reason?: string): void {
    this.headers = headers;
    this.ends.push(reason === undefined ? `${status}` : `${status} ${reason}`);
  }
  abort(reason: string): void {
    this.ends.push(reason);
  }
  pull(): void {}
  inform(): void {}
  head(): void {}
  chunk(): void {}
  flush(): void {}
  end(): void {}
  note(): void {}
  accept(): void {}
  message(): void {}
  ping(): void {}
  close(): void {}
}

class FakeInbound implements SocketInbound {
  readonly calls: string[] = [];
  readonly #closed: () => void;
  constructor(closed: () => void) {
    this.#closed = closed;
  }
  body(): void {
    this.calls.push("body");
  }
  drained(): void {
    this.calls.push("drained");
  }
  flushed(): void {
    this.calls.push("flushed");
  }
  message(): void {
    this.calls.push("message");
  }
  pong(): void {
    this.calls.push("pong");
  }
  closed(_end: End): void {
    this.calls.push("closed");
    this.#closed();
  }
}

/** One worker. */
export class FakeWorker implements WorkerHandle, WorkerHost {
  readonly number: number;
  readonly pid: number;
  readonly lost: Promise<string>;
  readonly exited: Promise<string>;
  readonly drains: string[] = [];
  readonly told: unknown[] = [];
  readonly opened: FakeInbound[] = [];
  completed = 0;
  heardAt: number;
  rss = 0;
  started: Start | null = null;
  /** What it was stopped with. */
  stops: number[] = [];
  kills = 0;
  isDead = false;
  abandoned: string | null = null;
  readonly #home: FakeHome;
  readonly #hooks: WorkerHooks;
  readonly #loss: PromiseWithResolvers<string> = Promise.withResolvers();
  readonly #exit: PromiseWithResolvers<string> = Promise.withResolvers();
  readonly #exchanges = new Map<number, Outbound>();
  #stopping: PromiseWithResolvers<void> | null = null;
  #hasStopped = false;

  constructor(number: number, pid: number, home: FakeHome, hooks: WorkerHooks) {
    this.number = number;
    this.pid = pid;
    this.#home = home;
    this.#hooks = hooks;
    this.heardAt = home.clock.now();
    this.lost = this.#loss.promise;
    this.exited = this.#exit.promise;
  }

  get host(): WorkerHost {
    return this;
  }
  get size(): number {
    return this.#exchanges.size;
  }
  get idle(): boolean {
    return this.#exchanges.size === 0;
  }
  get ids(): number[] {
    return [...this.#exchanges.keys()];
  }

  async start(start: Start): Promise<void> {
    this.started = start;
    const outcome = this.#home.outcomes.shift() ?? "ready";
    if (outcome === "held") {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#home.held.push({ worker: this, go: resolve });
      await Promise.race([promise, this.lost]);
    }
    if (outcome === "dies") this.die("exit code 1");
    if (outcome === "refuses") {
      setImmediate(() => this.die("exit code 3"));
      throw new StartupError("the app refused");
    }
    if (this.abandoned !== null || this.isDead) throw new WorkerError("lost");
  }

  open({ id }: RequestHead, out: Outbound): Inbound {
    if (this.abandoned === null) this.#exchanges.set(id, out);
    else queueMicrotask(() => out.respond(502, [], "", 0, "x-worker-lost"));
    const inbound = new FakeInbound(() => this.#over(id));
    this.opened.push(inbound);
    return inbound;
  }
  openSocket(head: RequestHead, out: SocketOutbound): SocketInbound {
    return this.open(head, out) as SocketInbound;
  }
  drain(reason: string, secondsLeft: number): void {
    this.drains.push(`${reason} ${secondsLeft}`);
  }
  async stop(graceMs: number): Promise<void> {
    this.stops.push(graceMs);
    if (this.#home.obeys) {
      this.#hasStopped = true;
      return;
    }
    this.#stopping = Promise.withResolvers();
    await this.#stopping.promise;
  }
  abandon(cause: string): void {
    if (this.abandoned !== null) return;
    this.abandoned = cause;
    const outs = [...this.#exchanges.values()];
    this.#exchanges.clear();
    for (const out of outs) {
      out.respond(502, [], "", 0, "x-worker-lost");
      this.completed++;
      this.#hooks.ended();
    }
    this.#stopping?.resolve();
    this.#loss.resolve(cause);
    // Without its link a worker that has stopped ends by itself.
    if (this.#hasStopped) setImmediate(() => this.exit("exit code 0"));
  }
  tell(what: unknown): void {
    this.told.push(what);
  }
  kill(): void {
    this.kills++;
    if (!this.#home.immortal) this.die("signal SIGKILL");
  }
  rssBytes(): number {
    return this.rss;
  }

  // What a test does.

  /** The process ends, then its link. */
  die(how: string): void {
    this.exit(how);
    this.abandon("the worker has ended");
  }
  exit(how: string): void {
    this.isDead = true;
    this.#exit.resolve(how);
  }
  /** Answers one exchange, or the oldest. */
  answer(id: number = this.ids[0]!): void {
    this.#exchanges.get(id)!.respond(200, [], "", 0);
    this.#over(id);
  }
  ask(): void {
    this.#hooks.asked("recycle");
  }
  note(level: Level, text: string, fields: Fields): void {
    this.#hooks.note(level, text, fields);
  }

  #over(id: number): void {
    if (!this.#exchanges.delete(id)) return;
    this.completed++;
    this.#hooks.ended();
  }
}

/** A home of such workers. */
export class FakeHome implements WorkerHome {
  readonly name = "process";
  readonly clock: ManualClock;
  readonly all: FakeWorker[] = [];
  /** What the next starts come to; without one, a start succeeds. */
  outcomes: ("ready" | "refuses" | "dies" | "held" | "no spawn")[] = [];
  readonly held: { worker: FakeWorker; go: () => void }[] = [];
  /** Workers stop when told. */
  obeys = true;
  /** Not even a kill ends them. */
  immortal = false;
  spawning: Promise<void> = Promise.resolve();

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  async spawn(workerNum: number, hooks: WorkerHooks): Promise<WorkerHandle> {
    await this.spawning;
    if (this.outcomes[0] === "no spawn") {
      this.outcomes.shift();
      throw new WorkerError("cannot spawn");
    }
    const worker = new FakeWorker(workerNum, 100 + this.all.length, this, hooks);
    this.all.push(worker);
    return worker;
  }

  /** Those that have not ended, in the order of their starts. */
  get alive(): FakeWorker[] {
    return this.all.filter(({ isDead }) => !isDead);
  }
}

/** A pool over such a home. */
export class Rig {
  readonly clock = new ManualClock();
  readonly home = new FakeHome(this.clock);
  readonly log: string[] = [];
  readonly pool: Pool;
  readonly outs: FakeOut[] = [];

  constructor(options: Partial<Omit<PoolOptions, "limits">> & { limits?: Partial<PoolOptions["limits"]> } = {}) {
    this.pool = new Pool({
      home: this.home,
      count: 2,
      maxQueue: 10,
      queueTimeoutMs: 10_000,
      shutdownTimeoutMs: 30_000,
      clock: this.clock,
      log: (level, text) => void this.log.push(`${level} ${text}`),
      random: () => 0.9999,
      ...options,
      limits: { maxRequests: 0, maxRequestsJitter: 0, maxLifetimeMs: 0, memoryBytes: 0, heartbeatTimeoutMs: 0, ...options.limits },
    });
  }

  start(): Promise<void> {
    return this.pool.start(START);
  }
  open(kind: RequestHead["kind"] = "http"): { out: FakeOut; inbound: Inbound } {
    const out = new FakeOut(this.outs.length, kind);
    this.outs.push(out);
    const inbound = kind === "websocket" ? this.pool.openSocket(out.request, out) : this.pool.open(out.request, out);
    return { out, inbound };
  }
  /** Lets everything that is ready run. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await this.clock.advance(0);
  }
  get states(): string[] {
    return this.pool.workers().map(({ number, pid, state }) => `${number} ${pid} ${state}`);
  }
}
