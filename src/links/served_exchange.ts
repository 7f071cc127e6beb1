/**
 * One exchange in a worker: the wire of a session, at the end of a link. What it sends goes through a queue (`credit_queue.ts`).
 *
 * @module
 */

import {
  CLOSE,
  type End,
  type Fields,
  type Inbound,
  type Level,
  NOTIFY,
  type Pairs,
  type RequestHead,
  type SocketInbound,
  type SocketOutbound,
} from "../exchange.ts";
import { answer } from "../wire/answers.ts";
import { CreditQueue } from "./credit_queue.ts";
import { joinBytes } from "../wire/join_bytes.ts";
import { sendNote } from "./notes.ts";
import { type Outbox, weightOf } from "./outbox.ts";
import * as P from "./packets.ts";

/** What an exchange needs of its host. */
export interface Served {
  readonly outbox: Outbox;
  readonly highWaterBytes: number;
  /** The front does not know it any more. */
  over(exchange: ServedExchange): void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The `Outbound` of a session, of a WebSocket's too. */
export class ServedExchange implements SocketOutbound {
  /** Its number on the link. */
  readonly id: number;
  readonly request: RequestHead;
  /** The session, once the app was called. */
  inbound: Inbound | null = null;
  readonly #served: Served;
  readonly #outbox: Outbox;
  /** Most exchanges need none. */
  #lazyQueue: CreditQueue | null = null;
  #watched = false;
  /** The wire has had its last call. */
  #isEnded = false;
  /** The front does not know it any more. */
  #isOver = false;
  /** A whole answer left in parts, and nobody listens for its end. */
  #isSilent = false;
  /** Of a message of the peer. */
  readonly #parts: Uint8Array[] = [];

  /** The session is attached when it is there. */
  constructor(request: RequestHead, served: Served) {
    this.id = request.id;
    this.request = request;
    this.#served = served;
    this.#outbox = served.outbox;
  }

  // ── from the session ──

  get buffered(): number {
    return this.#isOver || this.#lazyQueue === null ? 0 : this.#lazyQueue.bytes;
  }

