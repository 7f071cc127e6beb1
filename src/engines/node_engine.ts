/**
 * The `node` engine: HTTP/1.0, HTTP/1.1 and HTTP/2, cleartext and TLS, and WebSocket over both, on `node:http`, `node:http2`, `node:tls` and
 * `npm:ws` as Deno has them.
 *
 * It sees and controls all of the wire, for more CPU time per request than the engine `deno` takes (docs/engines.md). A gate lets connections in
 * (`node_gate.ts`), a layer for each protocol makes exchanges of them (`node_http1.ts`, `node_http2.ts`).
 *
 * @module
 */

import type { Capability, Engine, Host, Level, Observer } from "../exchange.ts";
import { StartupError } from "../spec/errors.ts";
import { onceEach, type Trusts } from "../wire/forwarded.ts";
import { headerProblem } from "../wire/headers.ts";
import { within } from "../wire/within.ts";
import type { TlsSettings } from "./listener_settings.ts";
import { Farewell, type Traffic } from "./node_farewell.ts";
import { Gate } from "./node_gate.ts";
import { HeadReader } from "./node_head.ts";
import { Http1 } from "./node_http1.ts";
import { Http2 } from "./node_http2.ts";
import {
  type GateConnection,
  type GateKeeper,
  NODE_CAPABILITIES,
  type NodeSettings,
  type NodeWire,
  type OpenNodeExchange,
} from "./node_settings.ts";
import { loadWebSockets } from "./node_socket.ts";
import { OpenList } from "./open_list.ts";

export { NODE_CAPABILITIES, type NodeSettings } from "./node_settings.ts";

/** Connections are looked at a few times within the shortest timeout, at least and at most so often. */
const LOOKS = 8;
const MIN_LOOK_MS = 20;
const MAX_LOOK_MS = 1000;

/** What is cut at the end may take so long to be gone. */
const SETTLE_MS = 1000;

/** So many of the exchanges that are cut at the end are named in the log. */
const NAMED = 20;

/**
 * Serves a {@linkcode Host} on Node's modules.
 *
 * @example
 * ```ts ignore
 * const engine = new NodeEngine({ listeners: [{ at: { kind: "tcp", host: "127.0.0.1", port: 0 }, tls: null, proxyProtocol: false }], ...settings });
 * const [address] = await engine.listen(host, observer);
 * ```
 */
export class NodeEngine implements Engine, NodeWire, GateKeeper, Traffic {
  readonly name = "node";
  readonly capabilities: readonly Capability[] = NODE_CAPABILITIES;
  readonly settings: NodeSettings;
  /** Resolves after {@linkcode close}; rejects where the listeners fail. */
  readonly finished: Promise<void>;
  readonly #finish: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #exchanges = new OpenList<OpenNodeExchange>();
  readonly #gate: Gate;
  #observer: Observer | null = null;
  #http1: Http1 | null = null;
  #http2: Http2 | null = null;
  #looking: ReturnType<typeof setInterval> | null = null;
  #draining = false;
  #begun = 0;
  #farewell: Farewell | null = null;
  readonly #left: PromiseWithResolvers<void> = Promise.withResolvers();
  #empty: (() => void) | null = null;
  #closed: Promise<void> | null = null;

  /**
   * Takes the settings; nothing is opened.
   *
   * @throws {StartupError} where a header of the settings could not be sent.
   */
  constructor(settings: NodeSettings) {
    for (const [name, value] of settings.headers) {
      const problem = headerProblem(name, value);
      if (problem !== null) throw new StartupError(`Cannot add a header to answers: ${problem}`, { exitCode: 2 });
    }
    this.settings = settings;
    this.finished = this.#finish.promise;
    this.#gate = new Gate(settings, this);
  }

