/**
 * One http or sse exchange on `Deno.serve`: from the calls of a session to one `Response`.
 *
 * What it can't know: over HTTP/1.1, that a client left while its request with a body is pending (neither `request.signal` nor
 * `info.completed` tells; capability `post-disconnect`), and whether a client got the last byte (capability `delivery`).
 *
 * @module
 */

import {
  CLOSE,
  type End,
  type Fields,
  type Inbound,
  type Level,
  NOTIFY,
  type Outbound,
  type Pairs,
  type RequestHead,
} from "../exchange.ts";
import { answer, hasNoBody } from "../wire/answers.ts";
import { withDefaults } from "../wire/headers.ts";
import { type BodyReader, RequestBody } from "./deno_serve_request_body.ts";
import { type BodyOwner, ResponseBody } from "./deno_serve_response_body.ts";
import {
  bodylessResponse,
  closingResponse,
  contentLength,
  cutResponse,
  fullResponse,
  payloadBytes,
  StreamCut,
  streamedResponse,
} from "./deno_serve_response.ts";
import type { OpenExchange, Wire } from "./deno_serve_settings.ts";

const PENDING = 0;
const STREAMING = 1;
const OVER = 2;

/** A normal end. */
export const COMPLETE: End = Object.freeze({ reason: null });

/** Characters. */
const LONG = 1024;

const encoder = new TextEncoder();
const NO_BYTES = new Uint8Array(0);

/** The `Outbound` of one session. */
export class Exchange implements Outbound, OpenExchange, BodyOwner, BodyReader {
  place = -1;
  isUploading: boolean;
  readonly #wire: Wire;
  readonly #request: Request;
  readonly #head: RequestHead;
  #inbound: Inbound | null = null;
  #resolve: ((response: Response) => void) | null = null;
  #response: Response | null = null;
  #state = PENDING;
  #status = 0;
  #length = -1;
  #out: ResponseBody | null = null;
  #in: RequestBody | null = null;
  #watching = false;
  #listening = false;
  #upgrading = false;
  #success = COMPLETE;
  #early: ((inbound: Inbound) => void)[] | null = null;

  /** Call {@linkcode run} next. */
  constructor(wire: Wire, request: Request, head: RequestHead) {
    this.#wire = wire;
    this.#request = request;
    this.#head = head;
    this.isUploading = head.body !== "none";
  }

