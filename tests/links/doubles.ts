/**
 * Stand-ins for the two ends of a link: a pipe in the hand of a test, an engine that keeps what it is told, a generator of numbers.
 *
 * @module
 */

import type { End, Fields, Inbound, Level, Outbound, Pairs, RequestHead, SocketInbound, SocketOutbound } from "../../src/exchange.ts";
import type { OnBatch, Pipe } from "../../src/links/pipe.ts";
import { RemoteHost } from "../../src/links/remote_host.ts";
import { ServedHost } from "../../src/links/served_host.ts";
import { DEFAULT_LIMITS } from "../../src/testing/client_options.ts";

/** A pipe whose other end is the test. */
export class HandPipe implements Pipe {
  /** What was sent, as JSON texts. */
  readonly texts: string[] = [];
  /** The bytes behind them. */
  readonly bytes: Uint8Array[] = [];
  readonly closed: Promise<string>;
  /** Sends wait while it is shut. */
  isShut = false;
  readonly #end = Promise.withResolvers<string>();
  #onBatch: OnBatch | null = null;
  #sent: (() => void) | null = null;

  constructor() {
    this.closed = this.#end.promise;
  }

  send(text: string, parts: readonly Uint8Array[]): Promise<void> {
    this.texts.push(text);
    this.bytes.push(join(parts));
    this.#sent?.();
    return this.isShut ? this.closed.then(() => {}) : Promise.resolve();
  }

  start(onBatch: OnBatch): void {
    this.#onBatch = onBatch;
  }

  close(cause = ""): void {
    this.#end.resolve(cause);
  }

  /** The other end sends this. What it throws would close a real pipe. */
  give(text: string, bytes: Uint8Array<ArrayBuffer> = new Uint8Array()): void {
    try {
      this.#onBatch!(text, bytes);
    } catch (error) {
      this.close(String(error));
    }
  }

  /** The text of the next batch. */
  async next(): Promise<string> {
    if (this.texts.length === 0) await new Promise<void>((resolve) => this.#sent = resolve);
    this.#sent = null;
    return this.texts.shift()!;
  }
}

/** An engine's side of an exchange, which keeps the calls in order. */
export class Engine implements SocketOutbound {
  readonly calls: unknown[][] = [];
  buffered = 0;
  inbound: SocketInbound | null = null;

  pull(bytes: number): void {
    this.calls.push(["pull", bytes]);
  }
  watch(): void {
    this.calls.push(["watch"]);
  }
  inform(status: number, headers: Pairs): void {
    this.calls.push(["inform", status, headers]);
  }
  respond(...args: [status: number, headers: Pairs, body: Uint8Array | string, flags: number, reason?: string]): void {
    this.calls.push(["respond", ...args]);
  }
  head(status: number, headers: Pairs, flags: number): void {
    this.calls.push(["head", status, headers, flags]);
  }
  chunk(bytes: Uint8Array): void {
    this.calls.push(["chunk", bytes]);
  }
  flush(): void {
    this.calls.push(["flush"]);
  }
  end(...args: [trailers: Pairs | null, reason?: string]): void {
    this.calls.push(["end", ...args]);
  }
  abort(reason: string): void {
    this.calls.push(["abort", reason]);
    queueMicrotask(() => this.inbound?.closed({ reason }));
  }
  note(level: Level, text: string, fields?: Fields): void {
    this.calls.push(["note", level, text, fields]);
  }
  accept(protocol: string | null, headers: Pairs): void {
    this.calls.push(["accept", protocol, headers]);
  }
  message(data: string | Uint8Array): void {
    this.calls.push(["message", data]);
  }
  ping(token: number): void {
    this.calls.push(["ping", token]);
  }
  close(code: number, text: string): void {
    this.calls.push(["close", code, text]);
  }
}

/** A session's side of an exchange, which keeps the calls in order. */
export class Session implements SocketInbound {
  readonly calls: unknown[][] = [];

