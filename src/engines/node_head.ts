/**
 * From a request of `node:http` or `node:http2` to a {@linkcode RequestHead}, and what is wrong with it.
 *
 * Both give names and values as they came, in a flat list. Contract section 2; RFC 9112 sections 3 and 6; RFC 9113 section 8.
 *
 * @module
 */

import type { Capability, Pairs, RequestHead } from "../exchange.ts";
import { PeerError } from "../spec/errors.ts";
import { classify } from "../wire/classify.ts";
import { type Report, type Trusts, withForwarded } from "../wire/forwarded.ts";
import { isHost } from "../wire/host.ts";
import { splitTarget } from "../wire/target.ts";
import { Fields } from "./node_fields.ts";
import { type GateConnection, NODE_CAPABILITIES, NODE_HTTP10_CAPABILITIES, type WireLimits } from "./node_settings.ts";

/** A head that can be added to. */
type OpenHead = { -readonly [K in keyof RequestHead]: RequestHead[K] };

/** What it takes to write a header line besides its name and value: a colon, a space, CR and LF. */
const LINE_BYTES = 4;

/** So much of a target that can't be read stands in the log. */
const MAX_LOGGED_CHARS = 512;

/** An absolute target, RFC 9112 section 3.2.2. */
const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;

/** Builds the heads of one engine. */
export class HeadReader {
  readonly #rootPath: string;
  readonly #limits: WireLimits;
  readonly #trusts: Trusts | null;
  readonly #report: Report;
  #nextId = 1;

  /** `limits` are those of the target and of the headers; `trusts` says whose forwarding headers count, what is wrong with those is reported. */
  constructor(rootPath: string, limits: WireLimits, trusts: Trusts | null, report: Report) {
    this.#rootPath = rootPath;
    this.#limits = limits;
    this.#trusts = trusts;
    this.#report = report;
  }

  /**
   * Reads the head of an HTTP/1 request.
   *
   * @throws {PeerError} with the status of the answer.
   */
  http1(method: string, target: string, version: string, raw: readonly string[], connection: GateConnection): RequestHead {
    if (version !== "1.1" && version !== "1.0") throw new PeerError(400, "protocol_error", "The version is neither HTTP/1.0 nor HTTP/1.1");
    const minor = version === "1.1" ? 1 : 0;
    this.#checkSizes(target, raw);
    const fields = new Fields();
    for (let at = 0; at < raw.length; at += 2) fields.add(raw[at]!.toLowerCase(), raw[at + 1]!);
    if (method === "CONNECT") throw noConnect();
    if (fields.host === null) {
      if (minor === 1) throw new PeerError(400, "protocol_error", "The Host header is missing");
    } else if (!isHost(fields.host)) throw new PeerError(400, "protocol_error", "The Host header is malformed");
    const body = bodyKind(fields, minor);
    const kind = fields.events || fields.upgrade ? classify(method, version, fields.get) : "http";
    return this.#head(kind, version, method, originForm(method, target, fields), fields.pairs, body, connection);
  }

  /**
   * Reads the head of an HTTP/2 request.
   *
   * @throws {PeerError} with the status of the answer.
   */
  http2(raw: readonly string[], hasBody: boolean, connection: GateConnection): RequestHead {
    const fields = new Fields();
    let [method, path, authority, protocol] = ["", "", null as string | null, null as string | null];
    for (let at = 0; at < raw.length; at += 2) {
      const name = raw[at]!;
      const value = raw[at + 1]!;
      if (name.charCodeAt(0) !== COLON) fields.add(name, value);
      else if (name === ":method") method = value;
      else if (name === ":path") path = value;
      else if (name === ":authority") authority = value;
      else if (name === ":protocol") protocol = value;
    }
    this.#checkSizes(path, raw);
    const { ofOneConnection } = fields;
    if (ofOneConnection !== null) throw new PeerError(400, "protocol_error", `The header ${ofOneConnection} has no place in HTTP/2`);
    if (authority !== null) fields.setHost(authority);
    if (fields.host !== null && !isHost(fields.host)) {
      throw new PeerError(400, "protocol_error", "The authority of the request is malformed");
    }
    const isSocket = method === "CONNECT" && protocol === "websocket";
    if (method === "CONNECT" && !isSocket) throw noConnect();
    method = method.toUpperCase();
    if (path.charCodeAt(0) !== SLASH && !(method === "OPTIONS" && path === "*")) {
      throw new PeerError(400, "protocol_error", "The path of the request is malformed");
    }
    const kind = isSocket ? "websocket" : fields.events ? classify(method, "2", fields.get) : "http";
    const body = isSocket || !hasBody ? "none" : fields.expects ? "expect" : "plain";
    return this.#head(kind, "2", method, path, fields.pairs, body, connection);
  }

