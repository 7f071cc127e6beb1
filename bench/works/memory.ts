/** What a request leaves behind. @module */

import { h2load } from "../load.ts";
import { ServerProcess } from "../process.ts";
import { ours, type Work } from "../work.ts";

const FIRST = 100_000;
const THEN = 1_000_000;
const BOUND = 2;

/** Less than 2 bytes of heap per request, after a forced collection. */
export const memory: Work = {
  name: "memory",
  async run({ note }) {
    await using server = await ServerProcess.start(ours("hello_heap.ts", [], ["--v8-flags=--expose-gc"]));
    await h2load(server.url, FIRST);
    const before = await heapUsed(server.url);
    await h2load(server.url, THEN);
    const after = await heapUsed(server.url);
    const growth = (after - before) / THEN;
    note(`heap after ${FIRST} requests: ${before} B, after ${FIRST + THEN}: ${after} B`);
    return [{
      work: "memory growth: heapUsed after a forced GC at 10⁵ and at 1.1 × 10⁶ requests",
      ours: `${growth.toFixed(2)} B/req`,
      floor: "–",
      ratio: "–",
      bound: `< ${BOUND} B/req`,
      met: growth < BOUND,
      rates: "–",
    }];
  },
};

/** The least of a few: a collection leaves what finalizers and the last turn still hold. */
async function heapUsed(url: string): Promise<number> {
  let least = Infinity;
  for (let at = 0; at < 5; at++) {
    const response = await fetch(`${url}/heap`);
    least = Math.min(least, Number(await response.text()));
  }
  return least;
}
