/**
 * Whether flags cover an access: what Deno decides itself, derived once more for the log.
 *
 * Of all flags that speak of a target the most specific one counts, and of equal ones the denial. It enforces nothing.
 *
 * @module
 */

import { isWithin, type PermissionFlag, type PermissionName } from "./permission_flag.ts";

/**
 * Whether an access is covered.
 *
 * @param target As Deno's audit log names it; `null` stands for all, such as the whole environment.
 */
export function isCovered(flags: readonly PermissionFlag[], name: PermissionName, target: string | null): boolean {
  let best = -1;
  let isAllowed = false;
  for (const flag of flags) {
    if (flag.name !== name) continue;
    const rank = rankOf(flag, target);
    const isAllow = flag.effect === "allow";
    if (rank > best || rank === best && rank >= 0 && !isAllow) {
      best = rank;
      isAllowed = isAllow;
    }
  }
  return isAllowed;
}

// How closely a flag speaks of a target; -1: not at all, 0: of everything.
function rankOf({ effect, name, values }: PermissionFlag, target: string | null): number {
  if (values === null) return 0;
  // To ask for all is to ask for what is denied too.
  if (target === null) return effect === "allow" ? -1 : 1;
  return Math.max(-1, ...values.map((value) => rankOfValue(name, value, target)));
}

function rankOfValue(name: PermissionName, value: string, target: string): number {
  switch (name) {
    case "read":
    case "write":
    case "ffi":
      return isWithin(target, value) ? value.length : -1;
    case "net":
    case "import":
      return rankOfHost(value, target, name === "import" ? "443" : null);
    case "env":
      if (value.endsWith("*")) return target.startsWith(value.slice(0, -1)) ? value.length : -1;
      return value === target ? value.length + 1 : -1;
    default:
      return value === target ? value.length : -1;
  }
}

function rankOfHost(value: string, target: string, defaultPort: string | null): number {
  if (value.startsWith("unix:") || target.startsWith("unix:")) return value === target ? value.length : -1;
  // A range of addresses: nobody is told that it was denied what it may have had.
  if (value.includes("/")) return 0;
  const [host, port] = splitHost(value, defaultPort);
  const [wantedHost, wantedPort] = splitHost(hostOf(target), defaultPort);
  if (port !== null && port !== wantedPort) return -1;
  if (host.startsWith("*.")) return wantedHost.endsWith(host.slice(1)) ? host.length : -1;
  return host === wantedHost ? 1000 + (port === null ? 0 : 1) : -1;
}

// Some accesses are named by their URL.
function hostOf(target: string): string {
  const url = /^[a-z]+:\/\//.test(target) ? URL.parse(target) : null;
  if (url === null) return target;
  const port = url.port || (/^(?:https|wss):$/.test(url.protocol) ? "443" : "80");
  return `${url.hostname}:${port}`;
}

function splitHost(text: string, defaultPort: string | null): [host: string, port: string | null] {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text);
  if (match === null) return [text.toLowerCase(), defaultPort];
  return [match[1]!.toLowerCase(), match[2] ?? defaultPort];
}
