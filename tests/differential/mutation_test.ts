/**
 * Entries of the corpus, changed at random: whatever comes, the process lives, others are served, and on `node` every exchange comes to
 * its end.
 *
 * `PAGI_FUZZ_SECONDS` and `PAGI_FUZZ_SEED` make a longer run, or another one.
 */

import { assertEquals } from "@std/assert";
import { latin1 } from "../conformance/reply.ts";
import { until } from "../conformance/waiting.ts";
import { CORPUS } from "./corpus.ts";
import type { Entry, Part } from "./entry.ts";
import { Lane } from "./lane.ts";
import { DENO, NODE } from "./makers.ts";
import { Dice, mutate } from "./mutate.ts";
import { Peer } from "./peer.ts";

const SECONDS = Number(Deno.env.get("PAGI_FUZZ_SECONDS") ?? 2);
const SEED = Number(Deno.env.get("PAGI_FUZZ_SEED") ?? 4);
const CLIENTS = 8;
/** Entries of more bytes take the time of many others. */
const MAX_BYTES = 20_000;

const ENTRIES = CORPUS.filter(({ parts }) => parts.every((part) => bytesOf(part).length < MAX_BYTES));

for (const maker of [DENO, NODE]) {
  Deno.test(`${maker.name}: bytes that were changed at random end neither the process nor the service`, async () => {
    await using lane = await Lane.start(maker);
    const dice = new Dice(SEED);
    const end = performance.now() + SECONDS * 1000;
    // An error that nobody catches fails the test by itself.
    await Promise.all(Array.from({ length: CLIENTS }, async () => {
      while (performance.now() < end) await send(dice.pick(ENTRIES), lane.port, dice);
    }));
    const response = await fetch(`http://127.0.0.1:${lane.port}/alive`);
    assertEquals(await response.text(), "GET /alive");
    // Deno.serve does not tell of every client that leaves: capability post-disconnect.
    if (maker === NODE) await until(() => lane.open === 0, "the end of every exchange");
  });
}

/** Sends an entry, changed, and leaves before or behind the answer. */
async function send(entry: Entry, port: number, dice: Dice): Promise<void> {
  using peer = await Peer.connect(port);
  for (const part of entry.parts) {
    const bytes = bytesOf(part);
    if (bytes.length > 0) await peer.send(dice.roll(5) === 0 ? bytes : mutate(bytes, bytesOf(dice.pick(dice.pick(ENTRIES).parts)), dice));
    else if (part === "fin") await peer.finish();
    else await peer.until(() => false, 1 + dice.roll(8));
  }
  if (dice.roll(3) > 0) await peer.until(() => false, 1 + dice.roll(30));
}

function bytesOf(part: Part): Uint8Array {
  return typeof part === "string" && part !== "fin" ? latin1(part) : part instanceof Uint8Array ? part : new Uint8Array();
}
