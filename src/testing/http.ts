/**
 * One http or sse exchange as its client sees it: both bodies stream, and the client may stall or leave at any byte.
 *
 * @module
 */

import type { Pairs } from "../exchange.ts";
import { joinBytes } from "../wire/join_bytes.ts";
import { ClosedError } from "./errors.ts";
import type { Peer } from "./memory_exchange.ts";
import type { AnyExchange } from "./memory_socket.ts";
import { toBytes } from "./request_body.ts";
import { type Hint, TestResponse, toHeaders } from "./response.ts";
import { Mailbox, type Wait } from "./waiting.ts";

/** The head of a response. */
export interface ResponseHead {
  /** 200–599. */
  readonly status: number;
  /** Names in any case. */
  readonly headers: Headers;
  /** In wire order. */
  readonly pairs: Pairs;
}

/** What an exchange needs of its client. */
export interface ExchangeSetup {
  /** `GET /path`, for error texts. */
  readonly request: string;
  /** How its client waits. */
  readonly wait: Wait;
  /** What the app threw in this exchange; `undefined` where nothing. */
  appError: unknown;
  /** The response head has come. */
  onHead(pairs: Pairs): void;
}

/**
 * An open exchange.
 *
 * @example Streaming both ways, and a client that leaves
 * ```ts
 * import { testClient } from "@pagi/server/testing";
 * import { defineApp } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const app = defineApp({
 *   async http(_scope, receive, send) {
 *     await send({ type: "http.response.start", status: 200 });
 *     for (let event = await receive(); event.type === "http.request"; event = await receive()) {
 *       await send({ type: "http.response.body", body: event.body, more: true });
 *     }
 *   },
 * });
 * await using client = await testClient(app);
 * const exchange = await client.open("POST", "/echo", { streams: true });
 * await exchange.write("ping");
 * assertEquals((await exchange.response).status, 200);
 * assertEquals(await exchange.readText(), "ping");
 * exchange.disconnect();
 * assertEquals(await exchange.closed, "client_closed");
 * ```
 */
export class TestExchange implements AsyncIterable<Uint8Array> {
  /** Interim responses that have come. */
  readonly hints: Hint[] = [];
  readonly #setup: ExchangeSetup;
  readonly #head = Promise.withResolvers<ResponseHead>();
  readonly #closed = Promise.withResolvers<string | null>();
  readonly #continued = Promise.withResolvers<void>();
  readonly #body = new Mailbox<Uint8Array>();
  #isOver = false;
  #trailers: Pairs | null = null;
  #cut: string | null = null;
  #exchange: AnyExchange | null = null;

  /**
   * Made by the client.
   *
   * @internal
   */
  constructor(setup: ExchangeSetup) {
    this.#setup = setup;
    // Each end is also told in another way, so nobody has to await them all.
    this.#head.promise.catch(() => {});
    this.#closed.promise.catch(() => {});
    this.#continued.promise.catch(() => {});
  }

  /**
   * Opens the exchange; called by the client.
   *
   * @internal
   */
  begin(open: (peer: Peer) => AnyExchange): this {
    this.#exchange = open(this.#peer());
    return this;
  }

  /**
   * The head of the response.
   *
   * @throws {ClosedError} Where the exchange ends without one.
   * @throws {WaitError} Where none comes; the time runs from the reading of this property.
   */
  get response(): Promise<ResponseHead> {
    return this.#setup.wait(this.#head.promise, `the response to ${this.#setup.request}`);
  }

  /** Settles when the exchange is over: `null` where the response is whole, else why it was cut. */
  get closed(): Promise<string | null> {
    return this.#setup.wait(this.#closed.promise, `the end of ${this.#setup.request}`);
  }

  /** Resolves when the server asks for the body of a request that expects 100 Continue. */
  get continued(): Promise<void> {
    return this.#setup.wait(this.#continued.promise, `100 Continue for ${this.#setup.request}`);
  }

  // ── the request body ──

  /**
   * Sends bytes of the request body, text in UTF-8. Resolves when the app has received them all, at once where the exchange is over.
   *
   * @throws {WaitError} Where the app does not receive them.
   */
  async write(data: Uint8Array | string): Promise<void> {
    await this.#setup.wait(this.#wire.upload.write(toBytes(data)), `the app to receive the body of ${this.#setup.request}`);
  }

  /**
   * Sends a whole request body, whether the app receives it or not; called by the client.
   *
   * @internal
   */
  upload(bytes: Uint8Array): void {
    this.#wire.upload.send(bytes);
  }

