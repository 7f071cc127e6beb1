/**
 * What servers that were killed left in the folder for temporary files: the directories of their links.
 *
 * @module
 */

import { linkOwner, ownerOf, startOf } from "../../links/link_directory.ts";
import type { Level } from "../../exchange.ts";

/** Takes a line for the log. */
type Note = (level: Level, text: string, fields: Record<string, string>) => void;

/**
 * Removes the directories of dead servers of this user from a folder; root's are all. A directory stays where its server lives, or where
 * that can't be known: it is of another namespace of processes.
 */
export async function sweepStaleDirectories(folder: string, note: Note): Promise<void> {
  const self = linkOwner();
  if (self === null) return;
  try {
    const names: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const owner = isDirectory ? ownerOf(name) : null;
      if (owner !== null && owner.namespace === self.namespace && startOf(owner.pid) !== owner.startedAt) names.push(name);
    }
    for (const name of names) await sweep(`${folder}/${name}`, note);
  } catch (error) {
    note("debug", "Directories of dead servers could not be looked for", { folder, error: String(error) });
  }
}

async function sweep(path: string, note: Note): Promise<void> {
  try {
    const user = Deno.uid();
    const { isDirectory, uid } = await Deno.lstat(path);
    // Root may have given it to the user of a worker.
    if (!isDirectory || uid !== user && user !== 0) return;
    await Deno.remove(path, { recursive: true });
    note("debug", "A directory of a dead server was removed", { path });
  } catch (error) {
    // Another server may have come first.
    if (error instanceof Deno.errors.NotFound) return;
    note("debug", "A directory of a dead server could not be removed", { path, error: String(error) });
  }
}
