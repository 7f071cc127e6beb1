/**
 * The test client: an app, its home and an engine in memory, in one object.
 *
 * It decides nothing about the protocol: the sessions are those of the server.
 *
 * @module
 */

import type { Clock, Host } from "../exchange.ts";
import { systemClock, systemFiles } from "../loading/system.ts";
import { toApp } from "../loading/to_app.ts";
import { InlineHost } from "../sessions/inline_host.ts";
import type { App } from "../spec/app.ts";
import { AppWatch } from "./app_watch.ts";
import {
  type AppLike,
  DEFAULT_LIMITS,
  type FinishedExchange,
  type HostPorts,
  type Note,
  type OpenOptions,
  type RequestOptions,
  type SseOptions,
  type TestClientOptions,
  type TestLimits,
  type WebSocketOptions,
} from "./client_options.ts";
import { ManualClock } from "./clock.ts";
import { CookieJar } from "./cookies.ts";
import { type ExchangeSetup, TestExchange } from "./http.ts";
import { MEMORY_CAPABILITIES, MemoryEngine } from "./memory_engine.ts";
import type { MemoryRequest } from "./memory_request.ts";
import type { MemorySocket, SocketPeer } from "./memory_socket.ts";
import { mergeHeaders, toPairs } from "./request_body.ts";
import { RequestBuilder } from "./request_builder.ts";
import type { TestResponse } from "./response.ts";
import { TestSse } from "./sse.ts";
import { type Wait, within } from "./waiting.ts";
import { TestWebSocket } from "./websocket.ts";

/** How long apps that still run, and the lifespan shutdown, may take when the client is disposed of. */
const STOP_MS = 1000;

/** A client of one app. Made by {@linkcode testClient}. */
export class TestClient implements AsyncDisposable {
  /** The server's log. */
  readonly notes: Note[] = [];
  /** Exchanges that are over, in the order of their ends. */
  readonly finished: FinishedExchange[] = [];
  /** The cookies that are kept, where the option `cookies` is on; else it stays empty. */
  readonly cookies: CookieJar = new CookieJar();
  readonly #options: TestClientOptions;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #limits: TestLimits;
  readonly #builder: RequestBuilder;
  readonly #engine: MemoryEngine;
  readonly #host: Host;
  readonly #watch: AppWatch;
  /** What calls of the client have thrown. */
  readonly #raised = new Set<unknown>();
  readonly #wait: Wait = async (promise, what) => {
    try {
      return await within(promise, this.#timeoutMs, what);
    } catch (error) {
      this.#raised.add(error);
      throw error;
    }
  };
  #stopping: Promise<void> | null = null;

