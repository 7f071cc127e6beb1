/**
 * A response as a test looks at it: whole, in memory, with everything that came before and after its body.
 *
 * @module
 */

import type { Pairs } from "../exchange.ts";
import { threw } from "./errors.ts";

/** An interim response. */
export interface Hint {
  /** 103, as a rule. */
  readonly status: number;
  /** `link` headers, as a rule. */
  readonly headers: Headers;
}

/** What a {@linkcode TestResponse} is made of. */
export interface ResponseParts {
  /** `GET /path`, for error texts. */
  readonly request: string;
  readonly status: number;
  readonly pairs: Pairs;
  readonly body: Uint8Array;
  readonly trailers: Pairs | null;
  readonly hints: readonly Hint[];
  readonly cut: string | null;
  readonly appError: unknown;
}

/** Characters of a body that an error shows. */
const PREVIEW = 1500;

/**
 * A whole response. Its readers are not asynchronous, since the body is there.
 *
 * @example
 * ```ts
 * import { testClient } from "@pagi/server/testing";
 * import { defineApp } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const app = defineApp({
 *   async http(_scope, _receive, send) {
 *     await send({ type: "http.response.start", status: 200, headers: [["content-type", "application/json"]] });
 *     await send({ type: "http.response.body", body: '{"ok":true}' });
 *   },
 * });
 * await using client = await testClient(app);
 * const response = await client.get("/");
 * assertEquals(response.status, 200);
 * assertEquals(response.json(), { ok: true });
 * assertEquals(response.headers.get("content-length"), "11");
 * assertEquals(response.cut, null);
 * ```
 */
export class TestResponse {
  /** 200–599. */
  readonly status: number;
  /** Names in any case; several values of a name are joined, `set-cookie` by `getSetCookie()`. */
  readonly headers: Headers;
  /** The headers in wire order, names as they were sent. */
  readonly pairs: Pairs;
  /** Trailer fields; `null` where none came. */
  readonly trailers: Headers | null;
  /** Interim responses (103) that came before. */
  readonly hints: readonly Hint[];
  /** Why the response was cut before its end, `null` where it is whole. The token is the server's: a real client sees only the cut. */
  readonly cut: string | null;
  /** What the app threw, `undefined` where nothing: the reason of a 500 of the server, of which a real client is told nothing. */
  readonly appError: unknown;
  readonly #body: Uint8Array;
  readonly #request: string;

  /**
   * Creates the response from what was read.
   *
   * @internal
   */
  constructor(parts: ResponseParts) {
    this.status = parts.status;
    this.pairs = parts.pairs;
    this.headers = toHeaders(parts.pairs);
    this.trailers = parts.trailers === null ? null : toHeaders(parts.trailers);
    this.hints = parts.hints;
    this.cut = parts.cut;
    this.appError = parts.appError;
    this.#body = parts.body;
    this.#request = parts.request;
  }

  /** Status 200–299. */
  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  /** The body. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#body.slice();
  }

  /** The body as text, in the charset of its content type, UTF-8 by default. Malformed text is an error, not a replacement character. */
  text(): string {
    const charset = /;\s*charset="?([^";\s]+)/i.exec(this.headers.get("content-type") ?? "")?.[1] ?? "utf-8";
    return new TextDecoder(charset, { fatal: true }).decode(this.#body);
  }

  /**
   * The body as JSON.
   *
   * @throws {SyntaxError} Where it is none; the message shows status, type, the beginning of the body and what the app threw.
   */
  json(): unknown {
    const text = this.text();
    try {
      return JSON.parse(text);
    } catch (error) {
      const type = this.headers.get("content-type") ?? "no content type";
      const shown = text.length > PREVIEW ? `${text.slice(0, PREVIEW)}… (${text.length} characters)` : text;
      const problem = error instanceof Error ? error.message : String(error);
      throw new SyntaxError(
        `The response to ${this.#request} is no JSON (${this.status}, ${type}): ${problem}\n${shown}${threw(this.appError)}`,
        { cause: this.appError ?? error },
      );
    }
  }

  /** The same as a `Response` of the web platform. */
  toWeb(): Response {
    const hasNoBody = this.status === 204 || this.status === 205 || this.status === 304;
    return new Response(hasNoBody ? null : this.bytes(), { status: this.status, headers: this.headers });
  }
}

/** Pairs as a `Headers` object. */
export function toHeaders(pairs: Pairs): Headers {
  const headers = new Headers();
  for (const [name, value] of pairs) headers.append(name, value);
  return headers;
}
