/**
 * Which engine serves a configuration, why, and what the other one would cost or give. Decided before anything listens.
 *
 * `deno` on loopback, private and link-local addresses, on Unix sockets, and behind a proxy that is named; `node` on any other address, and
 * where an option asks for what only `node` can do. A host name counts as public unless it is `localhost`: what a name server says today
 * must not change what is served tomorrow.
 *
 * @module
 */

import type { ListenAddress } from "../engines/listener_settings.ts";
import { StartupError } from "../spec/errors.ts";
import { listenText } from "./listeners.ts";
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

/** What it would cost or give. */
const OTHER: Readonly<Record<EngineChoice["name"], string>> = {
  deno: "node would add timeouts and limits on clients, for about twice the CPU per request",
  node: "deno would take about half the CPU per request, without timeouts and limits on clients",
};

/**
 * Chooses.
 *
 * @param listens Workers listen themselves.
 * @throws {StartupError} Where the engine that was asked for can't do what another option asks for.
 */
export function chooseEngine(
  { engine, listeners, nodeNeeds, trust }: Pick<Settings, "engine" | "listeners" | "nodeNeeds" | "trust">,
  listens = false,
): EngineChoice {
  const open = listeners.map(({ at }) => at).find(isPublicListener);
  const isExposed = open !== undefined && trust === null;
  if (engine === "deno") {
    if (nodeNeeds.length > 0) {
      throw new StartupError(
        `The engine "deno" was asked for, and can't do what ${listed(nodeNeeds)}: the engine "node" can (auto takes it)`,
        {
          exitCode: 2,
        },
      );
    }
    return chosen("deno", "as asked", isExposed ? PUBLIC_WARNING : listens ? LOSS_WARNING : null);
  }
  if (engine === "node") return chosen("node", "as asked");
  if (nodeNeeds.length > 0) return chosen("node", `for what ${listed(nodeNeeds)}`);
  if (listens) return chosen("node", "its workers share one socket, and no request is lost where one is replaced");
  if (isExposed) return chosen("node", `${listenText(open)} is a public address`);
  if (open !== undefined) return chosen("deno", "a proxy is in front");
  if (listeners.every(({ at }) => at.kind === "unix")) return chosen("deno", "the socket is local");
  return chosen("deno", "the address is not public");
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
function isPublicListener(at: ListenAddress): boolean {
  return at.kind === "tcp" && isPublic(at.host);
}

function listed(needs: readonly string[]): string {
  if (needs.length === 1) return `${needs[0]} asks for`;
  return `${needs.slice(0, -1).join(", ")} and ${needs.at(-1)} ask for`;
}

function chosen(name: EngineChoice["name"], why: string, warning: string | null = null): EngineChoice {
  return { name, why, other: OTHER[name], warning };
}
