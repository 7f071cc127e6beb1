/**
 * Which engine serves a configuration, why, and what the other one would cost or give. Decided before anything listens.
 *
 * `deno` on loopback, private and link-local addresses, on Unix sockets, and behind a proxy whose address is named; `node` on any other
 * address, and where an option asks for what only `node` can do. A host name counts as public unless it is `localhost`: what a name server
 * says today must not change what is served tomorrow. The peers of Unix sockets (`unix`) are no proxy in front of a port.
 *
 * @module
 */

import type { ListenAddress } from "../engines/listener_settings.ts";
import { StartupError } from "../spec/errors.ts";
import type { Settings } from "./settings.ts";

/** What was chosen. */
export interface EngineChoice {
  readonly name: "deno" | "node";
  /** For the banner. */
  readonly why: string;
  /** What the other engine would cost or give, for the banner. */
  readonly other: string;
  /** For the log; `null` where nothing is amiss. */
  readonly warning: string | null;
}

/** What a server on a public address would need and `deno` can't do. */
const PUBLIC_WARNING = 'The engine "deno" serves a public address: it has no timeout for slow or idle clients, no limit on connections, ' +
  'and can\'t disconnect a client that stops reading. Put a reverse proxy in front and name it with --forwarded-allow-ips, or take the engine "node"';

/** What workers that listen themselves lose with `deno`. */
const LOSS_WARNING = 'With the engine "deno", workers that listen themselves lose some connections each time one is replaced or stopped: ' +
  'it can\'t share one socket among them. The engine "node" loses none';

/** For one whose only entry of `--forwarded-allow-ips` is for Unix sockets. */
const UNIX_ONLY = '. The "unix" of --forwarded-allow-ips is for Unix sockets alone';

/** What it would cost or give. */
const OTHER: Readonly<Record<EngineChoice["name"], string>> = {
  deno: "node would add timeouts, limits and certificate reload",
  node: "deno would take less CPU per request, without timeouts and limits on clients",
};

/**
 * Refuses what does not go together.
 *
 * @throws {StartupError} Where the engine that was asked for can't do what another option asks for.
 */
export function checkEngine({ engine, nodeNeeds }: Pick<Settings, "engine" | "nodeNeeds">): void {
  if (engine !== "deno" || nodeNeeds.length === 0) return;
  throw new StartupError(`The engine "deno" was asked for, and can't do what ${listed(nodeNeeds)}: the engine "node" can (auto takes it)`, {
    exitCode: 2,
  });
}

/**
 * Chooses.
 *
 * @param listens Workers listen themselves.
 * @throws {StartupError} Where the engine that was asked for can't do what another option asks for.
 */
export function chooseEngine(
  settings: Pick<Settings, "engine" | "listeners" | "nodeNeeds" | "trust">,
  listens = false,
): EngineChoice {
  checkEngine(settings);
  const { engine, listeners, nodeNeeds, trust } = settings;
  const open = listeners.map(({ at }) => at).find(isPublicListener);
  const isExposed = open !== undefined && trust?.namesAddresses !== true;
  if (engine === "deno") {
    const warning = isExposed ? PUBLIC_WARNING + (trust === null ? "" : UNIX_ONLY) : listens ? LOSS_WARNING : null;
    return chosen("deno", "as asked", warning);
  }
  if (engine === "node") return chosen("node", "as asked");
  if (nodeNeeds.length > 0) return chosen("node", `for what ${listed(nodeNeeds)}`);
  if (listens) return chosen("node", "its workers share one socket, and no request is lost where one is replaced");
  if (isExposed) return chosen("node", publicText(open.host));
  if (open !== undefined) return chosen("deno", "a proxy is in front, and who connects past it meets no limits");
  if (listeners.every(({ at }) => at.kind === "unix")) return chosen("deno", "the socket is local");
  return chosen("deno", "the address is not public");
}

/** What was chosen, and why, for the banner. */
export function engineText({ name, why, other }: Omit<EngineChoice, "warning">): string {
  return `engine ${name}: ${why}, ${other}`;
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

// What an inherited descriptor listens on was chosen by whoever opened it; that needs `node` anyway.
function isPublicListener(at: ListenAddress): at is ListenAddress & { kind: "tcp" } {
  return at.kind === "tcp" && isPublic(at.host);
}

function publicText(host: string): string {
  const isAddress = host.includes(":") || /^\d+(?:\.\d+){3}$/.test(host);
  return isAddress ? `${host} is a public address` : `${host} is a name, which is not looked up and counts as public`;
}

function listed(needs: readonly string[]): string {
  if (needs.length === 1) return `${needs[0]} asks for`;
  return `${needs.slice(0, -1).join(", ")} and ${needs.at(-1)} ask for`;
}

function chosen(name: EngineChoice["name"], why: string, warning: string | null = null): EngineChoice {
  return { name, why, other: OTHER[name], warning };
}
