/**
 * Which engine serves an address, why, and what that costs.
 *
 * @module
 */

import type { Settings } from "./settings.ts";

/** What was chosen. */
export interface EngineChoice {
  readonly name: "deno";
  /** For the banner. */
  readonly why: string;
  /** For the log; `null` where nothing is amiss. */
  readonly warning: string | null;
}

/** What a server on a public address would need and this engine can't do. */
const PUBLIC_WARNING = 'The engine "deno" serves a public address: it has no timeout for slow or idle clients, no limit on connections, ' +
  'and can\'t disconnect a client that stops reading. Put a reverse proxy in front, or wait for the full engine "node" that is to come';

/** Chooses the engine for the addresses that are listened on. */
export function chooseEngine(asked: Settings["engine"], addrs: readonly Deno.Addr[]): EngineChoice {
  if (asked === "deno") return { name: "deno", why: "as asked", warning: null };
  const tcp = addrs.filter((addr): addr is Deno.NetAddr => addr.transport === "tcp");
  if (tcp.length === 0) return { name: "deno", why: "the socket is local", warning: null };
  if (tcp.some((addr) => isPublic(addr.hostname))) return { name: "deno", why: "the only one yet", warning: PUBLIC_WARNING };
  return { name: "deno", why: "the address is not public", warning: null };
}

/** Whether an address is neither loopback, private nor link-local. `0.0.0.0` and `::` are public. */
export function isPublic(address: string): boolean {
  const text = address.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1];
  const parts = (mapped ?? text).split(".");
  if (parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part))) {
    const [a, b] = [Number(parts[0]), Number(parts[1])];
    return !(a === 127 || a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) || (a === 169 && b === 254));
  }
  if (text.includes(":")) return !(text === "::1" || /^f[cd]/.test(text) || /^fe[89ab]/.test(text));
  return text !== "localhost" && !text.endsWith(".localhost");
}
