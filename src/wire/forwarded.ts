/**
 * What trusted proxies say of a request: `X-Forwarded-For`, `-Proto`, `-Host`, `-Port` and `-Prefix`, and `Forwarded` (RFC 7239).
 *
 * A proxy appends to what it is sent, or replaces it. So the value at the right is the word of the peer, and each address that it names
 * may be a proxy of ours too, whose word is the value left of it. The first address that is none is the client; what stands further
 * left is what that client wrote, and is not read. Not here: whom to trust (the caller says), the PROXY protocol.
 *
 * @module
 */

import type { Pairs, RequestHead } from "../exchange.ts";
import { PeerError } from "../spec/errors.ts";
import { Elements } from "./forwarded_elements.ts";
import { type Node, parseNode } from "./forwarded_node.ts";
import { isHost } from "./host.ts";

/** Whether a peer is a proxy of ours; `null` is the peer of a Unix socket. */
export type Trusts = (address: string | null) => boolean;

/** Told, in one of a few texts, what a proxy said that could not be used. */
export type Report = (problem: string) => void;

/** So many proxies can stand in a row. */
const MAX_HOPS = 100;
/** A DNS name with a port. */
const MAX_HOST_CHARS = 261;
const MAX_PREFIX_CHARS = 256;
/** A mount point that links can be built with: no empty or dot segment, no escape, no backslash, nothing that HTML or a URL would read otherwise. */
const PREFIX = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~!$&()*+;=:@-]+)*\/?$/;

/** What the headers of one kind say. */
interface Claim {
  readonly client: Node | null;
  readonly scheme: "http" | "https" | null;
  readonly host: string | null;
}

/** The headers, with repeated ones joined in order. */
interface Said {
  for: string | null;
  proto: string | null;
  host: string | null;
  port: string | null;
  prefix: string | null;
  forwarded: string | null;
}

/**
 * The head as the client sent it to the outermost proxy that is trusted: `client`, `scheme`, the Host header and `rootPath` are set by what
 * the proxies say. Headers of a peer that is not trusted do nothing. The forwarding headers themselves stay.
 *
 * - `client` is the rightmost address that is not trusted, the leftmost one where all are; port 0 where none was named.
 * - `scheme`, Host, port and prefix are the rightmost values of `X-Forwarded-*`, the word of the nearest proxy that sets them. In `Forwarded`,
 *   whose elements belong to one proxy each, they are those of the outermost trusted proxy that names them.
 * - A port is added to a Host that has none, unless it is 80 or 443. The prefix stands in front of the mount point of the settings.
 * - What is malformed is left out and reported; a malformed address ends the walk, the address before it is the client.
 *
 * @throws {PeerError} 400 where both kinds are there and disagree: one of them was passed on as the client sent it, nobody knows which.
 */
export function withForwarded(head: RequestHead, trusts: Trusts, report: Report): RequestHead {
  if (!trusts(head.client === undefined ? null : head.client[0])) return head;
  const said = collect(head.headers);
  if (said === null) return head;
  const { client, scheme, host } = claimOf(said, trusts, report);
  const changed: { -readonly [K in keyof RequestHead]: RequestHead[K] } = { ...head };
  if (client !== null) changed.client = client;
  if (scheme !== null) changed.scheme = scheme;
  if (said.prefix !== null) changed.rootPath = prefixOf(said.prefix, report) + head.rootPath;
  const port = said.port === null ? null : portOf(said.port, report);
  if (host !== null || port !== null) changed.headers = withHost(head.headers, host, port);
  return changed;
}

/** A report that tells of each problem once as `warn`, since a proxy makes the same mistake with each request, and then as `debug`. */
export function onceEach(note: (level: "warn" | "debug", problem: string) => void): Report {
  const known: string[] = [];
  return (problem) => {
    const isKnown = known.includes(problem);
    if (!isKnown) known.push(problem);
    note(isKnown ? "debug" : "warn", problem);
  };
}

function collect(headers: Pairs): Said | null {
  let said: Said | null = null;
  for (const [name, value] of headers) {
    const key = keyOf(name);
    if (key === null) continue;
    said ??= { for: null, proto: null, host: null, port: null, prefix: null, forwarded: null };
    const before: string | null = said[key];
    said[key] = before === null ? value : `${before}, ${value}`;
  }
  return said;
}

function keyOf(name: string): keyof Said | null {
  // Few names are that long and begin so.
  if (name.length < 9) return null;
  if (name.charCodeAt(0) === 0x66) return name === "forwarded" ? "forwarded" : null;
  if (!name.startsWith("x-forwarded-")) return null;
  switch (name) {
    case "x-forwarded-for":
      return "for";
    case "x-forwarded-proto":
      return "proto";
    case "x-forwarded-host":
      return "host";
    case "x-forwarded-port":
      return "port";
    case "x-forwarded-prefix":
      return "prefix";
  }
  return null;
}

