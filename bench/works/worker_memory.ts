/** What a worker process that has nothing to do holds. @module */

import { type Memory, memoryOf, ServerProcess } from "../process.ts";
import { median, type Row } from "../table.ts";
import { inWorkers, ours, type Work } from "../work.ts";

const MB = 1_000_000;
const BOUND_MB = 45;
const OWN_BOUND_MB = 20;
const SETTLE_MS = 2000;

/** At most 45 MB of resident memory, at most 20 MB of it shared with nobody. */
export const workerMemory: Work = {
  name: "worker-memory",
  async run({ rounds, note }) {
    const all: Memory[] = [];
    for (let round = 1; round <= rounds; round++) {
      const memory = await idleWorker();
      all.push(memory);
      note(`idle process worker, round ${round} of ${rounds}: ${text(memory.rss)}, ${text(memory.own)} of it its own`);
    }
    return [
      row("idle process worker: resident memory", median(all.map(({ rss }) => rss)), BOUND_MB),
      row("idle process worker: of that, its own", median(all.map(({ own }) => own)), OWN_BOUND_MB),
    ];
  },
};

// Two workers, so that what workers share is shared.
async function idleWorker(): Promise<Memory> {
  await using server = await ServerProcess.start(ours("hello.ts", inWorkers("process", 2)));
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS)); // nothing tells when it is idle
  const pid = server.pids().find((pid) => pid !== server.pid);
  if (pid === undefined) throw new Error("The server has no worker process");
  return memoryOf(Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`));
}

function row(work: string, bytes: number, bound: number): Row {
  return { work, ours: text(bytes), floor: "–", ratio: "–", bound: `≤ ${bound} MB`, met: bytes <= bound * MB, rates: "–" };
}

function text(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}
