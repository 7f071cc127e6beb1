/**
 * How workers are started in a sandbox: what they may do, what they find, and what is told of what they tried.
 *
 * @module
 */

import { nearestConfig } from "../../loading/config_scope.ts";
import type { AppModule } from "../../loading/load_module.ts";
import { configFlags, heapFlags, isPermissionFlag, parentCommand, passedFlags } from "../homes/worker_command.ts";
import type { Log } from "../logger.ts";
import { type Denial, Denials } from "./denials.ts";
import { leavingLinks } from "./leaving_links.ts";
import { denoDirectory, readGraph } from "./module_graph.ts";
import { vetModules, type Vetted } from "./module_vetting.ts";
import { isCovered } from "./permission_cover.ts";
import { type PermissionFlag, withAbsolutePaths, writePermissionFlag } from "./permission_flag.ts";
import { readPermissionSet } from "./permission_set.ts";
import type { SandboxSettings } from "./sandbox_settings.ts";
import { giveTo, WorkerRoom } from "./worker_room.ts";

/** How a worker is started, and what is to be done when it is gone. */
export interface Cell {
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Whom it runs as, where that is somebody else than the server. */
  readonly uid?: number;
  readonly gid?: number;
  /** It is being started. */
  started(): void;
  /** It is gone, or never came. */
  leave(): Promise<void>;
}

/** A plan for all workers of an app. */
export interface SandboxPlan {
  /** Makes room for a worker, whose socket is there already; looks at the modules again. Rejects with `StartupError`. */
  enter(workerNum: number, socketPath: string): Promise<Cell>;
  /** The command line of a worker, for a person to read. */
  command(): string;
  /** What was denied so far. */
  denials(): readonly Denial[];
}

/** What a plan depends on. */
export interface SandboxPlanOptions {
  readonly settings: SandboxSettings;
  readonly load: AppModule;
  /** Of the heap; 0 is no limit. */
  readonly memoryBytes: number;
  /** `PAGI_ENV` of the workers. */
  readonly env: string;
  readonly log: Log;
}

/** Links that are named at startup. */
const MAX_LINKS = 10;

/**
 * Makes a plan: lists the app's modules and looks at them.
 *
 * @throws {StartupError} Where a module is refused, or the permission set is not there.
 */
export async function planSandbox(options: SandboxPlanOptions): Promise<SandboxPlan> {
  const plan = new Plan(options, await denoDirectory());
  const { packages } = await plan.vet();
  if (packages.length > 0) options.log("info", `The app may import packages: ${packages.join(", ")}`);
  plan.warn();
  return plan;
}

class Plan implements SandboxPlan {
  readonly #options: SandboxPlanOptions;
  readonly #denoDir: string;
  readonly #folder: string | null;
  /** As they are passed on. */
  readonly #flags: readonly PermissionFlag[];
  /** And those of the permission set. */
  readonly #all: readonly PermissionFlag[];
  readonly #config: readonly string[];
  readonly #denials: Denials;
  #vetted: Vetted = { hasNpm: false, hasRemote: false, packages: [] };
  #isFirst = true;

  constructor(options: SandboxPlanOptions, denoDir: string) {
    const { settings, load, log } = options;
    const serverFolder = Deno.cwd();
    this.#options = options;
    this.#denoDir = denoDir;
    this.#folder = load.path === null ? null : load.path.slice(0, load.path.lastIndexOf("/")) || "/";
    this.#flags = settings.permissions.map((flag) => withAbsolutePaths(flag, serverFolder));
    const config = this.#folder === null ? null : nearestConfig(this.#folder);
    const { permissionSet } = settings;
    const set = permissionSet === null ? [] : readPermissionSet(config?.file ?? null, permissionSet);
    this.#all = [...this.#flags, ...set];
    this.#config = [...configFlags(load.path, true), ...folderFlags(config?.folder ?? null)];
    this.#denials = new Denials(this.#all, log);
  }

