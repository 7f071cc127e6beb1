/** What connections that wait for their next request cost, and what they do to others. @module */

import { ClientDriver, type Load } from "../load.ts";
import { type Command, ServerProcess } from "../process.ts";
import { median, micros, type Row } from "../table.ts";
import { bare, ours, type RunSettings, type Work } from "../work.ts";

const CONNECTIONS = 5000;
const BOUND_KB = 24;
/** Requests each second of those who are not idle: a load that queues nothing. */
const RATE = 400;
const WARM_UP_SECONDS = 2;
/** A median that moves by less is the noise of the machine. */
const SLOWER = 1.25;

/** What the client of latencies tells. */
export interface Latency extends Load {
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** At most 24 KB for each on the node engine, and requests of others take as long as before. */
export const idle: Work = {
  name: "idle",
  run: async (settings) => [
    ...await rows("engine node", ours("hello.ts", ["--engine", "node"]), true, settings),
    ...await rows("engine deno", ours("hello.ts", ["--engine", "deno"]), false, settings),
    ...await rows("node:http in Deno", bare("hello_node.mjs"), false, settings),
  ],
};

async function rows(name: string, command: Command, bound: boolean, { seconds, note }: RunSettings): Promise<Row[]> {
  await using server = await ServerProcess.start(command);
  await using others = await ClientDriver.start("latency.ts", server.url, String(RATE));
  {
    // The heap has its size, and what connections that are gone leave behind is there, before anything is measured.
    await using first = await ClientDriver.start("idle.ts", server.url, String(CONNECTIONS / 10));
    await first.run(0);
    await others.tell(WARM_UP_SECONDS);
  }
  const alone = await others.tell<Latency>(seconds);
  const before = server.rssBytes();
  await using many = await ClientDriver.start("idle.ts", server.url, String(CONNECTIONS));
  const beside = await others.tell<Latency>(seconds);
  const kb = (server.rssBytes() - before) / CONNECTIONS / 1000;
  const { count } = await many.run(0);
  if (count !== CONNECTIONS) throw new Error(`${CONNECTIONS - count} idle connections were closed`);
  note(`idle, ${name}: ${kb.toFixed(1)} KB each; p50 ${alone.p50.toFixed(0)} -> ${beside.p50.toFixed(0)} µs`);
  const ratio = median([beside.p50 / alone.p50]);
  return [
    row(
      `${CONNECTIONS} idle connections, ${name}: memory of each`,
      `${kb.toFixed(1)} KB`,
      "–",
      "–",
      bound ? `≤ ${BOUND_KB} KB` : "–",
      bound ? kb <= BOUND_KB : null,
    ),
    row(
      `the same: p50 of others (floor: without them)`,
      `${micros(beside.p50)} µs`,
      `${micros(alone.p50)} µs`,
      ratio.toFixed(2),
      bound ? `≤ ${SLOWER.toFixed(2)}` : "–",
      bound ? ratio <= SLOWER : null,
    ),
  ];
}

function row(work: string, ours: string, floor: string, ratio: string, bound: string, met: boolean | null): Row {
  return { work, ours, floor, ratio, bound, met, rates: "–" };
}
