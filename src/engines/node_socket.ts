/**
 * One WebSocket of the `node` engine, over HTTP/1.1 and HTTP/2 alike: a {@linkcode Handshake} until the session accepts, then frames.
 *
 * Here are the answer to the handshake, and how a socket ends. The frames themselves are the business of `node_socket_frames.ts`.
 * Contract section 5; RFC 6455 section 4.2.2; RFC 8441.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { End, Fields, Level, Pairs, SocketInbound, SocketOutbound } from "../exchange.ts";
import { withDefaults } from "../wire/headers.ts";
import type { Handshake } from "./node_handshake.ts";
import type { NodeWire, OpenNodeExchange } from "./node_settings.ts";
import { type Agreed, agreeOnDeflate } from "./node_socket_deflate.ts";
import { Frames, type FramesOwner } from "./node_socket_frames.ts";
import { type ToldSocketClass, toldSocketClass } from "./node_socket_kind.ts";
import { loadLibrary, type SocketLibrary } from "./node_socket_library.ts";

/** What a key is hashed with. RFC 6455 section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const CLOSE_TIMEOUT_MS = 10_000;

const ABNORMAL = 1006;
const TOO_BIG = 1009;
const INTERNAL_ERROR = 1011;
const SERVICE_RESTART = 1012;

/** Reasons of a cut after which a close frame would reach nobody, or only keep what waits for a peer that does not take it. */
const FORCED: readonly string[] = ["client_timeout", "keepalive_timeout", "queue_overflow", "write_timeout"];

/** `npm:ws`, which a process loads once, like any module. */
const LOADED: { library: SocketLibrary; kind: ToldSocketClass }[] = [];

/**
 * Loads what sockets stand on. To be called before the engine listens: what is missing is told at the start then, and no handshake waits
 * for it.
 *
 * @throws {StartupError} Where it can't be had.
 */
export async function loadWebSockets(): Promise<void> {
  if (LOADED.length > 0) return;
  const library = await loadLibrary();
  LOADED[0] ??= { library, kind: toldSocketClass(library) };
}

/** The `SocketOutbound` of one session. */
export class SocketExchange implements SocketOutbound, OpenNodeExchange, FramesOwner {
  place = -1;
  readonly #wire: NodeWire;
  readonly #handshake: Handshake;
  #inbound: SocketInbound | null = null;
  #early: ((inbound: SocketInbound) => void)[] | null = null;
  #frames: Frames | null = null;
  #sent = 0;
  #high = false;
  #closing = false;
  /** Why it was cut. */
  #cutFor: string | null = null;
  #over = false;

  /**
   * Call {@linkcode run} when the session is there; {@linkcode loadWebSockets} has been called. The engine has the handshake in its list,
   * and the socket takes its place.
   */
  constructor(wire: NodeWire, handshake: Handshake) {
    this.#wire = wire;
    this.#handshake = handshake;
  }

  /** The session is there. */
  run(inbound: SocketInbound): void {
    this.#inbound = inbound;
    this.#handshake.run(inbound);
    const early = this.#early;
    if (early === null) return;
    this.#early = null;
    queueMicrotask(() => {
      for (const call of early) call(inbound);
    });
  }

  // From the session, before it accepts.

  /** A handshake has no body, and messages come as they come. */
  pull(_bytes: number): void {}

