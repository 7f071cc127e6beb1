/**
 * Addresses as one types them into a browser or a command.
 *
 * @module
 */

/** The URL of an address; `unix:PATH` for a Unix socket. */
export function addressUrl(addr: Deno.Addr, isTls: boolean): string {
  if (addr.transport === "unix" || addr.transport === "unixpacket") return `unix:${addr.path}`;
  if (addr.transport !== "tcp") return addr.transport;
  const host = addr.hostname.includes(":") ? `[${addr.hostname}]` : addr.hostname;
  return `${isTls ? "https" : "http"}://${host}:${addr.port}/`;
}
