/**
 * The command line: from arguments to an exit status.
 *
 * 0: stopped cleanly. 1: failed while it ran. 2: wrong usage. 3: the start was refused. An error is one line on standard error; its
 * stack follows only with `--log-level debug`.
 *
 * @module
 */

import { StartupError } from "../spec/errors.ts";
import { type AppSource, referTo } from "../loading/load_app.ts";
import { type AppHome, homeOf, sandboxFor } from "./app_home.ts";
import { type Command, readCommand } from "./arguments.ts";
import { bannerJson, bannerLines } from "./banner.ts";
import { openExchanges } from "./counts.ts";
import { checkEngine } from "./engine_choice.ts";
import { watchFaults } from "../loading/faults.ts";
import { helpText } from "./help.ts";
import { type Logging, openLogging } from "./logging.ts";
import { environmentName, type OptionKey, OPTIONS, type ServeOptions } from "./options.ts";
import type { Pool } from "./pool/pool.ts";
import { printable } from "./printable.ts";
import { RunningServer } from "./server.ts";
import { activate, closeSocket, foreignSockets, takeSockets } from "./socket_activation.ts";
import { environmentOf, type Settings, settle } from "./settings.ts";
import { unknownVariables } from "./unknown_variables.ts";
import { watchSignals, type WorkerActions } from "./signals.ts";
import { VERSION } from "./version.ts";

/**
 * Runs the command line.
 *
 * The caller ends the process with what it returns: an app may hold timers or connections that would keep it alive.
 *
 * @param args What follows the script, as in `Deno.args`.
 * @returns The exit status.
 *
 * @example
 * ```ts ignore
 * import { main } from "@pagi/server";
 *
 * Deno.exit(await main(Deno.args));
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await run(readCommand(args, (name) => Deno.env.get(name)));
  } catch (error) {
    return report(error, args);
  }
}

async function run(command: Command): Promise<number> {
  const { eval: code, help, version, printSandbox, ...options } = command.options;
  if (help) return print(helpText());
  if (version) return print(`pagi ${VERSION} (deno ${Deno.version.deno})\n`);
  const name = (key: OptionKey) => command.variables.has(key) ? environmentName(OPTIONS[key].name) : `--${OPTIONS[key].name}`;
  const foreign = foreignSockets(Deno.env, Deno.pid);
  const { settings, lines, unused } = activate(settle(options as ServeOptions, name), takeSockets(Deno.env, Deno.pid));
  checkEngine(settings);
  // The app finds it there while it loads.
  Deno.env.set("PAGI_ENV", environmentOf(settings.env));
  const logging = openLogging(settings);
  const unknown = unknownVariables(variableNames());
  if (unknown !== null) logging.log("warn", unknown);
  for (const { level, text, fields } of foreign === null ? lines : [foreign, ...lines]) logging.log(level, text, fields);
  for (const socket of unused) await closeSocket(socket);
  const source = {
    args: command.appArguments,
    ...(command.app === undefined ? {} : { app: command.app }),
    ...(code === undefined ? {} : { code }),
  };
  if (printSandbox) return print(`${await sandboxCommand(source, settings, logging)}\n`);
  return await new Run(settings, logging).run(homeOf(source, settings, name));
}

async function sandboxCommand(source: AppSource, settings: Settings, { log }: Logging): Promise<string> {
  const plan = await sandboxFor(referTo(source), settings, log);
  if (plan !== null) return plan.command();
  throw new StartupError("--print-sandbox needs --sandbox: without it, workers have the permissions of the server", { exitCode: 2 });
}

/** What the last lines of the logs may take where the process ends at once. */
const LAST_LINES_MS = 1000;

/** One run, from the start to the end of a signal. */
class Run {
  readonly #settings: Settings;
  readonly #logging: Logging;
  readonly #stop = new AbortController();
  #server: RunningServer | null = null;

  constructor(settings: Settings, logging: Logging) {
    this.#settings = settings;
    this.#logging = logging;
  }

