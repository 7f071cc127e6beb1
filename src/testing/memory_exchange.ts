/**
 * One http or sse exchange in memory: the wire between a session, which calls it as its `Outbound`, and a client, its `Peer`.
 *
 * It is a strict wire. A session that breaks a rule of the seam gets a {@linkcode SeamError}, which the engine keeps, so that the
 * test fails even where the session swallows it.
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
  type Outbound,
  type Pairs,
  type RequestHead,
  TRAILERS,
} from "../exchange.ts";
import { type Answer, answer, hasNoBody } from "../wire/answers.ts";
import type { SeamError } from "./errors.ts";
import { frame } from "./memory_framing.ts";
import { Inbox } from "./memory_inbox.ts";
import { Pipe } from "./memory_pipe.ts";
import { find } from "./memory_request.ts";
import { SeamGuard } from "./seam_guard.ts";
import { Upload } from "./memory_upload.ts";

/** The client of an exchange. What it is told, it is told in the order of the wire. */
export interface Peer {
  /** The server asks for the body (100 Continue). */
  continued(): void;
  /** An interim response. */
  hint(status: number, headers: Pairs): void;
  /** The head of the response, as framed by the wire. */
  head(status: number, headers: Pairs): void;
  /** Bytes of the body. */
  data(bytes: Uint8Array): void;
  /** The response is whole. */
  end(trailers: Pairs | null): void;
  /** The exchange was cut before that; `reason` is the server's, a real client would not know it. */
  cut(reason: string): void;
  /** The session broke the seam. */
  broken(error: SeamError): void;
}

/** What an exchange needs of its engine. */
export interface Port {
  readonly draining: boolean;
  readonly maxBodyBytes: number;
  /** An end that nobody watches is not told. */
  readonly holdsUnwatchedEnds: boolean;
  /** The session broke the seam. */
  broken(error: SeamError): void;
  note(level: Level, text: string, fields: Fields, head: RequestHead): void;
  /** The exchange is over. */
  finished(head: RequestHead, status: number, bytes: number, end: End): void;
}

/** Nothing was answered. */
const IDLE = 0;
/** The head was accepted, the body goes on. */
const STREAMING = 1;
/** The answer was accepted in full. */
const SENT = 2;
/** A WebSocket: the handshake was accepted. */
const OPEN = 3;
/** A WebSocket: the close handshake has begun. */
const CLOSING = 4;
/** Nothing moves any more. */
const OVER = 5;

/** The states of an exchange, for its siblings in this folder. */
export const Phase = { IDLE, STREAMING, SENT, OPEN, CLOSING, OVER } as const;

const ENCODER = new TextEncoder();

/** The wire of one exchange. */
export class MemoryExchange<P extends Peer = Peer, I extends Inbound = Inbound> implements Outbound {
  readonly requestHead: RequestHead;
  /** How the client reads. */
  readonly pipe: Pipe;
  /** The request body. */
  readonly upload: Upload;
  protected readonly peer: P;
  protected readonly port: Port;
  protected readonly inbox: Inbox<I>;
  protected readonly guard: SeamGuard;
  protected phase: number = IDLE;
  /** The session has made its last call. */
  protected last = false;
  /** 0 until something was answered. */
  protected status = 0;
  /** Body bytes that the session has given. */
  #given = 0;
  /** Body bytes that the wire itself has answered with. */
  #answered = 0;
  #uploaded = 0;
  #declared = -1;
  #trailers = false;
  #notify = false;
  #watched = false;
  /** An end that is told as soon as somebody watches. */
  #held: End | null = null;

