/**
 * An exchange over HTTP/1 on a raw connection.
 *
 * @module
 */

import type { Pairs } from "../../src/exchange.ts";
import { bytesOf, Cut, join, latin1, Reply, Violation } from "./reply.ts";
import type { Ask, Exchange } from "./target.ts";
import { within } from "./waiting.ts";
import type { WireConnection } from "./wire_connection.ts";

type Framing = { readonly kind: "none" | "chunked" | "close" } | { readonly kind: "length"; readonly length: number };

/** One request and its answer. */
export class WireExchange implements Exchange {
  readonly #connection: WireConnection;
  readonly #method: string;
  readonly #chunked: boolean;
  readonly #continued = Promise.withResolvers<void>();
  readonly #hints: Reply[] = [];
  #head: Promise<Reply> | null = null;
  #framing: Framing = { kind: "none" };
  #left = 0;
  #over = false;
  #trailers: Pairs | null = null;
  #text = "";

  private constructor(connection: WireConnection, method: string, chunked: boolean) {
    this.#connection = connection;
    this.#method = method;
    this.#chunked = chunked;
    this.#continued.promise.catch(() => {});
  }

  /** Sends a request. */
  static async open(connection: WireConnection, ask: Ask): Promise<WireExchange> {
    const { method = "GET", target = "/", headers = [], body, streams = false, httpVersion = "1.1" } = ask;
    const lines = [`${method} ${target} HTTP/${httpVersion}`];
    if (!headers.some(([name]) => name.toLowerCase() === "host")) lines.push("host: test");
    for (const [name, value] of headers) lines.push(`${name}: ${value}`);
    const bytes = body === undefined ? null : bytesOf(body);
    if (bytes !== null) lines.push(`content-length: ${bytes.byteLength}`);
    if (streams) lines.push("transfer-encoding: chunked");
    const exchange = new WireExchange(connection, method, streams);
    const head = latin1(lines.join("\r\n") + "\r\n\r\n");
    const expects = headers.some(([name, value]) => name.toLowerCase() === "expect" && value.toLowerCase() === "100-continue");
    // A server that answers early may close before everything is written.
    const sending = connection.send(bytes === null || expects ? head : join([head, bytes])).catch(() => {});
    if (bytes === null || bytes.byteLength < 65_536) await sending;
    if (bytes !== null && expects) exchange.continued.then(() => connection.send(bytes)).catch(() => {});
    return exchange;
  }

  /** The response to a request that a test sent by itself. */
  static async reply(connection: WireConnection, method = "GET"): Promise<Reply> {
    return await new WireExchange(connection, method, false).finish();
  }

  get continued(): Promise<void> {
    this.head().catch(() => {});
    return within(this.#continued.promise, "100 Continue");
  }

  async write(data: string | Uint8Array): Promise<void> {
    const bytes = bytesOf(data);
    if (!this.#chunked) return await this.#connection.send(bytes);
    await this.#connection.send(join([latin1(`${bytes.byteLength.toString(16)}\r\n`), bytes, latin1("\r\n")]));
  }

  async end(): Promise<void> {
    if (this.#chunked) await this.#connection.send("0\r\n\r\n");
  }

  head(): Promise<Reply> {
    return this.#head ??= this.#readHead();
  }

  async read(): Promise<Uint8Array | null> {
    await this.head();
    if (this.#over) return null;
    const bytes = await this.#readBody();
    if (bytes === null) this.#over = true;
    return bytes;
  }

  async readUntil(text: string): Promise<string> {
    while (!this.#text.includes(text)) {
      const bytes = await this.read();
      if (bytes === null) throw new Cut(`The answer ended before ${JSON.stringify(text)}: ${JSON.stringify(this.#text)}`);
      this.#text += new TextDecoder().decode(bytes);
    }
    return this.#text;
  }

  async finish(): Promise<Reply> {
    const head = await this.head();
    const pieces: Uint8Array[] = [];
    let cut = false;
    try {
      for (let bytes = await this.read(); bytes !== null; bytes = await this.read()) pieces.push(bytes);
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      cut = true;
    }
    return new Reply({
      status: head.status,
      phrase: head.phrase,
      version: head.version,
      pairs: head.pairs,
      body: join(pieces),
      trailers: this.#trailers,
      hints: this.#hints,
      cut,
    });
  }

  // Bytes are read only when they are asked for, so a client that does not ask is one that does not read.
  resume(): void {}

  leave(): void {
    this.#connection.close();
  }

  async #readHead(): Promise<Reply> {
    for (;;) {
      const head = await this.#connection.head();
      if (head === null) {
        const error = new Cut("The connection was closed without an answer");
        this.#continued.reject(error);
        throw error;
      }
      const reply = new Reply(head);
      if (head.status === 100) this.#continued.resolve();
      else if (head.status > 101 && head.status < 200) this.#hints.push(reply);
      else {
        this.#continued.reject(new Cut(`${head.status} came in place of 100 Continue`));
        this.#framing = framingOf(reply, this.#method);
        if (this.#framing.kind === "length") this.#left = this.#framing.length;
        return reply;
      }
    }
  }

  async #readBody(): Promise<Uint8Array | null> {
    switch (this.#framing.kind) {
      case "none":
        return null;
      case "close":
        return await this.#connection.some(65_536);
      case "length":
        return this.#left === 0 ? null : await this.#counted();
      case "chunked":
        return await this.#chunk();
    }
  }

  async #counted(): Promise<Uint8Array> {
    const bytes = await this.#connection.some(this.#left);
    if (bytes === null) throw new Cut(`${this.#left} bytes of the body are missing`);
    this.#left -= bytes.byteLength;
    return bytes;
  }

  async #chunk(): Promise<Uint8Array | null> {
    if (this.#left === 0) {
      const line = await this.#line();
      if (!/^[0-9a-fA-F]{1,8}(;[\x20-\x7e]*)?$/.test(line)) throw new Violation(`No chunk size: ${JSON.stringify(line)}`);
      this.#left = parseInt(line, 16);
      if (this.#left === 0) {
        const fields = await this.#connection.fields();
        this.#trailers = fields.length === 0 ? null : fields;
        return null;
      }
    }
    const bytes = await this.#counted();
    if (this.#left === 0 && await this.#line() !== "") throw new Violation("A chunk is longer than its size");
    return bytes;
  }

  async #line(): Promise<string> {
    const line = await this.#connection.line();
    if (line === null) throw new Cut("The connection ended between chunks");
    return line;
  }
}

/** How the body of a response ends, RFC 9112 section 6.3. Anything two readers could take differently is an error. */
function framingOf(reply: Reply, method: string): Framing {
  const coding = reply.get("transfer-encoding");
  const length = reply.get("content-length");
  if (coding !== null && length !== null) throw new Violation("Both content-length and transfer-encoding");
  if (coding !== null && coding !== "chunked") throw new Violation(`transfer-encoding: ${coding}`);
  if (coding !== null && reply.version === "HTTP/1.0") throw new Violation("transfer-encoding over HTTP/1.0");
  if (length !== null && !/^\d+$/.test(length)) throw new Violation(`content-length: ${length}`);
  if (coding !== null && (reply.status < 200 || reply.status === 204)) throw new Violation(`transfer-encoding with ${reply.status}`);
  if (method === "HEAD" || reply.status < 200 || reply.status === 204 || reply.status === 304) return { kind: "none" };
  if (coding !== null) return { kind: "chunked" };
  return length === null ? { kind: "close" } : { kind: "length", length: Number(length) };
}
