/**
 * The fields of every event that an app may send, one table for each, and the strict check over them.
 *
 * Sessions check what they use in any case; `--validate-events` checks every known field with these tables, before anything else.
 * Unknown fields never matter. Contract sections 3, 5, 6 and 7.
 *
 * @module
 */

import { EventError } from "../spec/errors.ts";
import type { ScopeType } from "../spec/scope.ts";
import { closeTextProblem, isCloseCode } from "./close_codes.ts";
import { headerProblem, isToken } from "./headers.ts";

/** Whether a field must be there, may be there, or may be `null` too. */
export type Presence = "required" | "optional" | "nullable";

/** One field: whether it must be there and what it holds (a key of {@linkcode KINDS}). */
export interface Field {
  /** Whether it must be there. */
  readonly presence: Presence;
  /** A key of {@linkcode KINDS}. */
  readonly kind: string;
}

/** What of several fields may come together. */
export interface Group {
  /** Their names. */
  readonly fields: readonly string[];
  /** At most one of them, or exactly one. */
  readonly count: "at most one" | "exactly one";
}

/** The fields of one event. */
export interface EventTable {
  /** Its known fields by name; others never matter. */
  readonly fields: Readonly<Record<string, Field>>;
  /** Fields that exclude each other. */
  readonly groups?: readonly Group[];
}

/** What a kind of field holds: the test, and the words for the error. */
export const KINDS: Readonly<Record<string, { readonly test: (value: unknown) => boolean; readonly words: string }>> = {
  status: { test: (value) => isInteger(value) && value >= 200 && value <= 599, words: "an integer from 200 to 599" },
  headers: { test: isHeaders, words: "a list of [name, value] pairs of strings" },
  flag: { test: (value) => value === 0 || value === 1 || typeof value === "boolean", words: "0, 1, true or false" },
  data: { test: (value) => typeof value === "string" || value instanceof Uint8Array, words: "a Uint8Array or a string" },
  bytes: { test: (value) => value instanceof Uint8Array, words: "a Uint8Array" },
  text: { test: (value) => typeof value === "string", words: "a string" },
  path: { test: (value) => typeof value === "string" && /^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(value), words: "an absolute path" },
  handle: { test: (value) => typeof (value as { read?: unknown })?.read === "function", words: "an open file: an object with read()" },
  count: { test: (value) => isInteger(value) && value >= 0, words: "a non-negative integer" },
  seconds: { test: (value) => typeof value === "number" && value >= 0 && value < Infinity, words: "a number of seconds, 0 or more" },
  token: { test: (value) => typeof value === "string" && isToken(value), words: "a token (RFC 9110 section 5.6.2)" },
  code: { test: isCloseCode, words: "1000–1003, 1007–1014 or 3000–4999" },
  reason: { test: (value) => typeof value === "string" && closeTextProblem(value) === null, words: "a string of at most 123 bytes" },
  line: { test: (value) => typeof value === "string" && !/[\r\n]/.test(value), words: "a string without CR or LF" },
  id: { test: (value) => typeof value === "string" && !/[\r\n\0]/.test(value), words: "a string without CR, LF or NUL" },
};

const required = (kind: string): Field => ({ presence: "required", kind });
const optional = (kind: string): Field => ({ presence: "optional", kind });
const nullable = (kind: string): Field => ({ presence: "nullable", kind });

const RESPONSE_START: EventTable = { fields: { status: required("status"), headers: optional("headers") } };
const RESPONSE_BODY: EventTable = { fields: { body: optional("data"), more: optional("flag") } };
const MESSAGE: EventTable = { fields: { message: optional("text") } };
const NOTHING: EventTable = { fields: {} };

