/** An app that computes for 10 ms before it answers. @module */

import { measureInTurn, medians } from "../compare.ts";
import { wrkDriver } from "../load.ts";
import { median, micros, rate } from "../table.ts";
import { inWorkers, ours, type Work } from "../work.ts";

const BOUND = 1.8;

/** With two workers at least 1.8 × the throughput of inline, on a machine with two free cores. */
export const cpuBound: Work = {
  name: "cpu-bound",
  async run(settings) {
    const title = "CPU-bound app (10 ms), two process workers (floor: ours inline; ratio of throughputs)";
    const rounds = await measureInTurn({
      title,
      ours: ours("busy.ts", inWorkers("process", 2)),
      floor: ours("busy.ts"),
      drive: ({ url }) => wrkDriver(url, { connections: 8 }),
    }, settings);
    const [two, inline] = [medians(rounds.map((round) => round.ours)), medians(rounds.map((round) => round.floor))];
    const ratio = median(rounds.map((round) => round.ours.perSecond / round.floor.perSecond));
    return [{
      work: title,
      ours: micros(two.cpuMicros),
      floor: micros(inline.cpuMicros),
      ratio: ratio.toFixed(2),
      bound: `≥ ${BOUND.toFixed(2)}`,
      met: ratio >= BOUND,
      rates: `${rate(two.perSecond)} / ${rate(inline.perSecond)}`,
    }];
  },
};
