/**
 * Refuses an app the right to write where its own walls stand: the rooms of workers, and the modules that every program of this user runs.
 *
 * Flags that deny those two hold what they name, but not a folder above them: an app that may rename that one has them under another name.
 *
 * @module
 */

import { makeLinkDirectory } from "../../links/link_directory.ts";
import { folderOf } from "../../loading/app_reference.ts";
import { StartupError } from "../../spec/errors.ts";
import { isWithin, type PermissionFlag } from "./permission_flag.ts";

/** What must stay as it is. */
export interface Guarded {
  /** Where rooms and sockets are made. */
  readonly temporary: string;
  /** Deno's own folder, with the modules it has downloaded and compiled. */
  readonly denoDir: string;
}

/** Where rooms are made, found out by making one: `TMPDIR` may be hidden from this process. */
export async function temporaryFolder(): Promise<string> {
  const directory = await makeLinkDirectory();
  try {
    return folderOf(Deno.realPathSync(directory));
  } finally {
    await Deno.remove(directory);
  }
}

/**
 * Looks at what may be written.
 *
 * @returns A warning, where everything may.
 * @throws {StartupError} With exit code 2 for the first path that is refused.
 */
export function guardWrites(flags: readonly PermissionFlag[], { temporary, denoDir }: Guarded): string | null {
  const allowed = flags.flatMap(({ effect, name, values }) => effect === "allow" && name === "write" ? values ?? ["/"] : []);
  for (const path of allowed.filter((path) => path !== "/")) {
    const real = realPath(path);
    if (isWithin(temporary, real)) {
      fail(
        `--allow-write=${path} covers ${temporary}, where the folders of workers are made: allow a folder of its own in it, or set TMPDIR elsewhere`,
      );
    }
    if (isWithin(denoDir, real) || isWithin(real, denoDir)) {
      fail(
        `--allow-write=${path} covers the modules of Deno in ${denoDir}, which other programs run: allow another folder, or set DENO_DIR elsewhere`,
      );
    }
  }
  return allowed.includes("/")
    ? "--allow-write of everything ends the sandbox: the app can change files that other programs run, those of this server too"
    : null;
}

// What is not there yet is in a folder that is.
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const folder = realPath(folderOf(path));
    return `${folder === "/" ? "" : folder}${path.slice(path.lastIndexOf("/"))}`;
  }
}

function fail(message: string): never {
  throw new StartupError(message, { exitCode: 2 });
}
