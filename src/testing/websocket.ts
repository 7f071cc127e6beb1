/**
 * One WebSocket as its client sees it.
 *
 * @module
 */

import type { Pairs } from "../exchange.ts";
import { ClosedError, RefusedError } from "./errors.ts";
import type { MemorySocket, SocketPeer } from "./memory_socket.ts";
import { type ExchangeSetup, TestExchange } from "./http.ts";
import { toHeaders } from "./response.ts";
import { Mailbox } from "./waiting.ts";

/** How a WebSocket ended for its client. */
export interface SocketClose {
  /** 1005 for a close frame without a code, 1006 for a loss without one. */
  readonly code: number;
  /** The text of the close frame. */
  readonly reason: string;
}

/**
 * An open WebSocket.
 *
 * @example
 * ```ts
 * import { testClient } from "@pagi/server/testing";
 * import { defineApp } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const app = defineApp({
 *   async websocket(scope, receive, send) {
 *     await receive();
 *     await send({ type: "websocket.accept", subprotocol: scope.subprotocols[0] ?? null });
 *     for (let event = await receive(); event.type === "websocket.receive"; event = await receive()) {
 *       if (event.text !== undefined) await send({ type: "websocket.send", text: event.text.toUpperCase() });
 *     }
 *   },
 * });
 * await using client = await testClient(app);
 * const socket = await client.websocket("/", { subprotocols: ["chat"] });
 * assertEquals(socket.protocol, "chat");
 * socket.sendText("hello");
 * assertEquals(await socket.receiveText(), "HELLO");
 * socket.close(1000, "bye");
 * assertEquals(await socket.closed, { code: 1000, reason: "bye" });
 * ```
 */
export class TestWebSocket implements AsyncIterable<string | Uint8Array> {
  /** Pings are answered; set it to false for a peer that is dead. */
  answersPings = true;
  /** How many pings have come. */
  pings = 0;
  readonly #setup: ExchangeSetup;
  readonly #inbox = new Mailbox<string | Uint8Array>();
  readonly #accepted = Promise.withResolvers<boolean>();
  readonly #closed = Promise.withResolvers<SocketClose>();
  #socket: MemorySocket | null = null;
  #protocol: string | null = null;
  #status = 0;
  #headers: Headers = new Headers();
  #close: SocketClose | null = null;

  /**
   * Made by the client.
   *
   * @internal
   */
  constructor(setup: ExchangeSetup) {
    this.#setup = setup;
    this.#accepted.promise.catch(() => {});
    this.#closed.promise.catch(() => {});
  }