/** The table of every event, by scope type and event type. */
export const EVENTS: Readonly<Record<ScopeType, Readonly<Record<string, EventTable>>>> = {
  http: {
    "http.response.start": { fields: { status: required("status"), headers: optional("headers"), trailers: optional("flag") } },
    "http.response.body": {
      fields: {
        body: optional("data"),
        file: optional("path"),
        fh: optional("handle"),
        offset: optional("count"),
        length: optional("count"),
        more: optional("flag"),
      },
      groups: [{ fields: ["body", "file", "fh"], count: "at most one" }],
    },
    "http.response.trailers": { fields: { headers: optional("headers") } },
    "http.response.early_hint": { fields: { headers: required("headers") } },
    "http.fullflush": NOTHING,
  },
  websocket: {
    "websocket.accept": { fields: { subprotocol: nullable("token"), headers: optional("headers") } },
    "websocket.send": {
      fields: { text: nullable("text"), bytes: nullable("bytes") },
      groups: [{ fields: ["text", "bytes"], count: "exactly one" }],
    },
    "websocket.keepalive": { fields: { interval: required("seconds"), timeout: optional("seconds") } },
    "websocket.close": { fields: { code: optional("code"), reason: optional("reason") } },
    "websocket.http.response.start": RESPONSE_START,
    "websocket.http.response.body": RESPONSE_BODY,
  },
  sse: {
    "sse.start": { fields: { status: optional("status"), headers: optional("headers") } },
    "sse.send": { fields: { data: required("text"), event: nullable("line"), id: nullable("id"), retry: nullable("count") } },
    "sse.comment": { fields: { comment: required("text") } },
    "sse.keepalive": { fields: { interval: required("seconds"), comment: optional("text") } },
    "sse.close": { fields: { reason: optional("text") } },
    "sse.http.response.start": RESPONSE_START,
    "sse.http.response.body": RESPONSE_BODY,
    "http.fullflush": NOTHING,
  },
  lifespan: {
    "lifespan.startup.complete": NOTHING,
    "lifespan.startup.failed": MESSAGE,
    "lifespan.shutdown.complete": NOTHING,
    "lifespan.shutdown.failed": MESSAGE,
  },
};

/**
 * Checks every known field of an event.
 *
 * An event of an unknown type passes: the session refuses it with its own words.
 *
 * @throws {EventError} Names the event, the field, and what it must be.
 */
export function checkEvent(event: unknown, scopeType: ScopeType): void {
  if (event === null || typeof event !== "object") return;
  const fields = event as Readonly<Record<string, unknown>>;
  const type = fields.type;
  const table = typeof type === "string" && Object.hasOwn(EVENTS[scopeType], type) ? EVENTS[scopeType][type] : undefined;
  if (!table) return;
  for (const [name, { presence, kind }] of Object.entries(table.fields)) {
    const value = fields[name];
    const { test, words } = KINDS[kind]!;
    if (value === undefined) {
      if (presence === "required") throw new EventError(type as string, name, `is missing: it must be ${words}`);
    } else if (!(value === null && presence === "nullable") && !test(value)) {
      throw new EventError(type as string, name, `must be ${words}`);
    } else if (kind === "headers") checkHeaders(type as string, name, value as [string, string][]);
  }
  for (const group of table.groups ?? []) checkGroup(type as string, fields, group);
}

function checkGroup(type: string, fields: Readonly<Record<string, unknown>>, group: Group): void {
  const given = group.fields.filter((name) => fields[name] !== undefined && fields[name] !== null);
  if (given.length > 1) throw new EventError(type, given[0]!, `must come alone: ${group.fields.join(", ")} exclude each other`);
  if (given.length === 0 && group.count === "exactly one") {
    throw new EventError(type, group.fields[0]!, `or ${group.fields.slice(1).join(" or ")} must be given, exactly one of them`);
  }
}

function checkHeaders(type: string, field: string, headers: [string, string][]): void {
  for (const [name, value] of headers) {
    const problem = headerProblem(name, value);
    if (problem !== null) throw new EventError(type, field, `are malformed: ${problem}`);
  }
}

function isHeaders(value: unknown): boolean {
  return Array.isArray(value) &&
    value.every((pair) => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string" && typeof pair[1] === "string");
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
