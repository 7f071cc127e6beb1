/**
 * The request body of a bridge: pulls body events and hands them to a stream, and sees the disconnect event behind them.
 *
 * @module
 */

import type { Receive } from "../../spec/app.ts";

/** Reads `receive` for a stream, one event for each pull, so that a slow reader slows the client. */
export class RequestBody {
  readonly #receive: Receive;
  readonly #gone: PromiseWithResolvers<void> = Promise.withResolvers();
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | null = null;
  /** Nobody else receives: there is no body, it was read, or nobody wants the rest. */
  #free = true;
  #watched = false;

  /** Nothing is received before somebody asks. */
  constructor(receive: Receive) {
    this.#receive = receive;
  }

  /** The body as a stream. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#free = false;
    this.#stream = new ReadableStream({
      pull: (controller) => this.#pull(controller),
      cancel: () => this.#release(),
    }, { highWaterMark: 0 });
    return this.#stream;
  }

  /** Resolves when the disconnect event was seen. It is looked for from now on, behind the body. */
  get gone(): Promise<void> {
    if (!this.#watched) {
      this.#watched = true;
      if (this.#free) this.#watch();
    }
    return this.#gone.promise;
  }

  /** The handler is through: what it has not begun to read is thrown away. */
  release(): void {
    if (this.#stream !== null && !this.#stream.locked) this.#stream.cancel().catch(() => {}); // an errored stream has told its reader
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    const event = await this.#receive();
    if (event.type === "http.disconnect" || event.type === "sse.disconnect") {
      this.#gone.resolve();
      return controller.error(new DOMException("The client left before its request was whole", "AbortError"));
    }
    if (event.type !== "http.request" && event.type !== "sse.request") throw new Error(`A request body can't hold "${event.type}"`);
    // The server does not keep what it hands out, so it is the reader's without a copy.
    if (event.body.byteLength > 0) controller.enqueue(event.body as Uint8Array<ArrayBuffer>);
    if (event.more) return event.body.byteLength > 0 ? undefined : await this.#pull(controller);
    controller.close();
    this.#release();
  }

  #release(): void {
    if (this.#free) return;
    this.#free = true;
    if (this.#watched) this.#watch();
  }

  /** Receives to the end of the exchange. */
  #watch(): void {
    this.#untilGone().then(this.#gone.resolve, this.#gone.resolve);
  }

  async #untilGone(): Promise<void> {
    for (;;) {
      const { type } = await this.#receive();
      if (type === "http.disconnect" || type === "sse.disconnect") return;
    }
  }
}
