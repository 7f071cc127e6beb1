/**
 * Finds the process that listens on a TCP port, where the system tells: on Linux, for processes that may be looked at.
 *
 * @module
 */

/** A process. */
export interface PortOwner {
  readonly pid: number;
  /** Its command, without arguments. */
  readonly command: string;
}

/** The state `LISTEN` in /proc/net/tcp. */
const LISTEN = "0A";

/** The process that listens on a port, or `null` where that can't be found out. */
export function portOwner(port: number): PortOwner | null {
  const sockets = new Set([...listeners("/proc/net/tcp", port), ...listeners("/proc/net/tcp6", port)].map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return null;
  for (const entry of list("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const folder = `/proc/${entry}/fd`;
    if (list(folder).some((descriptor) => sockets.has(link(`${folder}/${descriptor}`)))) {
      return { pid: Number(entry), command: read(`/proc/${entry}/comm`).trim() };
    }
  }
  return null;
}

function listeners(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const inodes: string[] = [];
  for (const line of read(table).split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[1]?.endsWith(suffix) && fields[3] === LISTEN) inodes.push(fields[9]!);
  }
  return inodes;
}

// Whatever can't be read belongs to somebody else, or has just gone.
function list(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map((entry) => entry.name);
  } catch {
    return [];
  }
}

function link(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
