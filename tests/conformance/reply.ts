/**
 * An answer as a client of the suite has read it, and what goes wrong with one.
 *
 * @module
 */

import type { Pairs } from "../../src/exchange.ts";

/** What a {@linkcode Reply} is made of. */
export interface ReplyParts {
  readonly status: number;
  readonly phrase?: string;
  readonly version?: string;
  readonly pairs: Pairs;
  readonly body?: Uint8Array;
  readonly trailers?: Pairs | null;
  readonly hints?: readonly Reply[];
  readonly cut?: boolean;
}

/** A response. */
export class Reply {
  readonly status: number;
  /** The reason phrase; `""` without a wire. */
  readonly phrase: string;
  /** The version of the status line; `""` without a wire. */
  readonly version: string;
  /** The headers in wire order, names as they were sent. */
  readonly pairs: Pairs;
  readonly body: Uint8Array;
  /** `null` where none came. */
  readonly trailers: Pairs | null;
  /** Interim responses that came before, 100 Continue left out. */
  readonly hints: readonly Reply[];
  /** The answer ended before its body did. */
  readonly cut: boolean;

  constructor(parts: ReplyParts) {
    this.status = parts.status;
    this.phrase = parts.phrase ?? "";
    this.version = parts.version ?? "";
    this.pairs = parts.pairs;
    this.body = parts.body ?? new Uint8Array();
    this.trailers = parts.trailers ?? null;
    this.hints = parts.hints ?? [];
    this.cut = parts.cut ?? false;
  }

  /** The body as text. */
  get text(): string {
    return new TextDecoder("utf-8", { fatal: true }).decode(this.body);
  }

  /** Every value of a header, in order. */
  all(name: string): string[] {
    return this.pairs.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
  }

  /** The value of a header that must be there once; `null` where it is absent. */
  get(name: string): string | null {
    const values = this.all(name);
    if (values.length > 1) throw new Violation(`${name} came ${values.length} times`);
    return values[0] ?? null;
  }
}

/** The answer ended too early. */
export class Cut extends Error {
  override readonly name = "Cut";
}

/** The server answered a handshake with a response. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly reply: Reply;

  constructor(reply: Reply) {
    super(`The handshake was answered with ${reply.status}`);
    this.reply = reply;
  }
}

/** The server broke HTTP. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** Pieces in one. */
export function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

/** Text as UTF-8, bytes as they are. */
export function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? new TextEncoder().encode(data) : data;
}

/** One byte for each character, so that any byte can be written. */
export function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** One character for each byte. */
export function fromLatin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
