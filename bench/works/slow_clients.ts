/** Clients that are slow with a head, with a body, or with reading: when they are ended, and what others notice of them. @module */

import { ClientDriver, type Load } from "../load.ts";
import { ServerProcess } from "../process.ts";
import { micros, type Row } from "../table.ts";
import { ours, type RunSettings, type Work } from "../work.ts";
import type { Latency } from "./idle.ts";

const CLIENTS = 500;
const LATER_SECONDS = 5;
/** Requests each second of the others. */
const RATE = 400;
const WARM_UP_SECONDS = 1;
const WATCH_SECONDS = 1.5;
const BOUND = 2;

/** The limits in place of 10 to 60 seconds, so that a run ends; clients that do not read take some seconds until all of them are there. */
const LIMIT_SECONDS = { header: 2, body: 2, write: 6 };

const LIMITS = Object.entries(LIMIT_SECONDS).flatMap(([name, seconds]) => [`--${name}-timeout`, `${seconds}s`]);

/** All of them are ended by the limit and five seconds, and the p99 of others is less than twice what it is without them. */
export const slowClients: Work = {
  name: "slow-clients",
  async run(settings) {
    const rows: Row[] = [];
    for (const [kind, limit] of [["header", "header"], ["body", "body"], ["read", "write"]] as const) {
      rows.push(...await rowsOf(kind, LIMIT_SECONDS[limit], settings));
    }
    return rows;
  },
};

/** What the slow clients tell. */
interface Ended extends Load {
  /** When the last one was ended, in seconds from its connection. */
  readonly last: number;
}

async function rowsOf(kind: string, limitSeconds: number, { note }: RunSettings): Promise<Row[]> {
  const seconds = limitSeconds + LATER_SECONDS;
  await using server = await ServerProcess.start(ours("slow.ts", ["--engine", "node", ...LIMITS]));
  await using others = await ClientDriver.start("latency.ts", server.url, String(RATE));
  await others.tell(WARM_UP_SECONDS);
  const alone = await others.tell<Latency>(WATCH_SECONDS);
  await using slow = await ClientDriver.start("slow.ts", server.url, kind, String(CLIENTS));
  const [ended, beside] = await Promise.all([slow.tell<Ended>(seconds), others.tell<Latency>(WATCH_SECONDS)]);
  const ratio = beside.p99 / alone.p99;
  note(
    `slow ${kind}: ${ended.count} of ${CLIENTS} ended, the last after ${ended.last.toFixed(1)} s; p99 ${alone.p99.toFixed(0)} -> ${
      beside.p99.toFixed(0)
    } µs`,
  );
  return [
    {
      work: `${CLIENTS} slow-${kind} clients, limit ${limitSeconds} s: ended, the last after`,
      ours: `${ended.count}, ${ended.last.toFixed(1)} s`,
      floor: "–",
      ratio: "–",
      bound: `all, ≤ ${seconds} s`,
      met: ended.count === CLIENTS && ended.last <= seconds,
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
