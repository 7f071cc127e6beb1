/**
 * From the bytes of a socket to batches, however they are split.
 *
 * Whoever reads fills {@linkcode FrameReader.target} and says how far. So a long run of bytes is read straight to where it stays, and
 * nothing that an announced length says is believed beyond the limits. The format stands in `packets.ts`.
 *
 * @module
 */

import { WorkerError } from "../spec/errors.ts";
import { MAX_BYTES, MAX_TEXT } from "./packets.ts";
import type { OnBatch } from "./pipe.ts";

/** Bytes of the two lengths. */
export const HEADER_BYTES = 8;

/** Bytes that are read at a time; a longer text makes the buffer grow, up to its limit. */
const BUFFER = 65_536;
/** Longer runs of bytes are read without a detour. */
const DIRECT = 32_768;

const NOTHING = new Uint8Array(0);

/** Reads frames. */
export class FrameReader {
  readonly #onBatch: OnBatch;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #buffer = new Uint8Array(BUFFER);
  #start = 0;
  #end = 0;
  /** Of the frame under way; -1 before its lengths are known. */
  #textLength = -1;
  #text: string | null = null;
  #bytes: Uint8Array<ArrayBuffer> = NOTHING;
  #filled = 0;

  /** Gives each whole batch to `onBatch`. */
  constructor(onBatch: OnBatch) {
    this.#onBatch = onBatch;
  }

  /** Where the next bytes belong; never empty. */
  get target(): Uint8Array<ArrayBuffer> {
    if (this.#isDirect()) return this.#bytes.subarray(this.#filled);
    if (this.#start === this.#end) this.#start = this.#end = 0;
    if (this.#end === this.#buffer.byteLength) this.#makeRoom();
    return this.#buffer.subarray(this.#end);
  }

  /**
   * So many bytes of the target were filled.
   *
   * @throws {WorkerError} Where they are no frames.
   */
  advance(count: number): void {
    if (this.#isDirect()) {
      this.#filled += count;
      if (this.#filled === this.#bytes.byteLength) this.#deliver();
    } else {
      this.#end += count;
    }
    while (this.#step());
  }

  // True where it got further.
  #step(): boolean {
    const have = this.#end - this.#start;
    if (this.#textLength < 0) {
      if (have < HEADER_BYTES) return false;
      this.#readLengths();
      return true;
    }
    if (this.#text === null) {
      if (have < this.#textLength) return false;
      this.#text = this.#decode(this.#buffer.subarray(this.#start, this.#start += this.#textLength));
    }
    const missing = this.#bytes.byteLength - this.#filled;
    const taken = Math.min(missing, this.#end - this.#start);
    if (taken > 0) {
      this.#bytes.set(this.#buffer.subarray(this.#start, this.#start + taken), this.#filled);
      this.#start += taken;
      this.#filled += taken;
    }
    if (taken < missing) return false;
    this.#deliver();
    return true;
  }

  #readLengths(): void {
    const view = new DataView(this.#buffer.buffer, this.#start, HEADER_BYTES);
    const [text, bytes] = [view.getUint32(0, true), view.getUint32(4, true)];
    if (text > MAX_TEXT || bytes > MAX_BYTES) throw new WorkerError(`A frame of ${text} and ${bytes} bytes is over the limit`);
    this.#start += HEADER_BYTES;
    this.#textLength = text;
    this.#bytes = bytes === 0 ? NOTHING : new Uint8Array(bytes);
    this.#filled = 0;
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes);
    } catch (error) {
      throw new WorkerError("The text of a frame is not UTF-8", { cause: error });
    }
  }

  #deliver(): void {
    const text = this.#text!;
    const bytes = this.#bytes;
    this.#text = null;
    this.#textLength = -1;
    this.#bytes = NOTHING;
    this.#filled = 0;
    this.#onBatch(text, bytes);
  }

  #isDirect(): boolean {
    return this.#text !== null && this.#start === this.#end && this.#bytes.byteLength - this.#filled >= DIRECT;
  }

  // What is there moves to the front, of a buffer that can hold the rest of the text.
  #makeRoom(): void {
    const have = this.#end - this.#start;
    const need = Math.max(BUFFER, this.#text === null ? this.#textLength : 0);
    const buffer = need > this.#buffer.byteLength ? new Uint8Array(need + BUFFER) : this.#buffer;
    buffer.set(this.#buffer.subarray(this.#start, this.#end));
    // A long text is rare: its room is given back with the next move.
    this.#buffer = need <= BUFFER && buffer.byteLength > BUFFER && have <= BUFFER / 2 ? buffer.slice(0, BUFFER) : buffer;
    this.#start = 0;
    this.#end = have;
  }
}
