/**
 * Two servers under the same load in turn: CPU time per request of one beside that of the other.
 *
 * On a machine where other things run, absolute figures drift by tens of per cent within minutes; the ratio of two measurements made
 * one right after the other does not. So both servers live through all rounds, are measured alternately, and the ratio is the median of
 * the rounds' ratios.
 *
 * @module
 */

import type { Driver } from "./load.ts";
import { type Command, ServerProcess } from "./process.ts";
import { median, type Row, rowOf } from "./table.ts";
import type { RunSettings } from "./work.ts";

/** Long enough for the JIT to settle. */
const WARM_UP_SECONDS = 2;

/** What is compared. */
export interface Contest {
  /** The row's first column. */
  readonly title: string;
  /** The largest ratio that is fine; left out where the row is there for information. */
  readonly bound?: number;
  readonly ours: Command;
  readonly floor: Command;
  /** Puts load on a server. */
  drive(server: ServerProcess): Driver | Promise<Driver>;
}

/** One measurement. */
export interface Sample {
  readonly cpuMicros: number;
  readonly perSecond: number;
}

/** Both sides of one round. */
export interface Round {
  readonly ours: Sample;
  readonly floor: Sample;
}

/** Measures both sides in turn, and compares the CPU time. */
export async function compare(contest: Contest, settings: RunSettings): Promise<Row> {
  const rounds = await measureInTurn(contest, settings);
  const ratio = median(rounds.map((round) => round.ours.cpuMicros / round.floor.cpuMicros));
  return rowOf(
    contest.title,
    medians(rounds.map((round) => round.ours)),
    medians(rounds.map((round) => round.floor)),
    ratio,
    contest.bound,
  );
}

/** Measures both sides in turn. */
export async function measureInTurn(contest: Contest, { rounds, seconds, note }: RunSettings): Promise<Round[]> {
  await using ours = await ServerProcess.start(contest.ours);
  await using floor = await ServerProcess.start(contest.floor);
  await using oursDriver = await contest.drive(ours);
  await using floorDriver = await contest.drive(floor);
  await oursDriver.run(WARM_UP_SECONDS);
  await floorDriver.run(WARM_UP_SECONDS);
  const all: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    const pair = { ours: await measure(ours, oursDriver, seconds), floor: await measure(floor, floorDriver, seconds) };
    all.push(pair);
    note(`${contest.title}, round ${round} of ${rounds}: ${pair.ours.cpuMicros.toFixed(2)} / ${pair.floor.cpuMicros.toFixed(2)} µs`);
  }
  return all;
}

async function measure(server: ServerProcess, driver: Driver, seconds: number): Promise<Sample> {
  const before = server.cpuMicros();
  const load = await driver.run(seconds);
  return { cpuMicros: (server.cpuMicros() - before) / load.count, perSecond: load.count / load.seconds };
}

/** The medians of both figures. */
export function medians(samples: readonly Sample[]): Sample {
  return { cpuMicros: median(samples.map((sample) => sample.cpuMicros)), perSecond: median(samples.map((sample) => sample.perSecond)) };
}
