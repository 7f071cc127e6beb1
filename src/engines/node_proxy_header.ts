/**
 * The header of the PROXY protocol, versions 1 and 2: who the client of a proxy is.
 *
 * Bytes in, plain data out; no socket. Not here: whom to believe (`node_arrival.ts`). Source: proxy-protocol.txt of HAProxy, sections 2.1
 * and 2.2. What a v2 header holds beyond the addresses (TLV) is passed over.
 *
 * @module
 */

import { isIPv4, isIPv6 } from "node:net";

/** The end of a connection that a header names; the port is `null` and the host a path on a Unix socket. */
export type ProxyEnd = readonly [host: string, port: number | null];

/** What the bytes so far are. */
export type ProxyHeader =
  /** Too few to say. */
  | { readonly kind: "partial" }
  /** No header, or a broken one; `problem` follows "the header". */
  | { readonly kind: "bad"; readonly problem: string }
  /** `null` where the proxy speaks for itself (LOCAL), or does not know (UNKNOWN). `length` in bytes. */
  | { readonly kind: "whole"; readonly length: number; readonly source: ProxyEnd | null; readonly destination: ProxyEnd | null };

/** The longest v1 line with its CRLF. */
const MAX_LINE_BYTES = 107;
/** The fixed part of a v2 header. */
const FIXED_BYTES = 16;
/** The longest v2 header that is taken; the addresses and a certificate among the TLVs fit. */
const MAX_HEADER_BYTES = 8192;

const LINE_START = bytesOf("PROXY ");
const SIGNATURE = bytesOf("\r\n\r\n\0\r\nQUIT\n");

const PARTIAL: ProxyHeader = Object.freeze({ kind: "partial" });
const PORT = /^(?:0|[1-9][0-9]{0,4})$/;

/** Reads a header from the first bytes of a connection. */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeader {
  if (bytes.byteLength === 0) return PARTIAL;
  if (begins(bytes, LINE_START)) return bytes.byteLength < LINE_START.byteLength ? PARTIAL : parseLine(bytes);
  if (begins(bytes, SIGNATURE)) return bytes.byteLength < FIXED_BYTES ? PARTIAL : parseBinary(bytes);
  return bad("is missing");
}

function parseLine(bytes: Uint8Array): ProxyHeader {
  const feed = bytes.subarray(0, MAX_LINE_BYTES).indexOf(10);
  if (feed < 0) return bytes.byteLength < MAX_LINE_BYTES ? PARTIAL : bad(`is longer than ${MAX_LINE_BYTES} bytes`);
  if (bytes[feed - 1] !== 13) return bad("does not end with CRLF");
  const line = String.fromCharCode(...bytes.subarray(0, feed - 1));
  const length = feed + 1;
  // What follows UNKNOWN is to be ignored.
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { kind: "whole", length, source: null, destination: null };
  const [, family, from, to, fromPort, toPort, ...more] = line.split(" ");
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isIPv6 : null;
  if (isAddress === null) return bad("names no family of ours");
  if (from === undefined || to === undefined || !isAddress(from) || !isAddress(to)) return bad("holds a broken address");
  if (fromPort === undefined || toPort === undefined || !isPort(fromPort) || !isPort(toPort)) return bad("holds a broken port");
  if (more.length > 0) return bad("is too long");
  return { kind: "whole", length, source: [canonical(from), Number(fromPort)], destination: [canonical(to), Number(toPort)] };
}

function parseBinary(bytes: Uint8Array): ProxyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const command = view.getUint8(12);
  const family = view.getUint8(13);
  const rest = view.getUint16(14);
  if (command >> 4 !== 2) return bad(`is of version ${command >> 4}`);
  const length = FIXED_BYTES + rest;
  if (length > MAX_HEADER_BYTES) return bad(`is longer than ${MAX_HEADER_BYTES} bytes`);
  if ((command & 15) > 1) return bad("holds an unknown command");
  if (family >> 4 > 3 || (family & 15) > 2) return bad("names no family of ours");
  const addressBytes = [0, 12, 36, 216][family >> 4]!;
  const isLocal = (command & 15) === 0;
  if (!isLocal && rest < addressBytes) return bad("is too short for its addresses");
  if (bytes.byteLength < length) return PARTIAL;
  if (isLocal || addressBytes === 0 || (family & 15) === 0) return { kind: "whole", length, source: null, destination: null };
  if (addressBytes === 216) return { kind: "whole", length, source: [path(bytes, 16), null], destination: [path(bytes, 124), null] };
  const size = addressBytes === 12 ? 4 : 16;
  const read = size === 4 ? v4 : v6;
  const ports = FIXED_BYTES + 2 * size;
  return {
    kind: "whole",
    length,
    source: [read(view, FIXED_BYTES), view.getUint16(ports)],
    destination: [read(view, FIXED_BYTES + size), view.getUint16(ports + 2)],
  };
}

/** An IPv4 address that is written as IPv6 becomes itself; any other stays. */
export function unmapped(address: string): string {
  return address.startsWith("::ffff:") && isIPv4(address.slice(7)) ? address.slice(7) : address;
}

function v4(view: DataView, at: number): string {
  return `${view.getUint8(at)}.${view.getUint8(at + 1)}.${view.getUint8(at + 2)}.${view.getUint8(at + 3)}`;
}

function v6(view: DataView, at: number): string {
  const groups = Array.from({ length: 8 }, (_, group) => view.getUint16(at + 2 * group).toString(16));
  return canonical(groups.join(":"));
}

/** As RFC 5952 writes it. */
function canonical(address: string): string {
  if (isIPv4(address)) return address;
  const host = URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? address;
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (mapped === null) return host;
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** Ends at the first NUL, unless it begins with one, as an abstract socket does. */
function path(bytes: Uint8Array, at: number): string {
  const field = bytes.subarray(at, at + 108);
  const end = field.indexOf(0, 1);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, field[0] === 0 && end === 1 ? 0 : end));
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) < 65_536;
}

/** Whether the bytes that are there begin as `start` does. */
function begins(bytes: Uint8Array, start: Uint8Array): boolean {
  const end = Math.min(bytes.byteLength, start.byteLength);
  for (let at = 0; at < end; at++) if (bytes[at] !== start[at]) return false;
  return true;
}

function bad(problem: string): ProxyHeader {
  return { kind: "bad", problem };
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
