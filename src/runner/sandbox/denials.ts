/**
 * What apps in a sandbox were denied, as far as that can be seen: which worker, what, how often.
 *
 * Deno's audit log names each access and not its outcome, so a denial is derived from the flags.
 *
 * @module
 */

import type { Log } from "../logger.ts";
import { isCovered } from "./permission_cover.ts";
import { PERMISSION_NAMES, type PermissionFlag, type PermissionName } from "./permission_flag.ts";

/**
 * One target that an app was denied.
 *
 * @example
 * ```ts
 * import type { Denial } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const line = ({ worker, permission, target, count }: Denial) => `worker ${worker}: ${permission} ${target ?? "(all)"} ×${count}`;
 * assertEquals(line({ worker: 1, permission: "read", target: "/etc/passwd", count: 2, derived: true }), "worker 1: read /etc/passwd ×2");
 * ```
 */
export interface Denial {
  /** The number of the worker. */
  readonly worker: number;
  /** Of Deno: `read`, `write`, `net`, `env`, `sys`, `ffi`, `import`. */
  readonly permission: string;
  /** What it was about, cut where it is long; `null` for all. Where too many targets were denied to list them, `(others)`. */
  readonly target: string | null;
  /** How often. */
  readonly count: number;
  /** Always: compared with the flags, and not told by Deno. */
  readonly derived: true;
}

/** Targets that are listed, for each worker; an app that denies itself more only counts. */
const MAX_TARGETS = 100;
const MAX_TARGET_LENGTH = 200;
const OTHERS = "(others)";

interface Entry {
  readonly denial: Omit<Denial, "count">;
  count: number;
}

/** Collects them. */
export class Denials {
  readonly #flags: readonly PermissionFlag[];
  readonly #log: Log;
  /** By worker and by the text that names the target. */
  readonly #workers = new Map<number, Map<string, Entry>>();

  /** Takes the flags of the workers, with absolute paths. */
  constructor(flags: readonly PermissionFlag[], log: Log) {
    this.#flags = flags;
    this.#log = log;
  }

  /**
   * Takes a line of the audit log of a worker; what is none is left out.
   *
   * @param own Targets of the link itself.
   * @param folder The working directory of the worker.
   */
  observe(worker: number, line: string, own: string, folder: string): void {
    const access = readAccess(line);
    if (access === null) return;
    const { permission, value } = access;
    const isPath = permission === "read" || permission === "write" || permission === "ffi";
    const target = isPath && value !== null && !value.startsWith("/") ? `${folder}/${value}` : value;
    if (target === own || target === `unix:${own}` || isCovered(this.#flags, permission, target)) return;
    this.#count(worker, permission, target);
  }

  /** All of them, oldest first. */
  list(): Denial[] {
    return [...this.#workers.values()].flatMap((entries) => [...entries.values()].map(({ denial, count }) => ({ ...denial, count })));
  }

  #count(worker: number, permission: PermissionName, whole: string | null): void {
    const target = whole !== null && whole.length > MAX_TARGET_LENGTH ? `${whole.slice(0, MAX_TARGET_LENGTH)}…` : whole;
    let entries = this.#workers.get(worker);
    if (entries === undefined) this.#workers.set(worker, entries = new Map());
    const key = `${permission} ${target}`;
    const known = entries.get(key) ?? (entries.size < MAX_TARGETS ? undefined : entries.get(OTHERS));
    if (known !== undefined) {
      known.count++;
      return;
    }
    const isMore = entries.size === MAX_TARGETS;
    const denial = isMore
      ? { worker, permission: "any", target: OTHERS, derived: true as const }
      : { worker, permission, target, derived: true as const };
    entries.set(isMore ? OTHERS : key, { denial, count: 1 });
    this.#log(
      "warn",
      isMore
        ? `Worker ${worker} was denied more than ${MAX_TARGETS} targets: from here on they are only counted`
        : `Worker ${worker} was denied ${permission} access${
          target === null ? " to all" : ` to ${JSON.stringify(target)}`
        } (derived from its flags)`,
      { worker, permission: denial.permission, ...(target === null ? {} : { target }) },
    );
  }
}

function readAccess(line: string): { permission: PermissionName; value: string | null } | null {
  try {
    const { permission, value } = JSON.parse(line) as { permission: unknown; value: unknown };
    if (typeof permission !== "string" || !(PERMISSION_NAMES as readonly string[]).includes(permission)) return null;
    return value === null || typeof value === "string" ? { permission: permission as PermissionName, value } : null;
  } catch {
    return null; // cut off by the end of its process
  }
}
