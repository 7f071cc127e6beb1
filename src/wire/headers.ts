/**
 * Header bytes: what may stand in a name and in a value; and the headers that a server adds to an app's.
 *
 * RFC 9110 section 5; contract sections 1 and 3. Nothing is cleaned here, only judged.
 *
 * @module
 */

import type { Pairs } from "../exchange.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** TAB, visible ASCII, and the opaque bytes above it. A control byte here would end a process under `Deno.serve`. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Apps send the same headers again and again: a short text that was found good stays here, by its length, until another takes its place. */
const SLOTS = 64;
const GOOD_NAMES: string[] = new Array(SLOTS).fill("");
const GOOD_VALUES: string[] = new Array(SLOTS).fill("");

/** Whether a text is a token, RFC 9110 section 5.6.2. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** What is wrong with a header, or `null`. */
export function headerProblem(name: string, value: string): string | null {
  if (name.length >= SLOTS || GOOD_NAMES[name.length] !== name || name === "") {
    if (!TOKEN.test(name)) return `header name ${JSON.stringify(name)} is not a token`;
    if (name.length < SLOTS) GOOD_NAMES[name.length] = name;
  }
  if (value.length < SLOTS && GOOD_VALUES[value.length] === value) return null;
  if (VALUE.test(value)) {
    if (value.length < SLOTS) GOOD_VALUES[value.length] = value;
    return null;
  }
  for (const unit of value) {
    const code = unit.codePointAt(0)!;
    if (code > 0xff) return `header ${JSON.stringify(name)} holds the character U+${hex(code, 4)}, which is no byte`;
    if ((code < 0x20 && code !== 9) || code === 0x7f) return `header ${JSON.stringify(name)} holds the control byte 0x${hex(code, 2)}`;
  }
  return null;
}

/** Adds the server's own headers, except where the app has set the same name. */
export function withDefaults(headers: Pairs, defaults: Pairs): Pairs {
  if (defaults.length === 0) return headers;
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  return [...headers, ...defaults.filter(([name]) => !names.has(name.toLowerCase()))];
}

function hex(code: number, width: number): string {
  return code.toString(16).toUpperCase().padStart(width, "0");
}
