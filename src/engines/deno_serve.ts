/**
 * The `deno` engine: HTTP/1.1 and HTTP/2, cleartext and TLS, and WebSocket, on `Deno.serve` and `Deno.upgradeWebSocket`.
 *
 * It costs half of what the `node` engine costs and controls less of the wire: {@linkcode DENO_SERVE_CAPABILITIES} says what is
 * missing, and why.
 *
 * @module
 */

import type { Capability, Engine, Host, Observer, RequestHead } from "../exchange.ts";
import { PeerError, StartupError } from "../spec/errors.ts";
import { type Answer, answer } from "../wire/answers.ts";
import { onceEach, type Report, type Trusts, withForwarded } from "../wire/forwarded.ts";
import { handshakeProblem } from "../wire/handshake.ts";
import { headerProblem, withDefaults } from "../wire/headers.ts";
import { within } from "../wire/within.ts";
import { Exchange } from "./deno_serve_exchange.ts";
import type { HeadReader, Ids } from "./deno_serve_head.ts";
import { Listener, type ListenerOwner } from "./deno_serve_listener.ts";
import { closingResponse, contentLength, fullResponse, payloadBytes, StreamCut } from "./deno_serve_response.ts";
import { Rounds } from "./deno_serve_rounds.ts";
import { DENO_SERVE_CAPABILITIES, type DenoServeSettings, type OpenExchange, type Wire } from "./deno_serve_settings.ts";
import { SocketExchange } from "./deno_serve_socket.ts";
import { OpenList } from "./open_list.ts";

export { DENO_SERVE_CAPABILITIES, type DenoServeSettings } from "./deno_serve_settings.ts";

/** How long the listeners may take to close once everything has ended. */
const SETTLE_MS = 1000;

/** Where another process goes on with the port, clients of kept connections are told so long to leave before the listener closes. */
const LEAVE_MS = 250;

/** A request that is answered within this time costs no look at its signal, even where the app asks for a disconnect. */
const WATCH_MS = 10;

/** So many of the exchanges that are cut at the end are named in the log. */
const NAMED = 20;

/** Deno tells of no drained WebSocket: those with a full buffer are looked at this often. */
const POLL_MS = 4;

/**
 * Serves a {@linkcode Host} on `Deno.serve`.
 *
 * @example
 * ```ts ignore
 * const engine = new DenoServeEngine({
 *   listeners: [{ at: { kind: "tcp", host: "127.0.0.1", port: 0 }, tls: null, proxyProtocol: false }],
 *   ...settings,
 * });
 * const [address] = await engine.listen(host, observer);
 * ```
 */
