/**
 * From a request of `Deno.serve` to a {@linkcode RequestHead}.
 *
 * `Deno.serve` builds `request.url` by joining scheme, Host header and request target as they came, so a Host of `a/x?q=` could
 * stand in for a path. The URL is therefore cut where the checked authority ends, and never parsed. Contract section 2.
 *
 * @module
 */

import type { RequestHead } from "../exchange.ts";
import type { TlsInfo } from "../spec/scope.ts";
import { PeerError } from "../spec/errors.ts";
import { classify } from "../wire/classify.ts";
import { isHost } from "../wire/host.ts";
import { firstCertificate } from "../wire/pem.ts";
import { splitTarget } from "../wire/target.ts";
import { DENO_SERVE_CAPABILITIES } from "./deno_serve_settings.ts";

const EVENT_STREAM = /text\/event-stream/i;

/** Where the ids of exchanges come from: one for all listeners of an engine. */
export interface Ids {
  next: number;
}

/** Builds heads for one listener. */
export class HeadReader {
  readonly #scheme: "http" | "https";
  readonly #origin: string;
  readonly #rootPath: string;
  readonly #server: readonly [string, number | null];
  readonly #tls: TlsInfo | null;
  // The Host value of the last good request and the URL prefix that it makes. Most requests of a server carry the same.
  #lastHost = "";
  #lastPrefix: string;
  readonly #ids: Ids;

  /** `server` is what the listener is bound to, `cert` the PEM text of a TLS listener. */
  constructor(server: readonly [string, number | null], cert: string | null, rootPath: string, ids: Ids) {
    this.#ids = ids;
    this.#scheme = cert === null ? "http" : "https";
    this.#tls = cert === null ? null : tlsInfo(cert);
    // A Unix listener's URLs begin with "http+unix:".
    this.#origin = (server[1] === null ? "http+unix" : this.#scheme) + "://";
    this.#rootPath = rootPath;
    this.#server = Object.freeze(server); // every scope shows it
    this.#lastPrefix = this.#origin;
  }

  /**
   * Reads the head of a request.
   *
   * @throws {PeerError} where the Host header or the target is malformed.
   */
  read(request: Request, remote: Deno.Addr): RequestHead {
    const { url, method } = request;
    const headers: (readonly [string, string])[] = [];
    let host: string | null = null;
    let upgrade = false;
    let eventStream = false;
    let length: string | null = null;
    // `forEach` costs less than `for…of` here.
    request.headers.forEach((value, name) => {
      headers.push([name, value]);
      switch (name) {
        case "host":
          host = value;
          break;
        case "upgrade":
          upgrade = true;
          break;
        case "accept":
          eventStream = value.length >= 17 && EVENT_STREAM.test(value);
          break;
        case "content-length":
          length = value;
          // Two of the same value are joined; Deno.serve refuses two that differ.
          if (length.includes(",")) throw new PeerError(400, "protocol_error", "There is more than one Content-Length");
          break;
      }
    });
    let at: number;
    if (host !== null && host === this.#lastHost && url.startsWith(this.#lastPrefix) && isTargetStart(url, this.#lastPrefix.length)) {
      at = this.#lastPrefix.length;
    } else {
      at = this.#cutAuthority(url, host, headers);
    }
    const upper = isUpperCase(method) ? method : method.toUpperCase();
    const { rawPath, path, query } = splitTarget(originForm(url, at, upper));
    const httpVersion = host === null ? "2" : "1.1";
    const head: RequestHead & { client?: readonly [string, number]; tls?: TlsInfo } = {
      kind: upgrade || eventStream ? classify(upper, httpVersion, (name) => request.headers.get(name)) : "http",
      id: this.#ids.next++,
      httpVersion,
      method: upper,
      scheme: this.#scheme,
      rawPath,
      path,
      query,
      rootPath: this.#rootPath,
      headers,
      server: this.#server,
      // Deno.serve throws a GET's body away.
      body: upper === "GET" || upper === "HEAD" || length === "0" ? "none" : "plain",
      capabilities: DENO_SERVE_CAPABILITIES,
    };
    if (remote.transport === "tcp") head.client = [remote.hostname, remote.port];
    if (this.#tls !== null) head.tls = this.#tls;
    return head;
  }

  /** A head for the log, of a request whose real one can't be read. */
  unreadable(request: Request, remote: Deno.Addr): RequestHead {
    const target = this.#looseTarget(request);
    const mark = target.indexOf("?");
    return {
      ...(remote.transport === "tcp" ? { client: [remote.hostname, remote.port] as const } : {}),
      kind: "http",
      id: this.#ids.next++,
      httpVersion: request.headers.has("host") ? "1.1" : "2",
      method: request.method.toUpperCase(),
      scheme: this.#scheme,
      rawPath: mark < 0 ? target : target.slice(0, mark),
      path: "",
      query: mark < 0 ? "" : target.slice(mark + 1),
      rootPath: this.#rootPath,
      headers: [...request.headers],
      server: this.#server,
      body: "none",
      capabilities: DENO_SERVE_CAPABILITIES,
    };
  }

  /** The target; where the Host header forges one, all that came behind the scheme. */
  #looseTarget({ url, headers }: Request): string {
    const rest = url.slice(authorityStart(url));
    const slash = rest.indexOf("/");
    return slash < 0 || !isHost(headers.get("host") ?? "") ? rest : rest.slice(slash);
  }

  /** Finds where the target begins in `url`, and lets the authority set the Host header, as contract section 2 says. */
  #cutAuthority(url: string, host: string | null, headers: (readonly [string, string])[]): number {
    if (host !== null && !isHost(host)) throw new PeerError(400, "protocol_error", "The Host header is malformed");
    // A target of absolute form may have any scheme; what it says of it is not believed.
    const start = authorityStart(url);
    let end = start;
    while (end < url.length && !isDelimiter(url.charCodeAt(end))) end++;
    const authority = url.slice(start, end);
    if (authority === host && start === this.#origin.length && url.startsWith(this.#origin)) {
      this.#lastHost = host;
      this.#lastPrefix = this.#origin + host;
      return end;
    }
    if (authority === host) return end;
    if (!isHost(authority)) throw new PeerError(400, "protocol_error", "The authority of the request is malformed");
    const at = headers.findIndex(([name]) => name === "host");
    if (at === -1) headers.push(["host", authority]);
    else headers[at] = ["host", authority];
    return end;
  }
}

/** Deno.serve asks for no client certificate, and tells neither version nor cipher. */
function tlsInfo(cert: string): TlsInfo {
  return {
    server_cert: firstCertificate(cert),
    client_cert_chain: [],
    client_cert_name: null,
    client_cert_error: null,
    tls_version: null,
    cipher_suite: null,
  };
}

/** The target in origin form: `/path?query`, or `*`. */
function originForm(url: string, at: number, method: string): string {
  const target = url.slice(at);
  // "OPTIONS *" arrives as "/*".
  if (method === "OPTIONS" && target === "/*") return "*";
  return target.charCodeAt(0) === SLASH ? target : "/" + target;
}

const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;
const HASH = 0x23;

function authorityStart(url: string): number {
  return url.indexOf("://") + 3;
}

function isDelimiter(unit: number): boolean {
  return unit === SLASH || unit === QUESTION_MARK || unit === HASH;
}

function isTargetStart(url: string, at: number): boolean {
  return url.charCodeAt(at) === SLASH;
}

function isUpperCase(method: string): boolean {
  if (method === "GET" || method === "POST") return true;
  return method === method.toUpperCase();
}