  /** Use {@linkcode testClient}, which starts it too. */
  constructor(app: App, options: TestClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#builder = new RequestBuilder(options, this.cookies);
    const without = new Set(options.without);
    this.#engine = new MemoryEngine({
      clock: this.#clock,
      capabilities: MEMORY_CAPABILITIES.filter((capability) => !without.has(capability)),
      maxBodyBytes: this.#limits.maxBodyBytes,
      holdsUnwatchedEnds: options.holdsUnwatchedEnds ?? false,
    });
    const ports: HostPorts = {
      clock: this.#clock,
      files: options.files ?? systemFiles,
      note: (level, text, fields = {}) => void this.notes.push({ level, text, fields, head: null }),
    };
    this.#watch = new AppWatch(app, options.raiseAppErrors ?? false);
    this.#host = options.host?.(this.#watch.app, ports) ?? new InlineHost(this.#watch.app, ports);
  }

  /**
   * Runs the lifespan startup; {@linkcode testClient} has done it.
   *
   * @throws {StartupError} Where the app refuses to start, like the server.
   */
  async start(): Promise<this> {
    const starting = this.#host.start({
      isWorker: false,
      lifespan: this.#options.lifespan ?? "auto",
      lifespanStartupTimeoutMs: this.#timeoutMs,
      limits: this.#limits,
      validateEvents: this.#options.validateEvents ?? true,
    });
    // A manual clock does not run out, real time does.
    await (this.#clock instanceof ManualClock ? within(starting, this.#timeoutMs, "the lifespan startup") : starting);
    await this.#engine.listen(this.#host, {
      opened: () => {},
      finished: (head, status, bytes, end) => void this.finished.push({ head, status, bytes, end }),
      note: (level, text, fields, head) => void this.notes.push({ level, text, fields, head }),
    });
    return this;
  }

  /** The lifespan state as the app holds it; each scope gets a copy. `null` where lifespan is off or was declined. */
  get state(): Record<string, unknown> | null {
    return this.#watch.state;
  }

  /** What the app threw, in order, whatever became of it; the lifespan left out. */
  get errors(): readonly unknown[] {
    return this.#watch.errors;
  }

  /** Exchanges that are not over. */
  get openExchanges(): number {
    return this.#engine.openExchanges;
  }

  // ── http ──

  /** `GET` */
  get(target: string, options: RequestOptions = {}): Promise<TestResponse> {
    return this.request("GET", target, options);
  }

  /** `HEAD` */
  head(target: string, options: RequestOptions = {}): Promise<TestResponse> {
    return this.request("HEAD", target, options);
  }

  /** `OPTIONS` */
  options(target: string, options: RequestOptions = {}): Promise<TestResponse> {
    return this.request("OPTIONS", target, options);
  }

  /** `POST` */
  post(target: string, options: RequestOptions = {}): Promise<TestResponse> {
    return this.request("POST", target, options);
  }

  /** `PUT` */
  put(target: string, options: RequestOptions = {}): Promise<TestResponse> {
    return this.request("PUT", target, options);
  }

  /** `PATCH` */
  patch(target: string, options: RequestOptions = {}): Promise<TestResponse> {
    return this.request("PATCH", target, options);
  }

  /** `DELETE` */
  delete(target: string, options: RequestOptions = {}): Promise<TestResponse> {
    return this.request("DELETE", target, options);
  }

  /**
   * Sends a request and reads the whole response.
   *
   * @param target Path and query as they stand on the wire; the app's `raw_path` is exactly that.
   * @throws {ClosedError} Where the exchange ends without a response. A response that is cut later is given, see `TestResponse.cut`.
   * @throws {WaitError} Where no response comes in time.
   */
  async request(method: string, target: string, options: RequestOptions = {}): Promise<TestResponse> {
    return await (await this.open(method, target, options)).finish();
  }

  /** Opens an exchange whose bodies stream, and whose client can stall or leave. */
  async open(method: string, target: string, options: OpenOptions = {}): Promise<TestExchange> {
    const { request, body } = await this.#builder.plain(method, target, options);
    const exchange = new TestExchange(this.#setup(method, request));
    return this.#watch.opening(exchange, () => {
      exchange.begin((peer) => this.#engine.request(request, peer));
      if (options.stalled === true) exchange.stall();
      if (body !== null) exchange.upload(body);
      return exchange;
    });
  }

  /** The same as the platform's `fetch`, for code that takes one. */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const base = `${this.#builder.tls === null ? "http" : "https"}://testserver`;
    const request = new Request(input instanceof Request ? input : new URL(input, base), init);
    const url = new URL(request.url);
    const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
    const response = await this.request(request.method, url.pathname + url.search, {
      headers: [["host", url.host], ...request.headers],
      ...(body === undefined ? {} : { body }),
    });
    if (response.cut !== null) throw new TypeError(`The response was cut: ${response.cut}`);
    return response.toWeb();
  }

  // ── websocket, sse ──

  /**
   * Opens a WebSocket; resolves when the app has accepted it.
   *
   * @throws {RefusedError} Where the app denies it; the error carries the whole response.
   */
  async websocket(target: string, options: WebSocketOptions = {}): Promise<TestWebSocket> {
    const request = this.#builder.handshake(target, options);
    const socket = new TestWebSocket(this.#setup("WebSocket", request));
    const open = (peer: SocketPeer): MemorySocket => {
      const wire = this.#engine.handshake(request, peer);
      if (options.stalled === true) wire.pipe.stall();
      return wire;
    };
    return await this.#watch.opening(socket, () => socket.begin(open));
  }

  /**
   * Opens a stream of server-sent events; resolves when the app has started it.
   *
   * @throws {RefusedError} Where the app declines it; the error carries the whole response.
   */
  async sse(target: string, options: SseOptions = {}): Promise<TestSse> {
    const headers = mergeHeaders([["accept", "text/event-stream"]], toPairs(options.headers, "headers"));
    const method = options.method ?? "GET";
    const exchange = await this.open(method, target, { ...options, headers });
    return await new TestSse({ request: `${method} ${target}`, wait: this.#wait, appError: undefined, onHead: () => {} }, exchange).begin();
  }

  // ── the server's end ──

  /** The server begins to drain: the drain signal of every scope aborts, answers carry `connection: close`, no new exchange is taken. */
  drain(reason = "The server is draining", secondsLeft = 30): void {
    this.#engine.drain();
    this.#host.drain(reason, secondsLeft);
  }

  /**
   * Stops the server as the command does: drain, wait for what is open, end the rest with `server_shutdown`, lifespan shutdown.
   *
   * @param graceMs Milliseconds of the client's clock; 0 ends what is open at once.
   */
  shutdown(graceMs = 0): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  /**
   * The clients leave, and the server stops.
   *
   * @throws {SeamError} Where a session broke the seam and no call of the client has thrown it yet.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#engine.disconnectAll();
    await this.shutdown();
    // What a call has thrown is known to the test; thrown again, it would hide what the test itself throws.
    const broken = [...this.#engine.broken, ...this.#watch.unraised].filter((error) => !this.#raised.has(error));
    if (broken.length === 1) throw broken[0];
    if (broken.length > 1) throw new AggregateError(broken, `${broken.length} errors came up that no call of the client could throw`);
  }

  async #stop(graceMs: number): Promise<void> {
    this.drain("The server stops", graceMs / 1000);
    await this.#engine.close(graceMs);
    const stopMs = Math.max(graceMs, STOP_MS);
    const stopping = this.#host.stop(stopMs);
    if (this.#clock instanceof ManualClock && !(await isSettledWithin(stopping, STOP_MS))) await this.#clock.advance(stopMs);
    await stopping;
  }

  // ── helpers ──

  #setup(method: string, request: MemoryRequest): ExchangeSetup {
    return {
      request: `${method} ${request.target}`,
      wait: this.#wait,
      appError: undefined,
      onHead: (pairs) => this.#builder.takeCookies(request, pairs),
    };
  }
}

/**
 * Starts an app for a test, without a socket: the server's own sessions over an engine in memory.
 *
 * Leaving its scope disconnects what is open, runs the lifespan shutdown and throws what no other call could.
 *
 * @param app An app, or what the server makes one of: an object with `toApp()` or with `fetch(request)`.
 * @throws {StartupError} Where it is none of these, or the lifespan startup fails; like the server.
 *
 * @example
 * ```ts
 * import { testClient } from "@pagi/server/testing";
 * import { defineApp } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const app = defineApp({
 *   async http(scope, receive, send) {
 *     const event = await receive();
 *     const length = event.type === "http.request" ? event.body.byteLength : 0;
 *     await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
 *     await send({ type: "http.response.body", body: `${scope.method} ${scope.path} ${length}` });
 *   },
 * });
 *
 * await using client = await testClient(app);
 * const response = await client.post("/hello", { json: { name: "Ada" } });
 * assertEquals(response.status, 200);
 * assertEquals(response.text(), "POST /hello 14");
 * ```
 */
export async function testClient(app: AppLike, options: TestClientOptions = {}): Promise<TestClient> {
  return await new TestClient(await toApp(app, "the app"), options).start();
}

async function isSettledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timeout = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), ms);
  try {
    return await Promise.race([promise.then(() => true), timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
