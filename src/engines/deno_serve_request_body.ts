/**
 * The body of a request, read only as far as the session gave credit, so that a client is slowed down by an app that does not read.
 *
 * @module
 */

/** Who gets the bytes. No call comes synchronously out of a call on the body. */
export interface BodyReader {
  /** Bytes; `more` is false for the last ones. */
  bytes(chunk: Uint8Array, more: boolean): void;
  /** More bytes came than are allowed. */
  tooLarge(): void;
  /** The client left before the body was whole. */
  broken(): void;
}

const NOTHING = new Uint8Array(0);

/** Reads the body of one request. */
export class RequestBody {
  readonly #request: Request;
  readonly #reader: BodyReader;
  readonly #maxBytes: number;
  readonly #declared: number;
  readonly #chunked: boolean;
  #source: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | null = null;
  #signal: AbortSignal | null = null;
  #credit = 0;
  #received = 0;
  #reading = false;
  #over = false;

  /**
   * `declared` is the `content-length`, -1 where there is none; `chunked` tells that HTTP/1.1 frames the body; `maxBytes` 0 is no
   * limit.
   */
  constructor(request: Request, declared: number, chunked: boolean, maxBytes: number, reader: BodyReader) {
    this.#request = request;
    this.#declared = declared;
    this.#chunked = chunked;
    this.#maxBytes = maxBytes;
    this.#reader = reader;
  }

  /** Reads on until `bytes` more have been delivered. */
  pull(bytes: number): void {
    if (this.#over) return;
    this.#credit += bytes;
    if (this.#reading) return;
    this.#reading = true;
    this.#read();
  }

  /** Wants no more: what is left is thrown away. Nothing is delivered from here on. */
  discard(): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
  }

  async #read(): Promise<void> {
    try {
      if (this.#source === null && this.#request.body !== null) {
        this.#source = this.#request.body.getReader();
        // A signal must be asked for before the client leaves. It doubles the cost of a request, so only where nothing else tells.
        if (this.#declared < 0 && !this.#chunked) this.#signal = this.#request.signal;
      }
      if (this.#source === null) {
        await null;
        return this.#deliver(NOTHING, false);
      }
      while (this.#credit > 0) {
        const { done, value } = await this.#source.read();
        if (this.#over) return;
        if (done && await this.#isCut()) return this.#break();
        if (done) return this.#deliver(NOTHING, false);
        this.#credit -= value.byteLength;
        this.#received += value.byteLength;
        if (this.#maxBytes > 0 && this.#received > this.#maxBytes) {
          this.#reader.tooLarge();
          return;
        }
        const more = this.#received !== this.#declared;
        if (!more) this.#release();
        this.#deliver(value, more);
        if (!more) return;
      }
    } catch {
      // The one error of Deno.serve here: the underlying resource is gone, because the client is.
      this.#break();
    } finally {
      this.#reading = false;
    }
  }

  // Over HTTP/2 a client that cancels in the midst of its body ends it, says Deno.serve: a part would pass for the whole.
  async #isCut(): Promise<boolean> {
    if (this.#signal === null) return this.#received < this.#declared;
    // The signal may come a turn behind the end of the stream.
    if (!this.#signal.aborted) await new Promise((resolve) => setTimeout(resolve, 0));
    return this.#signal.aborted;
  }

  #break(): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader.broken();
  }

  // Without it, Deno.serve neither goes on with the connection nor closes it.
  #release(): void {
    // The client may be gone by now; then there is nothing to throw away.
    this.#source?.cancel().catch(() => {});
  }

  #deliver(chunk: Uint8Array, more: boolean): void {
    if (this.#over) return;
    if (!more) this.#over = true;
    this.#reader.bytes(chunk, more);
  }
}
