/**
 * One WebSocket on `Deno.upgradeWebSocket`: the handshake is an {@linkcode Exchange} until the session accepts.
 *
 * What can't be known or done: a peer's protocol error looks like a lost connection, both are 1006 here (capability
 * `ws-close-codes`); an oversized message comes whole (`ws-frame-limit`), so its size is the session's business; a peer that does not
 * read keeps its connection and what is queued for it (`force-close`). Where a message of the peer crosses our close frame, Deno drops
 * the connection instead of waiting for the peer's close frame: that is a 1006 too. Contract section 5.
 *
 * @module
 */

import type { End, Fields, Level, Pairs, RequestHead, SocketInbound, SocketOutbound } from "../exchange.ts";
import { withDefaults } from "../wire/headers.ts";
import { Exchange } from "./deno_serve_exchange.ts";
import { payloadBytes } from "./deno_serve_response.ts";
import type { OpenExchange, Wire } from "./deno_serve_settings.ts";

/** The text of Deno's close frame to a peer that does not answer pings. */
const NO_PONG = "No response from ping frame.";

/** After that long, a peer that does not answer a close frame, or never takes the accepted handshake, is given up. */
const GIVE_UP_MS = 10_000;

const NO_CODE = 1005;
const ABNORMAL = 1006;
const INTERNAL_ERROR = 1011;
const SERVICE_RESTART = 1012;

/** The `SocketOutbound` of one session. */
export class SocketExchange implements SocketOutbound, OpenExchange {
  place = -1;
  readonly isUploading = false;
  readonly #wire: Wire;
  readonly #request: Request;
  readonly #head: RequestHead;
  readonly #handshake: Exchange;
  #inbound: SocketInbound | null = null;
  #socket: WebSocket | null = null;
  #waiting: (string | Uint8Array)[] = [];
  #waitingBytes = 0;
  #sent = 0;
  #closing: { readonly code: number; readonly text: string } | null = null;
  #giveUp: ReturnType<typeof setTimeout> | null = null;
  #isOpen = false;
  #over = false;

  /** Call {@linkcode run} next. */
  constructor(wire: Wire, request: Request, head: RequestHead) {
    this.#wire = wire;
    this.#request = request;
    this.#head = head;
    this.#handshake = new Exchange(wire, request, head);
  }

  /** The handshake, as long as it is one. */
  get handshake(): OpenExchange {
    return this.#handshake;
  }

  /** The session is there. What it returns is what a handler of `Deno.serve` returns. */
  run(inbound: SocketInbound): Response | Promise<Response> {
    this.#inbound = inbound;
    return this.#handshake.run(inbound);
  }

  // From the session, before it accepts.

  /** A handshake has no body. */
  pull(_bytes: number): void {}

  /** Reports a client that leaves during the handshake; later its leaving is always told. */
  watch(): void {
    this.#handshake.watch();
  }

  /** Not possible: capability `early-hints`. */
  inform(_status: number, _headers: Pairs): void {}

  /** Refuses the handshake. */
  respond(status: number, headers: Pairs, body: Uint8Array | string, flags: number, reason?: string): void {
    this.#handshake.respond(status, headers, body, flags, reason);
  }

  /** Refuses the handshake with a streamed answer. */
  head(status: number, headers: Pairs, flags: number): void {
    this.#handshake.head(status, headers, flags);
  }

  /** Bytes of a streamed refusal. */
  chunk(bytes: Uint8Array): void {
    this.#handshake.chunk(bytes);
  }

  /** Not possible: capability `flush`. */
  flush(): void {}

  /** Ends a streamed refusal. */
  end(trailers: Pairs | null, reason?: string): void {
    this.#handshake.end(trailers, reason);
  }

  /** Passes a line on to the log. */
  note(level: Level, text: string, fields?: Fields): void {
    this.#handshake.note(level, text, fields);
  }

