/**
 * Counts the frames of an HTTP/2 client by their heads: those that make work and bring nothing have to stay in proportion to those that do.
 * RFC 9113 sections 4.1 and 10.5.
 *
 * @module
 */

/** The preface of a client, before its first frame. */
const PREFACE_BYTES = 24;
const HEAD_BYTES = 9;

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;

const END_STREAM = 1;

/** Frames of no use that may come at once, and for each second that passes. */
const BURST = 2000;
const PER_SECOND = 200;
/** Resets that may come at once, and for each second that passes. */
const RESET_BURST = 200;
const RESETS_PER_SECOND = 50;
/** What a request makes up for. */
const PER_REQUEST = 20;
/** What a frame with bytes makes up for, besides its length: some clients answer each of ours with two updates of their windows. */
const PER_FRAME = 4;
const BYTES_PER_FRAME = 1024;

/** The meter of one connection. */
export class FrameMeter {
  readonly #head = new Uint8Array(HEAD_BYTES);
  /** Bytes of the next head that have come. */
  #has = 0;
  /** Bytes of the payload that have not come. */
  #skip = PREFACE_BYTES;
  #left = BURST;
  #resets = RESET_BURST;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /** A frame of ours goes out. */
  sent(frame: Uint8Array): void {
    const type = frame[3];
    if (frame.byteLength > HEAD_BYTES && (type === DATA || type === HEADERS)) this.#earn(PER_FRAME + frame.byteLength / BYTES_PER_FRAME);
  }

  /** Bytes of the client. Returns whether it may go on. */
  received(bytes: Uint8Array, now: number): boolean {
    const seconds = (now - this.#at) / 1000;
    this.#at = now;
    this.#earn(seconds * PER_SECOND);
    this.#resets = Math.min(RESET_BURST, this.#resets + seconds * RESETS_PER_SECOND);
    const { byteLength } = bytes;
    for (let at = 0; at < byteLength;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, byteLength - at);
        this.#skip -= skipped;
        at += skipped;
      } else {
        this.#head[this.#has++] = bytes[at++]!;
        if (this.#has === HEAD_BYTES) this.#frame();
      }
    }
    return this.#left >= 0 && this.#resets >= 0;
  }

  #frame(): void {
    const head = this.#head;
    const length = head[0]! << 16 | head[1]! << 8 | head[2]!;
    const type = head[3]!;
    this.#has = 0;
    this.#skip = length;
    if (type === HEADERS) this.#earn(PER_REQUEST);
    else if (type === DATA && length > 0) this.#earn(length / BYTES_PER_FRAME);
    else if (type !== DATA || (head[4]! & END_STREAM) === 0) this.#left--;
    if (type === RST_STREAM) this.#resets--;
  }

  #earn(frames: number): void {
    this.#left = Math.min(BURST, this.#left + frames);
  }
}
