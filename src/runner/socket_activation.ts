/**
 * Sockets that a service manager opened before it started this process: `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` of systemd, with
 * descriptors from 3 on.
 *
 * A TCP socket takes the place of the `--listen` of the same address, and is a listener by itself where nothing was said of listeners.
 * Unix sockets are refused: Deno 2.9.6 listens on an inherited one and never answers. The command line does this, `serve()` does not.
 *
 * Not here: how a descriptor is served (the engine `node`), what it is (`descriptor.ts`).
 *
 * @module
 */

import type { ListenAddress, ListenerSettings } from "../engines/listener_settings.ts";
import type { Fields, Level } from "../exchange.ts";
import { StartupError } from "../spec/errors.ts";
import { describeDescriptor, type Descriptor } from "./descriptor.ts";
import { listenText } from "./listeners.ts";
import type { Settings } from "./settings.ts";

/** A TCP socket that was passed. */
export interface PassedSocket {
  readonly fd: number;
  /** Of `LISTEN_FDNAMES`; empty where it has none. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** The environment of the process. */
export interface Variables {
  get(name: string): string | undefined;
  delete(name: string): void;
}

/** A line for the log. */
export interface Line {
  readonly level: Level;
  readonly text: string;
  readonly fields: Fields;
}

/** What became of the sockets. */
export interface Activation {
  readonly settings: Settings;
  /** Those that no listener is for. */
  readonly unused: readonly PassedSocket[];
  readonly lines: readonly Line[];
}

const FIRST_FD = 3;

/** More are a mistake. */
const MAX_FDS = 1024;

const VARIABLES = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"] as const;

/**
 * Takes the sockets that are for this process. The variables are removed in any case: whatever the app starts is not meant.
 *
 * @throws {StartupError} Where a socket can't be served, and says why.
 */
export function takeSockets(
  variables: Variables,
  pid: number,
  describe: (fd: number) => Descriptor = describeDescriptor,
): PassedSocket[] {
  const [forPid, count = "", names = ""] = VARIABLES.map((name) => variables.get(name));
  for (const name of VARIABLES) if (variables.get(name) !== undefined) variables.delete(name);
  if (forPid !== String(pid)) return [];
  if (!/^\d{1,4}$/.test(count) || Number(count) > MAX_FDS) {
    throw new StartupError(`LISTEN_FDS must be a number of sockets from 0 to ${MAX_FDS}, got "${count}"`);
  }
  const labels = names.split(":");
  return Array.from({ length: Number(count) }, (_, index) => passed(FIRST_FD + index, labels[index] ?? "", describe));
}

/**
 * A line for whoever expects sockets that are for another process: `null` where there are none. To be called before
 * {@linkcode takeSockets}, which removes the variables.
 */
export function foreignSockets(variables: Pick<Variables, "get">, pid: number): Line | null {
  const [forPid = "", count = ""] = VARIABLES.map((name) => variables.get(name));
  if (count === "" || count === "0" || forPid === String(pid)) return null;
  const whose = forPid === "" ? "has no LISTEN_PID beside it" : `is for process ${forPid} (LISTEN_PID), not for this one (${pid})`;
  return { level: "warn", text: `LISTEN_FDS ${whose}: its sockets are not taken`, fields: {} };
}

/** Makes listeners of them. */
export function activate(settings: Settings, sockets: readonly PassedSocket[]): Activation {
  if (sockets.length === 0) return { settings, unused: [], lines: [] };
  const free = new Set(sockets);
  const lines: Line[] = [];
  const listeners = settings.listensByDefault ? sockets.map((socket) => byItself(socket, settings)) : settings.listeners.map((listener) => {
    const socket = socketFor(listener.at, free);
    if (socket === null) return listener;
    free.delete(socket);
    return { ...listener, at: { kind: "fd", fd: socket.fd } as const };
  });
  if (settings.listensByDefault) free.clear();
  for (const socket of sockets) {
    const { fd, name, host, port } = socket;
    const fields = { fd, ...(name === "" ? {} : { name }) };
    const what = `Descriptor ${fd} of LISTEN_FDS${name === "" ? "" : ` (${name})`} listens on ${listenText({ kind: "tcp", host, port })}`;
    if (free.has(socket)) lines.push({ level: "warn", text: `${what}, which no --listen names: it is closed`, fields });
    else lines.push({ level: "info", text: `${what} and is served`, fields });
  }
  const isUsed = free.size < sockets.length;
  return {
    settings: { ...settings, listeners, nodeNeeds: isUsed ? [...settings.nodeNeeds, "LISTEN_FDS"] : settings.nodeNeeds },
    unused: [...free],
    lines,
  };
}

/** Closes a socket that was passed and is not used. There is no other way: what Deno has not opened, it closes as the end of a server. */
export async function closeSocket({ fd }: PassedSocket): Promise<void> {
  const { createServer } = process.getBuiltinModule("node:net");
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = createServer((connection) => void connection.destroy());
  server.on("error", () => resolve());
  server.listen({ fd }, () => server.close(() => resolve()));
  await promise;
}

function passed(fd: number, name: string, describe: (fd: number) => Descriptor): PassedSocket {
  let what: Descriptor;
  try {
    what = describe(fd);
  } catch (error) {
    throw new StartupError(
      `What descriptor ${fd} of LISTEN_FDS is can't be read in /proc: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  }
  if (what.kind === "tcp") return { fd, name, host: what.host, port: what.port };
  if (what.kind === "unix") {
    throw new StartupError(
      `LISTEN_FDS passes the Unix socket ${
        what.path || "without a path"
      } (descriptor ${fd}), and Deno listens on an inherited one without ` +
        `ever answering: pass a TCP socket, or leave the activation out and give --listen unix:PATH`,
    );
  }
  throw new StartupError(`LISTEN_FDS passes descriptor ${fd}, which ${what.what}: only TCP sockets that listen can be served`);
}

function byItself({ fd }: PassedSocket, { tls, listeners: [first] }: Settings): ListenerSettings {
  return { ...first!, at: { kind: "fd", fd }, tls };
}

function socketFor(at: ListenAddress, free: ReadonlySet<PassedSocket>): PassedSocket | null {
  if (at.kind !== "tcp") return null;
  const candidates = [...free].filter(({ port }) => port === at.port);
  return candidates.find(({ host }) => isSame(at.host, host)) ?? candidates.find(({ host }) => isAny(at.host) && isAny(host)) ?? null;
}

function isSame(given: string, bound: string): boolean {
  if (given.toLowerCase() === "localhost") return bound === "127.0.0.1" || bound === "::1";
  if (!given.includes(":") || given.includes("%")) return given === bound;
  return new URL(`http://[${given}]/`).hostname === `[${bound}]`;
}

// systemd's ListenStream=80 is [::]:80, which takes IPv4 too.
function isAny(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
