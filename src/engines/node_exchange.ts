/**
 * One http or sse exchange of the `node` engine, or the handshake of a WebSocket: what HTTP/1 and HTTP/2 have in common.
 *
 * It keeps the rules of the seam: states, order, flow control, the credit of the request body and what stalls. How bytes get onto the wire
 * is said by its two kinds, `node_http1_exchange.ts` and `node_http2_exchange.ts`.
 *
 * @module
 */

import { CLOSE, type End, type Fields, type Inbound, type Level, NOTIFY, type Pairs, type RequestHead } from "../exchange.ts";
import { type Answer, answer, hasNoBody } from "../wire/answers.ts";
import { withDefaults } from "../wire/headers.ts";
import type { Handshake, Upgraded } from "./node_handshake.ts";
import { OutQueue } from "./node_out_queue.ts";
import type { NodeWire } from "./node_settings.ts";
import { Stall } from "./node_stall.ts";

/** Nothing was answered. */
const PENDING = 0;
/** A whole answer is on its way. */
const DELIVERING = 1;
/** The head has left, the body follows. */
const STREAMING = 2;
/** The body has ended and is on its way. */
const ENDING = 3;
const OVER = 4;

/** A normal end. */
const COMPLETE: End = Object.freeze({ reason: null });

const NO_BYTES = new Uint8Array(0);

/** What is left of a request body is read and thrown away up to here; a connection with more of it ends. */
export const MAX_UNREAD_BYTES = 65_536;

/** The `Outbound` of one session. */
export abstract class NodeExchange implements Handshake {
  place = -1;
  readonly request: RequestHead;
  protected readonly wire: NodeWire;
  #inbound: Inbound | null = null;
  #early: ((inbound: Inbound) => void)[] | null = null;
  /** The session is told nothing more. */
  #isLeft = false;
  #state = PENDING;
  #status = 0;
  #notify = false;
  #success = COMPLETE;
  #sent = 0;
  #out: OutQueue | null = null;
  #flushing = false;
  #trailers: Pairs | null = null;
  // The request body.
  #declared = -2;
  #received = 0;
  #credit = 0;
  #reading = false;
  #whole: boolean;
  // What does not move.
  #bodyStall: Stall | null = null;
  #writeStall: Stall | null = null;

  constructor(wire: NodeWire, request: RequestHead) {
    this.wire = wire;
    this.request = request;
    this.#whole = request.body === "none";
  }

  // To be said by HTTP/1 and by HTTP/2.

  /** An answer up to this goes out whole, others in pieces of it. */
  protected get sliceBytes(): number {
    return OutQueue.SLICE_BYTES;
  }
  /** Bytes of a whole answer that were written and that the system has not taken. */
  protected abstract get unwritten(): number;
  /** Sends 103 or 100. */
  protected abstract sendInterim(status: number, headers: Pairs): void;
  /** Sends a whole answer; `length` is its `content-length`, -1 for none. Calls `delivered` later, unless it returns true. */
  protected abstract sendWhole(status: number, headers: Pairs, body: Uint8Array | string | null, length: number, close: boolean): boolean;
  /** Sends a head, at the latest in the next turn. */
  protected abstract sendHead(status: number, headers: Pairs, length: number, close: boolean, flags: number): void;
  /** Sends body bytes and calls back when the system has taken them. */
  protected abstract sendChunk(bytes: Uint8Array, written: (error?: Error | null) => void): void;
  /** Ends the answer. Calls `delivered` later. */
  protected abstract sendEnd(trailers: Pairs | null): void;
  /** Breaks the exchange off. */
  protected abstract cut(reason: string): void;
  /** Lets the request body come. */
  protected abstract startReading(): void;
  protected abstract pauseReading(): void;
  protected abstract resumeReading(): void;
  /** It is over. */
  protected abstract released(): void;
  /** See {@linkcode Handshake}. */
  abstract upgrade(headers: Pairs): Upgraded;

