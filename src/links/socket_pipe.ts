/**
 * A pipe over a connected Unix socket, the same on both ends.
 *
 * Not here: how the two ends find each other (`socket_listener.ts`).
 *
 * @module
 */

import { FrameReader, HEADER_BYTES } from "./frame_reader.ts";
import type { OnBatch, Pipe } from "./pipe.ts";

/** A batch up to this size leaves in one write. */
const BUFFER = 262_144;
/** Longer parts of a batch that does not fit are written as they are, without a copy. */
const LARGE = 16_384;

const encoder = new TextEncoder();

/** A pipe over a socket. */
export class SocketPipe implements Pipe {
  readonly closed: Promise<string>;
  readonly #conn: Deno.Conn;
  readonly #end: PromiseWithResolvers<string> = Promise.withResolvers();
  #buffer = new Uint8Array(8192);
  #isClosed = false;

  /** Takes over a connection. */
  constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.closed = this.#end.promise;
  }

  start(onBatch: OnBatch): void {
    void this.#read(new FrameReader(onBatch));
  }

  async send(text: string, parts: readonly Uint8Array[]): Promise<void> {
    if (this.#isClosed) return;
    let bytes = 0;
    for (const part of parts) bytes += part.byteLength;
    // A character takes three bytes at most.
    const most = HEADER_BYTES + text.length * 3 + bytes;
    const isWhole = most <= BUFFER;
    this.#reserve(isWhole ? most : HEADER_BYTES + text.length * 3);
    const buffer = this.#buffer;
    const { written } = encoder.encodeInto(text, buffer.subarray(HEADER_BYTES));
    const view = new DataView(buffer.buffer);
    view.setUint32(0, written, true);
    view.setUint32(4, bytes, true);
    let at = HEADER_BYTES + written;
    try {
      for (const part of parts) {
        if (isWhole || at + part.byteLength <= buffer.byteLength && part.byteLength < LARGE) {
          buffer.set(part, at);
          at += part.byteLength;
          continue;
        }
        await this.#write(buffer.subarray(0, at));
        at = 0;
        await this.#write(part);
      }
      if (at > 0) await this.#write(buffer.subarray(0, at));
    } catch (error) {
      this.close(`the link can't be written: ${error instanceof Error ? error.message : error}`);
    }
  }

  close(cause: string = ""): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
    this.#end.resolve(cause);
  }

  async #read(reader: FrameReader): Promise<void> {
    try {
      for (;;) {
        const count = await this.#conn.read(reader.target);
        if (count === null) return this.close();
        reader.advance(count);
        if (this.#isClosed) return;
      }
    } catch (error) {
      this.close(error instanceof Error ? error.message : String(error));
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let at = await this.#conn.write(bytes);
    while (at < bytes.byteLength) at += await this.#conn.write(bytes.subarray(at));
  }

  // A link that has had much to say once is not idle for long.
  #reserve(bytes: number): void {
    if (this.#buffer.byteLength < bytes) this.#buffer = new Uint8Array(Math.max(bytes, this.#buffer.byteLength * 2));
  }
}