  /** A head for the log, of a request whose real one can't be read. */
  unreadable(
    method: string,
    target: string,
    httpVersion: RequestHead["httpVersion"],
    raw: readonly string[],
    connection: GateConnection,
  ): RequestHead {
    // What was too long to be served is too long for a log.
    if (target.length > MAX_LOGGED_CHARS) target = `${target.slice(0, MAX_LOGGED_CHARS)}...`;
    const mark = target.indexOf("?");
    const headers: [string, string][] = [];
    for (let at = 0; at < raw.length; at += 2) if (raw[at]!.charCodeAt(0) !== COLON) headers.push([raw[at]!.toLowerCase(), raw[at + 1]!]);
    const [rawPath, query] = mark < 0 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)];
    return this.#build("http", httpVersion, method, { rawPath, path: "", query }, headers, "none", connection);
  }

  #head(
    kind: RequestHead["kind"],
    httpVersion: RequestHead["httpVersion"],
    method: string,
    target: string,
    headers: Pairs,
    body: RequestHead["body"],
    connection: GateConnection,
  ): RequestHead {
    const head = this.#build(kind, httpVersion, method, splitTarget(target), headers, body, connection);
    return this.#trusts === null ? head : withForwarded(head, this.#trusts, this.#report);
  }

  #build(
    kind: RequestHead["kind"],
    httpVersion: RequestHead["httpVersion"],
    method: string,
    { rawPath, path, query }: { rawPath: string; path: string; query: string },
    headers: Pairs,
    body: RequestHead["body"],
    { client, server, tls }: GateConnection,
  ): RequestHead {
    const head: OpenHead = {
      kind,
      id: this.#nextId++,
      httpVersion,
      method,
      scheme: tls === null ? "http" : "https",
      rawPath,
      path,
      query,
      rootPath: this.#rootPath,
      headers,
      server,
      body,
      capabilities: capabilitiesOf(httpVersion),
    };
    if (client !== null) head.client = client;
    if (tls !== null) head.tls = tls;
    return head;
  }

  #checkSizes(target: string, raw: readonly string[]): void {
    const { maxTargetBytes, maxHeaderBytes, maxHeaderCount } = this.#limits;
    if (maxTargetBytes > 0 && target.length > maxTargetBytes) {
      throw new PeerError(414, "protocol_error", `The request target has more than ${maxTargetBytes} bytes`);
    }
    let count = 0;
    let bytes = 0;
    for (let at = 0; at < raw.length; at += 2) {
      const name = raw[at]!;
      if (name.charCodeAt(0) === COLON) continue;
      count++;
      bytes += name.length + raw[at + 1]!.length + LINE_BYTES;
    }
    if (maxHeaderCount > 0 && count > maxHeaderCount) {
      throw new PeerError(431, "protocol_error", `There are more than ${maxHeaderCount} headers`);
    }
    if (maxHeaderBytes > 0 && bytes > maxHeaderBytes) {
      throw new PeerError(431, "protocol_error", `The headers have more than ${maxHeaderBytes} bytes`);
    }
  }
}

const COLON = 0x3a;
const SLASH = 0x2f;

function noConnect(): PeerError {
  return new PeerError(501, "protocol_error", "CONNECT is not offered");
}

function capabilitiesOf(httpVersion: RequestHead["httpVersion"]): readonly Capability[] {
  return httpVersion === "1.0" ? NODE_HTTP10_CAPABILITIES : NODE_CAPABILITIES;
}

/** RFC 9112 section 6.3. The parser has refused two lengths, and a length beside a coding. */
function bodyKind({ coding, length, expects }: Fields, minor: number): RequestHead["body"] {
  if (coding !== null) {
    if (minor === 0) throw new PeerError(400, "protocol_error", "HTTP/1.0 has no transfer codings");
    // Codings below are the app's business, as content codings are.
    if (!/(?:^|,)[ \t]*chunked[ \t]*$/i.test(coding)) {
      throw new PeerError(501, "protocol_error", "The last transfer coding must be chunked");
    }
  } else if (length === null || /^0+$/.test(length)) return "none";
  return expects && minor === 1 ? "expect" : "plain";
}

/** The target in origin form; an absolute one sets the Host header, contract section 2. */
function originForm(method: string, target: string, fields: Fields): string {
  if (target.charCodeAt(0) === SLASH || (target === "*" && method === "OPTIONS")) return target;
  const match = ABSOLUTE.exec(target);
  if (match === null) throw new PeerError(400, "protocol_error", "The request target is malformed");
  const authority = match[1]!;
  if (authority === "" || !isHost(authority)) throw new PeerError(400, "protocol_error", "The authority of the request is malformed");
  fields.setHost(authority);
  const rest = target.slice(match[0].length);
  return rest.charCodeAt(0) === SLASH ? rest : `/${rest}`;
}