  /** The session is there. */
  run(inbound: Inbound): void {
    if (this.#isLeft) return;
    this.#inbound = inbound;
    const early = this.#early;
    if (early === null) return;
    this.#early = null;
    queueMicrotask(() => {
      for (const call of early) call(inbound);
    });
  }

  // From the session.

  /** Bytes of the answer that wait. */
  get buffered(): number {
    if (this.#state === OVER) return 0;
    return this.#out === null ? this.unwritten : this.#out.bytes;
  }

  /** Reads on in the request body. */
  pull(bytes: number): void {
    if (this.#state === OVER) return;
    if (this.#whole) {
      if (this.request.body === "none") queueMicrotask(() => this.#tell((inbound) => inbound.body(NO_BYTES, false)));
      return;
    }
    const waited = this.#credit > 0;
    this.#credit += bytes;
    if (!this.#reading) {
      this.#reading = true;
      if (this.request.body === "expect" && this.#state === PENDING) this.sendInterim(100, []);
      this.startReading();
    } else if (!waited) this.resumeReading();
  }

  /** A client that leaves is always told. */
  watch(): void {}

  /** Sends 103. */
  inform(status: number, headers: Pairs): void {
    if (this.#state === PENDING) this.sendInterim(status, headers);
  }

  /** Answers at once. */
  respond(status: number, headers: Pairs, body: Uint8Array | string, flags: number, reason?: string): void {
    if (this.#state !== PENDING) return;
    if (reason !== undefined) this.#success = { reason };
    this.#notify = (flags & NOTIFY) !== 0;
    this.#status = status;
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
    const bodiless = this.request.method === "HEAD" || hasNoBody(status);
    const close = (flags & CLOSE) !== 0;
    const all = withDefaults(headers, this.wire.settings.headers);
    const declared = status === 204 || status === 304 ? -1 : status === 205 ? 0 : length;
    if (!bodiless) this.#sent = length;
    this.#state = DELIVERING;
    if (bodiless || length === 0) body = NO_BYTES;
    else if (length > this.sliceBytes) {
      // Piece by piece, so that it can be seen whether it moves.
      this.sendHead(status, all, declared, close, 0);
      const bytes = typeof body === "string" ? Buffer.from(body) : body;
      this.#queue().push(bytes);
      this.#endOut();
      return;
    }
    if (this.sendWhole(status, all, body.length === 0 ? null : body, declared, close)) this.#complete();
  }

  /** Answers with a stream. */
  head(status: number, headers: Pairs, flags: number): void {
    if (this.#state !== PENDING) return;
    this.#state = STREAMING;
    this.#status = status;
    this.#notify = true;
    // 205 over HTTP/1.1 says that there is nothing.
    const length = status === 205 ? 0 : -1;
    this.sendHead(status, withDefaults(headers, this.wire.settings.headers), length, (flags & CLOSE) !== 0, flags);
  }

  /** Queues bytes. */
  chunk(bytes: Uint8Array): void {
    if (this.#state !== STREAMING) return;
    this.#sent += bytes.byteLength;
    this.#queue().push(bytes);
  }

  /** Tells when all that was queued has left. */
  flush(): void {
    if (this.#state === OVER) return;
    if (this.buffered === 0) queueMicrotask(() => this.#tell((inbound) => inbound.flushed()));
    else this.#flushing = true;
  }

  /** Ends the stream after what waits. */
  end(trailers: Pairs | null, reason?: string): void {
    if (this.#state !== STREAMING) return;
    if (reason !== undefined) this.#success = { reason: null, text: reason };
    this.#state = ENDING;
    this.#trailers = trailers;
    this.#endOut();
  }

  /** Breaks the exchange off. */
  abort(reason: string): void {
    if (this.#state === OVER) return;
    const taken = this.#taken();
    this.cut(reason);
    this.#finish(taken, { reason });
    queueMicrotask(() => this.#leave({ reason }));
  }

  /** Passes a line on to the log. */
  note(level: Level, text: string, fields?: Fields): void {
    this.wire.observer.note(level, text, fields ?? {}, this.request);
  }

  // From the engine.

  /** Nothing was answered yet. */
  get pending(): boolean {
    return this.#state === PENDING;
  }

  /** The request body has come, or there is none. */
  get isWhole(): boolean {
    return this.#whole;
  }

  /** The request says that its body is larger than allowed. */
  get isTooLarge(): boolean {
    const { maxBodyBytes } = this.wire.settings;
    return maxBodyBytes > 0 && !this.#whole && this.#declaredLength() > maxBodyBytes;
  }

  /** The app has asked for the request body. */
  protected get isReading(): boolean {
    return this.#reading;
  }

  /** What is known of the request body that has not come: bytes, -1 where nobody knows. */
  protected get unread(): number {
    if (this.#whole) return 0;
    const declared = this.#declaredLength();
    return declared < 0 ? -1 : declared - this.#received;
  }

  /** It has become a WebSocket. */
  protected handOver(): void {
    this.#state = OVER;
  }

  /** Ends it when the time is up: with 503 where nothing was answered, else with a cut. */
  shutdown(): void {
    this.#end("server_shutdown", 503);
  }

  /** Answers in the place of an app, which never hears of it; the connection closes where it can. */
  refuse({ status, headers, body }: Answer, reason: string): void {
    this.respond(status, headers, body, CLOSE, reason);
  }

  /** Ends it because the client broke the protocol. */
  violated(status: number): void {
    this.#end("protocol_error", status);
  }

  /** Looks at what does not move. */
  check(now: number): void {
    const { bodyTimeoutMs, writeTimeoutMs } = this.wire.settings.limits;
    if (bodyTimeoutMs > 0 && this.#credit > 0 && !this.#whole) {
      this.#bodyStall ??= new Stall();
      if (this.#bodyStall.lasts(now, this.#received, bodyTimeoutMs)) return this.#end("client_timeout", 408);
    } else this.#bodyStall = null;
    if (writeTimeoutMs === 0 || this.#state === PENDING) return;
    const { buffered } = this;
    if (buffered > 0) {
      this.#writeStall ??= new Stall();
      if (this.#writeStall.lasts(now, this.#sent - buffered, writeTimeoutMs)) this.#end("write_timeout", 408);
    } else this.#writeStall = null;
  }

  // From the wire.

  /** The connection or the stream is gone. */
  lost(reason: string): void {
    if (this.#state === OVER) return;
    const tells = this.#state !== DELIVERING || this.#notify;
    this.#finish(this.#taken(), { reason });
    this.#leave(tells ? { reason } : null);
  }

  /** The system has taken the last byte. */
  protected delivered(): void {
    if (this.#state === DELIVERING || this.#state === ENDING) this.#complete();
  }

  /** A part of the request body. */
  protected received(chunk: Uint8Array): void {
    if (this.#state === OVER || this.#whole) return;
    this.#received += chunk.byteLength;
    const { maxBodyBytes } = this.wire.settings;
    if (maxBodyBytes > 0 && this.#received > maxBodyBytes) return this.#end("body_too_large", 413);
    this.#credit -= chunk.byteLength;
    this.#whole = this.#received === this.#declaredLength();
    if (this.#credit <= 0 && !this.#whole) this.pauseReading();
    // A plain view: the contract speaks of a Uint8Array, and a Buffer behaves otherwise in places.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#tell((inbound) => inbound.body(bytes, !this.#whole));
  }

  /** The request body is whole. */
  protected receivedAll(trailers: Pairs | null): void {
    if (this.#state === OVER || this.#whole) return;
    this.#whole = true;
    this.#tell((inbound) => trailers === null ? inbound.body(NO_BYTES, false) : inbound.body(NO_BYTES, false, trailers));
  }

  // Shared.

  // A timer that a session sets may run microtasks and ticks in the midst of `open`, before the session is there.
  #tell(call: (inbound: Inbound) => void): void {
    if (this.#isLeft) return;
    if (this.#inbound !== null) call(this.#inbound);
    else (this.#early ??= []).push(call);
  }

  // The last word, where somebody listens. The session is let go of with it: Node may hold a stream for long, and what hangs on it would
  // outlive the young generation.
  #leave(end: End | null): void {
    if (end !== null) this.#tell((inbound) => inbound.closed(end));
    if (end !== null && this.#inbound === null) return; // it is not there yet
    this.#isLeft = true;
    this.#inbound = null;
  }

  #queue(): OutQueue {
    return this.#out ??= new OutQueue((bytes, written) => this.sendChunk(bytes, written), () => this.#shrunk(), this.sliceBytes);
  }

  // Some bytes have left.
  #shrunk(): void {
    if (this.#state === OVER) return;
    const { buffered } = this;
    if (this.#flushing && buffered === 0) {
      this.#flushing = false;
      this.#tell((inbound) => inbound.flushed());
    }
    if (this.#state === STREAMING && buffered <= this.wire.settings.lowWaterBytes) this.#tell((inbound) => inbound.drained());
  }

  #endOut(): void {
    if (this.#out === null) return this.sendEnd(this.#trailers);
    this.#out.end(() => {
      if (this.#state !== OVER) this.sendEnd(this.#trailers);
    });
  }

  #end(reason: string, status: number): void {
    if (this.#state === OVER) return;
    const tells = this.#state !== DELIVERING || this.#notify;
    if (this.#state === PENDING) {
      const { headers, body } = answer(status);
      const bodiless = this.request.method === "HEAD";
      this.#status = status;
      this.#sent = bodiless ? 0 : body.length;
      this.sendWhole(status, withDefaults(headers, this.wire.settings.headers), bodiless ? null : body, body.length, true);
      this.#finish(this.#sent, { reason });
    } else {
      const taken = this.#taken();
      this.cut(reason);
      this.#finish(taken, { reason });
    }
    this.#leave(tells ? { reason } : null);
  }

  #complete(): void {
    const tells = this.#state !== DELIVERING || this.#notify;
    this.#finish(this.#sent, this.#success);
    if (tells) queueMicrotask(() => this.#leave(COMPLETE));
    else this.#leave(null);
  }

  #taken(): number {
    return Math.max(0, this.#sent - this.buffered);
  }

  #declaredLength(): number {
    if (this.#declared !== -2) return this.#declared;
    const pair = this.request.headers.find(([name]) => name === "content-length");
    return this.#declared = pair === undefined ? -1 : Number(pair[1]);
  }

  #finish(bytes: number, end: End): void {
    this.#state = OVER;
    this.wire.over(this);
    this.released();
    this.wire.observer.finished(this.request, this.#status, bytes, end);
  }
}
