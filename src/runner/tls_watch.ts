/**
 * Watches files for changes, whichever way they are changed: written in place, replaced by another file of the name, or by turning a
 * symbolic link on the way to them, as certbot (the file is a link) and Kubernetes (a folder on the way is one) do.
 *
 * What is watched are the folders that hold the file and each link that leads to it. It tells that something may have changed, and
 * sometimes nothing has: whoever is told looks for himself.
 *
 * @module
 */

/** A watch that goes on until it is closed. */
export interface FileWatch {
  /** Whether what it watches still leads to the files; left out: nobody knows. */
  readonly current?: () => boolean;
  close(): void;
}

/**
 * Calls `changed` after each change, `lost` where nothing will be told any more.
 *
 * @throws Where the folders can't be watched.
 */
export type WatchFiles = (paths: readonly string[], changed: () => void, lost: (error: unknown) => void) => FileWatch;

/** As the system has it: more links than that lead nowhere. */
const MAX_LINKS = 40;

/** Watches files with `Deno.watchFs`. */
export function watchFiles(paths: readonly string[], changed: () => void, lost: (error: unknown) => void): FileWatch {
  if (Deno.build.os === "windows") throw new Error("links are followed on POSIX systems alone");
  const trails = trailsOf(paths);
  const mark = markOf(trails);
  let isLost = false;
  const watcher = Deno.watchFs([...trails.folders], { recursive: false });
  tell(watcher, trails.entries, changed).catch((error) => {
    isLost = true;
    lost(error);
  });
  return { current: () => !isLost && markOf(trailsOf(paths)) === mark, close: () => watcher.close() };
}

/** What to watch: folders, and those of their entries that count. Paths without links. */
export function trailsOf(paths: readonly string[]): { folders: Set<string>; entries: Set<string> } {
  const trails = { folders: new Set<string>(), entries: new Set<string>() };
  for (const path of paths) follow(path.startsWith("/") ? path : `${Deno.cwd()}/${path}`, trails);
  return trails;
}

/** Names what counts, and which folders of these names they are. */
function markOf({ folders, entries }: { folders: ReadonlySet<string>; entries: ReadonlySet<string> }): string {
  return [...entries, ...folders, ...[...folders].map(idOf)].join("\0");
}

function idOf(folder: string): string {
  try {
    const { dev, ino } = Deno.statSync(folder);
    return `${dev}:${ino}`;
  } catch {
    // It is not there, or may not be looked at: the names alone tell.
    return "";
  }
}

async function tell(watcher: Deno.FsWatcher, entries: ReadonlySet<string>, changed: () => void): Promise<void> {
  for await (const { kind, paths } of watcher) {
    // Reading a file is an event too.
    if (kind !== "access" && paths.some((path) => entries.has(path))) changed();
  }
}

function follow(path: string, { folders, entries }: { folders: Set<string>; entries: Set<string> }): void {
  const names = path.split("/");
  let folder = "";
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")));
      continue;
    }
    const entry = `${folder}/${name}`;
    const target = linkOf(entry);
    if (target !== null || !names.some((rest) => rest !== "" && rest !== ".")) {
      folders.add(folder === "" ? "/" : folder);
      // The folder itself may be taken away.
      entries.add(folder);
      entries.add(entry);
    }
    // What is not there yet is waited for where it is to come.
    if (target === undefined) return;
    if (target === null) folder = entry;
    else {
      if (++links > MAX_LINKS) return;
      if (target.startsWith("/")) folder = "";
      names.unshift(...target.split("/"));
    }
  }
}

// `null` for what is no link, or may not be looked at, which the folders of a permission seldom are; `undefined` for what is not there.
function linkOf(path: string): string | null | undefined {
  try {
    return Deno.lstatSync(path).isSymlink ? Deno.readLinkSync(path) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    if (error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}
