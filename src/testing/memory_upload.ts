/**
 * The way of a request body from a client to a session in memory: chunks that move only on credit.
 *
 * @module
 */

const EMPTY = new Uint8Array(0);

interface Chunk {
  bytes: Uint8Array;
  readonly taken: PromiseWithResolvers<void>;
}

/** The body of one request. */
export class Upload {
  /** Bytes that the session has asked for and not got. */
  credit = 0;
  /** The last byte was handed over. */
  whole = false;
  readonly #hand: (bytes: Uint8Array, more: boolean) => void;
  readonly #chunks: Chunk[] = [];
  #ended = false;
  #stopped = false;

  /** `hand` gives bytes to the session; it must not do so at once. */
  constructor(hand: (bytes: Uint8Array, more: boolean) => void) {
    this.#hand = hand;
  }

  /** The session asks for bytes. */
  pull(bytes: number): void {
    this.credit += bytes;
    this.#move();
  }

  /** Queues the whole body, so that its last bytes are known to be the last. */
  send(bytes: Uint8Array): void {
    if (bytes.byteLength > 0) this.#chunks.push({ bytes, taken: Promise.withResolvers() });
    this.end();
  }

  /** Queues bytes; resolves when the session has them all, and also where nobody wants them any more. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#ended) throw new TypeError("Cannot write to the request body: it has ended");
    if (this.#stopped || bytes.byteLength === 0) return Promise.resolve();
    const taken = Promise.withResolvers<void>();
    this.#chunks.push({ bytes, taken });
    this.#move();
    return taken.promise;
  }

  /** No more bytes. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#move();
  }

  /** The exchange is over: nothing moves any more, waiting writes resolve. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const { taken } of this.#chunks.splice(0)) taken.resolve();
  }

  #move(): void {
    if (this.#stopped || this.whole) return;
    for (let first = this.#chunks[0]; first !== undefined && this.credit > 0 && !this.#stopped; first = this.#chunks[0]) {
      const part = first.bytes.subarray(0, this.credit);
      this.credit -= part.byteLength;
      first.bytes = first.bytes.subarray(part.byteLength);
      if (first.bytes.byteLength === 0) {
        this.#chunks.shift();
        first.taken.resolve();
      }
      const last = this.#ended && this.#chunks.length === 0;
      if (last) this.whole = true;
      this.#hand(part, !last);
    }
    // An end that comes after the last byte moves on credit too: the session must have asked.
    if (this.#ended && !this.whole && !this.#stopped && this.#chunks.length === 0 && this.credit > 0) {
      this.whole = true;
      this.#hand(EMPTY, false);
    }
  }
}
