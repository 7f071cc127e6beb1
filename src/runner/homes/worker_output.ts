/**
 * What a worker process writes to a standard stream, read by its server.
 *
 * Trusted code is forwarded as it is, whole lines together. What a sandboxed app writes could pass for a line of the server or move the
 * cursor of a terminal, and a flood of it would keep the server busy: so its lines bear the number of the worker, show control characters
 * as text, are shown up to so many bytes in a second, and are read not much faster than that.
 *
 * @module
 */

import { Allowance } from "../../links/allowance.ts";
import { joinBytes } from "../../wire/join_bytes.ts";
import { printable } from "../printable.ts";
import type { OutputRelay } from "./output_relay.ts";

/** Takes what was read. */
export interface OutputFilter {
  /** Bytes that were read; in no case kept. */
  take(bytes: Uint8Array): void;
  /** So much was read that the next read has to wait for so long. */
  pauseMs(): number;
  /** Nothing more comes. */
  end(): void;
}

/** The rest of a line waits so long for its end. */
const REST_MS = 50;
/** A longer line is forwarded in pieces. */
const REST_BYTES = 65_536;

/** Of a sandboxed worker, so much is shown in a second. */
const SHOWN_BYTES = 131_072;
/** So much is read in a second. */
const READ_BYTES = 1_048_576;
/** A longer line is cut in several. */
const LINE_CHARS = 8192;

/** Forwards bytes as they are. */
export class PlainFilter implements OutputFilter {
  readonly #relay: OutputRelay;
  /** The beginning of a line, so that lines of several workers do not get mixed. */
  #rest: Uint8Array = new Uint8Array(0);
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** Nothing was read yet. */
  constructor(relay: OutputRelay) {
    this.#relay = relay;
  }

  take(bytes: Uint8Array): void {
    const whole = this.#rest.byteLength === 0 ? bytes : joinBytes([this.#rest, bytes]);
    const cut = whole.byteLength > REST_BYTES ? whole.byteLength : whole.lastIndexOf(10) + 1;
    if (cut > 0) this.#relay.push(whole.subarray(0, cut));
    this.#rest = whole.slice(cut);
    if (this.#rest.byteLength > 0) this.#timer ??= setTimeout(() => this.end(), REST_MS);
  }

  pauseMs(): number {
    return 0;
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#rest.byteLength > 0) this.#relay.push(this.#rest);
    this.#rest = new Uint8Array(0);
  }
}

/** Shows lines of code that nobody trusts. */
export class GuardedFilter implements OutputFilter {
  readonly #relay: OutputRelay;
  readonly #prefix: string;
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  readonly #shown = new Allowance(SHOWN_BYTES);
  #rest = "";
  #read = 0;
  #readSince = performance.now();

  /** Nothing was read yet. */
  constructor(relay: OutputRelay, prefix: string) {
    this.#relay = relay;
    this.#prefix = prefix;
  }

  take(bytes: Uint8Array): void {
    this.#read += bytes.byteLength;
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop()!;
    let text = "";
    for (const line of lines) text += this.#line(line);
    while (this.#rest.length > LINE_CHARS) {
      text += this.#line(this.#rest.slice(0, LINE_CHARS));
      this.#rest = this.#rest.slice(LINE_CHARS);
    }
    this.#show(text);
  }

  pauseMs(): number {
    const now = performance.now();
    if (now - this.#readSince >= 1000) {
      this.#read = 0;
      this.#readSince = now;
    }
    return this.#read < READ_BYTES ? 0 : 1000 - (now - this.#readSince);
  }

  end(): void {
    const last = this.#rest + this.#decoder.decode();
    this.#rest = "";
    if (last !== "") this.#show(this.#line(last));
  }

  #line(line: string): string {
    if (!this.#shown.spend(this.#prefix.length + line.length + 1)) {
      this.#relay.drop(line.length + 1);
      return "";
    }
    return `${this.#prefix}${shown(line)}\n`;
  }

  #show(text: string): void {
    if (text !== "") this.#relay.push(this.#encoder.encode(text));
  }
}

/** The last bytes that were read, for an error text. */
export class Tail {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly #size: number;

  /** Nothing was read yet. */
  constructor(size: number) {
    this.#size = size;
  }

  /** The last lines as text, without colours and empty lines at either end; other control characters are shown. */
  get text(): string {
    // deno-lint-ignore no-control-regex -- that is what a colour begins with.
    const text = new TextDecoder().decode(this.#bytes).replace(/\x1b\[[\d;]*m/g, "").trim();
    return text.split(/\r?\n/).map(shown).join("\n");
  }

  /** Copies what it keeps. */
  push(bytes: Uint8Array): void {
    const last = bytes.subarray(-this.#size);
    this.#bytes = joinBytes([this.#bytes.subarray(Math.max(0, this.#bytes.byteLength + last.byteLength - this.#size)), last]);
  }
}

// Tabs are how programs write tables.
function shown(line: string): string {
  return line.split("\t").map(printable).join("\t");
}
