/**
 * What the two engines do differently, entry by entry, and what that is. Written by hand; `differential_test.ts` holds it against both.
 *
 * @module
 */

import type { Class, Group } from "./difference.ts";
import { BUGS } from "./differences/bugs.ts";
import { CAPABILITIES } from "./differences/capabilities.ts";
import { LENIENCIES } from "./differences/leniencies.ts";
import { LIMITS } from "./differences/limits.ts";
import { WORDS } from "./differences/words.ts";

/** One difference. */
export interface Difference {
  readonly class: Class;
  readonly why: string;
  readonly deno: string;
  readonly node: string;
}

/** All of them, by cause. */
export const GROUPS: readonly Group[] = [...BUGS, ...LIMITS, ...LENIENCIES, ...CAPABILITIES, ...WORDS];

/** The same, by entry. @throws {Error} Where one is classified twice. */
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
