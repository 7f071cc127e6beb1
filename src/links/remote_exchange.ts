/**
 * One exchange at the front, whose app lives behind a link: from the packets of a worker to the calls of an engine, and back.
 *
 * It keeps the state that the table of packets speaks of, and what a session would never do is refused here before an engine sees it.
 *
 * @module
 */

import {
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
import { WorkerError } from "../spec/errors.ts";
import { answer, hasNoBody } from "../wire/answers.ts";
import { type Outbox, type Sender, weightOf } from "./outbox.ts";
import * as P from "./packets.ts";

/** What an exchange needs of its host. */
export interface Front {
  readonly outbox: Outbox;
  /** Of what may wait for one client. */
  readonly maxClientBytes: number;
  /** Of what may wait for the app of one WebSocket. */
  readonly maxWorkerBytes: number;
  /** Of an exchange's bytes that were taken in, so many are told at once; the rest with the next, or a little later. */
  readonly tellBytes: number;
  /** A message may be empty: there were not too many of late. */
  mayBeEmpty(): boolean;
  /** Something was taken in: the worker is told at the end of the batch. */
  changed(exchange: RemoteExchange): void;
  /** It is over. */
  over(exchange: RemoteExchange): void;
}

/** The reason of exchanges whose worker is gone. Contract section 4. */
export const WORKER_LOST = "x-worker-lost";

/** Why the exchanges of a worker end before their time: it is gone, or it was given its time and that is over. */
export type LossReason = typeof WORKER_LOST | "server_shutdown";

/** An http or sse exchange. */
export class RemoteExchange implements Inbound, Sender {
  /** Its number on the link. */
  readonly id: number;
  readonly head: RequestHead;
  /** One of the states of `packets.ts`. */
  state: number = P.IDLE;
  /** Bytes and characters of the worker that were taken in, since the beginning. */
  taken = 0;
  /** For the host: it is about to be reported, … */
  isChanged = false;
  /** … or looked at again. */
  isWaiting = false;
  protected readonly front: Front;
  protected readonly outbox: Outbox;
  readonly #out: Outbound;
  /** Bytes of the request body that the worker has asked for and the engine was not. */
  #wanted = 0;
  /** Those that the engine was asked for and that have not left for the worker. */
  #underWay = 0;
  #declared = -1;
  #given = 0;
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

  // ── from the engine ──

  body(chunk: Uint8Array, more: boolean, trailers?: Pairs): void {
    const { byteLength } = chunk;
    for (let at = 0; at === 0 || at < byteLength; at += P.PIECE) {
      const piece = byteLength <= P.PIECE ? chunk : chunk.subarray(at, at + P.PIECE);
      const isLast = at + P.PIECE >= byteLength;
      const ends = isLast && !more;
      this.outbox.items.push(P.BODY_BYTES, this.id, ends ? 0 : 1, piece.byteLength, ends ? trailers ?? null : null);
      if (piece.byteLength > 0) {
        this.outbox.part(piece);
        this.outbox.account(this, piece.byteLength);
      }
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

  // ── from the outbox ──

  left(bytes: number): void {
    this.#underWay = Math.max(0, this.#underWay - bytes);
    if (this.#wanted > 0) this.#pull();
  }

  // ── from the worker; fields and states were checked against the table ──

  pull(bytes: number): void {
    if (this.head.body === "none") throw new WorkerError("A body was asked for, and the request has none");
    this.#wanted = Math.min(this.#wanted + bytes, Number.MAX_SAFE_INTEGER);
    this.#pull();
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
      if (++lengths === 1 && /^\d{1,15}$/.test(value)) this.#declared = Number(value);
      else throw new WorkerError("The declared length of an answer is no number of bytes");
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
    if (bytes.byteLength === 0) throw new WorkerError("A chunk is empty");
    this.#given += bytes.byteLength;
    if (this.#declared >= 0 && this.#given > this.#declared) throw new WorkerError("A body is longer than it was declared");
    this.#out.chunk(bytes);
    this.took(bytes.byteLength);
  }

  flush(): void {
    if (!this.head.capabilities.includes("flush")) throw new WorkerError("A flush was asked for, and the engine can't");
    this.#out.flush();
  }

  end(trailers: Pairs | null, reason: string | null): void {
    if (trailers !== null && !this.#trailers) throw new WorkerError("Trailers came that were not announced");
    if (this.#given < this.#declared && !this.#bodiless) throw new WorkerError("A body is shorter than it was declared");
    this.state = P.SENT;
    if (reason === null) this.#out.end(trailers);
    else this.#out.end(trailers, reason);
  }

  abort(reason: string): void {
    this.state = P.CUT;
    if (this.#out.buffered === 0) return this.#out.abort(reason);
    // Inline, an engine has a turn between the bytes and the cut: a client that reads gets what was sent.
    setImmediate(() => this.#out.abort(reason));
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
    this.outbox.added(256 + weightOf(headers) + rawPath.length * 2 + query.length);
  }

  /**
   * Tells the worker how far its bytes have come.
   *
   * A little at a time is not worth a packet: it waits for more, or until it is late.
   *
   * @returns Whether all of them have.
   * @throws {WorkerError} Where it has sent more than it may.
   */
  report(isLate: boolean): boolean {
    if (!isLate && this.taken - this.#toldTaken < this.front.tellBytes) return false;
    const { buffered } = this.#out;
    if (buffered > this.maxClientBytes) throw new WorkerError("More was sent for a client than there was credit for");
    if (this.taken !== this.#toldTaken || buffered !== this.#toldBuffered) this.#tell(buffered);
    return buffered === 0;
  }

  /** The worker is gone, or its time is over: 502 or 503 where nothing was answered, a cut where the answer is not complete. */
  lost(reason: LossReason): void {
    if (this.state === P.IDLE) {
      const { status, headers, body } = answer(reason === WORKER_LOST ? 502 : 503);
      this.#out.respond(status, headers, body, 0, reason);
    } else if (this.state !== P.SENT && this.state !== P.CUT) this.#out.abort(reason);
  }

  /** So much may wait for the client. */
  protected get maxClientBytes(): number {
    return this.front.maxClientBytes;
  }

  protected took(amount: number): void {
    this.taken += amount;
    this.front.changed(this);
  }

  // Only so much is read ahead of a worker that takes its time.
  #pull(): void {
    const bytes = Math.min(this.#wanted, P.BODY_WINDOW - this.#underWay);
    if (bytes <= 0 || this.state >= P.SENT) return;
    this.#wanted -= bytes;
    this.#underWay += bytes;
    this.#out.pull(bytes);
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
