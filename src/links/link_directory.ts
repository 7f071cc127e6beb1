/**
 * The directories of links: whose they are stands in their names, so that those of dead servers can be swept.
 *
 * A name holds the process, when it was started, since numbers of processes are used again, and the namespace that the number belongs
 * to, since containers may share a folder.
 *
 * @module
 */

/** What every name begins with. */
export const LINK_DIRECTORY_PREFIX = "pagi-link-";

/** Whose a directory is. */
export interface LinkOwner {
  readonly pid: number;
  /** Ticks after the start of the system. */
  readonly startedAt: number;
  /** The number of the namespace of processes. */
  readonly namespace: number;
}

/** A name, from its beginning on. The numbers that need not be read are short: the path of a socket has 107 bytes at most. */
const NAME = new RegExp(`^${LINK_DIRECTORY_PREFIX}(\\d{1,10})-([0-9a-z]{1,11})-([0-9a-z]{1,11})-`);
const BASE = 36;

/** Makes a directory that only this user may enter, and says where it is. */
export function makeLinkDirectory(): Promise<string> {
  const { startedAt, namespace } = linkOwner() ?? { startedAt: 0, namespace: 0 };
  return Deno.makeTempDir({ prefix: `${LINK_DIRECTORY_PREFIX}${Deno.pid}-${startedAt.toString(BASE)}-${namespace.toString(BASE)}-` });
}

/** This process; `null` where the system does not tell, or not to it. */
export function linkOwner(): LinkOwner | null {
  try {
    const namespace = Number(/\d+/.exec(Deno.readLinkSync("/proc/self/ns/pid"))?.[0]);
    const startedAt = startOf(Deno.pid);
    return startedAt === null || !(namespace > 0) ? null : { pid: Deno.pid, startedAt, namespace };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}

/** Whose the directory of a name is; `null` where it is not the name of a link, or does not tell. */
export function ownerOf(name: string): LinkOwner | null {
  const match = NAME.exec(name);
  if (match === null) return null;
  const [pid, startedAt, namespace] = [Number(match[1]), parseInt(match[2]!, BASE), parseInt(match[3]!, BASE)];
  return pid > 0 && startedAt > 0 && namespace > 0 ? { pid, startedAt, namespace } : null;
}

/** When a process was started, in ticks after the start of the system; `null` where there is no such process. */
export function startOf(pid: number): number | null {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name of the program, in brackets, may hold anything.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Error && "code" in error && error.code === "ESRCH") return null;
    throw error;
  }
}