export class DenoServeEngine implements Engine, Wire, ListenerOwner {
  readonly name = "deno";
  readonly capabilities: readonly Capability[] = DENO_SERVE_CAPABILITIES;
  readonly settings: DenoServeSettings;
  /** For heads of exchanges. */
  readonly ids: Ids = { next: 1 };
  /** Resolves after {@linkcode close}. */
  readonly finished: Promise<void>;
  readonly #finish: PromiseWithResolvers<void>;
  readonly #exchanges = new OpenList<OpenExchange>();
  readonly #sockets = new OpenList<OpenExchange>();
  readonly #watched = new Rounds<{ listen(): void }>(WATCH_MS, (exchange) => {
    exchange.listen();
    return true;
  });
  readonly #full = new Rounds<{ polled(): boolean }>(POLL_MS, (socket) => socket.polled());
  /** `null` where no proxy is trusted. */
  readonly #trusts: Trusts | null;
  readonly #report: Report = onceEach((level, problem) => this.#observer!.note(level, problem, {}, null));
  #host: Host | null = null;
  #observer: Observer | null = null;
  readonly #listeners: readonly Listener[];
  #draining = false;
  #leaving: ReturnType<typeof setTimeout> | null = null;
  readonly #left: PromiseWithResolvers<void> = Promise.withResolvers();
  /** Request bodies that were under way when the drain began and still are. */
  #uploads = 0;
  #stopping: Promise<unknown> | null = null;
  #empty: (() => void) | null = null;
  #closed: Promise<void> | null = null;

  /**
   * Takes the settings; nothing is opened.
   *
   * @throws {StartupError} where a header of the settings could not be sent, or a listener asks for what this engine can't do.
   */
  constructor(settings: DenoServeSettings) {
    // A control byte in a header of an answer would end the process, not only the answer.
    for (const [name, value] of settings.headers) {
      const problem = headerProblem(name, value);
      if (problem !== null) throw new StartupError(`Cannot add a header to answers: ${problem}`, { exitCode: 2 });
    }
    this.settings = settings;
    const { trust = null } = settings;
    this.#trusts = trust === null ? null : (address) => trust.trusts(address);
    this.#listeners = settings.listeners.map((listener) => new Listener(listener, settings.rootPath, this));
    this.#finish = Promise.withResolvers();
    this.finished = this.#finish.promise;
  }

  /**
   * Starts to accept, on all listeners or none.
   *
   * @returns Their addresses, in the order of the settings.
   *
   * @throws {StartupError} with one line that says why not.
   */
  async listen(host: Host, observer: Observer): Promise<readonly Deno.Addr[]> {
    this.#host = host;
    this.#observer = observer;
    const addrs: Deno.Addr[] = [];
    try {
      for (const listener of this.#listeners) addrs.push(await listener.open());
    } catch (error) {
      // Nobody was told of those that are open.
      this.#draining = true;
      await within(SETTLE_MS, this.#shutdown());
      throw error;
    }
    return addrs;
  }

  /**
   * Takes no new exchanges; with `reusePort`, after a while in which answers say that the connection closes. Listeners and idle connections close at once, unless there are open WebSockets or request bodies under
   * way: `Deno.serve` would break those with them, so as long as there are some, the listeners stay and answer 503.
   */
  drain(): void {
    if (this.#draining || this.#leaving !== null) return;
    if (!this.settings.listeners.some(({ reusePort }) => reusePort)) return this.#drain();
    this.#leaving = setTimeout(() => this.#drain(), LEAVE_MS);
  }

  /** Resolves after {@linkcode drain}, once the listeners are closed. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    if (this.#leaving !== null) clearTimeout(this.#leaving);
    for (const listener of this.#listeners) listener.drain();
    for (const exchange of this.#exchanges.all()) if (exchange.isUploading) this.#uploads++;
    this.#shutdownIfHarmless();
  }

  /** Waits until nothing is open, at most `graceMs`; then ends what is left. */
  close(graceMs: number): Promise<void> {
    return this.#closed ??= this.#close(graceMs);
  }

  // For the exchanges.

  /** Where exchanges are reported. */
  get observer(): Observer {
    return this.#observer!;
  }

  /** No new exchanges are taken, or soon. */
  get draining(): boolean {
    return this.#draining || this.#leaving !== null;
  }

  /** Calls `listen` soon. */
  watch(exchange: { listen(): void }): void {
    this.#watched.add(exchange);
  }

  /** Calls `polled` until its buffer has shrunk. */
  poll(socket: { polled(): boolean }): void {
    this.#full.add(socket);
  }

  /** An exchange has become a WebSocket. */
  socketOpened(socket: OpenExchange): void {
    this.#sockets.add(socket);
  }

  /** An exchange is over. */
  over(exchange: OpenExchange): void {
    if (!this.#exchanges.delete(exchange)) this.#sockets.delete(exchange);
    if (!this.#draining) return;
    if (this.#closed === null) this.#shutdownIfHarmless();
    if (this.#exchanges.size + this.#sockets.size === 0) this.#empty?.();
  }

  /** The request body of an exchange has come to its end, or nobody wants it any more. */
  uploaded(): void {
    if (!this.#draining) return;
    this.#uploads--;
    this.#shutdownIfHarmless();
  }

  // For the listeners.

  /** The handler of Deno.serve: not async, so that a request costs one promise and no wrapper. */
  handle(heads: HeadReader, request: Request, remote: Deno.Addr): Response | Promise<Response> {
    let head: RequestHead;
    try {
      head = heads.read(request, remote);
      if (this.#trusts !== null) head = withForwarded(head, this.#trusts, this.#report);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      return this.#refuse(request, heads.unreadable(request, remote), answer(error.status), error.reason);
    }
    if (this.#draining) return this.#refuse(request, head, answer(503), "server_shutdown");
    if (head.method === "CONNECT") return this.#refuse(request, head, answer(501), "protocol_error");
    const { maxBodyBytes } = this.settings;
    if (head.body !== "none" && maxBodyBytes > 0 && contentLength(head.headers) > maxBodyBytes) {
      return this.#refuse(request, head, answer(413), "body_too_large");
    }
    if (head.kind === "websocket") return this.#upgrade(request, head);
    const exchange = new Exchange(this, request, head);
    this.#exchanges.add(exchange);
    this.#observer!.opened(head);
    return exchange.run(this.#host!.open(head, exchange));
  }

  /** Deno.serve calls it with what a handler throws and with what breaks a stream. */
  failed(error: unknown): Response {
    if (!(error instanceof StreamCut)) this.#observer!.note("error", `An exchange failed: ${error}`, {}, null);
    const { status, headers, body } = answer(500);
    return fullResponse(status, withDefaults(headers, this.settings.headers), body, false);
  }

  /** A listener does not work. */
  trouble(text: string): void {
    this.observer.note("error", text, {}, null);
  }

  #shutdownIfHarmless(): void {
    if (this.#sockets.size === 0 && this.#uploads === 0) void this.#shutdown();
  }

  #shutdown(): Promise<unknown> {
    this.#left.resolve();
    return this.#stopping ??= Promise.all(this.#listeners.map((listener) => listener.shutdown()));
  }

  #upgrade(request: Request, head: RequestHead): Response | Promise<Response> {
    const problem = handshakeProblem(head.method, head.httpVersion, (name) => request.headers.get(name));
    if (problem !== null) return this.#refuse(request, head, problem, "protocol_error");
    const socket = new SocketExchange(this, request, head);
    this.#exchanges.add(socket.handshake);
    this.#observer!.opened(head);
    return socket.run(this.#host!.openSocket(head, socket));
  }

  // An answer that the app never hears of.
  #refuse(request: Request, head: RequestHead, { status, headers, body }: Answer, reason: string): Response {
    this.#observer!.opened(head);
    const isHead = head.method === "HEAD";
    // Deno.serve says so itself where it ends the connection behind a 413.
    const close = head.httpVersion === "2" || status === 413 ? headers : withDefaults(headers, [["connection", "close"]]);
    const all = withDefaults(close, this.settings.headers);
    const response = status === 413 ? closingResponse(status, all, body, request, false) : fullResponse(status, all, body, isHead);
    this.#observer!.finished(head, status, isHead ? 0 : payloadBytes(body), { reason });
    return response;
  }

  async #close(graceMs: number): Promise<void> {
    this.#drain();
    const leaving: Promise<void>[] = [];
    if (this.#exchanges.size + this.#sockets.size > 0) {
      await within(graceMs, new Promise<void>((resolve) => this.#empty = resolve));
      const late = [...this.#exchanges.all(), ...this.#sockets.all()];
      for (const exchange of late.slice(0, NAMED)) exchange.note("warn", "It did not end in time and is cut");
      for (const exchange of late) {
        const left = exchange.shutdown();
        if (left !== null) leaving.push(left);
      }
    }
    this.#watched.stop();
    this.#full.stop();
    // Deno would overtake our close frames with its own. And a client that does not read can't be disconnected: it would hold the
    // listener for ever.
    await within(SETTLE_MS, Promise.all(leaving));
    await within(SETTLE_MS, this.#shutdown());
    this.#finish.resolve();
  }
}