  /** Completes the handshake. */
  accept(protocol: string | null, headers: Pairs): void {
    if (this.#socket !== null || !this.#handshake.pending) return;
    this.#handshake.beginUpgrade();
    const { response, socket } = Deno.upgradeWebSocket(this.#request, { idleTimeout: this.#wire.settings.wsPingTimeoutSeconds ?? 30 });
    // Not by the `protocol` option: it knows only lists that are separated by ", ".
    if (protocol !== null) response.headers.set("sec-websocket-protocol", protocol);
    for (const [name, value] of withDefaults(headers, this.#wire.settings.headers)) response.headers.append(name, value);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#message(data);
    // A close event follows every error event; after a missing pong there are even two.
    socket.onclose = (event) => this.#closed(event);
    this.#socket = socket;
    this.#wire.socketOpened(this);
    this.#handshake.handOver(response);
    // The upgrade of a client that has left ends in no event at all.
    this.#startWaiting();
  }

  // From the session, once accepted.

  /** Bytes that wait. Whoever sees a full buffer wants to hear when it has shrunk. */
  get buffered(): number {
    const socket = this.#socket;
    if (socket === null) return this.#handshake.buffered;
    // After close() Deno says 0 whatever is queued.
    if (this.#over || this.#closing !== null) return 0;
    const bytes = this.#waitingBytes + socket.bufferedAmount;
    if (bytes >= this.#wire.settings.highWaterBytes) this.#wire.poll(this);
    return bytes;
  }

  /** Sends a message, or keeps it until the socket is open. */
  message(data: string | Uint8Array): void {
    if (this.#socket === null || this.#over || this.#closing !== null) return;
    if (!this.#isOpen) {
      this.#waiting.push(data);
      this.#waitingBytes += payloadBytes(data);
    } else this.#send(this.#socket, data);
  }

  /** Not possible: capability `ws-ping`. */
  ping(_token: number): void {}

  /** Sends a close frame. */
  close(code: number, text: string): void {
    if (this.#socket === null || this.#over || this.#closing !== null) return;
    this.#closing = { code, text };
    if (this.#isOpen) this.#sendClose(this.#socket);
  }

  /** Ends it without waiting for the peer. */
  abort(reason: string): void {
    if (this.#socket === null) return this.#handshake.abort(reason);
    if (this.#over) return;
    this.#cut(INTERNAL_ERROR);
    queueMicrotask(() => this.#finish({ reason, code: ABNORMAL, clean: false }));
  }

  // From the engine.

  /** Closes with 1012 when the time is up. */
  shutdown(): Promise<void> | null {
    if (this.#over) return null;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket!.onclose = () => resolve();
    this.#cut(SERVICE_RESTART);
    this.#finish({ reason: "server_shutdown", code: SERVICE_RESTART, clean: false });
    return promise;
  }

  /** Looks whether the buffer has shrunk; `true` once there is nothing more to look for. */
  polled(): boolean {
    if (this.#over || this.#closing !== null) return true;
    const { lowWaterBytes } = this.#wire.settings;
    const bytes = this.#waitingBytes + this.#socket!.bufferedAmount;
    if (bytes > 0 && bytes >= lowWaterBytes) return false;
    this.#inbound?.drained();
    return true;
  }

  // From the socket.

  #opened(): void {
    this.#stopWaiting();
    const socket = this.#socket!;
    this.#isOpen = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      for (const data of waiting) this.#send(socket, data);
    } catch (error) {
      // The session was told that they were taken; all that is left is to say that they were not.
      this.note("error", `A message that was kept until the connection opened could not be sent: ${error}`);
      this.#closing ??= { code: INTERNAL_ERROR, text: "" };
    }
    if (this.#closing !== null) this.#sendClose(socket);
  }

  #message(data: string | ArrayBuffer): void {
    if (!this.#over) this.#inbound?.message(typeof data === "string" ? data : new Uint8Array(data));
  }

  #closed({ code, reason: text, wasClean }: CloseEvent): void {
    // Deno says 0 for a connection that was lost, whoever is at fault.
    if (wasClean) this.#finish({ reason: null, code, text, clean: true });
    else this.#lost(text === NO_PONG ? "keepalive_timeout" : "client_closed");
  }

  // Shared.

  #send(socket: WebSocket, data: string | Uint8Array): void {
    this.#sent += payloadBytes(data);
    socket.send(data as string | Uint8Array<ArrayBuffer>);
  }

  #sendClose(socket: WebSocket): void {
    const { code, text } = this.#closing!;
    if (code === NO_CODE) socket.close();
    else socket.close(code, text);
    // Deno waits for ever for the peer's close frame.
    this.#startWaiting();
  }

  #lost(reason: string): void {
    if (!this.#over) this.#finish({ reason, code: ABNORMAL, clean: false });
  }

  // Nothing more is sent but a close frame, which a peer that reads will get.
  #cut(code: number): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#closing === null) {
      this.#closing = { code, text: "" };
      if (this.#isOpen) this.#socket!.close(code);
    }
  }

  #finish(end: End): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopWaiting();
    this.#wire.over(this);
    this.#wire.observer.finished(this.#head, 101, this.#sent, end);
    this.#inbound?.closed(end);
  }

  #startWaiting(): void {
    this.#stopWaiting();
    // Not at once: setTimeout may run microtasks before it returns, in the midst of a call of the session.
    queueMicrotask(() => {
      if (!this.#over && this.#giveUp === null && this.#mayWait()) this.#giveUp = setTimeout(() => this.#lost("client_closed"), GIVE_UP_MS);
    });
  }

  // For the socket to open, or for the peer's close frame.
  #mayWait(): boolean {
    return this.#closing !== null || this.#socket?.readyState === WebSocket.CONNECTING;
  }

  #stopWaiting(): void {
    if (this.#giveUp !== null) clearTimeout(this.#giveUp);
    this.#giveUp = null;
  }
}
