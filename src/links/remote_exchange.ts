/**
 * One exchange at the front, whose app lives behind a link: from the packets of a worker to the calls of an engine, and back.
 *
 * It keeps the state that the table of packets speaks of, and what a session would never do is refused here before an engine sees it.
 *
 * @module
 */

import { type End, type Fields, type Level, NOTIFY, type Outbound, type Pairs, type RequestHead, TRAILERS } from "../exchange.ts";
import type { Inbound, SocketInbound, SocketOutbound } from "../exchange.ts";
import { WorkerError } from "../spec/errors.ts";
import { answer, hasNoBody } from "../wire/answers.ts";
import { joinBytes } from "./join_bytes.ts";
import type { Outbox, Sender } from "./outbox.ts";
import * as P from "./packets.ts";

/** What an exchange needs of its host. */
export interface Front {
  readonly outbox: Outbox;
  /** Of what may wait for one client. */
  readonly maxClientBytes: number;
  /** Of what may wait for the app of one WebSocket. */
  readonly maxWorkerBytes: number;
  /** Something was taken in: the worker is told at the end of the batch. */
  changed(exchange: RemoteExchange): void;
  /** It is over. */
  over(exchange: RemoteExchange): void;
}

/** The reason of exchanges whose worker is gone. Contract section 4. */
export const WORKER_LOST = "x-worker-lost";

const encoder = new TextEncoder();

/** An http or sse exchange. */
export class RemoteExchange implements Inbound {
  /** Its number on the link. */
  readonly id: number;
  readonly head: RequestHead;
  /** One of the states of `packets.ts`. */
  state: number = P.IDLE;
  /** Bytes and characters of the worker that were taken in, since the beginning. */
  taken = 0;
  protected readonly front: Front;
  protected readonly outbox: Outbox;
  readonly #out: Outbound;
  #toldTaken = 0;
  #toldBuffered = 0;
  #bodiless = false;
  #trailers = false;

  /** Call nothing but {@linkcode announce} before the engine has it. */
  constructor(id: number, head: RequestHead, out: Outbound, front: Front) {
    this.id = id;
    this.head = head;
    this.#out = out;
    this.front = front;
    this.outbox = front.outbox;
  }

  /** Bytes that wait for the client. */
  get buffered(): number {
    return this.#out.buffered;
  }

  // ── from the engine ──

  body(chunk: Uint8Array, more: boolean): void {
    const { byteLength } = chunk;
    for (let at = 0; at === 0 || at < byteLength; at += P.PIECE) {
      const piece = byteLength <= P.PIECE ? chunk : chunk.subarray(at, at + P.PIECE);
      const isLast = at + P.PIECE >= byteLength;
      this.outbox.items.push(P.BODY_BYTES, this.id, more || !isLast ? 1 : 0, piece.byteLength);
      if (piece.byteLength > 0) this.outbox.part(piece);
      this.outbox.added(16);
    }
  }

  drained(): void {
    this.#tell(this.#out.buffered);
  }

  flushed(): void {
    this.outbox.items.push(P.FLUSHED, this.id);
    this.outbox.added(8);
  }

  closed({ reason, code, text, clean }: End): void {
    this.outbox.items.push(P.CLOSED, this.id, reason, code ?? null, text ?? null, clean ?? null);
    this.outbox.added(32);
    this.front.over(this);
  }

  // ── from the worker; fields and states were checked against the table ──

  pull(bytes: number): void {
    if (this.head.body === "none") throw new WorkerError("A body was asked for, and the request has none");
    this.#out.pull(bytes);
  }

  watch(): void {
    this.#out.watch();
  }

  note(level: Level, text: string, fields: Fields): void {
    this.#out.note(level, text, fields);
  }

  inform(status: number, headers: Pairs): void {
    if (!this.head.capabilities.includes("early-hints")) throw new WorkerError("An early hint was sent, and the engine can't");
    this.#out.inform(status, headers);
  }

