/**
 * Watches files for changes, whichever way they are changed: written in place, replaced by another file of the name, or by turning a
 * symbolic link on the way to them, as certbot (the file is a link) and Kubernetes (a folder on the way is one) do.
 *
 * By looking at them once a second, which costs some microseconds. `Deno.watchFs` won't do: in Deno 2.9.6 its thread opens what appears in a
 * watched folder, waits for ever at a pipe, and then whoever closes the watch, or begins another, waits too: the whole server.
 *
 * @module
 */

/** A watch that goes on until it is closed. */
export interface FileWatch {
  close(): void;
}

/** Calls `changed` after each change. */
export type WatchFiles = (paths: readonly string[], changed: () => void) => FileWatch;

/** How often the files are looked at. */
const LOOK_MS = 1000;

/** Watches files. `everyMs` is for tests. */
export function watchFiles(paths: readonly string[], changed: () => void, everyMs: number = LOOK_MS): FileWatch {
  let seen = stateOf(paths);
  const timer = setInterval(() => {
    const now = stateOf(paths);
    if (now === seen) return;
    seen = now;
    changed();
  }, everyMs);
  return { close: () => clearInterval(timer) };
}

/** What is at the end of each path, and since when. */
function stateOf(paths: readonly string[]): string {
  return paths.map((path) => {
    try {
      const { dev, ino, size, mtime, ctime } = Deno.statSync(path);
      return `${dev}:${ino}:${size}:${mtime?.getTime()}:${ctime?.getTime()}`;
    } catch (error) {
      // Gone for now, or not to be looked at: whoever reads it says so.
      return error instanceof Error ? error.name : String(error);
    }
  }).join("\n");
}
