/** Doubles for the ports of a session: a wire that records, a clock that is moved by hand, files in memory. */

import type {
  Capability,
  Clock,
  Fields,
  Files,
  Level,
  Limits,
  Pairs,
  RequestHead,
  SocketOutbound,
  Start,
  Timer,
} from "../../src/exchange.ts";

export const LIMITS: Limits = {
  highWaterBytes: 1000,
  lowWaterBytes: 250,
  maxSendBufferBytes: 10_000,
  maxReceiveQueue: 3,
  maxReceiveQueueBytes: 1000,
  maxMessageBytes: 500,
  requestTimeoutMs: 0,
  wsIdleTimeoutMs: 0,
  sseIdleTimeoutMs: 0,
};

export const START: Start = {
  isWorker: false,
  lifespan: "off",
  lifespanStartupTimeoutMs: 30_000,
  limits: LIMITS,
  validateEvents: false,
};

export const ALL: readonly Capability[] = ["trailers", "early-hints", "flush", "delivery", "ws-ping"];

/** A request head; `overrides` win. */
export function head(overrides: Partial<RequestHead> = {}): RequestHead {
  return {
    kind: "http",
    id: 1,
    httpVersion: "1.1",
    method: "GET",
    scheme: "http",
    rawPath: "/",
    path: "/",
    query: "",
    rootPath: "",
    headers: [["host", "test"]],
    client: ["127.0.0.1", 1234],
    server: ["127.0.0.1", 80],
    body: "none",
    capabilities: ALL,
    ...overrides,
  };
}

/** A wire that writes down what it is told. `buffered` is set by the test. */
export class RecordingOutbound implements SocketOutbound {
  readonly calls: string[] = [];
  readonly notes: string[] = [];
  buffered = 0;

  /** The calls since the last look. */
  take(): string[] {
    return this.calls.splice(0);
  }
  pull(bytes: number): void {
    this.calls.push(`pull ${bytes}`);
  }
  watch(): void {
    this.calls.push("watch");
  }
  inform(status: number, headers: Pairs): void {
    this.calls.push(`inform ${status} ${JSON.stringify(headers)}`);
  }
  respond(status: number, headers: Pairs, body: Uint8Array | string, flags: number, reason?: string): void {
    this.calls.push(`respond ${status} ${JSON.stringify(headers)} ${text(body)} ${flags}${reason === undefined ? "" : ` ${reason}`}`);
  }
  head(status: number, headers: Pairs, flags: number): void {
    this.calls.push(`head ${status} ${JSON.stringify(headers)} ${flags}`);
  }
  chunk(bytes: Uint8Array): void {
    this.calls.push(`chunk ${text(bytes)}`);
  }
  flush(): void {
    this.calls.push("flush");
  }
  end(trailers: Pairs | null, reason?: string): void {
    this.calls.push(`end ${JSON.stringify(trailers)}${reason === undefined ? "" : ` ${reason}`}`);
  }
  abort(reason: string): void {
    this.calls.push(`abort ${reason}`);
  }
  note(level: Level, line: string, fields: Fields = {}): void {
    this.notes.push(`${level}: ${line}${fields.error === undefined ? "" : ` (${String(fields.error).split("\n")[0]})`}`);
  }
  accept(protocol: string | null, headers: Pairs): void {
    this.calls.push(`accept ${protocol} ${JSON.stringify(headers)}`);
  }
  message(data: string | Uint8Array): void {
    this.calls.push(`message ${text(data)}`);
  }
  ping(token: number): void {
    this.calls.push(`ping ${token}`);
  }
  close(code: number, reason: string): void {
    this.calls.push(`close ${code} ${reason}`);
  }
}

/** A clock that stands still until it is moved. */
export class HandClock implements Clock {
  #now = 0;
  #timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }
  after(ms: number, callback: () => void): Timer {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }
  /** Counts the turns that were asked for. */
  turns = 0;
  turn(): Promise<void> {
    this.turns++;
    return Promise.resolve();
  }
  /** Timers that wait. */
  get pending(): number {
    return this.#timers.length;
  }
  /** Moves on, and calls back in order. */
  advance(ms: number): void {
    const target = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= target).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = next.at;
      next.callback();
    }
    this.#now = target;
  }
}

/** Files by path. Opening waits for `gate` where one is set. */
export class MemoryFiles implements Files {
  gate: Promise<void> | null = null;
  readonly closed: string[] = [];
  readonly #files: Record<string, Uint8Array>;

  constructor(files: Record<string, string>) {
    this.#files = Object.fromEntries(Object.entries(files).map(([path, data]) => [path, new TextEncoder().encode(data)]));
  }
  async open(path: string) {
    await this.gate;
    const data = this.#files[path];
    if (!data) throw new Deno.errors.NotFound(`No such file: ${path}`);
    return {
      size: data.byteLength,
      read: (into: Uint8Array, at: number) => {
        const part = data.subarray(at, at + into.byteLength);
        into.set(part);
        return Promise.resolve(part.byteLength);
      },
      close: () => void this.closed.push(path),
    };
  }
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

function text(data: Uint8Array | string): string {
  return JSON.stringify(typeof data === "string" ? data : new TextDecoder().decode(data));
}
