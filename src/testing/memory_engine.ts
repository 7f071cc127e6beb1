/**
 * An engine without sockets: it joins clients of the same isolate to a {@linkcode Host}, over the same seam as the real ones.
 *
 * Its wire is the best there is: it knows of every byte when it was read. And it is strict: a host that breaks the seam fails the test.
 *
 * @module
 */

import type { Capability, Clock, End, Engine, Fields, Host, Level, Observer, RequestHead } from "../exchange.ts";
import { WorkerError } from "../spec/errors.ts";
import type { SeamError } from "./errors.ts";
import { MemoryExchange, type Peer, type Port } from "./memory_exchange.ts";
import { type MemoryRequest, parseRequest } from "./memory_request.ts";
import { type AnyExchange, MemorySocket, type SocketPeer } from "./memory_socket.ts";

/** What a wire in memory can do. It has no bytes on a socket, so nothing that is about malformed or slow ones. */
export const MEMORY_CAPABILITIES: readonly Capability[] = [
  "http-version",
  "raw-headers",
  "missing-host",
  "continue",
  "trailers",
  "early-hints",
  "flush",
  "force-close",
  "reset-content",
  "delivery",
  "post-disconnect",
  "client-certificates",
  "ws-ping",
  "ws-close-codes",
  "ws-over-h2",
];

/** Capabilities that HTTP/1.0 has no words for. */
const SINCE_1_1: ReadonlySet<Capability> = new Set(["continue", "trailers", "early-hints"]);

/** How a memory engine behaves. */
export interface MemoryEngineSettings {
  readonly clock: Clock;
  /** Default all of {@linkcode MEMORY_CAPABILITIES}. */
  readonly capabilities?: readonly Capability[];
  /** 0, the default, is no limit. */
  readonly maxBodyBytes?: number;
  /**
   * An end is told only where the session watches, reads or has answered: what a wire may do at the least. By default every end is
   * told at once.
   */
  readonly holdsUnwatchedEnds?: boolean;
}

/** An engine in memory. */
export class MemoryEngine implements Engine {
  readonly name = "memory";
  readonly capabilities: readonly Capability[];
  readonly finished: Promise<void>;
  /** The rules of the seam that were broken, in order. */
  readonly broken: SeamError[] = [];
  readonly #settings: MemoryEngineSettings;
  readonly #old: readonly Capability[];
  readonly #open = new Map<RequestHead, AnyExchange>();
  readonly #port: Port;
  readonly #done = Promise.withResolvers<void>();
  #host: Host | null = null;
  #observer: Observer | null = null;
  #nextId = 1;
  #draining = false;
  #idle: (() => void) | null = null;

  /** Creates the engine; it takes exchanges after {@linkcode listen}. */
  constructor(settings: MemoryEngineSettings) {
    this.#settings = settings;
    this.capabilities = settings.capabilities ?? MEMORY_CAPABILITIES;
    this.#old = this.capabilities.filter((capability) => !SINCE_1_1.has(capability));
    this.finished = this.#done.promise;
    const isDraining = (): boolean => this.#draining;
    this.#port = {
      get draining() {
        return isDraining();
      },
      maxBodyBytes: settings.maxBodyBytes ?? 0,
      holdsUnwatchedEnds: settings.holdsUnwatchedEnds ?? false,
      broken: (error) => void this.broken.push(error),
      note: (level: Level, text: string, fields: Fields, head: RequestHead) => this.#observer!.note(level, text, fields, head),
      finished: (head, status, bytes, end) => this.#finished(head, status, bytes, end),
    };
  }

  /** Takes the host. There is no address to give back. */
  listen(host: Host, observer: Observer): Promise<readonly Deno.Addr[]> {
    this.#host = host;
    this.#observer = observer;
    host.lost.then((cause) => this.#lost(cause));
    return Promise.resolve([]);
  }

  /** Exchanges that are not over. */
  get openExchanges(): number {
    return this.#open.size;
  }

  /**
   * Opens an http or sse exchange. The client hears of it later, never before this returns.
   *
   * @throws {TypeError} Where the request is a WebSocket handshake, or the engine takes no exchanges.
   */
  request(request: MemoryRequest, peer: Peer): MemoryExchange {
    const { head, refusal } = this.#parse(request);
    if (head.kind === "websocket") throw new TypeError("Cannot open a WebSocket as a plain request: use handshake()");
    const exchange = new MemoryExchange(head, peer, this.#port);
    this.#begin(exchange);
    if (refusal !== null) {
      queueMicrotask(() => exchange.refuse(refusal, { reason: refusal.status === 413 ? "body_too_large" : "protocol_error" }));
    } else exchange.attach(this.#host!.open(head, exchange));
    return exchange;
  }

  /**
   * Opens a WebSocket.
   *
   * @throws {TypeError} Where the request is no WebSocket handshake, or the engine takes no exchanges.
   */
  handshake(request: MemoryRequest, peer: SocketPeer): MemorySocket {
    const { head, refusal } = this.#parse(request);
    if (head.kind !== "websocket") throw new TypeError("Cannot open a plain request as a WebSocket: it lacks the handshake headers");
    const socket = new MemorySocket(head, peer, this.#port);
    this.#begin(socket);
    if (refusal !== null) queueMicrotask(() => socket.refuse(refusal, { reason: "protocol_error" }));
    else socket.attach(this.#host!.openSocket(head, socket));
    return socket;
  }

  /** Every client leaves. */
  disconnectAll(reason = "client_closed"): void {
    for (const exchange of [...this.#open.values()]) exchange.disconnect(reason);
  }

  /** Takes no new exchanges; answers carry `connection: close`. */
  drain(): void {
    this.#draining = true;
  }

  /** Waits until all exchanges are over, at most `graceMs` of the clock; what is left is ended with `server_shutdown`. */
  async close(graceMs: number): Promise<void> {
    this.#draining = true;
    if (this.#open.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      const timer = graceMs > 0 ? this.#settings.clock.after(graceMs, () => this.#endAll()) : null;
      if (timer === null) this.#endAll();
      await promise;
      timer?.cancel();
    }
    this.#done.resolve();
  }

  #parse(request: MemoryRequest): ReturnType<typeof parseRequest> {
    if (this.#host === null) throw new TypeError("Cannot open an exchange: the engine does not listen");
    if (this.#draining) throw new TypeError("Cannot open an exchange: the engine is draining");
    const capabilities = request.httpVersion === "1.0" ? this.#old : this.capabilities;
    return parseRequest(request, this.#nextId++, capabilities, this.#settings.maxBodyBytes ?? 0);
  }

  #begin(exchange: AnyExchange): void {
    this.#open.set(exchange.requestHead, exchange);
    this.#observer!.opened(exchange.requestHead);
  }

  #finished(head: RequestHead, status: number, bytes: number, end: End): void {
    this.#open.delete(head);
    this.#observer!.finished(head, status, bytes, end);
    if (this.#open.size === 0) this.#idle?.();
  }

  #endAll(): void {
    const end: End = { reason: "server_shutdown" };
    for (const exchange of [...this.#open.values()]) {
      if (exchange instanceof MemorySocket) exchange.shut(1012, end);
      else exchange.fail(end);
    }
  }

  /** The home is gone: nobody answers any more. */
  #lost(cause: string): void {
    this.#draining = true;
    for (const exchange of [...this.#open.values()]) exchange.fail({ reason: "x-worker-lost" });
    this.finished.catch(() => {});
    this.#done.reject(new WorkerError(cause));
  }
}
