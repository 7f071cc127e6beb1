/**
 * What one exchange of a worker sends, in order and with credit.
 *
 * It is under way until the front has taken it in, and waits for the client until the front's engine has written it: both count as
 * buffered, so watermarks mean what they mean inline. No more than a window of it is under way; the rest stays here, in the app's own
 * buffers.
 *
 * @module
 */

import type { Outbox } from "./outbox.ts";
import * as P from "./packets.ts";

/** Body bytes, a short text, a message in parts, or a call that comes after them. */
type Waiting = Uint8Array | string | { readonly isText: boolean; readonly bytes: Uint8Array } | (() => void);

/** The queue of one exchange. */
export class CreditQueue {
  readonly #id: number;
  readonly #outbox: Outbox;
  readonly #highWaterBytes: number;
  readonly #waiting: Waiting[] = [];
  /** Bytes in there. */
  #waitingBytes = 0;
  /** Bytes of its first entry that have been sent. */
  #at = 0;
  /** Since the beginning, in bytes and characters of short texts. */
  #sent = 0;
  /** As the front last said. */
  #taken = 0;
  #atFront = 0;

  /** Where more than `highWaterBytes` wait for the client, nothing new is begun. */
  constructor(id: number, outbox: Outbox, highWaterBytes: number) {
    this.#id = id;
    this.#outbox = outbox;
    this.#highWaterBytes = highWaterBytes;
  }

  /** Bytes that have not been written to the client. */
  get bytes(): number {
    return this.#waitingBytes + this.#sent - this.#taken + this.#atFront;
  }

  /** Body bytes. */
  chunk(bytes: Uint8Array): void {
    if (this.#waiting.length === 0 && bytes.byteLength <= P.PIECE && this.#hasCredit(false)) this.#sendChunk(bytes);
    else this.#wait(bytes, bytes.byteLength);
  }

  /** A message that is a short text. */
  text(text: string): void {
    if (this.#waiting.length === 0 && this.#hasCredit(false)) this.#sendText(text);
    else this.#wait(text, text.length);
  }

  /** Any other message. */
  message(isText: boolean, bytes: Uint8Array): void {
    this.#wait({ isText, bytes }, bytes.byteLength);
  }

  /** Makes a call when all that was sent before has left. */
  then(call: () => void): void {
    if (this.#waiting.length === 0) call();
    else this.#waiting.push(call);
  }

  /** The front has taken in so much since the beginning, and so much of that waits for the client. */
  written(taken: number, atFront: number): void {
    this.#taken = taken;
    this.#atFront = atFront;
    this.#pump();
  }

  /** Forgets what waits. */
  drop(): void {
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.#at = 0;
  }

  // Where the client is slow, nothing new is begun; a message that has begun goes on, since it waits for nobody but the front.
  #hasCredit(isBegun: boolean): boolean {
    return this.#sent - this.#taken < P.WINDOW && (isBegun || this.#atFront < this.#highWaterBytes);
  }

  #wait(item: Waiting, bytes: number): void {
    this.#waiting.push(item);
    this.#waitingBytes += bytes;
    this.#pump();
  }

  #pump(): void {
    while (this.#waiting.length > 0) {
      const item = this.#waiting[0]!;
      if (typeof item === "function") item();
      else if (!this.#hasCredit(this.#at > 0 && !(item instanceof Uint8Array))) return;
      else if (!this.#sendNext(item)) continue;
      this.#waiting.shift();
      this.#at = 0;
    }
  }

  // True where nothing of it is left.
  #sendNext(item: Exclude<Waiting, () => void>): boolean {
    if (typeof item === "string") {
      this.#waitingBytes -= item.length;
      this.#sendText(item);
      return true;
    }
    const bytes = item instanceof Uint8Array ? item : item.bytes;
    const piece = bytes.subarray(this.#at, this.#at + P.PIECE);
    this.#at += piece.byteLength;
    this.#waitingBytes -= piece.byteLength;
    const more = this.#at < bytes.byteLength;
    if (item instanceof Uint8Array) this.#sendChunk(piece);
    else this.#sendPart(item.isText, more, piece);
    return !more;
  }

  #sendChunk(bytes: Uint8Array): void {
    this.#sent += bytes.byteLength;
    this.#outbox.items.push(P.CHUNK, this.#id, bytes.byteLength);
    this.#outbox.part(bytes);
    this.#outbox.added(16);
  }

  #sendText(text: string): void {
    this.#sent += text.length;
    this.#outbox.items.push(P.SEND_TEXT, this.#id, text);
    this.#outbox.added(16 + text.length);
  }

  #sendPart(isText: boolean, more: boolean, bytes: Uint8Array): void {
    this.#sent += bytes.byteLength;
    this.#outbox.items.push(P.SEND_PART, this.#id, isText ? 1 : 0, more ? 1 : 0, bytes.byteLength);
    if (bytes.byteLength > 0) this.#outbox.part(bytes);
    this.#outbox.added(24);
  }
}
