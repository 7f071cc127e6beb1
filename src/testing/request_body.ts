/**
 * The convenient forms of headers, query and body, turned into what goes on the wire.
 *
 * @module
 */

import type { Pairs } from "../exchange.ts";

/** Names and values: a record, a record of lists, pairs, or the platform's own object. Order and duplicates are kept. */
export type Fields =
  | Readonly<Record<string, string | readonly string[]>>
  | readonly (readonly [name: string, value: string])[]
  | Headers
  | URLSearchParams;

/** The body of a request, at most one of these. */
export interface BodyOptions {
  /** Bytes, or text in UTF-8. */
  readonly body?: Uint8Array | string | undefined;
  /** Sent as `application/json`. */
  readonly json?: unknown;
  /** Sent as `application/x-www-form-urlencoded`, a `FormData` as `multipart/form-data`. */
  readonly form?: Fields | FormData | undefined;
}

/** Bytes and their type; `null` for no body. */
export interface EncodedBody {
  readonly bytes: Uint8Array;
  readonly contentType: string | null;
}

/**
 * Names and values as pairs.
 *
 * @throws {TypeError} Where it is none of the forms of {@linkcode Fields}; `what` names it.
 */
export function toPairs(fields: Fields | undefined, what: string): [string, string][] {
  if (fields === undefined) return [];
  if (fields instanceof Headers || fields instanceof URLSearchParams) return [...fields];
  const entries = Array.isArray(fields)
    ? fields as readonly unknown[]
    : fields !== null && typeof fields === "object"
    ? Object.entries(fields)
    : null;
  if (entries === null) throw new TypeError(`${what} must be a record of strings, or a list of [name, value] pairs`);
  return entries.flatMap((entry) => toValues(entry, what));
}

/** Encodes the body of a request. */
export async function encodeBody(options: BodyOptions): Promise<EncodedBody | null> {
  const given = (["body", "json", "form"] as const).filter((name) => options[name] !== undefined);
  if (given.length > 1) throw new TypeError(`A request takes one body, but ${given.join(" and ")} are given`);
  if (options.json !== undefined) {
    const text = JSON.stringify(options.json);
    if (text === undefined) throw new TypeError("json must be a value that JSON can hold");
    return { bytes: new TextEncoder().encode(text), contentType: "application/json" };
  }
  if (options.form instanceof FormData) {
    const encoded = new Response(options.form);
    return { bytes: new Uint8Array(await encoded.arrayBuffer()), contentType: encoded.headers.get("content-type") };
  }
  if (options.form !== undefined) {
    const text = new URLSearchParams(toPairs(options.form, "form")).toString();
    return { bytes: new TextEncoder().encode(text), contentType: "application/x-www-form-urlencoded" };
  }
  if (options.body === undefined) return null;
  return { bytes: toBytes(options.body), contentType: null };
}

/** Bytes, or text in UTF-8. */
export function toBytes(data: Uint8Array | string): Uint8Array {
  if (typeof data === "string") return new TextEncoder().encode(data);
  if (data instanceof Uint8Array) return data;
  throw new TypeError("A body must be a Uint8Array or a string");
}

/**
 * A target with a query appended. Characters outside ASCII are percent-encoded as a browser does; everything else stays as given.
 *
 * @throws {TypeError} Where the target is not in origin form, or holds a space or a control character.
 */
export function toTarget(target: string, query: Fields | undefined): string {
  if (!target.startsWith("/") && target !== "*") throw new TypeError(`The target "${target}" must start with "/"`);
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\x00-\x20\x7f]/.test(target)) {
    throw new TypeError(`The target ${JSON.stringify(target)} holds a space or a control character: percent-encode it`);
  }
  // deno-lint-ignore no-control-regex -- the range is ASCII
  const sent = target.split("#", 1)[0]!.replace(/[^\x00-\x7f]+/gu, (text) => encodeURIComponent(text));
  const pairs = toPairs(query, "query");
  if (pairs.length === 0) return sent;
  return `${sent}${sent.includes("?") ? "&" : "?"}${new URLSearchParams(pairs)}`;
}

/** Headers by precedence: a name that `own` has is dropped from `defaults`. */
export function mergeHeaders(defaults: Pairs, own: Pairs): [string, string][] {
  const names = new Set(own.map(([name]) => name.toLowerCase()));
  return [...defaults.filter(([name]) => !names.has(name.toLowerCase())), ...own].map(([name, value]) => [name, value]);
}

function toValues(entry: unknown, what: string): [string, string][] {
  const problem = `${what} must be a record of strings, or a list of [name, value] pairs, not ${JSON.stringify(entry)}`;
  if (!Array.isArray(entry) || entry.length !== 2) throw new TypeError(problem);
  const [name, value] = entry as [unknown, unknown];
  if (typeof name !== "string") throw new TypeError(problem);
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.map((one) => {
    if (typeof one !== "string") throw new TypeError(problem);
    return [name, one];
  });
}
