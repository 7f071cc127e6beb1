/**
 * An exchange on a stream of `node:http2`.
 *
 * @module
 */

import { constants, type ServerHttp2Stream } from "node:http2";
import { type Pairs, type RequestHead, TRAILERS } from "../exchange.ts";
import { NodeExchange } from "./node_exchange.ts";
import type { Upgraded } from "./node_handshake.ts";
import type { Http2Connection } from "./node_http2_connection.ts";
import { reset } from "./node_http2_reset.ts";
import type { NodeWire } from "./node_settings.ts";

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = constants;

/** Of one HTTP/1 connection, with no place here. RFC 9113 section 8.2.2. */
const OF_ONE_CONNECTION = /^(?:connection|keep-alive|proxy-connection|transfer-encoding|upgrade)$/i;

const NO_BYTES = new Uint8Array(0);

/** Node copies what it is given, and keeps it for as long as the window of the client is closed: for each of many streams. */
const SLICE_BYTES = 32_768;

/** What Node takes as headers. */
type Headers = Record<string, string | number | string[]>;

/** The `Outbound` of one session, over HTTP/2. */
export class Http2Exchange extends NodeExchange {
  readonly #connection: Http2Connection;
  readonly #stream: ServerHttp2Stream;
  #trailers: Pairs | null = null;
  /** Of the request. */
  #requestTrailers: Pairs | null = null;
  #upgraded = false;
  #ended = false;

  constructor(wire: NodeWire, connection: Http2Connection, stream: ServerHttp2Stream, request: RequestHead) {
    super(wire, request);
    this.#connection = connection;
    this.#stream = stream;
    stream.on("close", () => this.#closed());
    // What is wrong is told by the code that the stream closes with.
    stream.on("error", ignore);
    // They may come before the app reads.
    if (request.body !== "none") stream.on("trailers", (fields) => this.#requestTrailers = fromFields(fields));
  }

  /** Leaves HTTP. */
  upgrade(headers: Pairs): Upgraded {
    this.#upgraded = true;
    this.handOver();
    this.#stream.respond(toHeaders(200, headers, -1));
    this.#stream.removeListener("error", ignore);
    return { stream: this.#stream, rest: NO_BYTES };
  }

  protected override get sliceBytes(): number {
    return SLICE_BYTES;
  }

  protected get unwritten(): number {
    return this.#stream.writableLength;
  }

  protected sendInterim(status: number, headers: Pairs): void {
    if (this.#stream.headersSent || this.#stream.destroyed) return;
    this.#stream.additionalHeaders(toHeaders(status, headers, -1) as unknown as Parameters<ServerHttp2Stream["additionalHeaders"]>[0]);
  }

  protected sendWhole(status: number, headers: Pairs, body: Uint8Array | string | null, length: number, _close: boolean): boolean {
    const stream = this.#stream;
    if (stream.destroyed) return false;
    this.#ended = true;
    stream.respond(toHeaders(status, headers, length), body === null ? END : undefined);
    if (body !== null) stream.end(body);
    // A body of the request that is still under way is not wanted any more. RFC 9113 section 8.1.
    if (!this.isWhole) stream.once("finish", () => this.#stop());
    return false;
  }

  protected sendHead(status: number, headers: Pairs, length: number, _close: boolean, flags: number): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    const waits = (flags & TRAILERS) !== 0;
    if (waits) stream.once("wantTrailers", () => this.#sendTrailers());
    stream.respond(toHeaders(status, headers, length), waits ? TRAILING : undefined);
  }

  protected sendChunk(bytes: Uint8Array, written: (error?: Error | null) => void): void {
    if (this.#stream.destroyed) return;
    this.#stream.write(bytes, written);
  }

  protected sendEnd(trailers: Pairs | null): void {
    this.#trailers = trailers;
    this.#ended = true;
    this.#stream.end();
    if (!this.isWhole) this.#stream.once("finish", () => this.#stop());
  }

  protected cut(reason: string): void {
    const code = reason === "protocol_error"
      ? NGHTTP2_PROTOCOL_ERROR
      : reason === "write_timeout" || reason === "server_shutdown" || reason === "client_timeout"
      ? NGHTTP2_CANCEL
      : NGHTTP2_INTERNAL_ERROR;
    reset(this.#stream, code);
  }

  protected startReading(): void {
    this.#stream.on("data", (chunk: Uint8Array) => this.received(chunk));
    this.#stream.on("end", () => {
      // Node ends the body of a stream that its client has reset, too: a part must not pass for the whole.
      if (!this.#stream.aborted && this.#stream.rstCode === NGHTTP2_NO_ERROR) this.receivedAll(this.#requestTrailers);
    });
  }

  protected pauseReading(): void {
    this.#stream.pause();
  }

  protected resumeReading(): void {
    this.#stream.resume();
  }

  protected released(): void {}

  #sendTrailers(): void {
    const { destroyed } = this.#stream;
    if (!destroyed) this.#stream.sendTrailers(toFields(this.#trailers ?? []) as Record<string, string>);
  }

  #stop(): void {
    if (!this.#stream.destroyed) this.#stream.close(NGHTTP2_NO_ERROR);
  }

  // Last of all that Node tells of a stream.
  #closed(): void {
    if (this.#upgraded) return;
    const { rstCode } = this.#stream;
    if (this.#ended && rstCode === NGHTTP2_NO_ERROR && !this.#stream.aborted) this.delivered();
    this.lost(this.#connection.failure);
  }
}

const END = Object.freeze({ endStream: true });
const TRAILING = Object.freeze({ waitForTrailers: true });

function ignore(): void {}

function toHeaders(status: number, headers: Pairs, length: number): Headers {
  const fields: Headers = toFields(headers);
  fields[":status"] = status;
  if (length >= 0) fields["content-length"] = length;
  return fields;
}

function fromFields(fields: Readonly<Record<string, string | string[] | undefined>>): Pairs | null {
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) { for (const one of Array.isArray(value) ? value : [value]) pairs.push([name, one]); }
  }
  return pairs.length === 0 ? null : pairs;
}

function toFields(headers: Pairs): Headers {
  const fields = Object.create(null) as Headers;
  for (const { 0: name, 1: value } of headers) {
    const key = name.toLowerCase();
    if (OF_ONE_CONNECTION.test(key)) continue;
    const before = fields[key];
    if (before === undefined) fields[key] = value;
    else if (Array.isArray(before)) before.push(value);
    else fields[key] = [before as string, value];
  }
  return fields;
}