  body(...args: Parameters<Inbound["body"]>): void {
    this.calls.push(["body", ...args]);
  }
  drained(): void {
    this.calls.push(["drained"]);
  }
  flushed(): void {
    this.calls.push(["flushed"]);
  }
  closed(end: End): void {
    this.calls.push(["closed", end]);
  }
  message(data: string | Uint8Array): void {
    this.calls.push(["message", data]);
  }
  pong(token: number): void {
    this.calls.push(["pong", token]);
  }
}

/** The head of a request. */
export function headOf(kind: RequestHead["kind"] = "http", changes: Partial<RequestHead> = {}): RequestHead {
  return {
    kind,
    id: 7,
    httpVersion: "1.1",
    method: "GET",
    scheme: "http",
    rawPath: "/a%20b",
    path: "/a b",
    query: "q=1",
    rootPath: "",
    headers: [["host", "a"]],
    client: ["127.0.0.1", 50_000],
    server: SERVER,
    body: kind === "http" ? "plain" : "none",
    capabilities: ALL,
    ...changes,
  };
}

const SERVER = ["127.0.0.1", 8000] as const;
const ALL: RequestHead["capabilities"] = Object.freeze(["early-hints", "trailers", "flush", "ws-ping"] as const);

/** Settings of a start. */
export const START = {
  isWorker: true,
  workerNum: 1,
  lifespan: "off",
  lifespanStartupTimeoutMs: 0,
  limits: DEFAULT_LIMITS,
  validateEvents: false,
} as const;

/** A front whose worker is the test, with open exchanges. */
export interface HandFront {
  readonly pipe: HandPipe;
  readonly host: RemoteHost;
  readonly notes: unknown[][];
  /** What the worker asked for. */
  readonly asked: string[];
  /** Opens an exchange; `id` is how packets name it. */
  open(head?: RequestHead): Promise<{ readonly id: number; readonly engine: Engine; readonly inbound: Inbound }>;
}

/** Makes one, started. */
export async function handFront({ listens = false } = {}): Promise<HandFront> {
  const pipe = new HandPipe();
  const notes: unknown[][] = [];
  const asked: string[] = [];
  const host = new RemoteHost(pipe, {
    load: { app: "/app.ts", args: {} },
    heartbeatMs: 0,
    listens,
    note: (...note) => void notes.push(note),
    ended: () => {},
    asked: (what) => void asked.push(what),
  });
  const started = host.start(START);
  await pipe.next();
  pipe.give("[2,0]");
  await started;
  return {
    pipe,
    host,
    notes,
    asked,
    open: async (head = headOf()) => {
      const engine = new Engine();
      const inbound = head.kind === "websocket" ? host.openSocket(head, engine) : host.open(head, engine);
      engine.inbound = inbound as SocketInbound;
      const items = JSON.parse(await pipe.next()) as unknown[];
      engine.calls.length = 0;
      // Shares come before: 4 items each.
      let at = 0;
      while (items[at] === 10) at += 4;
      return { id: items[at + 1] as number, engine, inbound };
    },
  };
}

/** A worker's end that has been started, and what its host was given for the last exchange: the test plays the session. */
export async function startedWorker(): Promise<{ pipe: HandPipe; worker: ServedHost; out(): Outbound }> {
  const pipe = new HandPipe();
  let out: Outbound | null = null;
  const take = (_head: RequestHead, given: Outbound) => {
    out = given;
    return new Session();
  };
  const worker = new ServedHost(pipe, () => ({
    start: () => Promise.resolve(),
    open: take,
    openSocket: take,
    drain: () => {},
    stop: () => Promise.resolve(),
    lost: new Promise(() => {}),
  }));
  pipe.give(`[1,0,1,{"args":{}},${JSON.stringify(START)},0]`);
  await pipe.next();
  return { pipe, worker, out: () => out! };
}

/** What an `Outbound` is for the type checker. */
export type AnyOutbound = Outbound | SocketOutbound;

/** Numbers that look random and can be had again: 0 up to, not including, `below`. */
export function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

/** One array of many. */
export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