  /** Reports a client that leaves during the handshake; later its leaving is always told. */
  watch(): void {
    if (this.#frames === null) this.#handshake.watch();
  }

  /** Sends an interim response before the handshake is answered. */
  inform(status: number, headers: Pairs): void {
    if (this.#frames === null) this.#handshake.inform(status, headers);
  }

  /** Refuses the handshake. */
  respond(status: number, headers: Pairs, body: Uint8Array | string, flags: number, reason?: string): void {
    if (this.#frames === null) this.#handshake.respond(status, headers, body, flags, reason);
  }

  /** Refuses the handshake with a streamed answer. */
  head(status: number, headers: Pairs, flags: number): void {
    if (this.#frames === null) this.#handshake.head(status, headers, flags);
  }

  /** Bytes of a streamed refusal. */
  chunk(bytes: Uint8Array): void {
    if (this.#frames === null) this.#handshake.chunk(bytes);
  }

  /** Of a streamed refusal. */
  flush(): void {
    if (this.#frames === null) this.#handshake.flush();
  }

  /** Ends a streamed refusal. */
  end(trailers: Pairs | null, reason?: string): void {
    if (this.#frames === null) this.#handshake.end(trailers, reason);
  }

  /** Passes a line on to the log. */
  note(level: Level, text: string, fields?: Fields): void {
    this.#handshake.note(level, text, fields);
  }

  /** Completes the handshake. */
  accept(protocol: string | null, headers: Pairs): void {
    const { settings } = this.#wire;
    const { pending, request } = this.#handshake;
    if (this.#frames !== null || !pending) return;
    const isHttp1 = request.httpVersion !== "2";
    const answer: [string, string][] = isHttp1
      ? [["upgrade", "websocket"], ["connection", "Upgrade"], ["sec-websocket-accept", acceptOf(this.#requestHeader("sec-websocket-key"))]]
      : [];
    if (protocol !== null) answer.push(["sec-websocket-protocol", protocol]);
    const agreed = this.#agreed();
    if (agreed !== null) answer.push(["sec-websocket-extensions", agreed.header]);
    const { stream, rest } = this.#handshake.upgrade([...answer, ...withDefaults(headers, settings.headers)]);
    this.#wire.over(this.#handshake);
    this.#wire.opened(this);
    const { maxMessageBytes } = settings.limits;
    const closeTimeoutMs = settings.wsCloseTimeoutMs ?? CLOSE_TIMEOUT_MS;
    this.#frames = new Frames(LOADED[0]!.kind, stream, rest, agreed, { maxMessageBytes, closeTimeoutMs }, this);
  }

  // From the session, once accepted.

  /** Bytes that wait. Whoever sees a full buffer wants to hear when it has shrunk. */
  get buffered(): number {
    if (this.#frames === null) return this.#handshake.buffered;
    if (this.#over) return 0;
    const bytes = this.#frames.buffered;
    if (bytes >= this.#wire.settings.highWaterBytes) this.#high = true;
    return bytes;
  }

  /** Sends a message. */
  message(data: string | Uint8Array): void {
    if (this.#frames === null || this.#over || this.#closing || this.#cutFor !== null) return;
    const bytes = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    this.#sent += bytes;
    this.#frames.send(data, bytes);
  }

  /** Sends a ping. */
  ping(token: number): void {
    if (!this.#over) this.#frames?.ping(token);
  }

  /** Sends a close frame behind the messages. */
  close(code: number, text: string): void {
    if (this.#over || this.#closing) return;
    this.#closing = true;
    this.#frames?.close(code, text);
  }

  /** Ends it without waiting for the peer: with a close frame of 1011 where one can still reach it. */
  abort(reason: string): void {
    if (this.#frames === null) return this.#handshake.abort(reason);
    if (this.#over) return;
    this.#cut(reason);
    queueMicrotask(() => this.gone(false));
  }

  // From the engine.

  /** Ends a peer that takes nothing of what waits for it. */
  check(now: number): void {
    const { writeTimeoutMs } = this.#wire.settings.limits;
    if (this.#over || this.#frames === null || !this.#frames.stalls(now, writeTimeoutMs)) return;
    this.#cut("write_timeout");
    this.gone(false);
  }

  /** Closes with 1012 when the time is up. */
  shutdown(): void {
    if (this.#frames === null) return this.#handshake.shutdown();
    if (this.#over) return;
    this.#frames.closeNow(SERVICE_RESTART);
    this.#finish({ reason: "server_shutdown", code: SERVICE_RESTART, clean: false });
  }

  // From the frames.

  /** A message of the peer. */
  received(data: string | Uint8Array): void {
    if (!this.#over) this.#tell((inbound) => inbound.message(data));
  }

  /** The peer answered a ping. */
  ponged(token: number): void {
    if (!this.#over) this.#tell((inbound) => inbound.pong(token));
  }

  /** Some of what waited was written. */
  shrunk(): void {
    if (!this.#high || this.#over) return;
    const bytes = this.#frames!.buffered;
    if (bytes > 0 && bytes >= this.#wire.settings.lowWaterBytes) return;
    this.#high = false;
    this.#tell((inbound) => inbound.drained());
  }

  /** A close handshake took place. */
  concluded(code: number, text: string): void {
    this.#finish({ reason: null, code, text, clean: true });
  }

  /** The peer broke the protocol, or a limit of its messages. */
  failed(code: number): void {
    this.#finish({ reason: code === TOO_BIG ? "body_too_large" : "protocol_error", code, clean: false });
  }

  /** The connection is gone. */
  gone(late: boolean): void {
    this.#finish({ reason: this.#cutFor ?? (late ? "client_timeout" : "client_closed"), code: ABNORMAL, clean: false });
  }

  // Shared.

  // A timer that a session sets may run microtasks in the midst of `open`, before the session is there.
  #tell(call: (inbound: SocketInbound) => void): void {
    if (this.#inbound !== null) call(this.#inbound);
    else (this.#early ??= []).push(call);
  }

  #cut(reason: string): void {
    this.#cutFor = reason;
    if (FORCED.includes(reason)) this.#frames!.cut();
    else this.#frames!.closeNow(INTERNAL_ERROR);
  }

  #finish(end: End): void {
    if (this.#over) return;
    this.#over = true;
    this.#wire.over(this);
    this.#wire.observer.finished(this.#handshake.request, this.#handshake.request.httpVersion === "2" ? 200 : 101, this.#sent, end);
    this.#tell((inbound) => inbound.closed(end));
  }

  #agreed(): Agreed | null {
    if (!this.#wire.settings.wsDeflate) return null;
    const offers = this.#requestHeader("sec-websocket-extensions");
    return offers === "" ? null : agreeOnDeflate(LOADED[0]!.library, offers, this.#wire.settings.limits.maxMessageBytes);
  }

  /** Headers of one name are one list. */
  #requestHeader(name: string): string {
    return this.#handshake.request.headers.filter((pair) => pair[0] === name).map(([, value]) => value).join(",");
  }
}

function acceptOf(key: string): string {
  return createHash("sha1").update(key.trim() + GUID).digest("base64");
}
