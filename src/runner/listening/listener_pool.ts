/**
 * The home of workers that listen themselves: the ports, and subprocesses of `src/listener.ts` that serve them.
 *
 * Where workers come from and how they end is that of all subprocesses (`../homes/process_home.ts`).
 *
 * @module
 */

import type { AppModule } from "../../loading/load_module.ts";
import { accessLogPath } from "../access_log.ts";
import { ProcessHome, type WorkerProgram } from "../homes/process_home.ts";
import type { WorkerHome } from "../pool/ports.ts";
import type { Settings } from "../settings.ts";
import { listenerLoad } from "./listener_load.ts";
import { ListenerPorts } from "./listener_ports.ts";

/** What they depend on. */
export interface ListenerPoolOptions {
  readonly app: AppModule;
  readonly engine: "deno" | "node";
  readonly settings: Settings;
  /** How often a worker gives a sign of life; 0 is never. */
  readonly heartbeatMs: number;
}

/** Opens the ports. Throws `StartupError` where one can't be had. */
export function listenerPool(options: ListenerPoolOptions): { readonly ports: ListenerPorts; readonly home: WorkerHome } {
  const { app, engine, settings, heartbeatMs } = options;
  const ports = ListenerPorts.open(engine, settings.listeners);
  const program: WorkerProgram = {
    name: "listener",
    main: import.meta.resolve("../../listener.ts"),
    // `reusePort` is unstable, and a child may have the flag without its parent.
    flags: engine === "deno" ? ["--unstable-net"] : [],
    load: () => listenerLoad(app, engine, ports.listeners, settings),
    start: (spawn) => ports.inherit(spawn),
    relaysOutput: settings.accessLog !== false && accessLogPath(settings.accessLog) === null,
  };
  const { workers: { memoryBytes }, env } = settings;
  return { ports, home: new ProcessHome({ load: app, heartbeatMs, memoryBytes, env, sandbox: null, program }) };
}
