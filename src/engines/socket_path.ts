/**
 * Makes the path of a Unix socket free, for all engines.
 *
 * @module
 */

import { StartupError } from "../spec/errors.ts";
import { listenError } from "./listen_error.ts";

/** The longest path of a Unix socket that Linux takes. */
const MAX_PATH_BYTES = 107;

/**
 * Removes a socket file that nobody listens on.
 *
 * @throws {StartupError} where the path is too long, is no socket, or somebody listens.
 */
export async function clearSocketPath(path: string): Promise<void> {
  // A path that begins with NUL names an abstract socket, which has no file.
  if (path.startsWith("\0")) return;
  const length = new TextEncoder().encode(path).byteLength;
  if (length > MAX_PATH_BYTES) {
    throw new StartupError(`The socket path ${path} is ${length} bytes long: at most ${MAX_PATH_BYTES} are possible`);
  }
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw listenError(error, path);
  }
  if (!info.isSocket) throw new StartupError(`${path} exists and is not a socket: choose another path or remove it`);
  try {
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw listenError(error, path);
    await Deno.remove(path);
    return;
  }
  throw new StartupError(`Another server listens on ${path}: stop it or choose another path`);
}