  pull(bytes: number): void {
    if (this.#isEnded) return;
    this.#outbox.items.push(P.PULL, this.id, bytes);
    this.#outbox.added(16);
  }

  watch(): void {
    if (this.#watched || this.#isOver) return;
    this.#watched = true;
    this.#outbox.items.push(P.WATCH, this.id);
    this.#outbox.added(8);
  }

  inform(status: number, headers: Pairs): void {
    if (this.#isEnded || this.#oversize(headers) !== null) return;
    this.#outbox.items.push(P.INFORM, this.id, status, headers);
    this.#outbox.added(weightOf(headers));
  }

  respond(status: number, headers: Pairs, body: Uint8Array | string, flags: number, reason?: string): void {
    if (this.#isEnded || this.#refuses(headers)) return;
    if (typeof body === "string" && body.length > P.SHORT) body = encoder.encode(body);
    if (typeof body !== "string" && body.byteLength > P.PIECE) return this.#respondInParts(status, headers, body, flags);
    const { items } = this.#outbox;
    if (typeof body === "string") {
      items.push(P.RESPOND, this.id, status, headers, body, flags, reason ?? null);
      this.#outbox.added(weightOf(headers) + body.length);
    } else {
      items.push(P.RESPOND, this.id, status, headers, body.byteLength, flags, reason ?? null);
      if (body.byteLength > 0) this.#outbox.part(body);
      this.#outbox.added(weightOf(headers));
    }
    this.#isEnded = true;
    if ((flags & NOTIFY) === 0) this.#finish(); // `closed` is left out
  }

  head(status: number, headers: Pairs, flags: number): void {
    if (this.#isEnded || this.#refuses(headers)) return;
    this.#outbox.items.push(P.HEAD, this.id, status, headers, flags);
    this.#outbox.added(weightOf(headers));
  }

  chunk(bytes: Uint8Array): void {
    if (!this.#isEnded && bytes.byteLength > 0) this.#queue.chunk(bytes);
  }

  flush(): void {
    if (this.#isEnded) return;
    this.#queue.then(() => {
      this.#outbox.items.push(P.FLUSH, this.id);
      this.#outbox.added(8);
    });
  }

  end(trailers: Pairs | null, reason?: string): void {
    if (this.#isEnded) return;
    const problem = trailers === null ? null : this.#oversize(trailers);
    if (problem !== null) this.note("error", `The trailers were dropped: ${problem}`);
    this.#queue.then(() => {
      this.#outbox.items.push(P.END, this.id, problem === null ? trailers : null, reason?.slice(0, P.MAX_REASON) ?? null);
      this.#outbox.added(trailers === null ? 16 : weightOf(trailers));
    });
    this.#isEnded = true;
  }

  abort(reason: string): void {
    if (this.#isOver) return;
    this.#isEnded = true;
    this.#lazyQueue?.drop();
    this.#outbox.items.push(P.ABORT, this.id, reason.slice(0, P.MAX_REASON));
    this.#outbox.added(32);
  }

  note(level: Level, text: string, fields: Fields = {}): void {
    // Once it is over, the front does not know the request any more.
    const all = this.#isOver ? { request: `${this.request.method} ${this.request.rawPath}`, ...fields } : fields;
    sendNote(this.#outbox, this.#isOver ? 0 : this.id, level, text, all);
  }

  // ── from the session of a WebSocket ──

  accept(protocol: string | null, headers: Pairs): void {
    if (this.#isEnded || this.#refuses(headers)) return;
    this.#outbox.items.push(P.ACCEPT, this.id, protocol, headers);
    this.#outbox.added(weightOf(headers));
  }

  message(data: string | Uint8Array): void {
    if (this.#isEnded) return;
    if (typeof data === "string" && data.length <= P.SHORT) return this.#queue.text(data);
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    if (bytes.byteLength > P.MAX_MESSAGE) {
      this.note("error", `A message of ${bytes.byteLength} bytes is larger than a worker can send (${P.MAX_MESSAGE})`);
      this.close(1011, "");
      return;
    }
    this.#queue.message(typeof data === "string", bytes);
  }

  ping(token: number): void {
    if (this.#isEnded) return;
    this.#outbox.items.push(P.PING, this.id, token);
    this.#outbox.added(16);
  }

  close(code: number, text: string): void {
    if (this.#isEnded) return;
    this.#queue.then(() => {
      this.#outbox.items.push(P.CLOSE, this.id, code, text);
      this.#outbox.added(32 + text.length);
    });
    this.#isEnded = true;
  }

  // ── from the front ──

  /** The front has taken in so much since the beginning, and so much of that waits for the client. */
  written(taken: number, atFront: number): void {
    this.#queue.written(taken, atFront);
    if (!this.#isSilent) this.inbound!.drained();
  }

  /** A part of a message of the peer. */
  gotPart(isText: boolean, more: boolean, bytes: Uint8Array): void {
    if (more || this.#parts.length > 0) this.#parts.push(bytes);
    if (more) return;
    const whole = this.#parts.length > 0 ? joinBytes(this.#parts.splice(0)) : bytes;
    (this.inbound as SocketInbound).message(isText ? decoder.decode(whole) : whole);
  }

  /** The front says that it is over. */
  closed(end: End): void {
    this.#finish();
    if (!this.#isSilent) this.inbound!.closed(end);
  }

  // ── answers that do not fit ──

  // The front holds no more of a large answer than of any stream.
  #respondInParts(status: number, headers: Pairs, body: Uint8Array, flags: number): void {
    this.#isSilent = (flags & NOTIFY) === 0;
    this.head(status, [...headers, ["content-length", String(body.byteLength)]], flags & CLOSE | NOTIFY);
    if (this.request.method !== "HEAD") this.chunk(body);
    this.end(null);
  }

  // An app may send what a link does not take: its client gets a 500.
  #refuses(headers: Pairs): boolean {
    const problem = this.#oversize(headers);
    if (problem === null) return false;
    this.note("error", `The answer could not be sent: ${problem}`);
    const { status, headers: own, body } = answer(500);
    this.#outbox.items.push(P.RESPOND, this.id, status, own, body, CLOSE | NOTIFY, "server_error");
    this.#outbox.added(256);
    this.#isEnded = true;
    return true;
  }

  #oversize(headers: Pairs): string | null {
    if (headers.length > P.MAX_HEADERS) return `${headers.length} headers are more than a worker can send (${P.MAX_HEADERS})`;
    let characters = 0;
    for (const [name, value] of headers) characters += name.length + value.length;
    return characters <= P.MAX_HEADER_CHARS
      ? null
      : `headers of ${characters} characters are more than a worker can send (${P.MAX_HEADER_CHARS})`;
  }

  get #queue(): CreditQueue {
    return this.#lazyQueue ??= new CreditQueue(this.id, this.#outbox, this.#served.highWaterBytes);
  }

  #finish(): void {
    this.#isOver = this.#isEnded = true;
    this.#lazyQueue?.drop();
    this.#served.over(this);
  }
}
