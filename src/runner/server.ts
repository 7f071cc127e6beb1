/**
 * A running server: an engine, a home and the access log, started together and stopped in order.
 *
 * Not here: options and defaults (`settings.ts`), signals (`signals.ts`).
 *
 * @module
 */

import type { TlsReplacing, TlsSettings } from "../engines/listener_settings.ts";
import type { Engine } from "../exchange.ts";
import { systemClock } from "../loading/system.ts";
import { StartupError } from "../spec/errors.ts";
import { AccessLog, accessLogPath } from "./access_log.ts";
import { addressUrl } from "./addresses.ts";
import type { AppHome, OpenHome } from "./app_home.ts";
import { createEngine } from "./create_engine.ts";
import { checkDescriptor } from "./descriptor.ts";
import { chooseEngine, type EngineChoice } from "./engine_choice.ts";
import { openExchanges } from "./counts.ts";
import type { HomeChoice } from "./home_choice.ts";
import { listenText } from "./listeners.ts";
import type { Logging } from "./logging.ts";
import type { Pool } from "./pool/pool.ts";
import type { WorkerInfo } from "./pool/worker_info.ts";
import { portOwner } from "./port_owner.ts";
import { RunnerObserver } from "./runner_observer.ts";
import type { Denial } from "./sandbox/denials.ts";
import type { Settings } from "./settings.ts";
import { TlsReload } from "./tls_reload.ts";

/**
 * A server that runs.
 *
 * @example
 * ```ts
 * import { serve } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serve(async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new Error(`Unsupported scope type: ${scope.type}`);
 *   await send({ type: "http.response.start", status: 200 });
 *   await send({ type: "http.response.body", body: "hello" });
 * }, { port: 0, quiet: true });
 * const response = await fetch(server.url);
 * assertEquals(await response.text(), "hello");
 * assertEquals(server.engine, "deno");
 * ```
 */
export interface Server {
  /** The first address. */
  readonly addr: Deno.Addr;
  /** All addresses, with the ports that were taken for 0. */
  readonly addrs: readonly Deno.Addr[];
  /** The first address as a URL; `unix:PATH` for a Unix socket. */
  readonly url: string;
  /** All of them. */
  readonly urls: readonly string[];
  /** What speaks the wire: what `auto` took, where nothing was asked for. */
  readonly engine: "deno" | "node";
  /** Resolves when the server has stopped; rejects with what made it fail. */
  readonly finished: Promise<void>;
  /** The workers that run the app; none where it runs in this process. */
  workers(): readonly WorkerInfo[];
  /** What an app in a sandbox was denied, as far as it can be seen: derived from Deno's audit log and the flags. */
  denials(): readonly Denial[];
  /**
   * Stops: accepts no more, tells the app, waits for open exchanges up to `graceMs` (default: the shutdown timeout), ends what is left,
   * and lets the app clean up, for at least a second. Asked again, it gives the same promise.
   */
  shutdown(graceMs?: number): Promise<void>;
  /** The same as {@linkcode shutdown}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The time that an app has for its lifespan shutdown, however late the rest was. */
const CLEANUP_MS = 1000;

/** What `--forwarded-allow-ips '*'` means. */
const EVERYBODY_WARNING = "Forwarding headers are taken from everybody: whoever reaches this server without its proxy chooses its own " +
  "address, scheme and host. Name the proxy's address in place of * unless nobody else can connect";

/** Implements {@linkcode Server}. */
export class RunningServer implements Server {
  readonly addrs: readonly Deno.Addr[];
  readonly urls: readonly string[];
  readonly choice: EngineChoice;
  readonly home: HomeChoice;
  readonly finished: Promise<void>;
  readonly #finish: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #parts: Parts;
  readonly #tlsReload: TlsReload | null;
  #stopping: Promise<void> | null = null;

