/**
 * Whose deno.json and package.json an app gets: Deno reads the configuration once, for the main module, and everything the process
 * imports lives under it.
 *
 * With `deno run jsr:@pagi/server app.ts`, and with a name of that configuration such as `deno run @pagi/server app.ts`, it is the one
 * of the working directory. With `deno run cli.ts app.ts` it is the one beside `cli.ts`, so the imports of an app with a configuration of
 * its own would be resolved wrongly, or not at all: that is said before.
 *
 * @module
 */

import { filePath, folderOf, pathUrl } from "./app_reference.ts";

const DENO_FILES = ["deno.json", "deno.jsonc"] as const;

/** What makes the name `@pagi/server` known to a configuration. */
export const IMPORTS = '"imports": { "@pagi/server": "jsr:@pagi/server@^0.1.0" }';

/** Keys of a deno.json that change how an app runs. */
const DENO_KEYS = ["imports", "importMap", "scopes", "compilerOptions", "links", "patch", "nodeModulesDir", "unstable"] as const;
/** Keys of a package.json that do. */
const PACKAGE_KEYS = ["dependencies", "devDependencies", "optionalDependencies", "imports"] as const;

/** A configuration that an app needs and this process does not run under. */
export interface ForeignConfig {
  readonly folder: string;
  /** Its path. */
  readonly file: string;
  /** The folder of the configuration that applies; `null` where none does. */
  readonly applied: string | null;
}

/**
 * Finds the configuration nearest to an app where it is another one than the process runs under; else `null`.
 *
 * @param appPath An absolute path.
 */
export function foreignConfig(appPath: string): ForeignConfig | null {
  const applied = appliedFolder();
  if (applied === undefined) return null;
  const nearest = nearestConfig(folderOf(appPath));
  if (nearest === null || !nearest.matters || applied !== null && isSame(nearest.folder, applied)) return null;
  if (applied !== null && nearest.folder.startsWith(`${applied}/`) && isWorkspace(applied)) return null;
  return { folder: nearest.folder, file: nearest.file, applied };
}

/**
 * Says what to do where an app would not run under its own configuration; else `null`.
 *
 * @param appPath An absolute path.
 */
export function foreignConfigProblem(appPath: string): string | null {
  const foreign = foreignConfig(appPath);
  if (foreign === null) return null;
  const { folder, file, applied } = foreign;
  return `${appPath} has a configuration of its own, ${file}, which would not apply: this process runs under ` +
    `${applied === null ? "none" : `the one in ${applied}`}. ${
      isUnknownTo(file, appPath) ? "Give" : "Leave it to a worker process (--workers 1), which runs under it, or give"
    } that ` +
    `configuration ${IMPORTS} and, before the package is on JSR, "links" to this clone (README, "Your own project"); then: ` +
    `cd ${folder} && deno run -A @pagi/server ${appPath.slice(folder.length).replace(/^\//, "")}`;
}

// The app names the package and the configuration does not: under it, it would not load.
function isUnknownTo(configFile: string, appPath: string): boolean {
  return read(appPath)?.includes("@pagi/server") === true && read(configFile)?.includes("@pagi/server") !== true;
}

/** The nearest folder upwards with a configuration, and whether that would change how an app runs. */
export function nearestConfig(start: string): { folder: string; file: string; matters: boolean } | null {
  for (let folder = start;; folder = folderOf(folder)) {
    let found: string | null = null;
    let matters = false;
    for (const name of [...DENO_FILES, "package.json"]) {
      const path = `${folder === "/" ? "" : folder}/${name}`;
      const text = read(path);
      if (text === null) continue;
      found ??= path;
      if (changes(text, name === "package.json" ? PACKAGE_KEYS : DENO_KEYS)) {
        found = path;
        matters = true;
        break;
      }
    }
    if (found !== null) return { folder, file: found, matters };
    if (folder === "/") return null;
  }
}

/** The file of the configuration that this process runs under; `null` where none applies, `undefined` where that can't be known. */
export function appliedConfig(): string | null | undefined {
  const command = commandLine();
  const explicit = command === null ? null : explicitConfig(command);
  if (explicit !== null) return Deno.realPathSync(explicit);
  const folder = appliedFolder();
  return typeof folder === "string" ? nearestConfig(folder)?.file : folder;
}

// `null`: no configuration applies. `undefined`: that can't be known here.
function appliedFolder(): string | null | undefined {
  if (!Deno.mainModule.startsWith("file:")) return folderFor(commandLine(), null);
  return folderFor(commandLine(), filePath(Deno.mainModule));
}

/**
 * Finds whose configuration applies.
 *
 * @param command The command line up to the arguments of the script; `null` where the system does not tell it.
 * @param mainPath The path of the main module, `null` where it is no file.
 */
export function folderFor(command: readonly string[] | null, mainPath: string | null): string | null | undefined {
  // A main module of a clone may have been a path on the command line, or a name that the app's own configuration knows.
  if (command === null) return undefined;
  if (command.includes("--no-config")) return null;
  const explicit = explicitConfig(command);
  if (explicit !== null) return folderOf(Deno.realPathSync(explicit));
  const main = command.at(-1);
  if (main === undefined) return undefined;
  if (/^https?:/.test(main)) return null;
  if (mainPath !== null && (main.startsWith("file:") || isPathOf(main, mainPath))) return nearestConfig(folderOf(mainPath))?.folder ?? null;
  // `jsr:` and `npm:` specifiers, and names: Deno looks for the configuration from the working directory.
  return nearestConfig(Deno.cwd())?.folder ?? null;
}

function explicitConfig(command: readonly string[]): string | null {
  for (const [index, flag] of command.entries()) {
    const value = /^(?:--config|-c)=(.*)$/s.exec(flag)?.[1] ?? (/^(?:--config|-[A-Za-z]*c)$/.test(flag) ? command[index + 1] : undefined);
    if (value !== undefined) return value;
  }
  return null;
}

// The extension may be left out, and a folder may stand for a file in it.
function isPathOf(main: string, mainPath: string): boolean {
  if (/^(?:jsr|npm):/.test(main)) return false;
  const path = filePath(pathUrl(main).href);
  return mainPath === path || mainPath.startsWith(`${path}.`) || mainPath.startsWith(path.endsWith("/") ? path : `${path}/`);
}

// Up to the arguments of the script.
function commandLine(): string[] | null {
  const text = read("/proc/self/cmdline");
  return text === null ? null : text.split("\0").slice(0, -1 - Deno.args.length);
}

function isSame(folder: string, other: string): boolean {
  return folder === other || Deno.realPathSync(folder) === Deno.realPathSync(other);
}

function isWorkspace(folder: string): boolean {
  for (const name of [...DENO_FILES, "package.json"]) {
    const text = read(`${folder}/${name}`);
    if (text !== null && changes(text, ["workspace", "workspaces"])) return true;
  }
  return false;
}

// A file with comments is searched as text: better one question too many than a wrong import.
function changes(text: string, keys: readonly string[]): boolean {
  try {
    const config: unknown = JSON.parse(text);
    return typeof config === "object" && config !== null && keys.some((key) => key in config);
  } catch {
    return keys.some((key) => text.includes(`"${key}"`));
  }
}

// Synchronous, here and below: nothing is served yet, and a few small files are read several times faster so.
function read(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return null;
  }
}