/**
 * Proxies set one kind and pass the other on as it comes, so a client can write the kind that its proxy does not set. Where both are
 * there, only what both say counts.
 */
function claimOf(said: Said, trusts: Trusts, report: Report): Claim {
  const isX = said.for !== null || said.proto !== null || said.host !== null;
  if (said.forwarded === null) return byLists(said, trusts, report);
  const claim = byElements(said.forwarded, trusts, report);
  if (!isX) return claim;
  const other = byLists(said, trusts, report);
  const host = claim.host !== null && other.host !== null ? claim.host : null;
  if (
    claim.client?.[0].toLowerCase() === other.client?.[0].toLowerCase() && claim.scheme === other.scheme &&
    (host === null || host.toLowerCase() === other.host!.toLowerCase())
  ) return { client: claim.client, scheme: claim.scheme, host };
  report("Forwarded and X-Forwarded-* disagree, the request was refused: let the proxy remove those that it does not set itself");
  throw new PeerError(400, "protocol_error", "Forwarded and X-Forwarded-* disagree");
}

/** What X-Forwarded-For, -Proto and -Host say. */
function byLists(said: Said, trusts: Trusts, report: Report): Claim {
  return {
    client: said.for === null ? null : walk(said.for, trusts, report),
    scheme: said.proto === null ? null : schemeOf(lastOf(said.proto), report),
    host: said.host === null ? null : hostOf(lastOf(said.host), report),
  };
}

function walk(list: string, trusts: Trusts, report: Report): Node | null {
  let client: Node | null = null;
  let end = list.length;
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const comma = end === 0 ? -1 : list.lastIndexOf(",", end - 1);
    const text = list.slice(comma + 1, end).trim();
    end = comma;
    // What nginx calls the peer of a Unix socket.
    if (text === "unix:") {
      if (!trusts(null)) return client;
    } else {
      const node = parseNode(text);
      if (node === null) report("X-Forwarded-For holds what is no address: the addresses left of it do not count");
      if (node === null || node === "hidden") return client;
      client = node;
      if (!trusts(node[0])) return client;
    }
    if (comma < 0) return client;
  }
  return client;
}

/** What Forwarded says. */
function byElements(text: string, trusts: Trusts, report: Report): Claim {
  const elements = new Elements(text);
  let client: Node | null = null;
  let scheme: Claim["scheme"] = null;
  let host: string | null = null;
  for (let hop = 0; hop < MAX_HOPS && !elements.isOver; hop++) {
    const element = elements.next();
    if (element === null) {
      report("Forwarded holds a malformed element: it and those left of it do not count");
      break;
    }
    // Each element is the word of a proxy that is trusted; the one further out knows better.
    if (element.proto !== null) scheme = schemeOf(element.proto, report) ?? scheme;
    if (element.host !== null) host = hostOf(element.host, report) ?? host;
    if (element.for === null) break;
    const node = parseNode(element.for);
    if (node === null) report("Forwarded names a peer that is no address: the elements left of it do not count");
    if (node === null || node === "hidden") break;
    client = node;
    if (!trusts(node[0])) break;
  }
  return { client, scheme, host };
}

function lastOf(list: string): string {
  return list.slice(list.lastIndexOf(",") + 1).trim();
}

function schemeOf(text: string, report: Report): Claim["scheme"] {
  if (text.length <= 5) {
    const scheme = text.toLowerCase();
    if (scheme === "https" || scheme === "wss") return "https";
    if (scheme === "http" || scheme === "ws") return "http";
  }
  report("A proxy names a scheme that is neither http nor https: it is ignored");
  return null;
}

function hostOf(text: string, report: Report): string | null {
  if (text !== "" && text.length <= MAX_HOST_CHARS && !text.startsWith(":") && isHost(text)) return text;
  report("A proxy names a host that is none: it is ignored");
  return null;
}

function portOf(list: string, report: Report): number | null {
  const text = lastOf(list);
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port > 0 && port <= 65_535) return port;
  report("X-Forwarded-Port is no port: it is ignored");
  return null;
}

function prefixOf(list: string, report: Report): string {
  const text = lastOf(list);
  if (text.length <= MAX_PREFIX_CHARS && PREFIX.test(text)) return text.endsWith("/") ? text.slice(0, -1) : text;
  report("X-Forwarded-Prefix is no mount point such as /api: it is ignored");
  return "";
}

function withHost(headers: Pairs, host: string | null, port: number | null): Pairs {
  const at = headers.findIndex(([name]) => name === "host");
  let value = host ?? headers[at]?.[1] ?? "";
  // A Host that names a port is what the client used. Behind a Host without, these two are more often those of an inner proxy than not.
  if (port !== null && port !== 80 && port !== 443 && value !== "" && value.lastIndexOf(":") <= value.lastIndexOf("]")) value += `:${port}`;
  if (at < 0) return value === "" ? headers : [...headers, ["host", value]];
  if (headers[at]![1] === value) return headers;
  const changed = [...headers];
  changed[at] = ["host", value];
  return changed;
}
