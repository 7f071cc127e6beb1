/**
 * One listener of the `node` engine: opens it and knows its address.
 *
 * Not here: what becomes of accepted sockets (`node_gate.ts`).
 *
 * @module
 */

import { createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { StartupError } from "../spec/errors.ts";
import { listenError } from "./listen_error.ts";
import type { ListenAddress, ListenerSettings } from "./listener_settings.ts";
import { unmapped } from "./node_proxy_header.ts";
import { TlsDoor } from "./node_tls_door.ts";
import { UnixWatch } from "./node_unix_watch.ts";
import { clearSocketPath } from "./socket_path.ts";

/** Connections that wait for us, where nothing else was said. */
const BACKLOG = 1024;

/** What a server of Node listens with. Not in the types. */
interface Listening {
  readonly _handle: { listen(backlog: number): number } | null;
}

/** A listener. */
export class NodeListener {
  readonly settings: ListenerSettings;
  /** The TLS of connections from now on. */
  door: TlsDoor | null;
  /** The address of every connection; `null` where each has its own. */
  fixed: readonly [host: string, port: number | null] | null = null;
  readonly #accept: (listener: NodeListener, socket: Socket) => void;
  readonly #broken: (error: Error) => void;
  #server: Server;
  #watch: UnixWatch | null = null;

  /**
   * `accept` gets each socket; `broken` is told where the listener can't be opened again.
   *
   * @throws {StartupError} where the certificates can't be used.
   */
  constructor(
    settings: ListenerSettings,
    accept: (listener: NodeListener, socket: Socket) => void,
    broken: (error: Error) => void,
  ) {
    this.settings = settings;
    this.door = settings.tls === null ? null : new TlsDoor(settings.tls);
    this.#accept = accept;
    this.#broken = broken;
    this.#server = this.#create();
  }

  /** Opens it. Rejects with `StartupError`. */
  async listen(): Promise<Deno.Addr> {
    const { at } = this.settings;
    if (at.kind === "unix") await clearSocketPath(at.path);
    // Without the permission, node:net throws where nobody can catch it.
    if (at.kind === "tcp") await askForNet(at.host, at.port);
    try {
      const address = this.#address(await this.#open(at));
      if (at.kind === "unix") this.#watch = new UnixWatch(at.path, performance.now(), () => this.#reopen(at));
      return address;
    } catch (error) {
      this.close();
      if (at.kind === "fd" && !(error instanceof StartupError)) {
        throw new StartupError(`${nameOf(at)} is no TCP socket that listens: pass one that does`, { cause: error });
      }
      throw listenError(error, nameOf(at), at.kind === "tcp" ? at.port : undefined);
    }
  }

  /** Descriptors are lacking, so that connections could not be accepted. */
  starves(): void {
    this.#watch?.suspect();
  }

  /**
   * Accepts on, should that have ended. To be called a few times a second.
   *
   * In Deno an error of `accept`, such as the lack of a descriptor, reaches nobody, and the listener is not looked at again (denoland/deno,
   * libs/core/uv_compat/tcp.rs). To listen once more on the same handle is to look again: it costs nothing where nothing is amiss, and
   * connections that wait are not lost. Only a Unix listener does not take that.
   */
  resume(now: number): void {
    if (this.#watch === null) (this.#server as unknown as Listening)._handle?.listen(this.settings.backlog ?? BACKLOG);
    else this.#watch.look(now);
  }

  /** Accepts no more. */
  close(): void {
    if (this.#server.listening) this.#server.close();
  }

  #create(): Server {
    // As node:http has it: a client that has sent all may still read. HTTP/2 and TLS do not know that state.
    const halfOpen = this.settings.tls === null;
    return createServer({ allowHalfOpen: halfOpen, noDelay: true }, (socket) => {
      this.#watch?.accepted();
      this.#accept(this, socket);
    });
  }

  /** Cuts off those that wait. */
  #reopen(at: ListenAddress): void {
    this.#server.close();
    this.#server = this.#create();
    this.#open(at).catch(this.#broken);
  }

  #open(at: ListenAddress): Promise<ListenAddress> {
    const { promise, resolve, reject } = Promise.withResolvers<ListenAddress>();
    this.#server.on("error", reject);
    this.#server.once("listening", () => resolve(at));
    const backlog = this.settings.backlog ?? BACKLOG;
    // Binding a path is synchronous, so the mask holds for this file alone, and the file is never open to more users than it should be.
    const mask = at.kind === "unix" ? Deno.umask(0o777 & ~at.mode) : null;
    try {
      this.#server.listen({ ...target(at), backlog, ...(this.settings.reusePort === true ? { reusePort: true } : {}) } as ListenOptions);
    } finally {
      if (mask !== null) Deno.umask(mask);
    }
    return promise;
  }

  #address(at: ListenAddress): Deno.Addr {
    if (at.kind === "unix") {
      this.fixed = [at.path, null];
      return { transport: "unix", path: at.path };
    }
    const address = this.#server.address();
    // Deno takes an inherited Unix socket, but never serves a connection of it, and knows no address of it.
    if (address === null || typeof address === "string") {
      throw new StartupError(`${nameOf(at)} is a Unix socket, and Deno never serves an inherited one: let the server open its path itself`);
    }
    const isAny = address.address === "0.0.0.0" || address.address === "::";
    this.fixed = isAny ? null : [unmapped(address.address), address.port];
    return { transport: "tcp", hostname: address.address, port: address.port };
  }
}

function nameOf(at: ListenAddress): string {
  return at.kind === "tcp" ? `${at.host}:${at.port}` : at.kind === "unix" ? at.path : `Descriptor ${at.fd}`;
}

function target(at: ListenAddress): ListenOptions & { fd?: number } {
  return at.kind === "tcp" ? { host: at.host, port: at.port } : at.kind === "unix" ? { path: at.path } : { fd: at.fd };
}

async function askForNet(host: string, port: number): Promise<void> {
  const { state } = await Deno.permissions.request({ name: "net", host: `${host.includes(":") ? `[${host}]` : host}:${port}` });
  if (state !== "granted") throw new StartupError(`No permission to listen on ${host}:${port}: run again with --allow-net`);
}
