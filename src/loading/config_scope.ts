/**
 * Whose deno.json and package.json an app gets: Deno reads the configuration once, for the main module, and everything the process
 * imports lives under it.
 *
 * With `deno run jsr:@pagi/server app.ts` that is the one of the working directory. With `deno run cli.ts app.ts` it is the one beside
 * `cli.ts`, so the imports of an app with a configuration of its own would be resolved wrongly, or not at all: that is said before.
 *
 * @module
 */

import { filePath } from "./app_reference.ts";

const DENO_FILES = ["deno.json", "deno.jsonc"] as const;

/** Keys of a deno.json that change how an app runs. */
const DENO_KEYS = ["imports", "importMap", "scopes", "compilerOptions", "links", "patch", "nodeModulesDir", "unstable"] as const;
/** Keys of a package.json that do. */
const PACKAGE_KEYS = ["dependencies", "devDependencies", "optionalDependencies", "imports"] as const;

/**
 * Says what to do where the configuration nearest to an app is another one than the process runs under; else `null`.
 *
 * @param appPath An absolute path.
 */
export function foreignConfigProblem(appPath: string): string | null {
  const applied = appliedFolder();
  if (applied === undefined) return null;
  const nearest = nearestConfig(folderOf(appPath));
  if (nearest === null || nearest.folder === applied || !nearest.matters) return null;
  if (applied !== null && nearest.folder.startsWith(`${applied}/`) && isWorkspace(applied)) return null;
  return `${appPath} has a configuration of its own, ${nearest.file}, which would not apply: this process runs under ` +
    `${
      applied === null ? "none" : `the one in ${applied}`
    }. Run it from its own folder: cd ${nearest.folder} && deno run -A jsr:@pagi/server ${appPath.slice(nearest.folder.length + 1)}`;
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

// `null`: no configuration applies. `undefined`: that can't be known here.
function appliedFolder(): string | null | undefined {
  const command = commandLine();
  if (command !== null) {
    const flags = command.slice(0, command.length - Deno.args.length);
    if (flags.includes("--no-config")) return null;
    for (const [index, flag] of flags.entries()) {
      const value = /^(?:--config|-c)=(.*)$/s.exec(flag)?.[1] ?? (flag === "--config" || flag === "-c" ? flags[index + 1] : undefined);
      if (value !== undefined) return folderOf(Deno.realPathSync(value));
    }
    const main = flags.at(-1);
    if (main !== undefined && /^(?:jsr|npm):/.test(main)) return nearestConfig(Deno.cwd())?.folder ?? null;
    if (main !== undefined && /^https?:/.test(main)) return null;
  }
  if (!Deno.mainModule.startsWith("file:")) return undefined;
  return nearestConfig(folderOf(filePath(Deno.mainModule)))?.folder ?? null;
}

function commandLine(): string[] | null {
  const text = read("/proc/self/cmdline");
  return text === null ? null : text.split("\0").slice(0, -1);
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

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
