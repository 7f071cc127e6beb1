/**
 * The body of a streamed answer: a queue of chunks behind a `ReadableStream` that holds none itself, so that the queue's bytes are
 * what flow control counts.
 *
 * @module
 */

/** Who hears what becomes of the body. No call comes synchronously out of a call on the body. */
export interface BodyOwner {
  /** The queue fell below the low mark after having been at the high one, or is empty. */
  drained(): void;
  /** The last byte was taken. */
  ended(): void;
  /** The reader is gone. */
  cancelled(): void;
}

/** A body that is sent in chunks. */
export class ResponseBody {
  /** What `Response` takes. */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Bytes in the queue. */
  buffered = 0;
  /** Bytes handed over. */
  taken = 0;
  readonly #owner: BodyOwner;
  readonly #highWaterBytes: number;
  readonly #lowWaterBytes: number;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | null = null;
  #queue: Uint8Array<ArrayBuffer>[] = [];
  #at = 0;
  #pulled = false;
  #full = false;
  #ending = false;
  #over = false;

  /** The marks decide when `drained` is called. */
  constructor(owner: BodyOwner, highWaterBytes: number, lowWaterBytes: number) {
    this.#owner = owner;
    this.#highWaterBytes = highWaterBytes;
    this.#lowWaterBytes = lowWaterBytes;
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#cancel(),
    }, { highWaterMark: 0 });
  }

  /** Queues bytes, or hands them over where the reader waits for some. */
  push(bytes: Uint8Array): void {
    if (this.#over || this.#ending || bytes.byteLength === 0) return;
    // A stream of Deno.serve takes any Uint8Array; only the type of the library wants to know what is behind it.
    const chunk = bytes as Uint8Array<ArrayBuffer>;
    if (this.#pulled) {
      this.#pulled = false;
      this.taken += chunk.byteLength;
      this.#controller?.enqueue(chunk);
      return;
    }
    this.#queue.push(chunk);
    this.buffered += chunk.byteLength;
    if (this.buffered >= this.#highWaterBytes) this.#full = true;
  }

  /** No more bytes will come; `ended` follows, also after `cancelled`. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    if (this.buffered > 0) return;
    if (!this.#over) this.#close();
    queueMicrotask(() => this.#owner.ended());
  }

  /** Drops what waits and breaks the stream. The owner hears nothing more. */
  error(cause: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#drop();
    this.#controller?.error(cause);
  }

  // Called when the reader wants bytes, one call at a time: the next one comes only after an enqueue.
  #pull(): void {
    if (this.#at === this.#queue.length) {
      this.#pulled = true;
      return;
    }
    const chunk = this.#shift();
    this.buffered -= chunk.byteLength;
    this.taken += chunk.byteLength;
    this.#controller?.enqueue(chunk);
    if (this.#ending && this.buffered === 0) {
      this.#close();
      this.#owner.ended();
    } else if (this.buffered === 0 || this.#full && this.buffered < this.#lowWaterBytes) {
      this.#full = false;
      this.#owner.drained();
    }
  }

  // Queues are short as a rule; a long one must neither keep what was taken nor be moved for every chunk.
  #shift(): Uint8Array<ArrayBuffer> {
    const chunk = this.#queue[this.#at]!;
    this.#at++;
    if (this.#at === this.#queue.length) {
      this.#queue = [];
      this.#at = 0;
    } else if (this.#at === 32) {
      this.#queue = this.#queue.slice(32);
      this.#at = 0;
    }
    return chunk;
  }

  // May come while `push` runs, when a write to a dead connection fails at once: hence the microtask.
  #cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#drop();
    queueMicrotask(() => this.#owner.cancelled());
  }

  #close(): void {
    this.#over = true;
    this.#controller?.close();
  }

  #drop(): void {
    this.#queue = [];
    this.#at = 0;
    this.buffered = 0;
  }
}
