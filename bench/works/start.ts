/** How long it takes from nothing to the first answer. @module */

import { type Command, ServerProcess } from "../process.ts";
import { median } from "../table.ts";
import { ours, pathOf, type Work } from "../work.ts";

const BOUND = 1.6;

/** At most 1.6 × `deno serve` of a bare handler. Wall time, three starts for each round. */
export const start: Work = {
  name: "start",
  async run({ rounds, note }) {
    const floor: Command = {
      program: Deno.execPath(),
      args: ["serve", "-A", "--host", "127.0.0.1", "--port", "0", pathOf("apps/hello_serve.ts")],
    };
    const mine = ours("hello.ts");
    await firstAnswerMs(mine); // compiles, and fills the caches
    await firstAnswerMs(floor);
    const pairs: { ours: number; floor: number }[] = [];
    for (let round = 0; round < rounds * 3; round++) pairs.push({ ours: await firstAnswerMs(mine), floor: await firstAnswerMs(floor) });
    const oursMs = median(pairs.map((pair) => pair.ours));
    const floorMs = median(pairs.map((pair) => pair.floor));
    const ratio = median(pairs.map((pair) => pair.ours / pair.floor));
    note(`start: ${oursMs.toFixed(1)} / ${floorMs.toFixed(1)} ms`);
    return [{
      work: "start until the first answer (floor: `deno serve` of a bare handler)",
      ours: `${oursMs.toFixed(0)} ms`,
      floor: `${floorMs.toFixed(0)} ms`,
      ratio: ratio.toFixed(2),
      bound: `≤ ${BOUND.toFixed(2)}`,
      met: ratio <= BOUND,
      rates: "–",
    }];
  },
};

async function firstAnswerMs(command: Command): Promise<number> {
  const started = performance.now();
  await using server = await ServerProcess.start(command);
  const response = await fetch(server.url);
  await response.body?.cancel();
  if (response.status !== 200) throw new Error(`The first answer was ${response.status}`);
  return performance.now() - started;
}
