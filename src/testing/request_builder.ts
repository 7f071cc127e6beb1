/**
 * From the calls of a test client to requests as they would stand on the wire: default headers, framing, cookies, handshake.
 *
 * @module
 */

import type { Pairs } from "../exchange.ts";
import type { TlsInfo } from "../spec/scope.ts";
import { DEFAULT_TLS, type OpenOptions, type TestClientOptions, type WebSocketOptions } from "./client_options.ts";
import type { CookieJar } from "./cookies.ts";
import type { MemoryRequest } from "./memory_request.ts";
import { encodeBody, mergeHeaders, toPairs, toTarget } from "./request_body.ts";

type Version = MemoryRequest["httpVersion"];

/** The key of RFC 6455 section 1.3: any will do, since nothing in memory can be confused by it. */
const WEBSOCKET_KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** A request, and its whole body where that is known: `null` for none, and for one that is written later. */
export interface BuiltRequest {
  readonly request: MemoryRequest;
  readonly body: Uint8Array | null;
}

/** Builds the requests of one client. */
export class RequestBuilder {
  /** The facts of the TLS connection, `null` for a plain one. */
  readonly tls: TlsInfo | null;
  readonly #options: TestClientOptions;
  readonly #cookies: CookieJar;
  readonly #headers: Pairs;

  /** `cookies` are kept and sent where the option `cookies` is on. */
  constructor(options: TestClientOptions, cookies: CookieJar) {
    const { tls = false } = options;
    this.tls = tls === false ? null : tls === true ? DEFAULT_TLS : { ...DEFAULT_TLS, ...tls };
    this.#options = options;
    this.#cookies = cookies;
    this.#headers = toPairs(options.headers, "headers");
  }

  /** A request of http or sse. */
  async plain(method: string, target: string, options: OpenOptions): Promise<BuiltRequest> {
    const encoded = await encodeBody(options);
    const streams = options.streams ?? false;
    if (encoded !== null && streams) throw new TypeError("A request whose body streams takes no body beforehand");
    const version = this.#version(options);
    const own = toPairs(options.headers, "headers");
    const names = new Set([...this.#headers, ...own].map(([name]) => name.toLowerCase()));
    if (typeof encoded?.contentType === "string" && !names.has("content-type")) own.push(["content-type", encoded.contentType]);
    if (!names.has("content-length")) {
      if (encoded !== null) own.push(["content-length", String(encoded.bytes.byteLength)]);
      else if (streams) own.push(...streamFraming(version));
      else if (/^(POST|PUT|PATCH)$/.test(method)) own.push(["content-length", "0"]);
    }
    const body = encoded === null || encoded.bytes.byteLength === 0 ? null : encoded.bytes;
    const request = this.#build(method, toTarget(target, options.query), version, own, streams || body !== null);
    return { request, body };
  }

  /** The handshake of a WebSocket. */
  handshake(target: string, options: WebSocketOptions): MemoryRequest {
    const version = this.#version(options);
    const isTwo = version === "2";
    const protocols = options.subprotocols ?? [];
    const upgrade: Pairs = isTwo ? [] : [["connection", "Upgrade"], ["upgrade", "websocket"], ["sec-websocket-key", WEBSOCKET_KEY]];
    const offer: Pairs = protocols.length === 0 ? [] : [["sec-websocket-protocol", protocols.join(", ")]];
    const own = mergeHeaders([...upgrade, ["sec-websocket-version", "13"], ...offer], toPairs(options.headers, "headers"));
    const request = this.#build(isTwo ? "CONNECT" : "GET", toTarget(target, options.query), version, own, false);
    return isTwo ? { ...request, isExtendedConnect: true } : request;
  }

  /** Takes the cookies of a response to a request. */
  takeCookies(request: MemoryRequest, headers: Pairs): void {
    if (this.#options.cookies !== true) return;
    const values = headers.filter(([name]) => name.toLowerCase() === "set-cookie").map(([, value]) => value);
    this.#cookies.take(values, pathOf(request.target));
  }

  #version(options: { readonly httpVersion?: Version }): Version {
    return options.httpVersion ?? this.#options.httpVersion ?? "1.1";
  }

  #build(method: string, target: string, httpVersion: Version, own: Pairs, hasBody: boolean): MemoryRequest {
    const headers = mergeHeaders([["host", "testserver"], ...this.#headers], own);
    const cookie = this.#options.cookies === true ? this.#cookies.header(pathOf(target), this.tls !== null) : null;
    if (cookie !== null) headers.push(["cookie", cookie]);
    return {
      method,
      target,
      httpVersion,
      headers,
      hasBody,
      client: this.#options.client === undefined ? ["127.0.0.1", 12345] : this.#options.client,
      server: this.#options.server ?? ["127.0.0.1", this.tls === null ? 80 : 443],
      rootPath: this.#options.rootPath ?? "",
      tls: this.tls,
    };
  }
}

function streamFraming(version: Version): [string, string][] {
  if (version === "1.0") throw new TypeError("A body that streams over HTTP/1.0 needs a content-length header");
  return version === "1.1" ? [["transfer-encoding", "chunked"]] : [];
}

function pathOf(target: string): string {
  return target.split("?", 1)[0]!;
}