  respond(status: number, headers: Pairs, body: Uint8Array | string, flags: number, reason: string | null): void {
    this.#checkStatus(status);
    if (flags & TRAILERS) throw new WorkerError("A whole answer has no trailers");
    if (hasNoBody(status) && body.length > 0) throw new WorkerError(`A ${status} came with a body`);
    for (const [name] of headers) {
      if (name.length === 14 && name.toLowerCase() === "content-length") {
        throw new WorkerError("The length of a whole answer is the engine's");
      }
    }
    this.state = P.SENT;
    if ((flags & NOTIFY) === 0) this.front.over(this); // `closed` is left out
    if (reason === null) this.#out.respond(status, headers, body, flags);
    else this.#out.respond(status, headers, body, flags, reason);
  }

  start(status: number, headers: Pairs, flags: number): void {
    this.#checkStatus(status);
    let lengths = 0;
    for (const [name, value] of headers) {
      if (name.length !== 14 || name.toLowerCase() !== "content-length") continue;
      if (++lengths > 1 || !/^\d{1,15}$/.test(value)) throw new WorkerError("The declared length of an answer is no number of bytes");
    }
    this.#bodiless = this.head.method === "HEAD" || hasNoBody(status);
    this.#trailers = (flags & TRAILERS) !== 0;
    if (this.#trailers && !this.head.capabilities.includes("trailers")) {
      throw new WorkerError("Trailers were announced, and the engine can't");
    }
    this.state = P.STREAMING;
    this.#out.head(status, headers, flags);
  }

  chunk(bytes: Uint8Array): void {
    if (this.#bodiless) throw new WorkerError("Body bytes came for an answer that has no body");
    this.#out.chunk(bytes);
    this.took(bytes.byteLength);
  }

  flush(): void {
    if (!this.head.capabilities.includes("flush")) throw new WorkerError("A flush was asked for, and the engine can't");
    this.#out.flush();
  }

  end(trailers: Pairs | null, reason: string | null): void {
    if (trailers !== null && !this.#trailers) throw new WorkerError("Trailers came that were not announced");
    this.state = P.SENT;
    if (reason === null) this.#out.end(trailers);
    else this.#out.end(trailers, reason);
  }

  abort(reason: string): void {
    this.#out.abort(reason);
  }

  // ── from the host ──

  /** Tells the worker of it. */
  announce(server: number, capabilities: number, tls: number | null): void {
    const { kind, httpVersion, method, scheme, rawPath, path, query, rootPath, headers, client, body } = this.head;
    this.outbox.items.push(
      P.OPENED,
      this.id,
      kind,
      httpVersion,
      method,
      scheme,
      rawPath,
      path === rawPath ? null : path,
      query,
      rootPath,
      headers,
      client === undefined ? null : client[0],
      client === undefined ? 0 : client[1],
      server,
      body,
      capabilities,
      tls,
    );
    this.outbox.added(256 + headers.length * 48 + rawPath.length + query.length);
  }

  /**
   * Tells the worker how far its bytes have come.
   *
   * @returns Whether all of them have.
   * @throws {WorkerError} Where it has sent more than it may.
   */
  report(): boolean {
    const { buffered } = this.#out;
    if (buffered > this.maxClientBytes) throw new WorkerError("More was sent for a client than there was credit for");
    if (this.taken !== this.#toldTaken || buffered !== this.#toldBuffered) this.#tell(buffered);
    return buffered === 0;
  }

  /** The worker is gone: 502 where nothing was answered, a cut where the answer is not complete. */
  lost(): void {
    if (this.state === P.IDLE) {
      const { status, headers, body } = answer(502);
      this.#out.respond(status, headers, body, 0, WORKER_LOST);
    } else if (this.state !== P.SENT) this.#out.abort(WORKER_LOST);
  }

  /** So much may wait for the client. */
  protected get maxClientBytes(): number {
    return this.front.maxClientBytes;
  }

  protected took(amount: number): void {
    this.taken += amount;
    this.front.changed(this);
  }

  #tell(buffered: number): void {
    this.#toldTaken = this.taken;
    this.#toldBuffered = buffered;
    this.outbox.items.push(P.WRITTEN, this.id, this.taken, buffered);
    this.outbox.added(24);
  }

  #checkStatus(status: number): void {
    if (status === 205 && this.head.httpVersion !== "2" && !this.head.capabilities.includes("reset-content")) {
      throw new WorkerError("A 205 came, and the engine can't frame it");
    }
  }
}

/** A WebSocket; before it is accepted it is answered like a request. */
export class RemoteSocket extends RemoteExchange implements SocketInbound, Sender {
  readonly #out: SocketOutbound;
  /** Bytes for the worker that have not left. */
  #queued = 0;
  #overflowed = false;
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  /** As its base. */
  constructor(id: number, head: RequestHead, out: SocketOutbound, front: Front) {
    super(id, head, out, front);
    this.#out = out;
  }