  /**
   * Starts a server.
   *
   * @param stop Aborted, it ends a startup that is still under way.
   * @throws {StartupError} Where the app refuses to start or the address can't be had.
   */
  static async start(home: AppHome, settings: Settings, logging: Logging, stop?: AbortSignal): Promise<RunningServer> {
    const { log } = logging;
    const choice = chooseEngine(settings, home.choice.name === "listener");
    for (const { at } of settings.listeners) if (at.kind === "fd") checkDescriptor(at.fd);
    const { host, pool, ports, sandbox } = await unlessStopped(home.open(log, choice.name), stop).catch((error) => {
      throw explainListen(error, settings);
    });
    // Workers that listen themselves write it themselves.
    const accessLog = settings.accessLog === false || ports !== null
      ? null
      : AccessLog.open(settings.accessLog, settings.accessLogFormat, (problem) => log("error", problem));
    const observer = new RunnerObserver(accessLog, log);
    const end = () => void host.stop(0);
    try {
      const engine = ports ?? await createEngine(choice.name, settings);
      stop?.addEventListener("abort", end, { once: true });
      if (stop?.aborted) throw stopped();
      await host.start({
        isWorker: false,
        lifespan: settings.lifespan,
        lifespanStartupTimeoutMs: settings.lifespanStartupTimeoutMs,
        limits: settings.limits,
        validateEvents: settings.validateEvents,
      });
      stop?.removeEventListener("abort", end);
      let addrs: readonly Deno.Addr[];
      try {
        addrs = await engine.listen(host, observer);
      } catch (error) {
        await host.stop(Math.max(CLEANUP_MS, settings.shutdownTimeoutMs));
        throw explainListen(error, settings);
      }
      return new RunningServer(
        { settings, logging, accessLog, host, pool, ports, sandbox, observer, engine },
        { choice, home: home.choice },
        addrs,
      );
    } catch (error) {
      ports?.drain();
      await accessLog?.close();
      throw error;
    } finally {
      stop?.removeEventListener("abort", end);
    }
  }

