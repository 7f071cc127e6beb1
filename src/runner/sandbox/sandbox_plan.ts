/**
 * How workers are started in a sandbox: what they may do, what they find, and what is told of what they tried.
 *
 * @module
 */

import { makeLinkDirectory } from "../../links/link_directory.ts";
import { folderOf } from "../../loading/app_reference.ts";
import { nearestConfig } from "../../loading/config_scope.ts";
import type { AppModule } from "../../loading/load_module.ts";
import type { WorkerCell, WorkerSandbox } from "../homes/process_home.ts";
import { configFlags, heapFlags, isPermissionFlag, parentCommand, passedFlags } from "../homes/worker_command.ts";
import type { Log } from "../logger.ts";
import { type Denial, Denials } from "./denials.ts";
import { leavingLinks } from "./leaving_links.ts";
import { projectFolder, refuseLeavingPackages } from "./project_folder.ts";
import { denoDirectory, readGraph } from "./module_graph.ts";
import { vetModules, type Vetted } from "./module_vetting.ts";
import { isCovered } from "./permission_cover.ts";
import { mergeFlags, type PermissionFlag, withAbsolutePaths, withRoot, writePermissionFlag } from "./permission_flag.ts";
import { readPermissionSet } from "./permission_set.ts";
import type { SandboxSettings } from "./sandbox_settings.ts";
import { guardWrites, temporaryFolder } from "./write_guard.ts";
import { giveTo, type Owner, type Shared, WorkerRoom } from "./worker_room.ts";

/** A plan for all workers of an app. */
export interface SandboxPlan extends WorkerSandbox {
  /** Makes room for a worker; looks at the modules again. Rejects with `StartupError`. */
  enter(workerNum: number): Promise<WorkerCell>;
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
  await plan.guard();
  const { packages } = await plan.vet();
  if (packages.length > 0) options.log("info", `The app may import packages: ${packages.join(", ")}`);
  plan.warn();
  return plan;
}

class Plan implements SandboxPlan {
  readonly #options: SandboxPlanOptions;
  readonly #denoDir: string;
  readonly #folder: string | null;
  /** As they are passed on, with those of the permission set. */
  readonly #flags: readonly PermissionFlag[];
  readonly #config: readonly string[];
  /** Of the server's own command line. */
  readonly #passed: readonly string[];
  /** Beside the configuration. */
  readonly #hasModulesFolder: boolean;
  /** What the app may import from; `null` where it is no file. */
  readonly #project: string | null;
  readonly #denials: Denials;
  #vetted: Vetted = { hasNpm: false, hasRemote: false, packages: [] };
  #isFirst = true;
  /** Where the sockets and rooms of all workers are, as long as there are any. */
  #ward: Promise<string> | null = null;
  #cells = 0;
  #count = 0;

