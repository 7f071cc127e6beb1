/**
 * Symbolic links in allowed folders that lead out of them: Deno follows them, so what they lead to is allowed too.
 *
 * @module
 */

import { isWithin } from "./permission_flag.ts";

/** A link. */
export interface LeavingLink {
  readonly path: string;
  readonly target: string;
}

/** Entries that are looked at in all: a sandbox should start quickly, however big its data. */
const MAX_ENTRIES = 20_000;

/** Finds the links, at most `limit` of them, among at most so many entries; `isWhole` where every one was looked at. */
export function leavingLinks(
  folders: readonly string[],
  limit: number,
  maxEntries: number = MAX_ENTRIES,
): { links: LeavingLink[]; isWhole: boolean } {
  const roots = folders.map((folder) => realPath(folder)).filter((folder) => folder !== null);
  const links: LeavingLink[] = [];
  const waiting = [...new Set(folders)];
  let left = maxEntries;
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const { name, isDirectory, isSymlink } of entriesOf(folder)) {
      if (left-- === 0) return { links, isWhole: false };
      const path = `${folder === "/" ? "" : folder}/${name}`;
      if (isDirectory) waiting.push(path);
      if (!isSymlink) continue;
      const target = realPath(path);
      if (target !== null && !roots.some((root) => isWithin(target, root))) links.push({ path, target });
      if (links.length === limit) return { links, isWhole: false };
    }
  }
  return { links, isWhole: true };
}

function* entriesOf(folder: string): Generator<Deno.DirEntry> {
  try {
    yield* Deno.readDirSync(folder);
  } catch {
    // A file, not there, or not readable: nothing is in it for the worker either.
  }
}

function realPath(path: string): string | null {
  try {
    return Deno.realPathSync(path);
  } catch {
    return null; // it leads nowhere
  }
}
