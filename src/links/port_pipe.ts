/**
 * A pipe over a message port: a Web Worker, the global scope in one, or a `MessagePort`.
 *
 * Ports have no backpressure, so each end lets only so much be under way, and the other says what it has taken in. What is posted is a
 * text, or a text and one copy of the bytes that belong to it: no buffer of an app is transferred.
 *
 * @module
 */

import { WorkerError } from "../spec/errors.ts";
import { joinBytes } from "../wire/join_bytes.ts";
import { MAX_BYTES, MAX_TEXT } from "./packets.ts";
import type { OnBatch, Pipe } from "./pipe.ts";

/** What a pipe needs of a port. */
export interface Port {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onmessage: ((this: never, event: MessageEvent) => unknown) | null;
}

/** Characters and bytes that may be under way. */
const WINDOW = 1 << 20;
/** After so much, the other end is told. */
const REPORT = 1 << 17;

/** A pipe over a port. */
export class PortPipe implements Pipe {
  readonly closed: Promise<string>;
  readonly #port: Port;
  readonly #end: PromiseWithResolvers<string> = Promise.withResolvers();
  #isClosed = false;
  #underWay = 0;
  #unreported = 0;
  #room: (() => void) | null = null;

  /** Takes over a port. */
  constructor(port: Port) {
    this.#port = port;
    this.closed = this.#end.promise;
  }

  start(onBatch: OnBatch): void {
    this.#port.onmessage = ({ data }: MessageEvent) => {
      if (this.#isClosed) return;
      try {
        this.#receive(data, onBatch);
      } catch (error) {
        this.close(error instanceof Error ? error.message : String(error));
      }
    };
  }

  send(text: string, parts: readonly Uint8Array[]): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    if (parts.length === 0) {
      this.#port.postMessage(text);
      this.#underWay += text.length;
    } else {
      const bytes = joinBytes(parts);
      this.#underWay += text.length + bytes.byteLength;
      this.#port.postMessage([text, bytes], [bytes.buffer]);
    }
    if (this.#underWay < WINDOW) return Promise.resolve();
    return new Promise((resolve) => this.#room = resolve);
  }

  close(cause: string = ""): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#port.postMessage(null);
    this.#port.onmessage = null;
    this.#room?.();
    this.#end.resolve(cause);
  }

  // A text, a text with bytes, a number of what the other end has taken in, or null for its end.
  #receive(data: unknown, onBatch: OnBatch): void {
    if (typeof data === "string") return this.#take(data, new Uint8Array(0), onBatch);
    if (typeof data === "number") return this.#taken(data);
    if (data === null) return this.close();
    if (Array.isArray(data) && data.length === 2 && typeof data[0] === "string" && data[1] instanceof Uint8Array) {
      if (data[1].buffer instanceof ArrayBuffer) return this.#take(data[0], data[1] as Uint8Array<ArrayBuffer>, onBatch);
    }
    throw new WorkerError("A message of a worker is no batch");
  }

  #take(text: string, bytes: Uint8Array<ArrayBuffer>, onBatch: OnBatch): void {
    if (text.length > MAX_TEXT || bytes.byteLength > MAX_BYTES) {
      throw new WorkerError(`A batch of ${text.length} characters and ${bytes.byteLength} bytes is over the limit`);
    }
    onBatch(text, bytes);
    this.#unreported += text.length + bytes.byteLength;
    if (this.#unreported < REPORT || this.#isClosed) return;
    this.#port.postMessage(this.#unreported);
    this.#unreported = 0;
  }

  #taken(count: number): void {
    this.#underWay -= count;
    if (!(this.#underWay >= 0)) throw new WorkerError("A worker says that it took more than was sent");
    if (this.#underWay >= WINDOW) return;
    const room = this.#room;
    this.#room = null;
    room?.();
  }
}
