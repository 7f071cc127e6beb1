/**
 * The receiving side of an http or sse session: body events, then the disconnect event, to whoever waits.
 *
 * Credit for the body is asked of the wire only when the app receives. Contract sections 3 and 6.
 *
 * @module
 */

import type { Outbound, Pairs, RequestHead } from "../exchange.ts";
import { joinBytes } from "../wire/join_bytes.ts";
import type { Fairness } from "./fairness.ts";

/** Bytes of credit for each `receive`. */
const CREDIT = 65_536;

/** So many chunks that wait become one: a body of tiny chunks would take hundreds of times its size in memory, and a long time to move. */
const MAX_CHUNKS = 64;

/** Builds a body event; `trailers` with the last one, where there are some. */
export type RequestEvent<E> = (body: Uint8Array, more: 0 | 1, trailers: Pairs | null) => E;

/** The queue between the wire and `receive`. `E` is the union of the scope's events. */
export class Receiver<E> {
  readonly #out: Outbound;
  readonly #fairness: Fairness;
  readonly #request: RequestEvent<E>;
  #chunks: Uint8Array[] = [];
  readonly #waiting: ((event: E) => void)[] = [];
  /** The last byte has come from the wire. */
  #whole: boolean;
  /** The event with `more: 0` was handed out. */
  #given = false;
  #trailers: Pairs | null = null;
  #end: (() => E) | null = null;

  /** `request` builds a body event. */
  constructor(head: RequestHead, out: Outbound, fairness: Fairness, request: RequestEvent<E>) {
    this.#out = out;
    this.#fairness = fairness;
    this.#request = request;
    this.#whole = head.body === "none";
  }

  /** The next event, now or later. */
  receive(): Promise<E> {
    if (this.#end) {
      const disconnect = this.#end;
      return this.#fairness.pass().then(() => disconnect());
    }
    if (this.#waiting.length === 0 && (this.#chunks.length > 0 || (this.#whole && !this.#given))) return Promise.resolve(this.#next());
    if (this.#given) this.#out.watch();
    else this.#out.pull(CREDIT);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Body bytes from the wire. */
  push(chunk: Uint8Array, more: boolean, trailers?: Pairs): void {
    if (this.#whole || this.#end) return;
    if (trailers !== undefined) this.#trailers = trailers;
    if (chunk.byteLength > 0) this.#chunks.push(chunk);
    if (this.#chunks.length === MAX_CHUNKS) this.#chunks = [joinBytes(this.#chunks)];
    if (!more) this.#whole = true;
    while (this.#waiting.length > 0 && (this.#chunks.length > 0 || (this.#whole && !this.#given))) this.#waiting.shift()!(this.#next());
    if (this.#waiting.length === 0) return;
    if (this.#given) this.#out.watch();
    else this.#out.pull(CREDIT);
  }

  /** No more body: every receive, those that wait first, gives the disconnect event. */
  end(disconnect: () => E): void {
    if (this.#end) return;
    this.#end = disconnect;
    this.#chunks.length = 0;
    for (const resolve of this.#waiting.splice(0)) resolve(disconnect());
  }

  #next(): E {
    const chunk = this.#chunks.shift() ?? new Uint8Array(0); // the app's own, to transfer if it likes
    const more = !this.#whole || this.#chunks.length > 0;
    if (!more) this.#given = true;
    return this.#request(chunk, more ? 1 : 0, more ? null : this.#trailers);
  }
}
