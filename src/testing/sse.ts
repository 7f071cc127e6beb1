/**
 * One stream of server-sent events as its client sees it.
 *
 * @module
 */

import { ClosedError, RefusedError } from "./errors.ts";
import type { ExchangeSetup, TestExchange } from "./http.ts";
import { type SseEvent, SseParser } from "./sse_parser.ts";
import { Mailbox } from "./waiting.ts";

/**
 * An open event stream.
 *
 * @example
 * ```ts
 * import { testClient } from "@pagi/server/testing";
 * import { defineApp } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const app = defineApp({
 *   async sse(_scope, _receive, send) {
 *     await send({ type: "sse.start" });
 *     await send({ type: "sse.send", event: "tick", data: "1", id: "a" });
 *     await send({ type: "sse.send", data: "two\nlines" });
 *   },
 * });
 * await using client = await testClient(app);
 * const stream = await client.sse("/ticks");
 * assertEquals(await stream.receive(), { event: "tick", data: "1", id: "a" });
 * assertEquals(await stream.receive(), { data: "two\nlines" });
 * assertEquals(await stream.receive(), null);
 * ```
 */
export class TestSse implements AsyncIterable<SseEvent> {
  /** Comments that have come, keepalives among them, without their colon. */
  readonly comments: string[] = [];
  readonly #setup: ExchangeSetup;
  readonly #exchange: TestExchange;
  readonly #events = new Mailbox<SseEvent>();
  #status = 0;
  #headers: Headers = new Headers();
  #text = "";

  /**
   * Made by the client.
   *
   * @internal
   */
  constructor(setup: ExchangeSetup, exchange: TestExchange) {
    this.#setup = setup;
    this.#exchange = exchange;
  }

  /**
   * Waits for the head of the stream; called by the client.
   *
   * @internal
   * @throws {RefusedError} Where the request is answered with an ordinary response, which the error carries.
   */
  async begin(): Promise<this> {
    const { status, headers } = await this.#exchange.response;
    const type = (headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
    if (status < 200 || status > 299 || type !== "text/event-stream") {
      throw new RefusedError(this.#setup.request, await this.#exchange.finish());
    }
    this.#status = status;
    this.#headers = headers;
    void this.#read();
    return this;
  }

  /** Status of the response. */
  get status(): number {
    return this.#status;
  }

  /** Headers of the response. */
  get headers(): Headers {
    return this.#headers;
  }

  /** Everything that has come, as it stands on the wire. */
  get text(): string {
    return this.#text;
  }

  /**
   * The next event, `null` at the end of the stream.
   *
   * @throws {ClosedError} Where the stream was cut.
   * @throws {WaitError} Where no event comes.
   */
  receive(): Promise<SseEvent | null> {
    return this.#events.take(this.#setup.wait, `an event of ${this.#setup.request}`);
  }

  /** The data of the next event, parsed as JSON. */
  async receiveJson(): Promise<unknown> {
    const event = await this.receive();
    if (event === null) throw new ClosedError("An event was awaited, but the stream has ended", "");
    return JSON.parse(event.data);
  }

  /** Events until the end of the stream. */
  async *[Symbol.asyncIterator](): AsyncIterator<SseEvent> {
    for (let event = await this.receive(); event !== null; event = await this.receive()) yield event;
  }

  /** Leaves, as a browser does that closes its EventSource. */
  close(): void {
    this.#exchange.disconnect();
  }

  /** Settles when the stream is over: `null` for its normal end, else why it was cut. */
  get closed(): Promise<string | null> {
    return this.#exchange.closed;
  }

  /** The exchange behind it: a reader that stalls, a request body, a client that leaves at some byte. */
  get exchange(): TestExchange {
    return this.#exchange;
  }

  async #read(): Promise<void> {
    const parser = new SseParser((event) => this.#events.put(event), (comment) => void this.comments.push(comment));
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    try {
      for await (const bytes of this.#exchange.chunks()) {
        const text = decoder.decode(bytes, { stream: true });
        this.#text += text;
        parser.push(text);
      }
      this.#events.end();
    } catch (error) {
      this.#events.end(error);
    }
  }
}