  constructor(options: SandboxPlanOptions, denoDir: string) {
    const { settings, load, log } = options;
    const serverFolder = Deno.cwd();
    this.#options = options;
    this.#denoDir = has(denoDir, ".") ? Deno.realPathSync(denoDir) : denoDir;
    this.#folder = load.path === null ? null : folderOf(load.path);
    const config = this.#folder === null ? null : nearestConfig(this.#folder);
    const { permissionSet } = settings;
    const set = permissionSet === null ? [] : readPermissionSet(config?.file ?? null, permissionSet);
    // A set is passed as flags: the link's own flags would take the place of its lists.
    this.#flags = mergeFlags([...settings.permissions.map((flag) => withAbsolutePaths(flag, serverFolder)), ...set]).map(withRoot);
    this.#config = [...configFlags(load.path, true), has(config?.folder, "deno.lock") ? "--frozen" : "--no-lock"];
    this.#passed = passedFlags(parentCommand()).filter((flag) =>
      !isPermissionFlag(flag) && !flag.startsWith("--node-modules-dir") && !OWN.test(flag)
    );
    this.#hasModulesFolder = has(config?.folder, "node_modules");
    this.#project = projectFolder(this.#folder, config?.folder ?? null);
    this.#denials = new Denials(this.#flags, log);
  }

  async guard(): Promise<void> {
    const warning = guardWrites(this.#flags, { temporary: await temporaryFolder(), denoDir: this.#denoDir });
    if (warning !== null) this.#options.log("warn", warning);
  }

  async vet(): Promise<Vetted> {
    const imports = this.#flags.filter(({ name }) => name === "import").map(writePermissionFlag);
    const { load } = this.#options;
    const flags = [...this.#config, modulesFlag(this.#hasModulesFolder), ...imports];
    const vetted = vetModules(await readGraph(load.specifier, flags, this.#denoDir), this.#project, this.#flags);
    if (this.#usesModulesFolder(vetted)) refuseLeavingPackages(this.#project!, this.#flags);
    this.#vetted = vetted;
    return vetted;
  }

  warn(): void {
    const { log } = this.#options;
    if (this.#project !== this.#folder) log("info", `The app may import what is in ${this.#project}, the folder of its configuration`);
    for (const name of ["run", "ffi"] as const) {
      if (this.#flags.some((flag) => flag.effect === "allow" && flag.name === name)) {
        log("warn", `--allow-${name} ends the sandbox for what it allows: such code runs outside of Deno's permissions`);
      }
    }
    if (this.#project !== null && isCovered(this.#flags, "write", this.#project)) {
      log("warn", `The app may write to its own folder, ${this.#project}: modules that it writes can import any file as text`);
    }
    const folders = this.#flags.flatMap(({ effect, name, values }) =>
      effect === "allow" && (name === "read" || name === "write") ? (values ?? []).filter((path) => path !== "/") : []
    );
    const { links, isWhole } = leavingLinks(folders, MAX_LINKS);
    for (const { path, target } of links) log("warn", `${path} leads out of the allowed folders, to ${target}: the app may go there too`);
    if (!isWhole) log("warn", "There are more entries in the allowed folders than are searched for symbolic links");
  }

  async enter(workerNum: number): Promise<WorkerCell> {
    const { settings } = this.#options;
    // An app that may write could have changed its modules.
    if (!this.#isFirst) await this.vet();
    this.#isFirst = false;
    // An app without packages finds none: their files can be read without a permission.
    const shared: Shared[] = [];
    if (this.#needsRemote) shared.push("remote");
    if (this.#vetted.hasNpm && !this.#hasModulesFolder) shared.push("npm");
    this.#cells++;
    let room: WorkerRoom | null = null;
    try {
      const ward = await (this.#ward ??= makeWard(settings));
      const name = `${ward}/${++this.#count}`;
      room = await WorkerRoom.make(`${name}r`, this.#denoDir, shared, settings);
      await Deno.mkdir(name, { mode: 0o700 });
      return this.#cell(workerNum, ward, name, room);
    } catch (error) {
      await room?.leave();
      await this.#leave();
      throw error;
    }
  }

  #cell(workerNum: number, ward: string, linkFolder: string, room: WorkerRoom): WorkerCell {
    const { settings, log } = this.#options;
    const cwd = settings.cwd ?? room.cwd;
    const audit: Record<string, string> = room.auditPath === null ? {} : { DENO_AUDIT_PERMISSIONS: room.auditPath };
    let socket = "";
    return {
      linkFolder,
      env: { ...this.#env(room.denoDir), ...audit },
      cwd,
      ...(settings.uid === null ? {} : { uid: settings.uid }),
      ...(settings.gid === null ? {} : { gid: settings.gid }),
      admit: async (socketPath) => {
        socket = socketPath;
        for (const path of [linkFolder, socketPath]) await giveTo(path, settings);
        return this.#args(socketPath, ward);
      },
      started: (kill) =>
        room.listen((line) => this.#denials.observe(workerNum, line, socket, cwd), (cause) => {
          log("warn", `Worker ${workerNum} is killed: ${cause}`, { worker: workerNum });
          kill();
        }),
      leave: async () => {
        try {
          await room.leave();
        } finally {
          await this.#leave();
        }
      },
    };
  }

  // Nothing of the last worker stays.
  async #leave(): Promise<void> {
    const ward = this.#ward;
    if (--this.#cells > 0 || ward === null) return;
    this.#ward = null;
    await Deno.remove(await ward, { recursive: true });
  }

  command(): string {
    const env = Object.entries(this.#env("DENO_DIR_OF_THE_WORKER")).map(([name, value]) => quoted(`${name}=${value}`));
    return ["env", "-i", ...env, ...[Deno.execPath(), ...this.#args("SOCKET_OF_THE_WORKER", "FOLDER_OF_SOCKETS")].map(quoted)].join(" ");
  }

  denials(): readonly Denial[] {
    return this.#denials.list();
  }

  // This package may be a remote module itself.
  get #needsRemote(): boolean {
    return this.#vetted.hasRemote || !import.meta.url.startsWith("file:");
  }

  #usesModulesFolder({ hasNpm }: Vetted): boolean {
    return hasNpm && this.#hasModulesFolder;
  }

  // More closely than any other flag: the link's own socket is allowed, those of other workers and their rooms are not.
  #linkFlags(socketPath: string, ward: string): string[] {
    const net = this.#flags.find(({ effect, name }) => effect === "allow" && name === "net");
    return [
      `--allow-read=${socketPath}`,
      `--allow-write=${socketPath}`,
      `--deny-read=${ward}`,
      `--deny-write=${ward}`,
      `--deny-write=${this.#denoDir.replaceAll(",", ",,")}`,
      // A list would take the place of all.
      ...(net?.values === null ? [] : [`--allow-net=unix:${socketPath}`]),
    ];
  }

  #env(denoDir: string): Record<string, string> {
    return { ...this.#options.settings.env, PAGI_ENV: this.#options.env, DENO_DIR: denoDir, NO_COLOR: "1" };
  }

  #args(socketPath: string, ward: string): string[] {
    const { load, memoryBytes } = this.#options;
    const { hasNpm } = this.#vetted;
    return [
      "run",
      "--no-prompt",
      "--cached-only",
      ...(hasNpm ? [] : ["--no-npm"]),
      ...(this.#needsRemote ? [] : ["--no-remote"]),
      ...this.#flags.map(writePermissionFlag),
      ...this.#linkFlags(socketPath, ward),
      ...this.#passed,
      ...this.#config,
      modulesFlag(this.#usesModulesFolder(this.#vetted)),
      ...heapFlags(memoryBytes),
      mainModule(load.specifier),
    ];
  }
}

// Fresh, and named as the directories of links are, so that one of a dead server is swept.
async function makeWard(owner: Owner): Promise<string> {
  const ward = await Deno.realPath(await makeLinkDirectory());
  await giveTo(ward, owner);
  return ward;
}

/** Flags that a sandbox sets itself. */
const OWN = /^--(?:no-npm|no-remote|cached-only)$/;

// A package of an app must not be installed into its folder when it starts: scripts of packages run without a sandbox then.
function modulesFlag(isUsed: boolean): string {
  return `--node-modules-dir=${isUsed ? "manual" : "none"}`;
}

function has(folder: string | undefined, name: string): boolean {
  try {
    return folder !== undefined && Deno.statSync(`${folder}/${name}`) !== null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
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
