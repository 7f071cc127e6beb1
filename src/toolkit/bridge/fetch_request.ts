/**
 * The `Request` that a fetch handler gets of a scope.
 *
 * @module
 */

import type { HttpScope, SseScope } from "../../spec/scope.ts";
import type { RequestBody } from "./fetch_request_body.ts";
import type { Watch } from "./fetch_watch.ts";

/** A request whose signal is watched only once somebody reads it. */
class BridgedRequest extends Request {
  readonly #watch: Watch;

  constructor(input: string | Request, init: RequestInit, watch: Watch) {
    super(input, init);
    this.#watch = watch;
  }

  override get signal(): AbortSignal {
    return this.#watch.signal;
  }

  override clone(): Request {
    return new BridgedRequest(super.clone(), {}, this.#watch);
  }
}

/**
 * Builds the request.
 *
 * @returns The status that answers it where no `Request` can hold it: 501 for CONNECT, TRACE and TRACK, 400 for a host that is none.
 */
export function bridgeRequest(scope: HttpScope | SseScope, body: RequestBody, watch: Watch): Request | 400 | 501 {
  const { method } = scope;
  if (method === "CONNECT" || method === "TRACE" || method === "TRACK") return 501;
  const init: RequestInit = { method, headers: scope.headers as [string, string][] };
  const url = urlOf(scope);
  try {
    return new BridgedRequest(url, mayHaveBody(scope) ? { ...init, body: body.stream() } : init, watch);
  } catch (error) {
    if (!URL.canParse(url)) return 400;
    throw error;
  }
}

/** Scheme, authority, mount point, and the target as sent. */
export function urlOf(scope: HttpScope | SseScope): string {
  const query = scope.query_string === "" ? "" : `?${encode(scope.query_string)}`;
  const path = scope.raw_path.startsWith("/") ? scope.raw_path : `/${scope.raw_path}`; // "*" of OPTIONS
  return `${scope.scheme}://${authorityOf(scope)}${encode(scope.root_path)}${encode(path)}${query}`;
}

function authorityOf(scope: HttpScope | SseScope): string {
  for (const [name, value] of scope.headers) if (name === "host" && value !== "") return value;
  const [host, port] = scope.server;
  if (port === null) return "localhost";
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What a URL parser would cut off, turn round or encode twice: a fragment, a backslash, a byte of a UTF-8 sequence. */
function encode(text: string): string {
  if (/^[\x21\x22\x24-\x5b\x5d-\x7e]*$/.test(text)) return text;
  return text.replace(/[^\x21\x22\x24-\x5b\x5d-\x7e]/g, (character) => {
    const code = character.charCodeAt(0);
    return code <= 0xff ? `%${code.toString(16).toUpperCase().padStart(2, "0")}` : encodeURIComponent(character.toWellFormed());
  });
}

/** Over HTTP/2 a body needs no header that announces it. */
function mayHaveBody(scope: HttpScope | SseScope): boolean {
  if (scope.method === "GET" || scope.method === "HEAD") return false;
  if (scope.http_version === "2") return !scope.headers.some(([name, value]) => name === "content-length" && value === "0");
  return scope.headers.some(([name, value]) => name === "transfer-encoding" || (name === "content-length" && value !== "0"));
}
