/**
 * What the two engines do differently, entry by entry, and what that is. Written by hand; `differential_test.ts` holds it against both.
 *
 * @module
 */

/** What a difference is. */
export type Class =
  /** One engine has a limit that the other has not, or another one. */
  | "limit"
  /** One engine takes what the other refuses, and both may. */
  | "leniency"
  /** One engine breaks a rule. */
  | "bug"
  /** The engine can't see or do it: one of the capabilities that it lacks. */
  | "capability"
  /** The same in other words. */
  | "same-outcome-different-words";

/** Differences of one cause. */
export interface Group {
  readonly class: Class;
  /** One line. */
  readonly why: string;
  /** Entry: what it is on `deno`, and on `node`. */
  readonly rows: Readonly<Record<string, readonly [deno: string, node: string]>>;
}

/** One difference. */
export interface Difference {
  readonly class: Class;
  readonly why: string;
  readonly deno: string;
  readonly node: string;
}

/** All of them, by cause. */
export const GROUPS: readonly Group[] = [];

/** The same, by entry. */
export function classified(): Map<string, Difference> {
  const all = new Map<string, Difference>();
  for (const { class: kind, why, rows } of GROUPS) {
    for (const [id, [deno, node]] of Object.entries(rows)) {
      if (all.has(id)) throw new Error(`${id} is classified twice`);
      all.set(id, { class: kind, why, deno, node });
    }
  }
  return all;
}