  /** The session is there. What it returns is what a handler of `Deno.serve` returns. */
  run(inbound: Inbound): Response | Promise<Response> {
    this.#inbound = inbound;
    if (this.#early !== null) this.#tellLate(inbound, this.#early);
    if (this.#response !== null) return this.#response;
    // Over HTTP/2 a signal that is looked at after its client has left never fires, so one look comes unasked.
    if (this.#head.httpVersion === "2" && !this.#watching) this.#wire.watch(this);
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  // From the session.

  /** Bytes of the answer that wait. */
  get buffered(): number {
    return this.#out === null ? 0 : this.#out.buffered;
  }

  /** Reads on in the request body. */
  pull(bytes: number): void {
    if (this.#state === OVER) return;
    if (this.#head.body === "none") {
      queueMicrotask(() => this.bytes(NO_BYTES, false));
      return;
    }
    if (this.#in === null) {
      const { headers } = this.#head;
      const chunked = headers.some(([name]) => name === "transfer-encoding");
      this.#in = new RequestBody(this.#request, contentLength(headers), chunked, this.#wire.settings.maxBodyBytes, this);
    }
    this.#in.pull(bytes);
  }

  /** Reports a client that leaves before it is answered; later its leaving is told by the stream. */
  watch(): void {
    if (this.#watching || this.#state !== PENDING) return;
    this.#watching = true;
    // Over HTTP/2 at once, see `run`.
    if (this.#head.httpVersion === "2") this.listen();
    else this.#wire.watch(this);
  }

  /** Not possible: capability `early-hints`. */
  inform(_status: number, _headers: Pairs): void {}

  /** Answers at once. */
  respond(status: number, headers: Pairs, body: Uint8Array | string, flags: number, reason?: string): void {
    if (this.#state !== PENDING) return;
    const isHead = this.#head.method === "HEAD";
    // A short string is counted faster than it is encoded.
    if (typeof body === "string" && body.length > LONG) body = encoder.encode(body);
    this.#answer(fullResponse(status, this.#complete(headers, flags), body, isHead));
    this.#finish(status, isHead || hasNoBody(status) ? 0 : payloadBytes(body), reason === undefined ? COMPLETE : { reason });
    if (flags & NOTIFY) queueMicrotask(() => this.#tell((inbound) => inbound.closed(COMPLETE)));
  }

  /** Answers with a stream. */
  head(status: number, headers: Pairs, flags: number): void {
    if (this.#state !== PENDING) return;
    const all = this.#complete(headers, flags);
    if (this.#head.method === "HEAD" || hasNoBody(status)) {
      this.#answer(bodylessResponse(status, all));
    } else {
      const { highWaterBytes, lowWaterBytes } = this.#wire.settings;
      const out = new ResponseBody(this, highWaterBytes, lowWaterBytes);
      this.#answer(streamedResponse(status, all, out.stream));
      this.#out = out;
      this.#length = contentLength(all);
    }
    this.#state = STREAMING;
    this.#status = status;
  }

  /** Queues bytes. */
  chunk(bytes: Uint8Array): void {
    if (this.#state === STREAMING) this.#out?.push(bytes);
  }

  /** Not possible: capability `flush`. */
  flush(): void {}

  /** Ends the stream after what waits. */
  end(_trailers: Pairs | null, reason?: string): void {
    if (this.#state !== STREAMING) return;
    if (reason !== undefined) this.#success = { reason: null, text: reason };
    if (this.#out === null) queueMicrotask(() => this.ended());
    else this.#out.end();
  }

  /** Breaks the stream off. */
  abort(reason: string): void {
    if (this.#state === OVER) return;
    this.#cut(reason);
    queueMicrotask(() => this.#tell((inbound) => inbound.closed({ reason })));
  }

  /** Passes a line on to the log. */
  note(level: Level, text: string, fields?: Fields): void {
    this.#wire.observer.note(level, text, fields ?? {}, this.#head);
  }

  // From the engine.

  /** Nothing was answered yet. */
  get pending(): boolean {
    return this.#state === PENDING;
  }

  /** Listens to the signal of the request, which doubles what a request costs. */
  listen(): void {
    if (this.#state !== PENDING || this.#listening) return;
    this.#listening = true;
    const { signal } = this.#request;
    // Looked at late, `aborted` is still false for a client that has left; the event comes a moment later all the same.
    if (signal.aborted) queueMicrotask(() => this.#aborted());
    else signal.addEventListener("abort", () => this.#aborted(), { once: true });
  }

  /** The handshake of a WebSocket is about to be accepted. The upgrade aborts the signal of the request, at once, and nobody has left. */
  beginUpgrade(): void {
    this.#upgrading = true;
  }

  /** The handshake of a WebSocket is accepted: from here on it is not this exchange's. */
  handOver(response: Response): void {
    this.#state = OVER;
    this.#answer(response);
    this.#wire.over(this);
  }

  /** Ends it when the time is up: with 503 where nothing was answered, else with a cut. */
  shutdown(): null {
    if (this.#state !== OVER) this.#end("server_shutdown", 503);
    return null;
  }

  // From the two bodies.

  /** The queue has shrunk. */
  drained(): void {
    this.#inbound?.drained();
  }

  /** The answer is whole. */
  ended(): void {
    if (this.#state === OVER) return;
    this.#finish(this.#status, this.#taken(), this.#success);
    this.#tell((inbound) => inbound.closed(COMPLETE));
  }

  /** `Deno.serve` stopped reading the answer: the client left, unless all of a declared length is there. */
  cancelled(): void {
    if (this.#state === OVER) return;
    // Where it is whole, `end` is still to come.
    if (this.#length === -1 || this.#taken() < this.#length) this.#left();
  }

  /** A part of the request body. */
  bytes(chunk: Uint8Array, more: boolean): void {
    if (!more) this.#uploaded();
    if (this.#state !== OVER) this.#tell((inbound) => inbound.body(chunk, more));
  }

  /** The request body is larger than allowed. */
  tooLarge(): void {
    if (this.#state !== OVER) this.#end("body_too_large", 413);
  }

  /** The request body broke off. */
  broken(): void {
    this.#left();
  }

  // Shared.

  // A microtask may come before the session is there: where the session sets a timer, Deno runs microtasks in the midst of `open`.
  #tell(call: (inbound: Inbound) => void): void {
    if (this.#inbound !== null) call(this.#inbound);
    else (this.#early ??= []).push(call);
  }

  #tellLate(inbound: Inbound, calls: readonly ((inbound: Inbound) => void)[]): void {
    queueMicrotask(() => {
      for (const call of calls) call(inbound);
    });
  }

  #complete(headers: Pairs, flags: number): Pairs {
    const { settings, draining } = this.#wire;
    let all = settings.headers.length === 0 ? headers : withDefaults(headers, settings.headers);
    // Deno.serve sends it and keeps the connection, but most clients will close theirs.
    if ((draining || flags & CLOSE) && this.#head.httpVersion !== "2") all = withDefaults(all, [["connection", "close"]]);
    return all;
  }

  #answer(response: Response): void {
    if (this.#resolve === null) this.#response = response;
    else this.#resolve(response);
  }

  // The signal also fires after a success. A stream that breaks off is told by its `cancel`.
  #aborted(): void {
    if (this.#state === PENDING && !this.#upgrading) this.#left();
  }

  #end(reason: string, status: number): void {
    if (this.#state === PENDING) {
      const { headers, body } = answer(status);
      const isHead = this.#head.method === "HEAD";
      const all = this.#complete(headers, CLOSE);
      // Over HTTP/2 flow control keeps the rest of the body away, and a stream that breaks would take the answer with it.
      const closes = status === 413 && this.#head.httpVersion !== "2";
      this.#answer(closes ? closingResponse(status, all, body, this.#request, true) : fullResponse(status, all, body, isHead));
      this.#finish(status, isHead ? 0 : payloadBytes(body), { reason });
    } else this.#cut(reason);
    this.#tell((inbound) => inbound.closed({ reason }));
  }

  #left(): void {
    if (this.#state === OVER) return;
    this.#cut("client_closed");
    this.#tell((inbound) => inbound.closed({ reason: "client_closed" }));
  }

  #cut(reason: string): void {
    const taken = this.#taken();
    if (this.#state === PENDING) this.#answer(cutResponse(500));
    else this.#out?.error(new StreamCut(reason));
    this.#finish(this.#status, taken, { reason });
  }

  #taken(): number {
    return this.#out === null ? 0 : this.#out.taken;
  }

  #uploaded(): void {
    if (!this.isUploading) return;
    this.isUploading = false;
    this.#wire.uploaded();
  }

  #finish(status: number, bytes: number, end: End): void {
    this.#state = OVER;
    this.#in?.discard();
    this.#uploaded();
    this.#wire.over(this);
    this.#wire.observer.finished(this.#head, status, bytes, end);
  }
}
