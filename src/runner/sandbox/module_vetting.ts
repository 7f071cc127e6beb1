/**
 * Refuses modules from where an app in a sandbox may not read: Deno checks no permission for what is imported statically, so a text
 * import of `/etc/passwd` works in a process without any.
 *
 * What is computed at run time, Deno checks itself. Between this look and the load a file may change: `docs/sandboxing.md`.
 *
 * @module
 */

import { filePath } from "../../loading/app_reference.ts";
import { StartupError } from "../../spec/errors.ts";
import type { Edge, ModuleGraph } from "./module_graph.ts";
import { isCovered } from "./permission_cover.ts";
import { isWithin, type PermissionFlag } from "./permission_flag.ts";

/** What a graph holds, for the flags of the worker. */
export interface Vetted {
  readonly hasNpm: boolean;
  readonly hasRemote: boolean;
  /** Names of packages, for the log. */
  readonly packages: readonly string[];
}

/** Modules of this package, which every worker loads. */
const OWN = ["src/", "mod.ts"].map((path) => filePath(new URL(`../../../${path}`, import.meta.url).href));

/** Where Deno keeps the modules of `jsr:` specifiers; they never change, like those of npm. */
const JSR = "https://jsr.io/";

/**
 * Looks at every module that would be loaded.
 *
 * @param folder What the app may import from; `null` where it is no file.
 * @throws {StartupError} For the first one that is refused, with its import chain.
 */
export function vetModules(graph: ModuleGraph, folder: string | null, flags: readonly PermissionFlag[]): Vetted {
  const packages = new Set<string>();
  let hasRemote = false;
  const isOwnApp = isOwn(graph.root);
  // Each with the one that imports it, so that a chain can be told.
  const importers = new Map<string, { by: string | null; as?: string }>([[graph.root, { by: null }]]);
  for (const [specifier, { as }] of importers) {
    const problem = isOwnApp ? null : hiddenProblem(specifier, graph.root, folder, flags) ??
      problemOf(specifier, graph.modules.get(specifier)?.error, folder, flags);
    if (problem !== null) throw new StartupError(`${problem}${chainOf(specifier, importers, as)}`);
    if (specifier.startsWith("npm:") || specifier.includes("/node_modules/")) packages.add(specifier);
    if (/^(?:https?|jsr):/.test(specifier)) hasRemote = true;
    // What the package itself imports is its own affair, unless it is the app: then its packages have to be found.
    if (isOwn(specifier) && !isOwnApp) continue;
    for (const edge of graph.modules.get(specifier)?.edges ?? []) follow(edge, specifier, importers);
  }
  return { hasNpm: packages.size > 0, hasRemote, packages: [...packages] };
}

function follow({ target, as }: Edge, by: string, importers: Map<string, { by: string | null; as?: string }>): void {
  if (!importers.has(target)) importers.set(target, { by, ...(as === undefined ? {} : { as }) });
}

// What a project keeps in `.env`, `.npmrc` and `.git` is no module of it. Packages lie in `node_modules/.deno`, and an app may lie in a
// hidden folder itself.
function hiddenProblem(specifier: string, root: string, folder: string | null, flags: readonly PermissionFlag[]): string | null {
  if (folder === null || !specifier.startsWith("file:") || isOwn(specifier)) return null;
  const path = filePath(specifier);
  const ownFolder = root.startsWith("file:") ? filePath(root).replace(/[^/]*$/, "") : folder;
  const inside = path.slice(path.startsWith(ownFolder) ? ownFolder.length : isWithin(path, folder) ? folder.length : path.length);
  if (!/(?:^|\/)\./.test(inside.split("/node_modules/", 1)[0]!) || isCovered(flags, "read", path)) return null;
  return `The app imports ${path}, a hidden file or in a hidden folder: allow it with --allow-read=${path}`;
}

function problemOf(specifier: string, error: string | undefined, folder: string | null, flags: readonly PermissionFlag[]): string | null {
  if (specifier.startsWith("file:")) return isOwn(specifier) ? null : fileProblem(filePath(specifier), folder, flags);
  if (/^https?:/.test(specifier) && !specifier.startsWith(JSR)) {
    const { host, hostname, port, protocol } = new URL(specifier);
    const target = port === "" ? `${hostname}:${protocol === "http:" ? 80 : 443}` : host;
    if (!isCovered(flags, "import", target)) return `The app imports ${specifier}, which needs --allow-import=${target}`;
  }
  if (error !== undefined && /^(?:https?|jsr|npm):/.test(specifier)) {
    return `The app imports ${specifier}, which is not in Deno's cache (a sandbox downloads nothing; "deno cache" does): ${
      error.split("\n")[0]
    }`;
  }
  return null;
}

function fileProblem(path: string, folder: string | null, flags: readonly PermissionFlag[]): string | null {
  if (!isAllowed(path, folder, flags)) return refusal(path, path, "which is", flags, folder);
  const real = realPath(path);
  const realFolder = folder === null ? null : realPath(folder);
  if (real === null || isAllowed(real, realFolder, flags)) return null;
  return refusal(path, real, `a symbolic link to ${real}`, flags, realFolder);
}

// The app may import from its own folder, as if it were allowed to read it.
function isAllowed(path: string, folder: string | null, flags: readonly PermissionFlag[]): boolean {
  const own: PermissionFlag[] = folder === null ? [] : [{ effect: "allow", name: "read", values: [folder] }];
  return isCovered([...own, ...flags], "read", path);
}

function refusal(path: string, real: string, what: string, flags: readonly PermissionFlag[], folder: string | null): string {
  const isDenied = isAllowed(real, folder, flags.filter(({ effect }) => effect === "allow"));
  if (isDenied) return `The app imports ${path}, which a --deny-read or --ignore-read covers`;
  return `The app imports ${path}, ${what} outside its folder: allow it with --allow-read=${real}`;
}

function isOwn(specifier: string): boolean {
  if (!specifier.startsWith("file:")) return specifier === import.meta.url;
  const path = filePath(specifier);
  return OWN.some((own) => own.endsWith("/") ? path.startsWith(own) : path === own);
}

function chainOf(specifier: string, importers: ReadonlyMap<string, { by: string | null; as?: string }>, as: string | undefined): string {
  const chain: string[] = [];
  for (let at: string | null = specifier; at !== null; at = importers.get(at)!.by) chain.unshift(nameOf(at));
  return chain.length < 2 ? "" : ` (${as === undefined ? "" : `as ${as}, `}${chain.join(" → ")})`;
}

function nameOf(specifier: string): string {
  if (specifier.startsWith("file:")) return filePath(specifier);
  return specifier.length > 80 ? `${specifier.slice(0, 80)}…` : specifier;
}

function realPath(path: string): string | null {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    // Whoever is not there is not read either.
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
