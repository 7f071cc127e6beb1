/**
 * Why it is not possible to listen, in one line, for all engines.
 *
 * @module
 */

import { StartupError } from "../spec/errors.ts";

/**
 * Turns an error of Deno, or of Node, which has a code, into one for the user.
 *
 * @param where The address, or the path of a Unix socket.
 * @param port Left out for a Unix socket.
 */
export function listenError(error: unknown, where: string, port?: number): StartupError {
  if (error instanceof StartupError) return error;
  const text = error instanceof Error ? error.message.split("\n", 1)[0]! : String(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const fail = (message: string) => new StartupError(message, { cause: error });
  if (error instanceof Deno.errors.AddrInUse || code === "EADDRINUSE") {
    return fail(`${where} is in use: stop the other server or choose another ${port === undefined ? "path" : "port"}`);
  }
  // node:net of Deno says EINVAL for an address of another machine.
  const isForeign = error instanceof Deno.errors.AddrNotAvailable || code === "EADDRNOTAVAIL" || (code === "EINVAL" && port !== undefined);
  if (isForeign) return fail(`${where} is not an address of this machine`);
  if (error instanceof Deno.errors.NotCapable) return fail(`No permission to listen on ${where}: ${text}`);
  if (error instanceof Deno.errors.PermissionDenied || code === "EACCES" || code === "EPERM") {
    return fail(
      port !== undefined && port < 1024
        ? `Port ${port} needs a privilege that this process does not have: choose a port above 1023`
        : `No permission to listen on ${where}`,
    );
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || /failed to lookup address|getaddrinfo/.test(text)) {
    return fail(`The name ${where.replace(/:\d+$/, "")} can't be resolved`);
  }
  if (error instanceof Deno.errors.NotFound || code === "ENOENT") return fail(`The folder of ${where} does not exist`);
  return fail(`Cannot listen on ${where}: ${text}`);
}
