/**
 * How the app gets to where it lives: into this process, or into the workers of a pool.
 *
 * What workers need is loaded only where there are some. Not here: which home it is (`home_choice.ts`).
 *
 * @module
 */

import type { Host } from "../exchange.ts";
import { foreignConfig } from "../loading/config_scope.ts";
import { type AppSource, loadApp, referTo } from "../loading/load_app.ts";
import type { AppModule } from "../loading/load_module.ts";
import { systemClock, systemFiles } from "../loading/system.ts";
import { InlineHost } from "../sessions/inline_host.ts";
import type { App } from "../spec/app.ts";
import { StartupError } from "../spec/errors.ts";
import { chooseHome, type HomeChoice } from "./home_choice.ts";
import { availableCpus } from "./homes/available_cpus.ts";
import type { ListenerPorts } from "./listening/listener_ports.ts";
import type { Log } from "./logger.ts";
import type { OptionKey } from "./options.ts";
import type { Pool } from "./pool/pool.ts";
import type { WorkerHome } from "./pool/ports.ts";
import type { SandboxPlan } from "./sandbox/sandbox_plan.ts";
import type { Settings } from "./settings.ts";

/** A home that was chosen and is not there yet. */
export interface AppHome {
  readonly choice: HomeChoice;
  /** Loads what it takes: for `inline`, the app. `engine` is for workers that listen themselves. */
  open(log: Log, engine: "deno" | "node"): Promise<OpenHome>;
}

/** A home. */
export interface OpenHome {
  readonly host: Host;
  /** The same, where it is a pool. */
  readonly pool: Pool | null;
  /** What stands in the place of an engine, where workers listen themselves. */
  readonly ports: ListenerPorts | null;
  /** What the app is shut in by, where it is. */
  readonly sandbox: SandboxPlan | null;
}

/** Of a queue of exchanges, … */
const NO_QUEUE = "has no effect: workers that listen themselves have no queue, connections wait in that of the system";

/** A silent worker has missed so many beats. */
const BEATS = 5;

/** The home of an app that is there already, or is about to be. */
export function inlineHome(load: () => Promise<App>, settings: Settings, name: (key: OptionKey) => string): AppHome {
  return {
    choice: { name: "inline", workers: 0, why: "" },
    open(log) {
      warnOfUnused(settings, name, log);
      return openInline(load, log);
    },
  };
}

/**
 * Chooses the home of an app that is named.
 *
 * @param name How an option is called in messages.
 * @throws {StartupError} Where there is no such app, or the options do not go together.
 */
export function homeOf(source: AppSource, settings: Settings, name: (key: OptionKey) => string): AppHome {
  const module = referTo(source);
  const choice = chooseHome(settings.workers, {
    foreignConfig: module.path === null ? null : foreignConfig(module.path)?.file ?? null,
    isSandboxed: settings.sandbox !== null,
    cpus: availableCpus,
    name,
  });
  return {
    choice,
    open(log, engine) {
      if (choice.name === "listener") {
        for (const key of settings.workers.given) {
          if (key === "maxQueue" || key === "queueTimeoutMs") log("warn", `${name(key)} ${NO_QUEUE}`);
        }
        return openListeners(choice.workers, module, engine, settings, log);
      }
      if (choice.name !== "inline") return openPool(choice, module, settings, log);
      warnOfUnused(settings, name, log);
      return openInline(() => loadApp(source), log);
    },
  };
}

async function openInline(load: () => Promise<App>, note: Log): Promise<OpenHome> {
  return { host: new InlineHost(await load(), { clock: systemClock, files: systemFiles, note }), pool: null, ports: null, sandbox: null };
}

async function openPool({ name, workers }: HomeChoice, module: AppModule, settings: Settings, log: Log): Promise<OpenHome> {
  const sandbox = await sandboxFor(module, settings, log);
  const pool = await poolOf(await workerHome(name, module, settings, sandbox), workers, settings, log);
  return { host: pool, pool, ports: null, sandbox };
}

async function openListeners(
  workers: number,
  module: AppModule,
  engine: "deno" | "node",
  settings: Settings,
  log: Log,
): Promise<OpenHome> {
  const { listenerPool } = await import("./listening/listener_pool.ts");
  const { ports, home } = listenerPool({ app: module, engine, settings, heartbeatMs: heartbeatOf(settings) });
  const pool = await poolOf(home, workers, settings, log);
  ports.attach(pool);
  return { host: pool, pool, ports, sandbox: null };
}

async function poolOf(home: WorkerHome, count: number, settings: Settings, log: Log): Promise<Pool> {
  const { Pool } = await import("./pool/pool.ts");
  const { maxQueue, queueTimeoutMs, ...limits } = settings.workers;
  return new Pool({
    home,
    count,
    limits,
    maxQueue,
    queueTimeoutMs,
    shutdownTimeoutMs: settings.shutdownTimeoutMs,
    clock: systemClock,
    log,
    random: Math.random,
  });
}

/**
 * How the app is shut in; `null` where it is not.
 *
 * @throws {StartupError} Where it can't be.
 */
export async function sandboxFor(load: AppModule, { sandbox, workers, env, listeners }: Settings, log: Log): Promise<SandboxPlan | null> {
  if (sandbox === null) return null;
  // Nothing of Deno keeps a subprocess from a descriptor that was inherited, nor asks for a permission to listen on it.
  if (listeners.some(({ at }) => at.kind === "fd")) {
    throw new StartupError("A sandbox does not go with an inherited socket: the app inherits it too, and could listen on it itself", {
      exitCode: 2,
    });
  }
  const { planSandbox } = await import("./sandbox/sandbox_plan.ts");
  return await planSandbox({ settings: sandbox, load, memoryBytes: workers.memoryBytes, env, log });
}

async function workerHome(
  name: HomeChoice["name"],
  load: AppModule,
  settings: Settings,
  sandbox: SandboxPlan | null,
): Promise<WorkerHome> {
  const { workers, env } = settings;
  const heartbeatMs = heartbeatOf(settings);
  if (name === "thread") {
    const { ThreadHome } = await import("./homes/thread_home.ts");
    return new ThreadHome({ load, heartbeatMs });
  }
  const { ProcessHome } = await import("./homes/process_home.ts");
  return new ProcessHome({ load, heartbeatMs, memoryBytes: workers.memoryBytes, env, sandbox });
}

function heartbeatOf({ workers }: Settings): number {
  return Math.ceil(workers.heartbeatTimeoutMs / BEATS);
}

function warnOfUnused({ workers }: Settings, name: (key: OptionKey) => string, log: Log): void {
  for (const key of workers.given) {
    log("warn", `${name(key)} has no effect without ${name("workers")}: the app runs in the server's own process`);
  }
}
