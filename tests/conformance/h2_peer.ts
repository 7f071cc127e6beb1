/**
 * An HTTP/2 client: Node's `http2`. Not here: raw frames, see `h2_frames.ts`.
 *
 * @module
 */

import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import { bytesOf, Cut, join } from "./reply.ts";
import type { Running } from "./target.ts";
import { within } from "./waiting.ts";

/** What is asked for. */
export interface H2Ask {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** The whole body. */
  readonly body?: string | Uint8Array;
  /** The body is written piece by piece. */
  readonly streams?: boolean;
}

/** A whole answer. */
export interface H2Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
  readonly text: string;
  /** `null` where none came. */
  readonly trailers: IncomingHttpHeaders | null;
}

/** A connection. */
export class H2Peer implements AsyncDisposable {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
    session.on("error", () => {});
  }

  /** Connects: in cleartext by prior knowledge, over TLS by ALPN. */
  static async connect(server: Running): Promise<H2Peer> {
    const { port } = server.address as { port: number };
    const session = server.cert === "" ? connect(`http://localhost:${port}`) : connect(`https://localhost:${port}`, { ca: server.cert });
    const peer = new H2Peer(session);
    await within(
      new Promise<void>((resolve, reject) => {
        session.once("connect", () => resolve());
        session.once("error", reject);
      }),
      "an HTTP/2 connection",
    );
    return peer;
  }

  /** Begins a request. */
  open(ask: H2Ask = {}): H2Stream {
    const { method = "GET", target = "/", headers = {}, body, streams = false } = ask;
    const hasBody = body !== undefined || streams;
    const stream = this.#session.request(
      { ":method": method, ":path": target, ...headers as Record<string, string> },
      { endStream: !hasBody },
    );
    if (body !== undefined) stream.end(bytesOf(body));
    return new H2Stream(stream);
  }

  /** Asks, and reads the whole answer. */
  request(ask: H2Ask = {}): Promise<H2Reply> {
    return this.open(ask).finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#session.destroyed) return;
    const closed = new Promise<void>((resolve) => this.#session.once("close", () => resolve()));
    this.#session.destroy();
    await closed;
  }
}

/** One request and its answer. */
export class H2Stream {
  /** Interim responses that have come, 100 Continue left out. */
  readonly hints: IncomingHttpHeaders[] = [];
  /** How often 100 Continue has come. */
  continues = 0;
  readonly #stream: ClientHttp2Stream;
  readonly #head: Promise<IncomingHttpHeaders>;
  readonly #pieces: Uint8Array[] = [];
  readonly #ended: Promise<void>;
  readonly #continued = Promise.withResolvers<void>();
  #trailers: IncomingHttpHeaders | null = null;
  #text = "";
  #wake: (() => void) | null = null;
  #over = false;

  /** Takes a stream on which nothing has come. */
  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    this.#head = new Promise((resolve, reject) => {
      stream.once("response", resolve);
      stream.once("close", () => reject(new Cut("The stream was closed without an answer")));
    });
    this.#ended = new Promise((resolve, reject) => {
      let whole = false;
      stream.once("end", () => {
        whole = true;
      });
      stream.once("error", () => {});
      stream.once("close", () => {
        this.#over = true;
        this.#wake?.();
        if (whole && stream.rstCode === 0) resolve();
        else reject(new Cut(`The stream was reset with ${stream.rstCode}`));
      });
    });
    this.#head.catch(() => {});
    this.#ended.catch(() => {});
    stream.on("continue", () => {
      this.continues++;
      this.#continued.resolve();
    });
    stream.on("headers", (headers: IncomingHttpHeaders) => void this.hints.push(headers));
    stream.on("trailers", (headers: IncomingHttpHeaders) => this.#trailers = headers);
    stream.on("data", (bytes: Uint8Array) => {
      this.#pieces.push(new Uint8Array(bytes));
      this.#text += new TextDecoder().decode(bytes);
      this.#wake?.();
    });
  }

  /** The head of the answer. */
  head(): Promise<IncomingHttpHeaders> {
    return within(this.#head, "the answer");
  }

  /** Waits for 100 Continue. */
  continued(): Promise<void> {
    return within(this.#continued.promise, "100 Continue");
  }

  /** Reads until the text has come. */
  async readUntil(text: string): Promise<string> {
    while (!this.#text.includes(text)) {
      if (this.#over) throw new Cut(`The answer ended before ${text}`);
      await within(new Promise<void>((resolve) => this.#wake = resolve), text);
    }
    return this.#text;
  }

  /** Writes a part of the request body. */
  write(data: string | Uint8Array): void {
    this.#stream.write(bytesOf(data));
  }

  /** Ends the request body. */
  end(): void {
    this.#stream.end();
  }

  /** Reads nothing more, so that the window of the stream fills. */
  pause(): void {
    this.#stream.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#stream.resume();
  }

  /** Resets the stream. */
  reset(): void {
    this.#stream.close(8);
  }

  /** The code of the reset that ended the stream, 0 for none; waits for the end. */
  async code(): Promise<number> {
    await within(this.#ended.catch(() => {}), "the end of the stream");
    return this.#stream.rstCode ?? 0;
  }

  /** The whole answer. @throws {Cut} where it was reset. */
  async finish(): Promise<H2Reply> {
    const headers = await this.head();
    await within(this.#ended, "the end of the answer");
    const body = join(this.#pieces);
    return { status: Number(headers[":status"]), headers, body, text: new TextDecoder().decode(body), trailers: this.#trailers };
  }
}
