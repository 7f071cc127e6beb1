/**
 * A client of raw bytes: it goes exactly as far into an exchange as a test wants, and tells how the connection ended.
 *
 * @module
 */

import { within } from "../conformance/waiting.ts";

const encoder = new TextEncoder();

/** How a connection ended: properly or not. */
export type ConnectionEnd = "closed" | "reset";

/** A connection to a server. */
export class RawClient implements Disposable {
  /** What has come so far. */
  text = "";
  /** The connection is over. */
  isOver = false;
  /** Settles when it is. */
  readonly ended: Promise<ConnectionEnd>;
  readonly #conn: Deno.TcpConn;
  #wake: (() => void)[] = [];

  /** Connects, and sends that. */
  static async to(url: string, text = ""): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    const client = new RawClient(await Deno.connect({ hostname, port: Number(port) }));
    if (text !== "") await client.send(text);
    return client;
  }

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    conn.setNoDelay(true);
    this.ended = this.#read();
  }

  /** The status of the answer, once it is there. */
  async status(): Promise<number> {
    await this.until(/^HTTP\/1\.1 \d+ /);
    return Number(this.text.slice(9, 12));
  }

  /** Sends text as it is. */
  async send(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.byteLength;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Sends one piece of a chunked body; an empty one ends it. */
  chunk(text: string): Promise<void> {
    return this.send(`${text.length.toString(16)}\r\n${text}\r\n`);
  }

  /** Waits until that has come; rejects where the connection ends without it. */
  async until(wanted: RegExp, ms = 5000): Promise<RegExpExecArray> {
    const found = async () => {
      for (;;) {
        const match = wanted.exec(this.text);
        if (match !== null) return match;
        if (this.isOver) throw new Error(`The connection ended without ${wanted}: ${JSON.stringify(this.text)}`);
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    };
    return await within(found(), `${wanted} in ${JSON.stringify(this.text)}`, ms);
  }

  /** Everything, once the server has closed the connection or cut it. */
  async rest(ms = 5000): Promise<{ end: ConnectionEnd; text: string }> {
    const end = await within(this.ended, `the end after ${JSON.stringify(this.text)}`, ms);
    return { end, text: this.text };
  }

  /** Leaves. */
  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #read(): Promise<ConnectionEnd> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(16_384);
    let end: ConnectionEnd = "closed";
    try {
      for (;;) {
        const count = await this.#conn.read(buffer);
        if (count === null) break;
        this.text += decoder.decode(buffer.subarray(0, count), { stream: true });
        this.#woken();
      }
    } catch {
      end = "reset"; // by the server, or by whoever disposed of this client
    }
    this.isOver = true;
    this.#woken();
    return end;
  }

  #woken(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** The head of a request; `close` asks the server to close the connection after it. */
export function request(path: string, { method = "GET", headers = [], close = false }: {
  method?: string;
  headers?: readonly string[];
  close?: boolean;
} = {}): string {
  return [`${method} ${path} HTTP/1.1`, "Host: localhost", ...(close ? ["Connection: close"] : []), ...headers, "", ""].join("\r\n");
}

/** The head of a request whose body follows in chunks. */
export function upload(path: string): string {
  return request(path, { method: "POST", headers: ["Transfer-Encoding: chunked"], close: true });
}

/** Makes a whole request on a connection of its own. */
export async function ask(url: string, path: string): Promise<{ status: number; head: string; body: string }> {
  using client = await RawClient.to(url, request(path, { close: true }));
  const status = await client.status();
  const { end, text } = await client.rest();
  if (end !== "closed") throw new Error(`The connection was cut after ${JSON.stringify(text)}`);
  const at = text.indexOf("\r\n\r\n");
  return { status, head: text.slice(0, at).toLowerCase(), body: text.slice(at + 4) };
}
