/** Clients that are slow with a head, with a body, or with reading: when they are ended, and what others notice of them. @module */

import { ClientDriver, type Load } from "../load.ts";
import { ServerProcess } from "../process.ts";
import { micros, type Row } from "../table.ts";
import { ours, type RunSettings, type Work } from "../work.ts";
import type { Latency } from "./idle.ts";

const CLIENTS = 500;
/** The limits are set to this in place of 10 to 60 seconds, so that a run ends. */
const LIMIT_SECONDS = 2;
const LATER_SECONDS = 5;
const RATE = 400;
const WARM_UP_SECONDS = 2;
const BOUND = 2;

const LIMITS = ["--header-timeout", "--body-timeout", "--write-timeout"].flatMap((name) => [name, `${LIMIT_SECONDS}s`]);

/** All of them are ended by the limit and five seconds, and the p99 of others is less than twice what it is without them. */
export const slowClients: Work = {
  name: "slow-clients",
  async run(settings) {
    const rows: Row[] = [];
    for (const kind of ["header", "body", "read"]) rows.push(...await rowsOf(kind, settings));
    return rows;
  },
};

/** What the slow clients tell. */
interface Ended extends Load {
  /** When the last one was ended, in seconds from its connection. */
  readonly last: number;
}

async function rowsOf(kind: string, { note }: RunSettings): Promise<Row[]> {
  const seconds = LIMIT_SECONDS + LATER_SECONDS;
  await using server = await ServerProcess.start(ours("slow.ts", ["--engine", "node", ...LIMITS]));
  await using others = await ClientDriver.start("latency.ts", server.url, String(RATE));
  await using slow = await ClientDriver.start("slow.ts", server.url, kind, String(CLIENTS));
  await others.tell(WARM_UP_SECONDS);
  const alone = await others.tell<Latency>(LIMIT_SECONDS);
  // The clients that are slow are there for the limit and a bit: as long the others are asked.
  const [ended, beside] = await Promise.all([slow.tell<Ended>(seconds), others.tell<Latency>(LIMIT_SECONDS)]);
  const ratio = beside.p99 / alone.p99;
  note(
    `slow ${kind}: ${ended.count} of ${CLIENTS} ended, the last after ${ended.last.toFixed(1)} s; p99 ${alone.p99.toFixed(0)} -> ${
      beside.p99.toFixed(0)
    } µs`,
  );
  return [
    {
      work: `${CLIENTS} slow-${kind} clients, limit ${LIMIT_SECONDS} s: ended, the last after`,
      ours: `${ended.count}, ${ended.last.toFixed(1)} s`,
      floor: "–",
      ratio: "–",
      bound: `all, ≤ ${seconds} s`,
      met: ended.count === CLIENTS,
      rates: "–",
    },
    {
      work: "the same: p99 of others (floor: without them)",
      ours: `${micros(beside.p99)} µs`,
      floor: `${micros(alone.p99)} µs`,
      ratio: ratio.toFixed(2),
      bound: `< ${BOUND.toFixed(2)}`,
      met: ratio < BOUND,
      rates: "–",
    },
  ];
}
