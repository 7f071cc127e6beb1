/**
 * How proxies name a peer: `192.0.2.1`, `192.0.2.1:4711`, `[2001:db8::1]:4711`, `unknown`, `_hidden`. RFC 7239 section 6.
 *
 * @module
 */

import { parseIp } from "./ip.ts";

/** An address and a port, 0 where the port is unknown. */
export type Node = readonly [host: string, port: number];

/** Longest text of a node. */
const MAX_CHARS = 128;
const BRACKETS = /^\[([^\]]+)\](?::(.*))?$/;
const PORT = /^\d{1,5}$/;
/** An identifier that stands for an address which nobody is to know. */
const HIDDEN = /^(?:unknown|_[\w.-]+)$/i;

/**
 * Reads a node.
 *
 * @returns `hidden` where the peer is not named, `null` for what is no node. IPv6 may stand without brackets, then it has no port.
 */
export function parseNode(text: string): Node | "hidden" | null {
  if (text === "" || text.length > MAX_CHARS) return null;
  const colon = text.indexOf(":");
  if (colon < 0 || colon !== text.lastIndexOf(":")) {
    if (text.startsWith("[")) return readBrackets(text);
    if (parseIp(text) !== null) return [text, 0];
    return HIDDEN.test(text) ? "hidden" : null;
  }
  const host = text.slice(0, colon);
  const port = readPort(text.slice(colon + 1));
  if (port === null) return null;
  if (parseIp(host) !== null) return [host, port];
  return HIDDEN.test(host) ? "hidden" : null;
}

function readBrackets(text: string): Node | null {
  const match = BRACKETS.exec(text);
  if (match === null) return null;
  const [, host, digits] = match as unknown as [string, string, string | undefined];
  const port = digits === undefined ? 0 : readPort(digits);
  return port !== null && host.includes(":") && parseIp(host) !== null ? [host, port] : null;
}

function readPort(text: string): number | null {
  if (PORT.test(text)) return Number(text) <= 65_535 ? Number(text) : null;
  return HIDDEN.test(text) && text.startsWith("_") ? 0 : null;
}