  /** Joins a client to a request; the session is attached later. */
  constructor(head: RequestHead, peer: P, port: Port) {
    this.requestHead = head;
    this.peer = peer;
    this.port = port;
    this.guard = new SeamGuard(head, (error) => this.#broken(error));
    this.inbox = new Inbox((call, error) =>
      void this.guard.report(
        call,
        `the session threw in Inbound.${call}(): ${error instanceof Error ? error.message : String(error)}`,
        error,
      )
    );
    this.pipe = new Pipe(() => this.inbox.post("drained", (inbound) => inbound.drained()), () => this.disconnect());
    this.upload = new Upload((bytes, more) => this.#uploadTo(bytes, more));
    if (head.body === "none") this.upload.end();
  }

  /** The session of this exchange; no call reaches it before. */
  attach(inbound: I): void {
    this.inbox.attach(inbound);
  }

  // ── the session's side ──

  /** Bytes accepted and not yet read by the client. */
  get buffered(): number {
    return this.pipe.buffered;
  }

  /** Credit for the request body. */
  pull(bytes: number): void {
    if (this.crossed("pull")) return this.#tellHeld();
    if (!Number.isInteger(bytes) || bytes <= 0) this.guard.violate("pull", `${bytes} is no number of bytes`);
    if (this.requestHead.kind !== "websocket" && this.requestHead.body === "none") this.guard.violate("pull", "the request has no body");
    if (this.requestHead.body === "expect" && this.upload.credit === 0 && this.#uploaded === 0) this.peer.continued();
    this.upload.pull(bytes);
  }

  /** Asks to be told of the end. */
  watch(): void {
    if (this.crossed("watch")) return this.#isBlind() ? undefined : this.#tellHeld();
    this.#watched = true;
  }

  /** An interim response. */
  inform(status: number, headers: Pairs): void {
    if (this.crossed("inform")) return;
    this.guard.require("inform", "early-hints");
    if (this.phase !== IDLE) this.guard.violate("inform", "the head has left");
    if (status < 102 || status > 199) this.guard.violate("inform", `${status} is no interim status`);
    this.guard.checkHeaders("inform", headers);
    this.pipe.push({ size: 0, kind: "mark", arrive: () => this.peer.hint(status, headers) });
  }

  /** A whole answer. */
  respond(status: number, headers: Pairs, body: Uint8Array | string, flags: number, _reason?: string): void {
    if (this.crossed("respond")) return (flags & NOTIFY) !== 0 ? this.#tellHeld() : undefined;
    if (this.phase !== IDLE) this.guard.violate("respond", "an answer has begun");
    if ((flags & ~(CLOSE | NOTIFY)) !== 0) this.guard.violate("respond", `it takes the flags CLOSE and NOTIFY, not ${flags}`);
    this.guard.checkHead("respond", status, headers);
    if (find(headers, "content-length") !== null) this.guard.violate("respond", "content-length is the wire's: it knows the body");
    const bytes = typeof body === "string" ? ENCODER.encode(body) : body;
    if (hasNoBody(status) && bytes.byteLength > 0) {
      this.guard.violate("respond", `a ${status} has no body, this one has ${bytes.byteLength} bytes`);
    }
    this.#notify = (flags & NOTIFY) !== 0;
    this.last = true;
    this.phase = SENT;
    this.status = status;
    const framed = frame(this.requestHead, status, headers, { length: bytes.byteLength, closes: this.#closes(flags) });
    this.#sendHead(status, framed);
    if (bytes.byteLength > 0 && this.requestHead.method !== "HEAD") this.#sendBytes(bytes);
    this.#sendEnd(null, null);
    if (!this.#notify) this.inbox.seal();
  }

  /** The head of an answer in parts. */
  head(status: number, headers: Pairs, flags: number): void {
    if (this.crossed("head")) return this.#tellHeld();
    if (this.phase !== IDLE) this.guard.violate("head", "an answer has begun");
    this.guard.checkHead("head", status, headers);
    this.#trailers = (flags & TRAILERS) !== 0;
    if (this.#trailers) this.guard.require("head", "trailers");
    const declared = find(headers, "content-length");
    if (declared !== null) this.#declared = Number(declared);
    this.#notify = true;
    this.phase = STREAMING;
    this.status = status;
    this.#sendHead(status, frame(this.requestHead, status, headers, { length: null, closes: this.#closes(flags) }));
  }

  /** Body bytes. */
  chunk(bytes: Uint8Array): void {
    if (this.crossed("chunk")) return;
    if (this.phase !== STREAMING) this.guard.violate("chunk", "no head has left");
    if (this.#isBodiless()) this.guard.violate("chunk", `an answer to ${this.requestHead.method} with status ${this.status} has no body`);
    this.#given += bytes.byteLength;
    if (this.#declared >= 0 && this.#given > this.#declared) {
      this.guard.violate("chunk", `${this.#given} bytes are more than the content-length of ${this.#declared}`);
    }
    if (bytes.byteLength > 0) this.#sendBytes(bytes);
  }

  /** Asks to be told when everything before has been read. */
  flush(): void {
    if (this.crossed("flush")) return;
    this.guard.require("flush", "flush");
    this.pipe.push({ size: 0, kind: "mark", arrive: () => this.inbox.post("flushed", (inbound) => inbound.flushed()) });
  }

  /** The end of the body. */
  end(trailers: Pairs | null, reason?: string): void {
    if (this.crossed("end")) return;
    if (this.phase !== STREAMING) this.guard.violate("end", "no head has left");
    if (trailers !== null) {
      if (!this.#trailers) this.guard.violate("end", "trailers were not announced with the flag TRAILERS");
      this.guard.checkHeaders("end", trailers);
    }
    if (this.#declared > this.#given && !this.#isBodiless()) {
      this.guard.violate("end", `${this.#given} bytes are fewer than the content-length of ${this.#declared}`);
    }
    this.last = true;
    this.phase = SENT;
    // Behind a body of a declared length HTTP/1.1 has no place for them (RFC 9112 section 6.5).
    const fitting = this.#declared >= 0 && this.requestHead.httpVersion !== "2" ? null : trailers;
    this.#sendEnd(fitting, reason ?? null);
  }

  /** Cuts the exchange. */
  abort(reason: string): void {
    if (this.crossed("abort")) return;
    if (reason === "") this.guard.violate("abort", "the reason is empty");
    this.last = true;
    this.fail({ reason });
  }

  /** A line for the log. */
  note(level: Level, text: string, fields: Fields = {}): void {
    this.port.note(level, text, fields, this.requestHead);
  }

  // ── the client's side ──

  /** The client leaves. Does nothing where the exchange is over. */
  disconnect(reason = "client_closed"): void {
    if (this.phase === OVER) return;
    const end = { reason };
    const isHeld = this.phase === IDLE && this.upload.credit === 0 &&
      (this.#isBlind() || (this.port.holdsUnwatchedEnds && !this.#watched));
    this.finish(end);
    if (isHeld) this.#held = end;
    else if (!this.last || this.#notify) this.inbox.close(end);
    this.peer.cut(reason);
  }

  // ── the engine's side ──

  /** Nothing moves any more. */
  get over(): boolean {
    return this.phase === OVER;
  }

  /** Ends the exchange from the wire's side: cut for the client, told to the session. */
  fail(end: End): void {
    if (this.phase === OVER) return;
    this.finish(end);
    this.inbox.close(end);
    this.peer.cut(end.reason ?? "");
  }

  /** The wire answers in the session's place, or cuts what has begun. */
  refuse(reply: Answer, end: End): void {
    if (this.phase !== IDLE) return this.fail(end);
    this.status = reply.status;
    const bytes = ENCODER.encode(reply.body);
    const framed = frame(this.requestHead, reply.status, reply.headers, { length: bytes.byteLength, closes: true });
    const isHead = this.requestHead.method === "HEAD";
    if (!isHead) this.#answered = bytes.byteLength;
    this.finish(end);
    this.inbox.close(end);
    this.peer.head(reply.status, framed);
    if (!isHead) this.peer.data(bytes);
    this.peer.end(null);
  }

  // ── helpers, shared with the socket ──

  /**
   * Whether a call is to be ignored, since it crossed an end on its way.
   *
   * @throws {SeamError} Where the session had made its last call, or knew of the end.
   */
  protected crossed(call: string): boolean {
    if (this.inbox.told) this.guard.violate(call, "closed() was called");
    if (this.last) this.guard.violate(call, "the session has made its last call");
    return this.phase === OVER;
  }

  /** The last thing that happens to an exchange, once. */
  protected finish(end: End): void {
    if (this.phase === OVER) return;
    this.phase = OVER;
    this.pipe.discard();
    this.upload.stop();
    this.port.finished(this.requestHead, this.status, this.pipe.taken + this.#answered, end);
  }

  /** The session listens after all: it is told of an end that came before. */
  #tellHeld(): void {
    if (this.#held !== null) this.inbox.close(this.#held);
    this.#held = null;
  }

  #isBodiless(): boolean {
    return this.requestHead.method === "HEAD" || hasNoBody(this.status);
  }

  #closes(flags: number): boolean {
    return this.port.draining || (flags & CLOSE) !== 0;
  }

  #sendHead(status: number, headers: Pairs): void {
    this.pipe.push({ size: 0, kind: "mark", arrive: () => this.peer.head(status, headers) });
  }

  #sendBytes(bytes: Uint8Array): void {
    this.pipe.push({ size: bytes.byteLength, kind: "bytes", arrive: (from, to) => this.peer.data(bytes.slice(from, to)) });
  }

  /** A wire that does not see the client of a request with a body leave before it is answered. */
  #isBlind(): boolean {
    return this.requestHead.body !== "none" && !this.requestHead.capabilities.includes("post-disconnect");
  }

  #sendEnd(trailers: Pairs | null, text: string | null): void {
    // A wire that does not know of the delivery calls the answer complete as soon as it has taken it.
    if (this.#notify && !this.requestHead.capabilities.includes("delivery")) this.inbox.close({ reason: null });
    this.pipe.push({ size: 0, kind: "mark", arrive: () => this.#delivered(trailers, text) });
  }

  #delivered(trailers: Pairs | null, text: string | null): void {
    this.finish(text === null ? { reason: null } : { reason: null, text });
    if (this.#notify) this.inbox.close({ reason: null });
    this.peer.end(trailers);
  }

  #uploadTo(bytes: Uint8Array, more: boolean): void {
    this.#uploaded += bytes.byteLength;
    const limit = this.port.maxBodyBytes;
    if (limit > 0 && this.#uploaded > limit) return this.refuse(answer(413), { reason: "body_too_large" });
    this.inbox.post("body", (inbound) => inbound.body(bytes, more));
  }

  /** Ends the exchange of a session that broke the seam. */
  #broken(error: SeamError): void {
    this.port.broken(error);
    this.peer.broken(error); // before the cut, so that this is what the test is told
    this.fail({ reason: "server_error" });
  }
}