  async run(home: AppHome): Promise<number> {
    const { log } = this.#logging;
    const { signal } = this.#stop;
    using _signals = watchSignals({
      stop: (signal) => this.#onStop(signal),
      kill: () => this.#onKill(),
      ignored: (signal) => {
        if (signal === "SIGHUP" && this.#renew(signal)) return;
        log("warn", `${signal} has no effect: ${noEffect(home)}`);
      },
      ...(home.choice.workers === 0 ? {} : { workers: this.#workerActions() }),
    });
    try {
      const server = await this.#start(home);
      if (server === null) return 0;
      using _faults = watchFaults(log);
      if (!this.#settings.quiet) this.#banner(server);
      const stopped = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      if (!signal.aborted) await Promise.race([server.finished, stopped]);
      await server.shutdown();
      return 0;
    } finally {
      await this.#logging.flush();
    }
  }

  // `null`: a signal came first.
  async #start(home: AppHome): Promise<RunningServer | null> {
    try {
      this.#server = await RunningServer.start(home, this.#settings, this.#logging, this.#stop.signal);
      return this.#server;
    } catch (error) {
      if (this.#stop.signal.aborted) return null;
      throw error;
    }
  }

  // Before the server is there, and while it stops, the number of workers is settled.
  #workerActions(): WorkerActions {
    const tell = (act: (pool: Pool, cause: string) => void) => (signal: Deno.Signal) => {
      const pool = this.#stop.signal.aborted ? null : this.#server?.pool ?? null;
      if (pool === null) this.#logging.log("warn", `${signal} has no effect while the server starts or stops`);
      else act(pool, signal);
    };
    return {
      roll: tell((pool, cause) => {
        this.#renew(cause);
        void pool.roll(cause);
      }),
      grow: tell((pool, cause) => void pool.grow(cause)),
      shrink: tell((pool, cause) => pool.shrink(cause)),
    };
  }

  // What workers do not have: `true` where there was any of it.
  #renew(cause: string): boolean {
    const isReopened = this.#reopen(cause);
    return this.#server?.reloadTls(cause) || isReopened;
  }

  // Whoever rotates the access log has moved its file away.
  #reopen(cause: string): boolean {
    const { log } = this.#logging;
    try {
      const path = this.#server?.reopenAccessLog() ?? null;
      if (path !== null) log("info", `${cause}: the access log is written to ${path}, opened anew`);
      return path !== null;
    } catch (error) {
      log("error", `${cause}: the access log goes on in its old file: ${error instanceof Error ? error.message : error}`);
      return true;
    }
  }

  #banner({ urls, choice, home }: RunningServer): void {
    const { tls, env, logFormat } = this.#settings;
    const facts = { urls, engine: choice.name, why: choice.why, other: choice.other, home, isTls: tls !== null, env };
    write(Deno.stderr, (logFormat === "json" ? bannerJson(facts, Date.now()) : bannerLines(facts).join("\n")) + "\n");
  }

  #onStop(signal: Deno.Signal): void {
    const { log } = this.#logging;
    if (this.#server === null) log("info", `${signal}: stopped during the startup`);
    else log("info", `${signal}: stopping${this.#openText(this.#server.open)}`);
    this.#stop.abort();
  }

  #openText(count: number): string {
    if (count === 0) return "";
    const seconds = this.#settings.shutdownTimeoutMs / 1000;
    return `; ${openExchanges(count, " has", " have")} at most ${seconds} s, Ctrl+C ends ${count === 1 ? "it" : "them"} at once`;
  }

  // Lines on their way are not lost, but a reader that does not read can't hold up the end.
  #onKill(): void {
    this.#logging.log("warn", "SIGINT while stopping: ended at once");
    this.#server?.pool?.kill("the server was ended at once");
    const written = Promise.all([this.#server?.flush(), this.#logging.flushNow()]);
    const late = new Promise((resolve) => setTimeout(resolve, LAST_LINES_MS));
    void Promise.race([written, late]).finally(() => Deno.exit(1));
  }
}

function noEffect({ choice }: AppHome): string {
  return choice.workers === 0
    ? "one process serves, there are no workers to replace"
    : "the server itself can't be replaced while it runs, HUP replaces its workers";
}

// Whoever may read single variables only has no list of them.
function variableNames(): string[] {
  try {
    return Object.keys(Deno.env.toObject());
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}

// What it has to report may be that no variable may be read.
function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

function report(error: unknown, args: readonly string[]): number {
  const isDebug = args.some((arg, index) => arg === "--log-level=debug" || (arg === "debug" && args[index - 1] === "--log-level")) ||
    variable("PAGI_LOG_LEVEL") === "debug";
  const message = error instanceof Error ? error.message : String(error);
  write(Deno.stderr, `error: ${printable(message.replace(/\s*[\r\n]+\s*/g, " "))}\n`);
  if (isDebug) write(Deno.stderr, `${Deno.inspect(error, { colors: false })}\n`);
  return error instanceof StartupError ? error.exitCode : 1;
}

function print(text: string): number {
  write(Deno.stdout, text);
  return 0;
}

function write(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  while (at < bytes.byteLength) at += to.writeSync(bytes.subarray(at));
}
