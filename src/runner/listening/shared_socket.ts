/**
 * A listening TCP socket that the server holds for its workers: it never accepts, they do. So no connection is lost where a worker ends:
 * what nobody has accepted yet waits for another one.
 *
 * @module
 */

import { listenError } from "../../engines/listen_error.ts";
import type { ListenAddress, ListenerSettings } from "../../engines/listener_settings.ts";
import { StartupError } from "../../spec/errors.ts";
import { describeDescriptor } from "../descriptor.ts";
import type { Libc } from "./libc.ts";

/** A socket. */
export interface SharedSocket {
  readonly fd: number;
  readonly addr: Deno.NetAddr;
  /** Connections are refused once no worker has it either. */
  close(): void;
}

/**
 * Opens it, or takes the one that this process has inherited.
 *
 * @throws {StartupError} With one line that says why not.
 */
export function openSharedSocket({ at, backlog }: ListenerSettings, libc: Libc): SharedSocket {
  if (at.kind === "fd") return inherited(at.fd);
  if (at.kind === "unix") throw unixProblem(at.path);
  const before = new Set(sockets());
  const listener = listen(at);
  try {
    const { hostname, port } = listener.addr as Deno.NetAddr;
    const fd = sockets().find((fd) => !before.has(fd) && isListener(fd, port));
    if (fd === undefined) throw new StartupError(`The descriptor of ${at.host}:${port} was not found in /proc/self/fd`);
    if (backlog !== undefined) libc.listen(fd, backlog);
    return { fd, addr: { transport: "tcp", hostname, port }, close: () => listener.close() };
  } catch (error) {
    listener.close();
    throw error;
  }
}

/**
 * Looks whether an address can be had, and what port 0 is: workers open it themselves, each with a socket of its own.
 *
 * @throws {StartupError} With one line that says why not.
 */
export function findPort(at: ListenAddress): Deno.NetAddr {
  if (at.kind === "unix") throw unixProblem(at.path);
  if (at.kind === "fd") throw new StartupError('The engine "deno" can\'t listen on an inherited descriptor: the engine "node" can');
  const listener = listen(at);
  const { hostname, port } = listener.addr as Deno.NetAddr;
  listener.close();
  return { transport: "tcp", hostname, port };
}

function listen({ host, port }: ListenAddress & { kind: "tcp" }): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: host, port });
  } catch (error) {
    throw listenError(error, `${host}:${port}`, port);
  }
}

function inherited(fd: number): SharedSocket {
  const what = procOf(() => describeDescriptor(fd));
  if (what.kind === "unix") throw unixProblem(what.path);
  if (what.kind === "other") throw new StartupError(`Descriptor ${fd} ${what.what}: pass a TCP socket that listens`);
  // Deno has no way to close what it has not opened; it goes with the process.
  return { fd, addr: { transport: "tcp", hostname: what.host, port: what.port }, close: () => {} };
}

function isListener(fd: number, port: number): boolean {
  const what = procOf(() => describeDescriptor(fd));
  return what.kind === "tcp" && what.port === port;
}

function sockets(): number[] {
  return procOf(() => {
    const fds: number[] = [];
    for (const { name } of Deno.readDirSync("/proc/self/fd")) {
      try {
        if (Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("socket:")) fds.push(Number(name));
      } catch (error) {
        // The one that the folder was read by.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    return fds;
  });
}

function procOf<R>(read: () => R): R {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable) && !(error instanceof Deno.errors.NotFound)) throw error;
    throw new StartupError("Workers that listen themselves need Linux and a server with --allow-all: descriptors are found in /proc", {
      cause: error,
    });
  }
}

function unixProblem(path: string): StartupError {
  return new StartupError(
    `Workers that listen themselves can't share the Unix socket ${path}: Deno never serves an inherited one. Give a TCP address, or take ` +
      "worker processes behind the server (--worker-type process)",
    { exitCode: 2 },
  );
}
