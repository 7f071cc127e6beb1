/** How long a new worker takes until it serves. @module */

import { ServerProcess } from "../process.ts";
import { median, type Row } from "../table.ts";
import { inWorkers, ours, type RunSettings, type Work } from "../work.ts";

const BOUND_MS = 150;

/** At most 150 ms from a HUP to a new worker that is ready. Three for each round. */
export const workerReady: Work = {
  name: "worker-ready",
  run: async (settings) => [await row("process", BOUND_MS, settings), await row("thread", null, settings)],
};

async function row(type: "process" | "thread", bound: number | null, { rounds, note }: RunSettings): Promise<Row> {
  await using server = await ServerProcess.start(ours("hello.ts", inWorkers(type)));
  await readyMs(server);
  const all: number[] = [];
  for (let round = 0; round < rounds * 3; round++) all.push(await readyMs(server));
  const ms = median(all);
  note(`new ${type} worker ready: ${all.map((each) => each.toFixed(0)).join(", ")} ms`);
  return {
    work: `new ${type} worker, hello app: ready after`,
    ours: `${ms.toFixed(0)} ms`,
    floor: "–",
    ratio: "–",
    bound: bound === null ? "–" : `≤ ${bound} ms`,
    met: bound === null ? null : ms <= bound,
    rates: "–",
  };
}

// By the times that the lines carry: the log is written a little later than things happen.
async function readyMs(server: ServerProcess): Promise<number> {
  const asked = server.line(/SIGHUP: /);
  const ready = server.line(/Worker 1 is ready/);
  const stopped = server.line(/Worker 1 has stopped/);
  server.signal("SIGHUP");
  const ms = timeOf(await ready) - timeOf(await asked);
  await stopped;
  return ms;
}

function timeOf(line: string): number {
  const time = Date.parse(line.split(" ", 1)[0]!);
  if (Number.isNaN(time)) throw new Error(`A line of the log begins without its time: ${line}`);
  return time;
}
