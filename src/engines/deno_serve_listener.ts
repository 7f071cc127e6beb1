/**
 * One listener of the `deno` engine: opened, opened anew when accepting fails, and closed.
 *
 * Not here: how its address is bound and what is said where it can't be (`deno_serve_listen.ts`).
 *
 * @module
 */

import { HeadReader, type Ids } from "./deno_serve_head.ts";
import { checkListener, serve, type Server } from "./deno_serve_listen.ts";
import type { ListenerSettings } from "./listener_settings.ts";
import { clearSocketPath } from "./socket_path.ts";

/** After that long without a file descriptor to accept with, the listener is opened anew. */
const REOPEN_MS = 150;

/** What a listener asks of its engine. */
export interface ListenerOwner {
  /** Heads are numbered with it. */
  readonly ids: Ids;
  /** No new exchanges are taken. */
  readonly draining: boolean;
  /** Answers a request. */
  handle(heads: HeadReader, request: Request, remote: Deno.Addr): Response | Promise<Response>;
  /** What a handler throws, and what breaks a stream. */
  failed(error: unknown): Response;
  /** A line for the log, of a listener that does not work. */
  trouble(text: string): void;
}

/** Listens. */
export class Listener {
  readonly #settings: ListenerSettings;
  readonly #rootPath: string;
  readonly #owner: ListenerOwner;
  #heads: HeadReader | null = null;
  #server: Server | null = null;
  #port: number;
  #reopening: ReturnType<typeof setTimeout> | null = null;

  /**
   * Opens nothing.
   *
   * @throws {StartupError} where the settings ask for what `Deno.serve` can't do.
   */
  constructor(settings: ListenerSettings, rootPath: string, owner: ListenerOwner) {
    checkListener(settings);
    this.#settings = settings;
    this.#rootPath = rootPath;
    this.#owner = owner;
    this.#port = settings.at.kind === "tcp" ? settings.at.port : 0;
  }

  /**
   * Starts to accept.
   *
   * @throws {StartupError} with one line that says why not.
   */
  async open(): Promise<Deno.Addr> {
    const { at } = this.#settings;
    if (at.kind === "unix") await clearSocketPath(at.path);
    return this.#serve();
  }

  /** Is not opened anew from here on. */
  drain(): void {
    if (this.#reopening !== null) clearTimeout(this.#reopening);
  }

  /** Accepts no more, and ends what is idle; settles when all connections are closed. */
  async shutdown(): Promise<void> {
    await this.#server?.shutdown();
  }

  #serve(): Deno.Addr {
    const owner = this.#owner;
    const server = serve(
      this.#settings,
      this.#port,
      (request, info) => owner.handle(this.#heads!, request, info.remoteAddr),
      (error) => owner.failed(error),
    );
    const { addr } = server;
    let bound: readonly [string, number | null];
    if (addr.transport === "tcp") {
      bound = [addr.hostname, addr.port];
      this.#port = addr.port;
    } else bound = [(addr as Deno.UnixAddr).path, null];
    // The address is known only now; no request comes before this function has returned.
    this.#heads = new HeadReader(bound, this.#settings.tls?.certificates[0]?.cert ?? null, this.#rootPath, owner.ids);
    this.#server = server;
    server.finished.catch((error) => this.#lost(error));
    return addr;
  }

  // Accepting fails where the process has no file descriptor left. Open connections go on, but the listener is gone.
  #lost(error: unknown): void {
    if (this.#owner.draining) return;
    this.#owner.trouble(`The listener failed and is opened anew: ${error}`);
    this.#reopen();
  }

  #reopen(): void {
    this.#reopening = setTimeout(async () => {
      try {
        const { at } = this.#settings;
        if (at.kind === "unix") await clearSocketPath(at.path);
        if (!this.#owner.draining) this.#serve();
      } catch (error) {
        this.#owner.trouble(`The listener could not be opened anew: ${error}`);
        if (!this.#owner.draining) this.#reopen();
      }
    }, REOPEN_MS);
  }
}
