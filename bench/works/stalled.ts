/** What a client that never reads costs. @module */

import { ClientDriver } from "../load.ts";
import { ServerProcess } from "../process.ts";
import { median, type Row } from "../table.ts";
import { ours, type RunSettings, type Work } from "../work.ts";

const MIB = 2 ** 20;
const BOUND_MIB = 4;
const WARM_UP_SECONDS = 2;
const STALL_SECONDS = 3;
/** So many at once, so that what garbage floats in the heap is not taken for what a client holds. */
const CLIENTS = 8;

/** Less than 4 MiB more resident memory for a client that never reads, where the app awaits its sends. */
export const stalled: Work = {
  name: "stalled",
  async run(settings) {
    return [
      await row("http", "a client that never reads an endless stream", settings),
      await row("websocket", "a client that never reads an endless WebSocket", settings),
    ];
  },
};

async function row(kind: string, title: string, { rounds, note }: RunSettings): Promise<Row> {
  const growths: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const growth = await growthMib(kind);
    growths.push(growth);
    note(`${title}, round ${round} of ${rounds}: ${growth.toFixed(1)} MiB`);
  }
  const growth = median(growths);
  return {
    work: `${title}: more RSS, app awaits its sends (each of ${CLIENTS})`,
    ours: `${growth.toFixed(1)} MiB`,
    floor: "–",
    ratio: "–",
    bound: `< ${BOUND_MIB} MiB`,
    met: growth < BOUND_MIB,
    rates: "–",
  };
}

// A client that reads comes first, so that the heap has its size before anything is measured.
async function growthMib(kind: string): Promise<number> {
  await using server = await ServerProcess.start(ours("endless.ts"));
  {
    await using reading = await ClientDriver.start("reading.ts", server.url, kind);
    await reading.run(WARM_UP_SECONDS);
  }
  const before = server.rssBytes();
  await using driver = await ClientDriver.start("stalled.ts", server.url, kind, String(CLIENTS));
  await driver.run(STALL_SECONDS);
  return (server.rssBytes() - before) / MIB / CLIENTS;
}
