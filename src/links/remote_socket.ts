/**
 * One WebSocket at the front, whose app lives behind a link. What it has in common with a request stands in `remote_exchange.ts`.
 *
 * @module
 */

import type { Pairs, RequestHead, SocketInbound, SocketOutbound } from "../exchange.ts";
import { WorkerError } from "../spec/errors.ts";
import { isHandshakeHeader } from "../wire/handshake.ts";
import { joinBytes } from "../wire/join_bytes.ts";
import * as P from "./packets.ts";
import { type Front, type LossReason, RemoteExchange } from "./remote_exchange.ts";

/** What a message counts beside its bytes while it waits for a worker. */
const MESSAGE = 64;

/** More messages than a session ever lets wait, since it counts their bytes. */
const MAX_SMALL = 500_000;

const SERVICE_RESTART = 1012;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A WebSocket; before it is accepted it is answered like a request. */
export class RemoteSocket extends RemoteExchange implements SocketInbound {
  readonly #out: SocketOutbound;
  /** Bytes for the worker that have not left. */
  #queued = 0;
  /** Messages since the client last took almost all. */
  #small = 0;
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
      this.outbox.account(this, data.length + MESSAGE);
      this.outbox.added(16 + data.length);
      return this.#queue(data.length + MESSAGE);
    }
    const isText = typeof data === "string" ? 1 : 0;
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    for (let at = 0; at === 0 || at < bytes.byteLength; at += P.PIECE) {
      const piece = bytes.subarray(at, at + P.PIECE);
      const more = at + P.PIECE < bytes.byteLength;
      this.outbox.items.push(P.GOT_PART, this.id, isText, more ? 1 : 0, piece.byteLength);
      if (piece.byteLength > 0) this.outbox.part(piece);
      this.outbox.account(this, piece.byteLength + (more ? 0 : MESSAGE));
      this.outbox.added(24);
    }
    this.#queue(bytes.byteLength + MESSAGE);
  }

  pong(token: number): void {
    this.outbox.items.push(P.PONG, this.id, token);
    this.outbox.added(16);
  }

  // ── from the outbox ──

  override left(bytes: number): void {
    this.#queued -= bytes;
  }

  // ── from the worker ──

  accept(protocol: string | null, headers: Pairs): void {
    for (const [name] of headers) if (isHandshakeHeader(name)) throw new WorkerError(`The header ${name} of a handshake is the server's`);
    this.state = P.OPEN;
    this.#out.accept(protocol, headers);
  }

  send(text: string): void {
    if (this.#parts.length > 0) throw new WorkerError("A message came in the midst of another");
    this.#out.message(text);
    this.#sent(text.length);
    this.took(text.length);
  }

  sendPart(isText: boolean, more: boolean, bytes: Uint8Array): void {
    if (more && bytes.byteLength === 0) throw new WorkerError("A part of a message is empty");
    this.#partBytes += bytes.byteLength;
    if (this.#partBytes > P.MAX_MESSAGE) throw new WorkerError(`A message is larger than ${P.MAX_MESSAGE} bytes`);
    this.#parts.push(bytes);
    if (!more) {
      const whole = this.#parts.length === 1 ? bytes : joinBytes(this.#parts);
      this.#parts = [];
      this.#partBytes = 0;
      this.#out.message(isText ? decoder.decode(whole) : whole);
      this.#sent(whole.byteLength);
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

  /** A peer whose worker is only replaced may come again. RFC 6455 section 7.4.1, and 1012 of its registry. */
  override lost(reason: LossReason): void {
    if (this.state === P.OPEN && reason === "server_shutdown") this.#out.close(SERVICE_RESTART, "");
    else super.lost(reason);
  }

  /** A message is handed over as a whole, however large. */
  protected override get maxClientBytes(): number {
    return this.front.maxClientBytes + P.MAX_MESSAGE;
  }

  // What a message takes in the engine beside its bytes, no engine tells: many small ones, and empty ones, are counted here.
  #sent(length: number): void {
    if (this.#out.buffered <= this.front.tellBytes) this.#small = 0;
    if (++this.#small <= MAX_SMALL && (length > 0 || this.front.mayBeEmpty())) return;
    this.#cut("The app sends too many small messages to a client that does not read");
  }

  #cut(text: string): void {
    if (this.state === P.CUT) return;
    this.state = P.CUT;
    this.#out.note("warn", text);
    this.#out.abort("queue_overflow");
  }

  // A worker that takes nothing in must not make the front keep all that its peer sends.
  #queue(bytes: number): void {
    this.#queued += bytes;
    if (this.#queued > this.front.maxWorkerBytes) this.#cut("The worker takes no messages: too many wait for it");
  }
}
