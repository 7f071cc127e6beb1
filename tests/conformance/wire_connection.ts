/**
 * A connection of raw bytes, and a strict reader of HTTP/1 responses on it. It shares no code with the server.
 *
 * @module
 */

import type { Pairs } from "../../src/exchange.ts";
import { fromLatin1, join, latin1, Violation } from "./reply.ts";
import { within } from "./waiting.ts";

/** The head of a response. */
export interface WireHead {
  readonly version: string;
  readonly status: number;
  readonly phrase: string;
  readonly pairs: Pairs;
}

const STATUS_LINE = /^(HTTP\/1\.[01]) ([1-9]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const FIELD_LINE =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;

/** A connection under the control of a test. */
export class WireConnection {
  readonly #connection: Deno.Conn;
  #buffer: Uint8Array = new Uint8Array();
  #ended = false;

  /** Takes an open connection. */
  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Sends bytes; text as one byte for each character. */
  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? latin1(data) : data;
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  /** Sends FIN and keeps reading. */
  async closeWrite(): Promise<void> {
    await this.#connection.closeWrite();
  }

  /** Drops the connection. */
  close(): void {
    this.#ended = true;
    try {
      this.#connection.close();
    } catch {
      // It may be closed already.
    }
  }

  /** Reads a line that ends with CRLF; `null` where the connection ends before its first byte. */
  async line(): Promise<string | null> {
    for (let from = 0;;) {
      const at = this.#buffer.indexOf(0x0a, from);
      if (at >= 0) {
        const line = fromLatin1(this.#take(at + 1));
        if (!line.endsWith("\r\n") || line.slice(0, -2).includes("\r")) {
          throw new Violation(`A line does not end with CRLF: ${JSON.stringify(line)}`);
        }
        return line.slice(0, -2);
      }
      from = this.#buffer.length;
      if (!await this.#fill()) {
        if (this.#buffer.length === 0) return null;
        throw new Violation(`The connection ended inside a line: ${JSON.stringify(fromLatin1(this.#buffer))}`);
      }
    }
  }

  /** Reads the head of a response; `null` where the connection ends before it. */
  async head(): Promise<WireHead | null> {
    const line = await this.line();
    if (line === null) return null;
    const match = STATUS_LINE.exec(line);
    if (match === null) throw new Violation(`No status line: ${JSON.stringify(line)}`);
    return { version: match[1]!, status: Number(match[2]), phrase: match[3]!, pairs: await this.fields() };
  }

  /** Reads header or trailer lines up to the empty one. */
  async fields(): Promise<Pairs> {
    const pairs: [string, string][] = [];
    for (;;) {
      const line = await this.line();
      if (line === null) throw new Violation("The connection ended inside a header block");
      if (line === "") return pairs;
      const match = FIELD_LINE.exec(line);
      if (match === null) throw new Violation(`No header line: ${JSON.stringify(line)}`);
      pairs.push([match[1]!, match[2]!]);
    }
  }

  /** Reads at least one and at most so many bytes; `null` at the end of the connection. */
  async some(most: number): Promise<Uint8Array | null> {
    if (this.#buffer.length === 0 && !await this.#fill()) return null;
    return this.#take(Math.min(most, this.#buffer.length));
  }

  /** All bytes up to the end of the connection, one character for each. */
  async rest(): Promise<string> {
    while (await this.#fill());
    return fromLatin1(this.#take(this.#buffer.length));
  }

  /** Reads text until it contains this; one character for each byte. Where the connection ends first, it is what came. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = fromLatin1(this.#buffer).indexOf(text);
      if (at >= 0) return fromLatin1(this.#take(at + text.length));
      if (!await this.#fill()) return fromLatin1(this.#take(this.#buffer.length));
    }
  }

  /** Whether the server closes the connection without another byte. */
  async ends(): Promise<boolean> {
    return this.#buffer.length === 0 && !await this.#fill();
  }

  /** Nothing comes for so long: neither a byte nor the end. */
  async silent(ms = 50): Promise<boolean> {
    if (this.#buffer.length > 0 || this.#ended) return false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const quiet = new Promise<true>((resolve) => timer = setTimeout(() => resolve(true), ms));
    const answer = await Promise.race([quiet, this.#reading().then(() => false)]);
    clearTimeout(timer);
    return answer;
  }

  #take(count: number): Uint8Array {
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }

  async #fill(): Promise<boolean> {
    if (this.#ended) return false;
    return await within(this.#reading(), "bytes from the server");
  }

  // One read at a time; one that a test gave up on is taken over by the next.
  #reading(): Promise<boolean> {
    return this.#pending ??= this.#read().finally(() => this.#pending = null);
  }
  #pending: Promise<boolean> | null = null;

  async #read(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const count = await this.#connection.read(buffer).catch(() => null);
    if (count === null) {
      this.#ended = true;
      return false;
    }
    this.#buffer = this.#buffer.length === 0 ? buffer.subarray(0, count) : join([this.#buffer, buffer.subarray(0, count)]);
    return true;
  }
}