  /**
   * Starts to accept.
   *
   * @throws {StartupError} with one line that says why not.
   */
  async listen(host: Host, observer: Observer): Promise<readonly Deno.Addr[]> {
    await loadWebSockets();
    this.#observer = observer;
    const { rootPath, limits, trust } = this.settings;
    const trusts: Trusts | null = trust === null ? null : (address) => trust.trusts(address);
    const heads = new HeadReader(rootPath, limits, trusts, onceEach((level, problem) => this.note(level, problem, {})));
    this.#http1 = new Http1(this, heads, host);
    this.#http2 = new Http2(this, heads, host);
    const addrs = await this.#gate.listen();
    this.#gate.finished.catch((error) => this.#finish.reject(error));
    this.#looking = setInterval(() => this.#look(), lookEvery(limits));
    return addrs;
  }

  /** Gives new connections another certificate. */
  replaceTls(tls: TlsSettings): void {
    this.#gate.replaceTls(tls);
  }

  /**
   * Accepts no more. Answers say that the connection closes; a connection without a request stays a little while for one that is on its
   * way, since a client can't know.
   */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#gate.close();
    this.#http2?.drain();
    this.#farewell = new Farewell(this);
    void this.#farewell.over.then(() => {
      this.#gate.stop();
      this.#http1?.closeIdle();
      this.#http2?.leave();
      this.#left.resolve();
    });
  }

  /** Resolves after {@linkcode drain} once no request is on its way any more. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  /** Waits until nothing is open, at most `graceMs`; then ends what is left. */
  close(graceMs: number): Promise<void> {
    return this.#closed ??= this.#close(graceMs);
  }

  // For the farewell.

  /** Exchanges so far. */
  get begun(): number {
    return this.#begun;
  }

  /** Connections whose first request has not come yet, or whose next one has begun to come. */
  get arriving(): number {
    return this.#gate.arriving + (this.#http1?.arriving ?? 0);
  }

  // For the exchanges and the layers.

  /** Where exchanges are reported. */
  get observer(): Observer {
    return this.#observer!;
  }

  /** Answers say that the connection closes. */
  get draining(): boolean {
    return this.#draining;
  }

  /** An exchange begins. */
  opened(exchange: OpenNodeExchange): void {
    this.#begun++;
    this.#exchanges.add(exchange);
  }

  /** An exchange is over. */
  over(exchange: OpenNodeExchange): void {
    this.#exchanges.delete(exchange);
    if (this.#exchanges.size === 0) this.#empty?.();
  }

  // For the gate.

  /** Takes a connection over. */
  take(connection: GateConnection): void {
    if (connection.protocol === "http2") this.#http2!.take(connection);
    else this.#http1!.take(connection);
  }

  /** A line for the log. */
  note(level: Level, text: string, fields: Record<string, string | number>): void {
    this.observer.note(level, text, fields, null);
  }

  #look(): void {
    const now = performance.now();
    for (const exchange of this.#exchanges.all()) exchange.check(now);
    this.#http1!.check(now);
    this.#http2!.check(now);
  }

  async #close(graceMs: number): Promise<void> {
    this.drain();
    if (this.#exchanges.size > 0) {
      await within(graceMs, new Promise<void>((resolve) => this.#empty = resolve));
      const late = this.#exchanges.all();
      for (const exchange of late.slice(0, NAMED)) exchange.note("warn", "It did not end in time and is cut");
      for (const exchange of late) exchange.shutdown();
    }
    this.#farewell!.stop();
    this.#gate.stop();
    this.#http1?.closeIdle();
    this.#http1?.closeAll();
    this.#http2?.closeAll();
    await within(SETTLE_MS, this.#gate.finished);
    if (this.#looking !== null) clearInterval(this.#looking);
    this.#finish.resolve();
  }
}

function lookEvery({ headerTimeoutMs, keepAliveTimeoutMs, bodyTimeoutMs, writeTimeoutMs }: NodeSettings["limits"]): number {
  const shortest = Math.min(...[headerTimeoutMs, keepAliveTimeoutMs, bodyTimeoutMs, writeTimeoutMs].filter((ms) => ms > 0));
  return Math.min(MAX_LOOK_MS, Math.max(MIN_LOOK_MS, shortest / LOOKS));
}
