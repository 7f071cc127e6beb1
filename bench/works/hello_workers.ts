/** The plain request where the app is behind a link: in a process, in a thread. @module */

import { compare } from "../compare.ts";
import { wrkDriver, wrkMedianMicros } from "../load.ts";
import { ServerProcess } from "../process.ts";
import { median, type Row } from "../table.ts";
import { bare, inWorkers, ours, type RunSettings, type Work } from "../work.ts";

const ADDED_MICROS = 120;
const WARM_UP_SECONDS = 2;

/** At most 2.3 × the floor, and at most 120 µs more at one connection than inline. */
export const helloProcess: Work = {
  name: "hello-process",
  run: async (settings) => [await row("process", 2.3, settings), await latency("process", ADDED_MICROS, settings)],
};

/** At most 2.0 × the floor. What it adds at one connection has no bound. */
export const helloThread: Work = {
  name: "hello-thread",
  run: async (settings) => [await row("thread", 2, settings), await latency("thread", null, settings)],
};

function row(type: "process" | "thread", bound: number, settings: RunSettings): Promise<Row> {
  return compare({
    title: `hello, one ${type} worker (CPU of all processes)`,
    bound,
    ours: ours("hello.ts", inWorkers(type)),
    floor: bare("hello_floor.ts"),
    drive: ({ url }) => wrkDriver(url),
  }, settings);
}

async function latency(type: "process" | "thread", bound: number | null, { rounds, seconds, note }: RunSettings): Promise<Row> {
  await using worker = await ServerProcess.start(ours("hello.ts", inWorkers(type)));
  await using inline = await ServerProcess.start(ours("hello.ts"));
  await wrkMedianMicros(worker.url, WARM_UP_SECONDS);
  await wrkMedianMicros(inline.url, WARM_UP_SECONDS);
  const pairs: { worker: number; inline: number }[] = [];
  for (let round = 1; round <= rounds; round++) {
    const pair = { worker: await wrkMedianMicros(worker.url, seconds), inline: await wrkMedianMicros(inline.url, seconds) };
    pairs.push(pair);
    note(`hello, ${type}, p50 at one connection, round ${round} of ${rounds}: ${pair.worker} / ${pair.inline} µs`);
  }
  const added = median(pairs.map((pair) => pair.worker - pair.inline));
  return {
    work: `hello, one ${type} worker: p50 at one connection (floor: inline)`,
    ours: `${median(pairs.map((pair) => pair.worker)).toFixed(0)} µs`,
    floor: `${median(pairs.map((pair) => pair.inline)).toFixed(0)} µs`,
    ratio: `+ ${added.toFixed(0)} µs`,
    bound: bound === null ? "–" : `≤ + ${bound} µs`,
    met: bound === null ? null : added <= bound,
    rates: "–",
  };
}
