/**
 * An exchange on a request and a response of `node:http`.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { type Pairs, type RequestHead, TRAILERS } from "../exchange.ts";
import { joinBytes } from "../wire/join_bytes.ts";
import { MAX_UNREAD_BYTES, NodeExchange } from "./node_exchange.ts";
import type { Upgraded } from "./node_handshake.ts";
import type { Http1Connection } from "./node_http1_connection.ts";
import type { NodeWire } from "./node_settings.ts";

/** A client may send so much behind its handshake before it is answered. */
const MAX_EARLY_BYTES = 65_536;

const CONNECTION = "connection";
const CONTENT_LENGTH = "content-length";

/** The `Outbound` of one session, over HTTP/1. */
export class Http1Exchange extends NodeExchange {
  readonly #connection: Http1Connection;
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  /** The head was written and waits for what goes with it. */
  #held = false;
  /** The answer ends with the connection. */
  #isDelimited = false;
  /** What came behind the head of a request that Node has let go of; `null` for any other. */
  #early: Uint8Array[] | null = null;
  #onEarly: ((bytes: Uint8Array) => void) | null = null;

  constructor(wire: NodeWire, connection: Http1Connection, message: IncomingMessage, response: ServerResponse, request: RequestHead) {
    super(wire, request);
    this.#connection = connection;
    this.#message = message;
    this.#response = response;
  }

  /** Node has let go of the connection: it is read all the same, so that a client that leaves is seen, and what comes is kept. */
  detached(rest: Uint8Array): this {
    this.#early = rest.byteLength > 0 ? [rest] : [];
    this.#onEarly = (bytes) => this.#keepEarly(bytes);
    this.#connection.socket.on("data", this.#onEarly);
    return this;
  }

  /** Leaves HTTP. */
  upgrade(headers: Pairs): Upgraded {
    const { socket } = this.#connection;
    socket.removeListener("data", this.#onEarly!);
    socket.pause();
    this.#response.detachSocket(socket);
    this.handOver();
    this.#connection.leaveHttp();
    let text = "HTTP/1.1 101 Switching Protocols\r\n";
    for (const { 0: name, 1: value } of headers) text += `${name}: ${value}\r\n`;
    socket.write(`${text}\r\n`, "latin1");
    return { stream: socket, rest: joinBytes(this.#early!) };
  }

  protected get unwritten(): number {
    return this.#response.writableLength;
  }

  protected sendInterim(status: number, headers: Pairs): void {
    if (this.#connection.gone || this.request.httpVersion === "1.0") return;
    if (status === 100) return this.#response.writeContinue();
    // Node's own call wants a link, and joins headers of one name.
    let text = `HTTP/1.1 ${status} Early Hints\r\n`;
    for (const { 0: name, 1: value } of headers) text += `${name}: ${value}\r\n`;
    (this.#response as ServerResponse & Raw)._writeRaw(`${text}\r\n`, "latin1");
  }

  protected sendWhole(status: number, headers: Pairs, body: Uint8Array | string | null, length: number, close: boolean): boolean {
    const response = this.#response;
    this.#writeHead(status, headers, length, close);
    if (body === null) response.end();
    else response.end(body);
    this.#ended();
    if (response.writableLength === 0 && !this.#connection.gone) return true;
    response.once("finish", () => this.#delivered());
    return false;
  }

  protected sendHead(status: number, headers: Pairs, length: number, close: boolean, flags: number): void {
    // Trailers travel behind chunks only.
    if ((flags & TRAILERS) !== 0) this.#response.useChunkedEncodingByDefault = this.request.httpVersion === "1.1";
    this.#writeHead(status, headers, length, close);
    this.#held = true;
    queueMicrotask(() => {
      if (this.#held && !this.#connection.gone) this.#response.flushHeaders();
      this.#held = false;
    });
  }

  protected sendChunk(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    this.#held = false;
    this.#response.write(bytes, written);
  }

  protected sendEnd(trailers: Pairs | null): void {
    const response = this.#response;
    this.#held = false;
    if (trailers !== null && trailers.length > 0) response.addTrailers(trailers as unknown as [string, string][]);
    response.once("finish", () => this.#delivered());
    response.end();
    this.#ended();
  }

  protected cut(reason: string): void {
    // What is queued in the system for a client that does not read would stay there; and the end of a connection that ends an answer
    // looks like that of a whole one.
    if (reason === "write_timeout" || reason === "server_shutdown" || this.#isDelimited) {
      return void this.#connection.socket.resetAndDestroy();
    }
    if (this.#held) this.#response.flushHeaders();
    this.#held = false;
    this.#connection.truncate();
  }

  protected startReading(): void {
    this.#message.on("data", (chunk: Uint8Array) => this.received(chunk));
    this.#message.on("end", () => this.receivedAll(toPairs(this.#message.rawTrailers)));
  }

  protected pauseReading(): void {
    this.#message.pause();
  }

  protected resumeReading(): void {
    this.#message.resume();
  }

  protected released(): void {
    this.#connection.over();
  }

  #writeHead(status: number, headers: Pairs, length: number, close: boolean): void {
    const response = this.#response as ServerResponse & Raw;
    if (close || this.#early !== null || this.wire.draining || this.#leavesBody()) response.shouldKeepAlive = false;
    const closes = !response.shouldKeepAlive;
    const flat: string[] = [];
    let hasLength = length >= 0;
    for (const { 0: name, 1: value } of headers) {
      // A word of the app against what is going to happen, which Node would believe.
      if (closes && name.length === CONNECTION.length && name.toLowerCase() === CONNECTION) continue;
      hasLength ||= name.length === CONTENT_LENGTH.length && name.toLowerCase() === CONTENT_LENGTH;
      flat.push(name, value);
    }
    if (length >= 0) flat.push(CONTENT_LENGTH, String(length));
    this.#isDelimited = !hasLength && this.request.httpVersion === "1.0";
    response.writeHead(status, flat);
    // An event stream says `keep-alive` and is the last of its connection all the same.
    if (this.request.kind !== "sse") return;
    response.shouldKeepAlive = false;
    response._last = true;
  }

  // What the app has not read of a small body is thrown away; a large one is not worth the connection.
  #leavesBody(): boolean {
    if (this.request.body === "none" || this.#message.complete) return false;
    return this.unread > MAX_UNREAD_BYTES || (this.request.body === "expect" && !this.isReading);
  }

  #ended(): void {
    this.#connection.answered(this.#message, !this.#response.shouldKeepAlive);
    // Nobody else does, where Node has let go of the connection.
    if (this.#early !== null) this.#response.once("finish", () => this.#connection.end());
  }

  #delivered(): void {
    if (!this.#connection.gone) this.delivered();
  }

  #keepEarly(bytes: Uint8Array): void {
    this.#early!.push(bytes);
    let count = 0;
    for (const { byteLength } of this.#early!) count += byteLength;
    if (count > MAX_EARLY_BYTES) this.#connection.socket.pause();
  }
}

function toPairs(raw: readonly string[]): Pairs | null {
  if (raw.length === 0) return null;
  const pairs: [string, string][] = [];
  for (let at = 0; at < raw.length; at += 2) pairs.push([raw[at]!.toLowerCase(), raw[at + 1]!]);
  return pairs;
}

/** Of Node, and not in its types. */
interface Raw {
  _writeRaw(data: string, encoding: string): void;
  /** The connection ends behind this answer. */
  _last: boolean;
}