  private constructor(parts: Parts, { choice, home }: { choice: EngineChoice; home: HomeChoice }, addrs: readonly Deno.Addr[]) {
    this.#parts = parts;
    this.home = home;
    const { settings, logging, engine, host } = parts;
    this.addrs = addrs;
    this.urls = addrs.map((addr, index) => addressUrl(addr, settings.listeners[index]!.tls !== null));
    this.choice = choice;
    if (choice.warning !== null) logging.log("warn", choice.warning);
    if (choice.name === "deno" && settings.nodeNones.length > 0) logging.log("info", nothingText(settings.nodeNones));
    if (settings.trust?.everybody) logging.log("warn", EVERYBODY_WARNING);
    this.#tlsReload = tlsReloadOf(parts);
    this.finished = this.#finish.promise;
    // Whoever waits gets the cause; nobody has to.
    this.finished.catch(() => {});
    engine.finished.catch((error) => this.#failed(error));
    host.lost.then((cause) => this.#failed(new Error(cause)));
  }

  get addr(): Deno.Addr {
    return this.addrs[0]!;
  }

  get url(): string {
    return this.urls[0]!;
  }

  get engine(): "deno" | "node" {
    return this.choice.name;
  }

  shutdown(graceMs: number = this.#parts.settings.shutdownTimeoutMs): Promise<void> {
    this.#stopping ??= this.#stop(graceMs).then(() => this.#finish.resolve(), (error) => this.#finish.reject(error));
    return this.#stopping.then(() => this.finished);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  workers(): readonly WorkerInfo[] {
    return this.#parts.pool?.workers() ?? [];
  }

  denials(): readonly Denial[] {
    return this.#parts.sandbox?.denials() ?? [];
  }

  /** The workers, for whoever changes their number; `null` where there are none. */
  get pool(): Pool | null {
    return this.#parts.pool;
  }

  /** Exchanges that have begun and not ended. */
  get open(): number {
    return this.#parts.ports?.open ?? this.#parts.observer.open;
  }

  /** Writes what the access log holds; settles when it is written. */
  async flush(): Promise<void> {
    await this.#parts.accessLog?.flush();
  }

  /**
   * Opens the file of the access log anew.
   *
   * @returns Its path, `null` where the access log is no file.
   * @throws {StartupError} Where it can't be opened.
   */
  reopenAccessLog(): string | null {
    const { ports, accessLog, settings } = this.#parts;
    if (ports === null) return accessLog?.reopen() ?? null;
    const path = accessLogPath(settings.accessLog);
    if (path === null) return null;
    // Opened here once, so that what is wrong is told once.
    void AccessLog.open(path, settings.accessLogFormat, () => {}).close();
    ports.tell({ is: "reopen" });
    return path;
  }

  /**
   * Reads the files of TLS anew.
   *
   * @returns Whether there was anything to do about them, which the log then tells.
   */
  reloadTls(cause: string): boolean {
    return this.#tlsReload?.reload(cause) ?? false;
  }

  async #stop(graceMs: number): Promise<void> {
    const { engine, host, logging, accessLog } = this.#parts;
    this.#tlsReload?.[Symbol.dispose]();
    const deadline = systemClock.now() + graceMs;
    engine.drain();
    host.drain("shutdown", graceMs / 1000);
    const late = systemClock.after(graceMs, () => {
      if (this.open > 0) logging.log("warn", `The shutdown timeout is over: ${openExchanges(this.open, " is", " are")} ended`);
    });
    try {
      await engine.close(graceMs);
    } finally {
      late.cancel();
      await host.stop(Math.max(CLEANUP_MS, deadline - systemClock.now()));
      await accessLog?.close();
      await logging.flush();
    }
  }

  #failed(cause: unknown): void {
    this.#finish.reject(cause);
    this.#stopping ??= this.#stop(0).catch((error) => this.#parts.logging.log("error", `The stop failed: ${error}`));
  }
}

interface Parts extends OpenHome {
  readonly settings: Settings;
  readonly logging: Logging;
  readonly accessLog: AccessLog | null;
  readonly observer: RunnerObserver;
  readonly engine: Engine;
}

function nothingText(options: readonly string[]): string {
  const [what, change] = options.length === 1
    ? [options[0], "changes"]
    : [`${options.slice(0, -1).join(", ")} and ${options.at(-1)}`, "change"];
  return `${what} ${change} nothing: the engine "deno" has no such limit`;
}

function tlsReloadOf({ settings: { tlsFiles }, engine, logging }: Parts): TlsReload | null {
  if (tlsFiles === null) return null;
  const replaces = (engine: Engine): engine is Engine & TlsReplacing => "replaceTls" in engine;
  const apply = replaces(engine) ? (tls: TlsSettings) => engine.replaceTls(tls) : null;
  return new TlsReload(tlsFiles, { apply, log: (level, text) => logging.log(level, text), clock: systemClock });
}

// What is loaded meanwhile is left alone: nothing has been started.
async function unlessStopped<T>(loading: Promise<T>, stop: AbortSignal | undefined): Promise<T> {
  if (stop === undefined) return await loading;
  const { promise, reject } = Promise.withResolvers<never>();
  const end = () => reject(stopped());
  stop.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([loading, promise]);
  } finally {
    stop.removeEventListener("abort", end);
  }
}

function stopped(): StartupError {
  return new StartupError("The server was stopped during the startup");
}

// The engine knows that a port is taken, the runner knows how to ask by whom.
function explainListen(error: unknown, { listeners }: Settings): unknown {
  if (!(error instanceof StartupError)) return error;
  const at = listeners.map(({ at }) => at).find((at) => at.kind === "tcp" && error.message.startsWith(`${at.host}:${at.port} is in use`));
  if (at?.kind !== "tcp") return error;
  const owner = portOwner(at.port);
  const other = listeners.map(({ at }) => at).find((other) => other !== at && other.kind === "tcp" && other.port === at.port);
  // The engine may have closed its listeners again.
  if (other !== undefined && (owner === null || owner.pid === Deno.pid)) {
    return new StartupError(`The listeners ${listenText(other)} and ${listenText(at)} overlap: leave one of them out`, {
      cause: error.cause,
    });
  }
  const by = owner === null ? "" : owner.pid === Deno.pid ? " by this process" : ` by process ${owner.pid} (${owner.command})`;
  return new StartupError(`Port ${at.port} is already in use${by}: stop it or choose another port (0 takes a free one)`, {
    cause: error.cause,
  });
}
