/**
 * The arguments of `deno` for a worker process: the permissions and flags of this process, and the configuration of the app.
 *
 * A worker never gets more permissions than the command line of its server shows: one that was granted at a prompt is not passed on.
 *
 * @module
 */

import { folderOf } from "../../loading/app_reference.ts";
import { appliedConfig, foreignConfig, nearestConfig } from "../../loading/config_scope.ts";
import { StartupError } from "../../spec/errors.ts";

/** What the arguments depend on. */
export interface WorkerCommandOptions {
  /** The command line of this process up to the main module, without the program. */
  readonly parent: readonly string[];
  /** The file of the app, `null` where it is none. */
  readonly appPath: string | null;
  /** The limit of the heap in bytes; 0 is none. */
  readonly memoryBytes: number;
  /** What runs, and flags that it needs; left out: `src/worker.ts`, which needs none. */
  readonly main?: string;
  readonly flags?: readonly string[];
}

const MEBIBYTE = 1_048_576;

/** Deno's permissions. */
const NAMES = ["run", "read", "write", "net", "env", "sys", "ffi", "import"] as const;

/** Deno's permission flags, and letters of them, alone or several in one. Deno takes their values behind a `=` only. */
const PERMISSION = /^(?:--(?:(?:allow|deny|ignore)-[a-z-]+|permission-set)|-[ARWNESIP]+)(?:=.*)?$/s;
/** Flags that are passed on as they are. Deno takes the values of these behind a `=` only, or none. */
const PASSED = /^--(?:unstable(?:-[a-z-]+)?|no-npm|no-remote|cached-only|node-modules-dir|unsafely-ignore-certificate-errors)(?:=.*)?$/s;
/** Flags whose value may be the next argument. */
const VALUED = /^--(?:cert|location|conditions)$/;

/**
 * Makes the arguments, `run` first and the worker's module last.
 *
 * @throws {StartupError} Where the permissions of this process are named by a configuration that the worker does not run under.
 */
export function workerArguments({ parent, appPath, memoryBytes, main, flags: own = [] }: WorkerCommandOptions): string[] {
  const passed = passedFlags(parent);
  const flags = [...passed, ...own.filter((flag) => !passed.includes(flag))];
  const isForeign = appPath !== null && foreignConfig(appPath) !== null;
  const set = isForeign ? flags.find((flag) => /^(?:-[A-Z]*P|--permission-set)/.test(flag)) : undefined;
  if (set !== undefined) {
    throw new StartupError(
      `${set} names permissions of another configuration than the app's, which its workers run under: give them as flags, such as --allow-net`,
    );
  }
  return [
    "run",
    "--no-prompt",
    ...flags,
    ...scopeFlags(parent, isForeign),
    ...flagsFor(workerConfig(appPath), flags.some((flag) => flag.startsWith("--node-modules-dir"))),
    ...heapFlags(memoryBytes),
    main ?? import.meta.resolve("../../worker.ts"),
  ];
}

/** The flags of a command line that a worker gets too. */
export function passedFlags(command: readonly string[]): string[] {
  const flags: string[] = [];
  for (const [index, flag] of command.entries()) {
    const next = command[index + 1];
    if (PERMISSION.test(flag) || PASSED.test(flag) || VALUED.test(flag.split("=", 1)[0]!) && flag.includes("=")) flags.push(flag);
    else if (VALUED.test(flag) && next !== undefined) flags.push(`${flag}=${next}`);
  }
  return flags;
}

/** Whether a flag gives permissions, or takes some. */
export function isPermissionFlag(flag: string): boolean {
  return PERMISSION.test(flag);
}

/** The command line of this process up to its main module; where it is not known, flags for what is granted without a list. */
export function parentCommand(): string[] {
  return commandLine() ?? grantedFlags();
}

/** The command line of this process up to its main module; `null` where the system does not tell it, or not to it. */
export function commandLine(): string[] | null {
  const text = readCommandLine() ?? askCommandLine();
  return text === null ? null : text.split("\0").slice(1, -1 - Deno.args.length);
}

/** Flags for all permissions that this process has without a list. What it has by a list can't be asked for. */
export function grantedFlags(): string[] {
  const granted = NAMES.filter((name) => {
    const { state, partial } = Deno.permissions.querySync({ name });
    return state === "granted" && !partial;
  });
  return granted.length === NAMES.length ? ["-A"] : granted.map((name) => `--allow-${name}`);
}

/** Holds the heap to a limit; 0 is none. */
export function heapFlags(memoryBytes: number): string[] {
  return memoryBytes > 0 ? [`--v8-flags=--max-old-space-size=${Math.floor(memoryBytes / MEBIBYTE)}`] : [];
}

/** Flags for the configuration of the app: the nearest, or none. What is no file, such as a directory, gets that of the server. */
export function configFlags(appPath: string | null, hasModulesDir: boolean): string[] {
  return flagsFor((appPath === null ? appliedConfig() : nearestConfig(folderOf(appPath))?.file) ?? null, hasModulesDir);
}

/** Flags of a command line that go with a configuration: import map and lock file. An app with another one has its own of these. */
export function scopeFlags(command: readonly string[], isForeign: boolean): string[] {
  const flags: string[] = [];
  // The last is the main module.
  for (const [index, flag] of command.slice(0, -1).entries()) {
    const next = index + 1 < command.length - 1 ? command[index + 1]! : "-";
    if (/^--(?:no-lock|frozen(?:=.*)?)$/.test(flag) || !isForeign && /^--(?:import-map|lock)=/.test(flag)) flags.push(flag);
    else if (!isForeign && (flag === "--import-map" || flag === "--lock")) flags.push(next.startsWith("-") ? flag : `${flag}=${next}`);
  }
  return flags;
}

// The app's own, where it has one that changes how it runs; else the one that would apply if it ran in this process.
function workerConfig(appPath: string | null): string | null {
  const own = appPath === null ? null : foreignConfig(appPath);
  if (own !== null) return own.file;
  const applied = appliedConfig();
  if (applied !== undefined || appPath === null) return applied ?? null;
  return nearestConfig(folderOf(appPath))?.file ?? null;
}

// Deno finds packages of a package.json from the module that imports them, once it knows that there is a node_modules.
function flagsFor(config: string | null, hasModulesDir: boolean): string[] {
  if (config === null) return ["--no-config"];
  if (!config.endsWith("/package.json")) return ["--config", config];
  return hasModulesDir ? ["--no-config"] : ["--no-config", "--node-modules-dir=manual"];
}

function readCommandLine(): string | null {
  try {
    return Deno.readTextFileSync("/proc/self/cmdline");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}

// Only a process that may do all reads this file itself.
function askCommandLine(): string | null {
  try {
    const { success, stdout } = new Deno.Command("cat", { args: [`/proc/${Deno.pid}/cmdline`], stdin: "null", stderr: "null" })
      .outputSync();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}