  /** Ends the request body. */
  end(): void {
    this.#wire.upload.end();
  }

  // ── the response body ──

  /**
   * The next bytes of the response body, `null` at its end.
   *
   * @throws {ClosedError} Where the response was cut.
   * @throws {WaitError} Where nothing comes.
   */
  read(): Promise<Uint8Array | null> {
    return this.#body.take(this.#setup.wait, `body bytes of the response to ${this.#setup.request}`);
  }

  /** The next bytes as text, `""` at the end. Meant for bodies whose chunks don't split characters. */
  async readText(): Promise<string> {
    const bytes = await this.read();
    return bytes === null ? "" : new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  }

  /** The chunks of the response body, as they come. */
  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (let bytes = await this.read(); bytes !== null; bytes = await this.read()) yield bytes;
  }

  /**
   * The chunks of the response body without a limit of time between them.
   *
   * @internal
   */
  async *chunks(): AsyncGenerator<Uint8Array, void> {
    const forever: Wait = (promise) => promise;
    for (let bytes = await this.#body.take(forever, ""); bytes !== null; bytes = await this.#body.take(forever, "")) yield bytes;
  }

  /**
   * Reads the rest and gives the whole response; bytes that were read before are not in it. A cut response is given too, its `cut`
   * says why.
   *
   * @throws {ClosedError} Where the exchange ended without a response.
   */
  async finish(): Promise<TestResponse> {
    const head = await this.response;
    const chunks: Uint8Array[] = [];
    try {
      for await (const bytes of this) chunks.push(bytes);
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
    }
    return new TestResponse({
      request: this.#setup.request,
      status: head.status,
      pairs: head.pairs,
      body: joinBytes(chunks),
      trailers: this.#trailers,
      hints: this.hints,
      cut: this.#cut,
      appError: this.#setup.appError,
    });
  }

  /** Trailer fields, once the response is whole; `null` where none came. */
  get trailers(): Headers | null {
    return this.#trailers === null ? null : toHeaders(this.#trailers);
  }

  // ── a client that behaves badly ──

  /** Reads no more body bytes, so the server's buffer fills. */
  stall(): void {
    this.#wire.pipe.stall();
  }

  /** Reads on: for so many bytes, then it stalls again; or for ever. */
  resume(bytes?: number): void {
    this.#wire.pipe.resume(bytes);
  }

  /** Leaves; the token is what the app is told. */
  disconnect(reason = "client_closed"): void {
    this.#wire.disconnect(reason);
  }

  /** Leaves as soon as so many body bytes have been read, in all; 0 leaves behind the head. */
  disconnectAfter(bytes: number): void {
    this.#wire.pipe.limit(bytes);
  }

  /** Bytes that the server has accepted from the app and this client has not read. */
  get buffered(): number {
    return this.#wire.buffered;
  }

  /** Nothing comes any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * The app threw, so the errors that come of it can say so; called by the client.
   *
   * @internal
   */
  appThrew(error: unknown): void {
    this.#setup.appError = error;
  }

  /**
   * Fails everything that waits; called by the client.
   *
   * @internal
   */
  fail(error: unknown): void {
    this.#isOver = true;
    this.#cut ??= "server_error";
    this.#head.reject(error);
    this.#closed.reject(error);
    this.#continued.reject(error);
    this.#body.end(error);
  }

  get #wire(): AnyExchange {
    return this.#exchange!;
  }

  #peer(): Peer {
    return {
      continued: () => this.#continued.resolve(),
      hint: (status, headers) => void this.hints.push({ status, headers: toHeaders(headers) }),
      head: (status, pairs) => {
        this.#setup.onHead(pairs);
        const what = `${this.#setup.request} was answered with ${status}, without 100 Continue`;
        this.#continued.reject(new ClosedError(what, "", null, this.#setup.appError));
        this.#head.resolve({ status, pairs, headers: toHeaders(pairs) });
      },
      data: (bytes) => this.#body.put(bytes),
      end: (trailers) => {
        this.#isOver = true;
        this.#trailers = trailers;
        this.#body.end();
        this.#closed.resolve(null);
      },
      cut: (reason) => {
        this.#isOver = true;
        this.#cut = reason;
        const error = new ClosedError(`The response to ${this.#setup.request} was cut`, reason, null, this.#setup.appError);
        this.#head.reject(error);
        this.#continued.reject(error);
        this.#body.end(error);
        this.#closed.resolve(reason);
      },
      broken: (error) => this.fail(error),
    };
  }
}
