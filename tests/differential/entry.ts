/**
 * What an entry of the corpus is: bytes that a client sends, what they are, and which rule is about them. Data only.
 *
 * @module
 */

import { bytesOf, join, latin1 } from "../conformance/reply.ts";

/** One thing that a client does. */
export type Part =
  /** It sends bytes; text as one byte for each character. */
  | string
  | Uint8Array
  /** It waits until so many answers have come, interim ones and frames of a WebSocket among them. */
  | { readonly answers: number }
  /** It waits, so that what follows is a packet of its own. */
  | { readonly pauseMs: number }
  /** It sends FIN and goes on reading. */
  | "fin";

/** What differs from a plain entry. */
export interface EntryOptions {
  /** Where another rule than that of its table is about it. */
  readonly rfc?: string;
  /** Final answers that an HTTP/1 client, or streams that an HTTP/2 client, expects; 1 unless it says otherwise. */
  readonly answers?: number;
  /** Numbers of the answers, from 0, that have no body since their request was a HEAD. */
  readonly heads?: readonly number[];
  /** It ends in the midst of something: nothing can be sent behind it to see whether the connection goes on. */
  readonly unfinished?: true;
  /** The headers that the app saw are compared as they came, with their order and duplicates. */
  readonly raw?: true;
}

/** An entry. */
export interface Entry extends EntryOptions {
  /** `area/name`, unique. */
  readonly id: string;
  readonly area: string;
  readonly wire: "h1" | "h2" | "ws";
  /** What the bytes are, in a few words. */
  readonly what: string;
  readonly rfc: string;
  readonly parts: readonly Part[];
}

/** A row of a table of entries. */
export type Row = readonly [name: string, what: string, parts: string | Uint8Array | readonly Part[], options?: EntryOptions];

/** The entries of a table. */
export function table(wire: Entry["wire"], area: string, rfc: string, rows: readonly Row[]): Entry[] {
  return rows.map(([name, what, parts, options]) => ({
    id: `${area}/${name}`,
    area,
    wire,
    what,
    rfc,
    parts: typeof parts === "string" || parts instanceof Uint8Array ? [parts] : parts,
    ...options,
  }));
}

/** The bytes of text, one for each character, and of bytes, in one piece. */
export function bytes(...pieces: readonly (string | Uint8Array)[]): Uint8Array {
  return join(pieces.map((piece) => typeof piece === "string" ? latin1(piece) : bytesOf(piece)));
}
