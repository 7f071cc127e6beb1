/**
 * The bytes of one answer on their way to a Node stream, in pieces of bounded size.
 *
 * A Node stream says that a write is done and not how much of it: a large chunk would look as if it stood still. So no more than a few pieces
 * are the stream's at a time.
 *
 * @module
 */

/** Cuts and queues. */
export class OutQueue {
  /** A chunk up to this goes out whole. */
  static readonly SLICE_BYTES = 131_072;
  readonly #write: (bytes: Uint8Array, written: (error?: Error | null) => void) => void;
  readonly #shrunk: () => void;
  readonly #sliceBytes: number;
  readonly #written: (error?: Error | null) => void;
  readonly #waiting: Uint8Array[] = [];
  #first = 0;
  #bytes = 0;
  /** The sizes of what the stream has, in order. */
  readonly #flying: number[] = [];
  #firstFlying = 0;
  #flyingBytes = 0;
  #ended: (() => void) | null = null;

  /** `write` calls back when the system has taken the bytes; `shrunk` is called after that. */
  constructor(
    write: (bytes: Uint8Array, written: (error?: Error | null) => void) => void,
    shrunk: () => void,
    sliceBytes: number = OutQueue.SLICE_BYTES,
  ) {
    this.#sliceBytes = sliceBytes;
    this.#write = write;
    this.#shrunk = shrunk;
    this.#written = (error) => {
      // Its end is told by the stream.
      if (error) return;
      this.#flyingBytes -= this.#flying[this.#firstFlying++]!;
      if (this.#firstFlying === this.#flying.length) this.#flying.length = this.#firstFlying = 0;
      this.#next();
      this.#shrunk();
    };
  }

  /** Bytes that the system has not taken. */
  get bytes(): number {
    return this.#bytes + this.#flyingBytes;
  }

  /** Queues a chunk. */
  push(chunk: Uint8Array): void {
    if (this.#bytes === 0 && chunk.byteLength <= this.#sliceBytes) return this.#send(chunk);
    for (let from = 0; from < chunk.byteLength; from += this.#sliceBytes) {
      this.#waiting.push(chunk.subarray(from, from + this.#sliceBytes));
    }
    this.#bytes += chunk.byteLength;
    this.#next();
  }

  /** Calls back when the stream has all of it: at once where it has. */
  end(ended: () => void): void {
    if (this.#bytes === 0) ended();
    else this.#ended = ended;
  }

  #next(): void {
    while (this.#flying.length === 0 && this.#first < this.#waiting.length) {
      const piece = this.#waiting[this.#first++]!;
      this.#bytes -= piece.byteLength;
      this.#send(piece);
    }
    if (this.#first < this.#waiting.length || this.#first === 0) return;
    this.#waiting.length = this.#first = 0;
    const ended = this.#ended;
    this.#ended = null;
    ended?.();
  }

  #send(piece: Uint8Array): void {
    this.#flying.push(piece.byteLength);
    this.#flyingBytes += piece.byteLength;
    this.#write(piece, this.#written);
  }
}
