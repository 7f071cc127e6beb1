/**
 * Agreeing on permessage-deflate, the compression of WebSocket messages. RFC 7692 section 7.
 *
 * What it may cost is bounded: about 150 KB for a peer that is sent compressed messages and 40 KB for one that sends them, and a few
 * messages at a time in the whole process.
 *
 * @module
 */

import type { Deflate, DeflateOptions, SocketLibrary } from "./node_socket_library.ts";

/** Messages from that size on, in bytes, are compressed. */
export const DEFLATE_BYTES = 1024;

/** A little speed and much less memory, for hardly larger messages. */
const ZLIB = { level: 3, memLevel: 5 };

/** Messages that are worked on at once. */
const CONCURRENCY = 8;

/** zlib has no window of 256 bytes: a peer that wants one could not read what we send. */
const SMALLEST_WINDOW_BITS = 9;

/** What was agreed on. */
export interface Agreed {
  readonly extensions: Readonly<Record<string, Deflate>>;
  /** The value of `sec-websocket-extensions`. */
  readonly header: string;
}

/** Takes the first offer that can be taken; `null` where there is none. `maxBytes` bounds an inflated message, 0 is no limit. */
export function agreeOnDeflate(library: SocketLibrary, header: string, maxBytes: number): Agreed | null {
  const { PerMessageDeflate, extension } = library;
  const name = PerMessageDeflate.extensionName;
  const options: DeflateOptions = {
    isServer: true,
    maxPayload: maxBytes,
    concurrencyLimit: CONCURRENCY,
    threshold: DEFLATE_BYTES,
    zlibDeflateOptions: ZLIB,
  };
  for (const offer of parse(library, header)) {
    if (Number(offer.server_max_window_bits?.[0] ?? SMALLEST_WINDOW_BITS) < SMALLEST_WINDOW_BITS) continue;
    const deflate = new PerMessageDeflate(options);
    try {
      const accepted = deflate.accept([offer]);
      return { extensions: { [name]: deflate }, header: extension.format({ [name]: [accepted] }) };
    } catch {
      // A malformed offer is declined like one that asks for too much. RFC 7692 section 7.1.
    }
  }
  return null;
}

function parse({ PerMessageDeflate, extension }: SocketLibrary, header: string): Record<string, (string | true)[]>[] {
  try {
    return extension.parse(header)[PerMessageDeflate.extensionName] ?? [];
  } catch {
    return []; // A header that can't be read offers nothing: extensions are never a must. RFC 6455 section 9.1.
  }
}
