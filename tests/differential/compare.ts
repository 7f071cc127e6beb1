/**
 * Plays the corpus against both engines and holds what differs against what was classified.
 *
 * @module
 */

import { CORPUS } from "./corpus.ts";
import { classified, type Difference } from "./differences.ts";
import type { Entry } from "./entry.ts";
import { Lane, type Maker } from "./lane.ts";
import { type Contrast, contrast } from "./outcome.ts";
import { play } from "./play.ts";

/** Entries that are played at once, each against a pair of servers of its own. */
const PAIRS = 2;

/** A server that is silent for so long says nothing more. The second time is for a machine that is busy: it only takes longer. */
const QUIET_MS = [150, 1000];

/** A difference that is not as it was classified. */
export interface Surprise {
  readonly id: string;
  readonly is: Contrast;
  /** `null` where nothing was classified. */
  readonly was: Contrast;
}

/** Plays everything; gives what is not as it was classified. */
export async function surprises(one: Maker, other: Maker, entries: readonly Entry[] = CORPUS): Promise<Surprise[]> {
  const known = classified();
  const found: Surprise[] = [];
  const left = [...entries];
  const work = async () => {
    await using a = await Lane.start(one);
    await using b = await Lane.start(other);
    for (let entry = left.shift(); entry !== undefined; entry = left.shift()) {
      const surprise = await tryOne(entry, a, b, known.get(entry.id));
      if (surprise !== null) found.push(surprise);
    }
  };
  await Promise.all(Array.from({ length: PAIRS }, work));
  return found.toSorted((x, y) => entries.findIndex(({ id }) => id === x.id) - entries.findIndex(({ id }) => id === y.id));
}

async function tryOne(entry: Entry, a: Lane, b: Lane, difference: Difference | undefined): Promise<Surprise | null> {
  const was: Contrast = difference === undefined ? null : [difference.deno, difference.node];
  let is: Contrast = null;
  for (const quietMs of QUIET_MS) {
    is = contrast(await play(entry, a, quietMs), await play(entry, b, quietMs), entry.raw === true);
    if (is === null ? was === null : was !== null && is[0] === was[0] && is[1] === was[1]) return null;
  }
  return { id: entry.id, is, was };
}
