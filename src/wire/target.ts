/**
 * The request target: path and query as sent, and the path decoded. Contract section 2; RFC 9112 section 3.2.
 *
 * Nothing is normalised: `//`, `..` and a fragment stay what they are.
 *
 * @module
 */

import { PeerError } from "../spec/errors.ts";

/** The parts of a target. */
export interface Target {
  /** As sent, without the query. */
  readonly rawPath: string;
  /** Decoded. */
  readonly path: string;
  /** As sent, behind the first `?`. */
  readonly query: string;
}

const PLAIN = /^[\x21-\x24\x26-\x7e]*$/;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
const ASCII = /^[\x20-\x7e]*$/;
const WIDE = /[^\0-\xff]/;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Splits a target of origin form, or `*`.
 *
 * @throws {PeerError} 400 where the path holds a malformed escape.
 */
export function splitTarget(target: string): Target {
  const mark = target.indexOf("?");
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? "" : target.slice(mark + 1);
  return { rawPath: rawPath === "" ? "/" : rawPath, path: rawPath === "" ? "/" : decodePath(rawPath), query };
}

/**
 * Decodes a path: percent escapes first, then UTF-8. Bytes that are not UTF-8 stay one code unit each.
 *
 * @throws {PeerError} 400 where it holds a malformed escape.
 */
export function decodePath(rawPath: string): string {
  if (PLAIN.test(rawPath)) return rawPath;
  if (BAD_ESCAPE.test(rawPath)) throw new PeerError(400, "protocol_error", `The path holds a malformed escape: ${JSON.stringify(rawPath)}`);
  if (ASCII.test(rawPath)) {
    try {
      return decodeURIComponent(rawPath); // the same decoding, twenty times as fast; it throws where the bytes are not UTF-8
    } catch {
      // The slow way keeps them.
    }
  }
  // A code unit above a byte means that the stack in front has decoded it: back to its UTF-8 bytes, so that one rule holds for all.
  const source = WIDE.test(rawPath) ? toUtf8(rawPath) : rawPath;
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let at = 0; at < source.length; at++) {
    const code = source.charCodeAt(at);
    if (code === 0x25) {
      bytes[length++] = parseInt(source.slice(at + 1, at + 3), 16);
      at += 2;
    } else bytes[length++] = code;
  }
  const whole = bytes.subarray(0, length);
  try {
    return UTF8.decode(whole);
  } catch {
    // Not UTF-8: the contract wants the bytes themselves.
    return toText(whole);
  }
}

/** The text with each wide code point as its UTF-8 bytes, one code unit each. */
function toUtf8(text: string): string {
  return toText(new TextEncoder().encode(text));
}

function toText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
