/**
 * Lines for the log, which cross a link: a long one is cut, on both sides, since an app may throw an error of any size.
 *
 * @module
 */

import type { Fields, Level } from "../exchange.ts";
import type { Outbox } from "./outbox.ts";
import { NOTE } from "./packets.ts";

/** Characters of a line, and of each of its fields. */
const MAX_CHARS = 8192;
/** Characters of the name of a field. */
const MAX_NAME = 64;
/** Fields of a line. */
const MAX_FIELDS = 16;

/** Sends a line; `id` is that of an open exchange, or 0. */
export function sendNote(outbox: Outbox, id: number, level: Level, text: string, fields: Fields): void {
  outbox.items.push(NOTE, id, level, cut(text), cutFields(fields));
  outbox.added(MAX_CHARS);
}

/** A text of no more than a line's length. */
export function cut(text: string): string {
  return text.length <= MAX_CHARS ? text : `${text.slice(0, MAX_CHARS)}…`;
}

/** Fields that fit a line. */
export function cutFields(fields: Fields): Fields {
  const short: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(fields).slice(0, MAX_FIELDS)) {
    short[name.slice(0, MAX_NAME)] = typeof value === "string" ? cut(value) : value;
  }
  return short;
}
