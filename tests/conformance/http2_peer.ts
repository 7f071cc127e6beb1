/**
 * An HTTP/2 client with prior knowledge, by Node's `http2`: several streams of one connection. For targets with a wire.
 *
 * @module
 */

import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import type { Pairs } from "../../src/exchange.ts";
import { bytesOf, Cut } from "./reply.ts";
import type { Running } from "./target.ts";
import { within } from "./waiting.ts";

/** A connection. */
export class Http2Peer {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  /** Connects in cleartext. */
  static async open(server: Running): Promise<Http2Peer> {
    if (!("port" in server.address)) throw new Error("The HTTP/2 client of the suite needs a port");
    const session = connect(`http://127.0.0.1:${server.address.port}`);
    // Each stream tells of its own failure.
    session.on("error", () => {});
    await within(new Promise<void>((resolve) => session.once("connect", () => resolve())), "an HTTP/2 connection");
    return new Http2Peer(session);
  }

  /** Begins a request; without `open` it has no body. */
  request(headers: Record<string, string> = {}, options: { readonly open?: boolean } = {}): Http2Stream {
    return new Http2Stream(this.#session.request({ ":path": "/", ...headers }, { endStream: options.open !== true }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#session.once("close", () => resolve()));
    this.#session.destroy();
    await closed;
  }
}

/** One request and its answer. */
export class Http2Stream {
  /** Everything of the body that has come. */
  text = "";
  readonly #stream: ClientHttp2Stream;
  readonly #decoder = new TextDecoder();
  readonly #head = Promise.withResolvers<{ status: number; pairs: Pairs }>();
  readonly #ended = Promise.withResolvers<void>();
  #wake: (() => void)[] = [];
  #isOver = false;

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    this.#head.promise.catch(() => {});
    this.#ended.promise.catch(() => {});
    let whole = false;
    stream.on("response", (headers) => {
      const pairs = Object.entries(headers).filter(([name]) => !name.startsWith(":")).map(([name, value]) =>
        [name, String(value)] as const
      );
      this.#head.resolve({ status: Number(headers[":status"]), pairs });
    });
    stream.on("data", (bytes: Uint8Array) => {
      this.text += this.#decoder.decode(bytes, { stream: true });
      this.#told();
    });
    stream.on("end", () => {
      whole = true;
    });
    stream.on("error", () => {});
    stream.on("close", () => {
      this.#isOver = true;
      // What was reset ends too, for this library.
      if (whole && stream.rstCode === 0) this.#ended.resolve();
      else {
        const error = new Cut(`The stream was reset with code ${stream.rstCode}`);
        this.#head.reject(error);
        this.#ended.reject(error);
      }
      this.#told();
    });
  }

  /** The head of the answer. */
  get head(): Promise<{ status: number; pairs: Pairs }> {
    return within(this.#head.promise, "the head of an answer over HTTP/2");
  }

  /** Resolves at END_STREAM. @throws {Cut} where the stream is reset. */
  get ended(): Promise<void> {
    return within(this.#ended.promise, "the end of a stream of HTTP/2");
  }

  /** Writes a part of the request body. */
  write(data: string | Uint8Array): void {
    this.#stream.write(bytesOf(data));
  }

  /** Ends the request body. */
  end(): void {
    this.#stream.end();
  }

  /** Waits until the body that has come is as wanted. */
  async until(wanted: (text: string) => boolean): Promise<string> {
    while (!wanted(this.text)) {
      if (this.#isOver) throw new Cut(`The stream ended with ${JSON.stringify(this.text)}`);
      await within(new Promise<void>((resolve) => this.#wake.push(resolve)), "bytes over HTTP/2");
    }
    return this.text;
  }

  /** Reads nothing more of the body, so the window of the stream fills. */
  pause(): void {
    this.#stream.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#stream.resume();
  }

  /** Resets the stream with CANCEL. */
  leave(): void {
    this.#stream.close(8);
  }

  #told(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
