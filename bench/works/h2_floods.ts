/** Floods of HTTP/2 frames: how they end, and what is left of them. @module */

import { ClientDriver, type Load } from "../load.ts";
import { ServerProcess } from "../process.ts";
import type { Row } from "../table.ts";
import { ours, type RunSettings, type Work } from "../work.ts";

const FLOODS: readonly (readonly [kind: string, title: string])[] = [
  ["reset", "requests that are reset at once"],
  ["continuation", "CONTINUATION frames"],
  ["ping", "PINGs"],
  ["settings", "SETTINGS"],
  ["data", "empty DATA frames"],
];

/** How long a flood goes on where nobody ends it. */
const FLOOD_SECONDS = 2;
/** After so long the CPU must be idle. */
const SETTLE_MS = 1500;
const WATCH_MS = 500;
const IDLE_PER_CENT = 5;
const ENHANCE_YOUR_CALM = 11;

/** Every flood is ended with GOAWAY, and two seconds later the CPU is idle. */
export const h2Floods: Work = {
  name: "h2-floods",
  async run(settings) {
    const rows: Row[] = [];
    for (const [kind, title] of FLOODS) rows.push(await rowOf(kind, title, settings));
    return rows;
  },
};

/** What the client of a flood tells. */
interface Flooded extends Load {
  /** The code of the GOAWAY. */
  readonly goaway: number | null;
  readonly endMs: number | null;
}

async function rowOf(kind: string, title: string, { note }: RunSettings): Promise<Row> {
  await using server = await ServerProcess.start(ours("hello.ts", ["--engine", "node"]));
  await using flood = await ClientDriver.start("h2_flood.ts", server.url, kind);
  const { count, goaway, endMs } = await flood.tell<Flooded>(FLOOD_SECONDS);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const before = server.cpuMicros();
  await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  const perCent = (server.cpuMicros() - before) / WATCH_MS / 10;
  const end = endMs === null ? "not ended" : `${goaway === null ? "closed" : `GOAWAY ${goaway}`} after ${endMs.toFixed(0)} ms`;
  note(`flood of ${title}: ${end}, ${count} frames; CPU then ${perCent.toFixed(0)} %`);
  return {
    work: `flood of ${title} on HTTP/2: its end, and the CPU two seconds later`,
    ours: `${end}; ${perCent.toFixed(0)} %`,
    floor: "–",
    ratio: "–",
    bound: `GOAWAY; < ${IDLE_PER_CENT} %`,
    met: endMs !== null && (goaway === null || goaway === ENHANCE_YOUR_CALM) && perCent < IDLE_PER_CENT,
    rates: "–",
  };
}
