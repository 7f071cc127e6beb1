/**
 * The ports of workers that listen themselves, as their server has them: in the place of an engine.
 *
 * For the engine `node` it holds the sockets, and workers inherit them. For `deno`, which can't serve an inherited one, it looks which
 * ports there are, and each worker opens its own socket on them (`reusePort`).
 *
 * @module
 */

import type { ListenerSettings, TlsSettings } from "../../engines/listener_settings.ts";
import type { Capability, Engine } from "../../exchange.ts";
import { WorkerError } from "../../spec/errors.ts";
import { within } from "../../wire/within.ts";
import type { Pool } from "../pool/pool.ts";
import { Libc } from "./libc.ts";
import type { ListenerNews } from "./listener_load.ts";
import { findPort, openSharedSocket, type SharedSocket } from "./shared_socket.ts";

/** The ports. */
export class ListenerPorts implements Engine {
  readonly name = "listener";
  /** Workers say what they can do. */
  readonly capabilities: readonly Capability[] = [];
  /** Resolves after {@linkcode drain}. */
  readonly finished: Promise<void>;
  readonly #finish: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #addrs: readonly Deno.NetAddr[];
  readonly #libc: Libc | null;
  readonly #sockets: readonly SharedSocket[];
  #listeners: readonly ListenerSettings[];
  #pool: Pool | null = null;
  #isDrained = false;

  /**
   * Opens the ports: from then on connections wait for the workers.
   *
   * @throws {StartupError} With one line that says why not.
   */
  static open(engine: "deno" | "node", listeners: readonly ListenerSettings[]): ListenerPorts {
    if (engine === "deno") {
      const addrs = listeners.map(({ at }) => findPort(at));
      return new ListenerPorts(addrs, listeners.map((listener, index) => withPort(listener, addrs[index]!.port)), null, []);
    }
    const libc = new Libc();
    const sockets: SharedSocket[] = [];
    try {
      for (const listener of listeners) sockets.push(openSharedSocket(listener, libc));
    } catch (error) {
      for (const socket of sockets) socket.close();
      libc.close();
      throw error;
    }
    const inherited = listeners.map((listener, index) => ({ ...listener, at: { kind: "fd", fd: sockets[index]!.fd } } as const));
    return new ListenerPorts(sockets.map(({ addr }) => addr), inherited, libc, sockets);
  }

  private constructor(
    addrs: readonly Deno.NetAddr[],
    listeners: readonly ListenerSettings[],
    libc: Libc | null,
    sockets: readonly SharedSocket[],
  ) {
    this.#addrs = addrs;
    this.#listeners = listeners;
    this.#libc = libc;
    this.#sockets = sockets;
    this.finished = this.#finish.promise;
  }

  /** What the next worker is told of its listeners. */
  get listeners(): readonly ListenerSettings[] {
    return this.#listeners;
  }

  /** What `spawn` starts inherits the sockets. */
  inherit<R>(spawn: () => R): R {
    return this.#libc === null ? spawn() : this.#libc.inherit(this.#sockets.map(({ fd }) => fd), spawn);
  }

  /** The workers that serve them. */
  attach(pool: Pool): void {
    this.#pool = pool;
  }

  /** They are open, and the workers listen. */
  listen(): Promise<readonly Deno.Addr[]> {
    return Promise.resolve(this.#addrs);
  }

  /** Gives new connections other certificates, in all workers. */
  replaceTls(tls: TlsSettings): void {
    this.#listeners = this.#listeners.map((listener) => listener.tls === null ? listener : { ...listener, tls });
    if (this.#libc !== null) this.tell({ is: "tls", tls });
    // The engine `deno` keeps the certificate that it has.
    else void this.#workers.roll("The TLS files have changed");
  }

  /** Tells all workers. */
  tell(news: ListenerNews): void {
    this.#workers.tell(news);
  }

  /** Open exchanges of all workers, as they were told last. */
  get open(): number {
    return this.#workers.size;
  }

  /** Lets go of the sockets: connections are refused as soon as the workers, which are told by their pool, do so too. */
  drain(): void {
    if (this.#isDrained) return;
    this.#isDrained = true;
    for (const socket of this.#sockets) socket.close();
    this.#libc?.close();
    this.#finish.resolve();
  }

  /** Waits until the workers have nothing open, at most `graceMs`. */
  async close(graceMs: number): Promise<void> {
    await within(graceMs, this.#workers.idle());
  }

  get #workers(): Pool {
    if (this.#pool === null) throw new WorkerError("The ports have no workers yet");
    return this.#pool;
  }
}

function withPort(listener: ListenerSettings, port: number): ListenerSettings {
  return listener.at.kind === "tcp" ? { ...listener, at: { ...listener.at, port }, reusePort: true } : listener;
}
