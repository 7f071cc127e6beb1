/**
 * What the system tells about processes: children, states, descriptors. Linux only, as the signals of these tests are.
 *
 * @module
 */

/** The processes whose parent is `pid`. */
export function children(pid: number): number[] {
  return processes().filter((child) => stat(child)?.parent === pid);
}

/** All processes of a session. */
export function members(session: number): number[] {
  return processes().filter((pid) => stat(pid)?.session === session);
}

/** Whether it is there and not merely unburied. */
export function isAlive(pid: number): boolean {
  const state = stat(pid)?.state ?? "X";
  return state !== "Z" && state !== "X";
}

/** Whether it uses a CPU right now. */
export function isRunning(pid: number): boolean {
  return stat(pid)?.state === "R";
}

/** Whether it was stopped by a signal. */
export function isStopped(pid: number): boolean {
  return stat(pid)?.state === "T";
}

/** What the descriptors of a process are, and how many of each: `socket`, `pipe`, `anon_inode` or a path. */
export function descriptors(pid: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    let link: string;
    try {
      link = Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      continue; // it was closed meanwhile
    }
    const kind = /^(socket|pipe):/.exec(link)?.[1] ?? link;
    found[kind] = (found[kind] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(found).sort());
}

function processes(): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => pid > 0);
}

function stat(pid: number): { state: string; parent: number; session: number } | null {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const [state, parent, , session] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: state!, parent: Number(parent), session: Number(session) };
  } catch {
    return null; // it has ended
  }
}
