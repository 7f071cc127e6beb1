/**
 * What an error of a socket means to the exchanges on it: that the client has left, or that reading or writing has failed.
 *
 * @module
 */

/** How a client leaves that does not say goodbye. */
const LEFT: ReadonlySet<string> = new Set(["ECONNRESET", "ECONNABORTED", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED"]);

/** The reason of an exchange that such an error ends. */
export function failureOf(error: Error & { readonly code?: string; readonly syscall?: string }): string {
  if (LEFT.has(error.code ?? "")) return "client_closed";
  return error.syscall === "write" ? "write_error" : "read_error";
}
