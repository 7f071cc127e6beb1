/**
 * Which folder an app in a sandbox may import from, and whether its packages stay in it.
 *
 * @module
 */

import { StartupError } from "../../spec/errors.ts";
import { leavingLinks } from "./leaving_links.ts";
import { isCovered } from "./permission_cover.ts";
import { isWithin, type PermissionFlag } from "./permission_flag.ts";

/** Entries of a project, with its packages. */
const MAX_ENTRIES = 500_000;
/** More links than any project has. */
const MAX_LINKS = 10_000;

/**
 * The folder of the configuration that applies to an app: its author's modules are beside it. Where that is a home or holds one, it is no
 * project: then the folder of the app's file.
 *
 * @param folder Of the app's file; `null` where it is none.
 * @param configFolder Of its nearest configuration; `null` where there is none.
 */
export function projectFolder(folder: string | null, configFolder: string | null): string | null {
  if (folder === null || configFolder === null) return folder;
  const home = Deno.env.get("HOME");
  const isTooMuch = configFolder === "/" || home !== undefined && home !== "" && isWithin(home, configFolder);
  return isTooMuch ? folder : configFolder;
}

/**
 * Refuses links that lead out of a project where packages of a `node_modules` are used: Deno reads any file for an import whose path has
 * that name in it, without a permission.
 *
 * @throws {StartupError} For the first one.
 */
export function refuseLeavingPackages(project: string, flags: readonly PermissionFlag[]): void {
  const { links, isWhole } = leavingLinks([project], MAX_LINKS, MAX_ENTRIES);
  for (const { path, target } of links) {
    if (!path.includes("/node_modules", project.length) || isCovered(flags, "read", target)) continue;
    throw new StartupError(`${path} is a symbolic link to ${target} outside of ${project}: allow it with --allow-read=${target}`);
  }
  if (!isWhole) throw new StartupError(`There are too many files in ${project} to look for symbolic links that leave it`);
}