  // ── from the engine ──

  message(data: string | Uint8Array): void {
    if (typeof data === "string" && data.length <= P.SHORT) {
      this.outbox.items.push(P.GOT_TEXT, this.id, data);
      this.outbox.account(this, data.length);
      this.outbox.added(16 + data.length);
      return this.#queue(data.length);
    }
    const isText = typeof data === "string" ? 1 : 0;
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    for (let at = 0; at === 0 || at < bytes.byteLength; at += P.PIECE) {
      const piece = bytes.subarray(at, at + P.PIECE);
      this.outbox.items.push(P.GOT_PART, this.id, isText, at + P.PIECE < bytes.byteLength ? 1 : 0, piece.byteLength);
      if (piece.byteLength > 0) this.outbox.part(piece);
      this.outbox.account(this, piece.byteLength);
      this.outbox.added(24);
    }
    this.#queue(bytes.byteLength);
  }

  pong(token: number): void {
    this.outbox.items.push(P.PONG, this.id, token);
    this.outbox.added(16);
  }

  // ── from the outbox ──

  left(bytes: number): void {
    this.#queued -= bytes;
  }

  // ── from the worker ──

  accept(protocol: string | null, headers: Pairs): void {
    this.state = P.OPEN;
    this.#out.accept(protocol, headers);
  }

  send(text: string): void {
    if (this.#partBytes > 0) throw new WorkerError("A message came in the midst of another");
    this.#out.message(text);
    this.took(text.length);
  }

  sendPart(isText: boolean, more: boolean, bytes: Uint8Array): void {
    this.#partBytes += bytes.byteLength;
    if (this.#partBytes > P.MAX_MESSAGE) throw new WorkerError(`A message is larger than ${P.MAX_MESSAGE} bytes`);
    this.#parts.push(bytes);
    if (!more) {
      const whole = this.#parts.length === 1 ? bytes : joinBytes(this.#parts);
      this.#parts = [];
      this.#partBytes = 0;
      this.#out.message(isText ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(whole) : whole);
    }
    this.took(bytes.byteLength);
  }

  ping(token: number): void {
    this.#out.ping(token);
  }

  close(code: number, text: string): void {
    this.state = P.CLOSING;
    this.#out.close(code, text);
  }

  /** A message is handed over as a whole, however large. */
  protected override get maxClientBytes(): number {
    return this.front.maxClientBytes + P.MAX_MESSAGE;
  }

  // A worker that takes nothing in must not make the front keep all that its peer sends.
  #queue(bytes: number): void {
    this.#queued += bytes;
    if (this.#queued <= this.front.maxWorkerBytes || this.#overflowed) return;
    this.#overflowed = true;
    this.#out.note("warn", "The worker takes no messages: too many wait for it");
    this.#out.abort("queue_overflow");
  }
}