  async vet(): Promise<Vetted> {
    const imports = this.#flags.filter(({ name }) => name === "import").map(writePermissionFlag);
    const { load } = this.#options;
    const graph = await readGraph(load.specifier, [...this.#config, ...imports], this.#denoDir);
    this.#vetted = vetModules(graph, this.#folder, this.#all);
    return this.#vetted;
  }

  warn(): void {
    const { log } = this.#options;
    for (const name of ["run", "ffi"] as const) {
      if (this.#all.some((flag) => flag.effect === "allow" && flag.name === name)) {
        log("warn", `--allow-${name} ends the sandbox for what it allows: such code runs outside of Deno's permissions`);
      }
    }
    if (this.#folder !== null && isCovered(this.#all, "write", this.#folder)) {
      log("warn", `The app may write to its own folder, ${this.#folder}: modules that it writes can import any file as text`);
    }
    const folders = this.#all.flatMap(({ effect, name, values }) =>
      effect === "allow" && (name === "read" || name === "write") ? values ?? [] : []
    );
    const { links, isWhole } = leavingLinks(folders, MAX_LINKS);
    for (const { path, target } of links) log("warn", `${path} leads out of the allowed folders, to ${target}: the app may go there too`);
    if (!isWhole) log("warn", "There are more entries in the allowed folders than are searched for symbolic links");
  }

  async enter(workerNum: number, socketPath: string): Promise<Cell> {
    const { settings } = this.#options;
    // An app that may write could have changed its modules.
    if (!this.#isFirst) await this.vet();
    this.#isFirst = false;
    const room = await WorkerRoom.make(this.#denoDir, settings);
    try {
      for (const path of [socketPath, socketPath.slice(0, socketPath.lastIndexOf("/"))]) await giveTo(path, settings);
    } catch (error) {
      await room.leave();
      throw error;
    }
    const cwd = settings.cwd ?? room.cwd;
    const audit: Record<string, string> = room.auditPath === null ? {} : { DENO_AUDIT_PERMISSIONS: room.auditPath };
    return {
      args: this.#args(socketPath),
      env: { ...this.#env(room.denoDir), ...audit },
      cwd,
      ...(settings.uid === null ? {} : { uid: settings.uid }),
      ...(settings.gid === null ? {} : { gid: settings.gid }),
      started: () => room.listen((line) => this.#denials.observe(workerNum, line, socketPath, cwd)),
      leave: () => room.leave(),
    };
  }

  command(): string {
    const env = Object.entries(this.#env("DENO_DIR_OF_THE_WORKER")).map(([name, value]) => quoted(`${name}=${value}`));
    return ["env", "-i", ...env, ...[Deno.execPath(), ...this.#args("SOCKET_OF_THE_WORKER")].map(quoted)].join(" ");
  }

  denials(): readonly Denial[] {
    return this.#denials.list();
  }

  #env(denoDir: string): Record<string, string> {
    return { ...this.#options.settings.env, PAGI_ENV: this.#options.env, DENO_DIR: denoDir, NO_COLOR: "1" };
  }

  #args(socketPath: string): string[] {
    const { load, memoryBytes, settings } = this.#options;
    const { hasNpm, hasRemote } = this.#vetted;
    return [
      "run",
      "--no-prompt",
      "--cached-only",
      ...(hasNpm ? [] : ["--no-npm"]),
      ...(hasRemote ? [] : ["--no-remote"]),
      ...(settings.permissionSet === null ? [] : [`--permission-set=${settings.permissionSet}`]),
      ...this.#flags.map(writePermissionFlag),
      `--allow-read=${socketPath}`,
      `--allow-write=${socketPath}`,
      `--allow-net=unix:${socketPath}`,
      ...passedFlags(parentCommand()).filter((flag) =>
        !isPermissionFlag(flag) && !flag.startsWith("--node-modules-dir") && !OWN.test(flag)
      ),
      ...this.#config,
      ...heapFlags(memoryBytes),
      mainModule(load.specifier),
    ];
  }
}

/** Flags that a sandbox sets itself. */
const OWN = /^--(?:no-npm|no-remote|cached-only)$/;

// A package of an app must not be installed into its folder when it starts: scripts of packages run without a sandbox then.
function folderFlags(folder: string | null): string[] {
  const has = (name: string) => {
    try {
      return folder !== null && Deno.statSync(`${folder}/${name}`) !== null;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  };
  return [`--node-modules-dir=${has("node_modules") ? "manual" : "none"}`, has("deno.lock") ? "--frozen" : "--no-lock"];
}

// What stands in the graph of the main module is loaded without a permission to read: the app's modules are in it by name, though the
// worker runs them when it is told to.
function mainModule(specifier: string): string {
  const worker = import.meta.resolve("../../worker.ts");
  const text = `import ${JSON.stringify(worker)}; if (0) import(${JSON.stringify(specifier)});`;
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