  /**
   * Opens the connection and waits for the answer to the handshake; called by the client.
   *
   * @internal
   * @throws {RefusedError} Where it is answered with a response, which the error carries.
   * @throws {ClosedError} Where the connection is cut before that.
   */
  async begin(open: (peer: SocketPeer) => MemorySocket): Promise<this> {
    const denial = new TestExchange(this.#setup);
    denial.begin((peer) => this.#socket = open(this.#peer(peer)));
    if (await this.#setup.wait(this.#accepted.promise, `the answer to ${this.#setup.request}`)) return this;
    throw new RefusedError(this.#setup.request, await denial.finish());
  }

  /** The subprotocol that the app chose. */
  get protocol(): string | null {
    return this.#protocol;
  }

  /** Headers of the answer to the handshake. */
  get headers(): Headers {
    return this.#headers;
  }

  /** Status of the answer to the handshake: 101, 200 over HTTP/2. */
  get status(): number {
    return this.#status;
  }

  // ── messages ──

  /** Sends a text message. */
  sendText(text: string): void {
    this.#send(text);
  }

  /** Sends a binary message. */
  sendBytes(bytes: Uint8Array): void {
    this.#send(bytes.slice());
  }

  /** Sends a value as JSON in a text message. */
  sendJson(value: unknown): void {
    this.#send(JSON.stringify(value));
  }

  /**
   * The next message: a string for a text message, else bytes.
   *
   * @throws {ClosedError} Where the connection is closed; it carries code and reason.
   * @throws {WaitError} Where no message comes.
   */
  async receive(): Promise<string | Uint8Array> {
    const data = await this.#inbox.take(this.#setup.wait, `a message on ${this.#setup.request}`);
    if (data !== null) return data;
    const { code, reason } = this.#close!;
    throw new ClosedError(`The WebSocket was closed with ${code}`, reason, code, this.#setup.appError);
  }

  /** The next message, which must be text. */
  async receiveText(): Promise<string> {
    const data = await this.receive();
    if (typeof data !== "string") throw new TypeError(`A text message was awaited, but a binary one of ${data.byteLength} bytes came`);
    return data;
  }

  /** The next message, which must be binary. */
  async receiveBytes(): Promise<Uint8Array> {
    const data = await this.receive();
    if (typeof data === "string") {
      throw new TypeError(`A binary message was awaited, but the text ${JSON.stringify(data.slice(0, 100))} came`);
    }
    return data;
  }

  /** The next message, text that is parsed as JSON. */
  async receiveJson(): Promise<unknown> {
    return JSON.parse(await this.receiveText());
  }

  /** Messages until the connection is closed. */
  async *[Symbol.asyncIterator](): AsyncIterator<string | Uint8Array> {
    const what = `a message on ${this.#setup.request}`;
    for (
      let data = await this.#inbox.take(this.#setup.wait, what);
      data !== null;
      data = await this.#inbox.take(this.#setup.wait, what)
    ) {
      yield data;
    }
  }

  // ── the end ──

  /** How the connection ended. */
  get closed(): Promise<SocketClose> {
    return this.#setup.wait(this.#closed.promise, `the close of ${this.#setup.request}`);
  }

  /** The connection is over. */
  get isClosed(): boolean {
    return this.#close !== null;
  }

  /** Sends a close frame, 1005 for one without a code. */
  close(code = 1000, reason = ""): void {
    this.#wire.peerClose(code, reason);
  }

  /** Leaves without a close handshake. */
  drop(reason = "client_closed"): void {
    this.#wire.disconnect(reason);
  }

  /** Breaks the protocol as a malformed frame does (1002), or text that is not UTF-8 (1007). */
  breakProtocol(code: 1002 | 1007 = 1002): void {
    this.#wire.peerBreaks(code);
  }

  // ── a client that does not read ──

  /** Reads nothing more: messages, pings and close frames wait. */
  stall(): void {
    this.#wire.pipe.stall();
  }

  /** Reads on: messages until so many bytes were read, then it stalls again; or for ever. */
  resume(bytes?: number): void {
    this.#wire.pipe.resume(bytes);
  }

  /** Bytes that the server has accepted from the app and this client has not read. */
  get buffered(): number {
    return this.#wire.buffered;
  }

  /** Nothing comes any more: {@linkcode isClosed}, under the name that every exchange has. */
  get isOver(): boolean {
    return this.isClosed;
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
    this.#close ??= { code: 1006, reason: "" };
    this.#accepted.reject(error);
    this.#closed.reject(error);
    this.#inbox.end(error);
  }

  get #wire(): MemorySocket {
    return this.#socket!;
  }

  #send(data: string | Uint8Array): void {
    if (this.#close !== null) {
      throw new ClosedError("Cannot send: the WebSocket is closed", this.#close.reason, this.#close.code, this.#setup.appError);
    }
    this.#wire.peerMessage(data);
  }

  #end(close: SocketClose): void {
    if (this.#close !== null) return;
    this.#close = close;
    this.#inbox.end();
    this.#closed.resolve(close);
  }

  /** Before the accept everything goes to the exchange that reads a denial; it alone knows how. */
  #peer(denial: Parameters<Parameters<TestExchange["begin"]>[0]>[0]): SocketPeer {
    return {
      continued: () => denial.continued(),
      hint: (status, headers) => denial.hint(status, headers),
      head: (status, headers) => {
        this.#end({ code: 1006, reason: "" });
        denial.head(status, headers);
        this.#accepted.resolve(false);
      },
      data: (bytes) => denial.data(bytes),
      end: (trailers) => denial.end(trailers),
      cut: (reason) => {
        this.#end({ code: 1006, reason: "" });
        denial.cut(reason);
        this.#accepted.reject(new ClosedError(`${this.#setup.request} was cut`, reason, null, this.#setup.appError));
      },
      broken: (error) => {
        denial.broken(error);
        this.fail(error);
      },
      accepted: (protocol: string | null, status: number, headers: Pairs) => {
        this.#protocol = protocol;
        this.#status = status;
        this.#headers = toHeaders(headers);
        this.#setup.onHead(headers);
        this.#accepted.resolve(true);
      },
      message: (data) => this.#inbox.put(data),
      ping: (token) => {
        this.pings++;
        if (this.answersPings) this.#wire.peerPong(token);
      },
      closeFrame: (code, text) => this.#end({ code, reason: text }),
    };
  }
}
