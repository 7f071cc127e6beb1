/**
 * The table of results: its rows, its text, and its place in RESULTS.md.
 *
 * @module
 */

import type { Sample } from "./compare.ts";

/** One row, ready to print. */
export interface Row {
  readonly work: string;
  readonly ours: string;
  readonly floor: string;
  readonly ratio: string;
  readonly bound: string;
  /** `null` where there is no bound. */
  readonly met: boolean | null;
  /** For information: requests per second of both. */
  readonly rates: string;
}

const COLUMNS = ["work", "ours, CPU µs/req", "floor, CPU µs/req", "ratio", "bound", "met?", "req/s, ours / floor"];

/** What stands around the table in RESULTS.md. */
export const BEGIN = "<!-- begin: written by `deno task bench --write` -->";
export const END = "<!-- end -->";

/** A row of two measurements. */
export function rowOf(work: string, ours: Sample, floor: Sample, ratio: number, bound?: number): Row {
  return {
    work,
    ours: micros(ours.cpuMicros),
    floor: micros(floor.cpuMicros),
    ratio: ratio.toFixed(2),
    bound: bound === undefined ? "–" : `≤ ${bound.toFixed(2)}`,
    met: bound === undefined ? null : ratio <= bound,
    rates: `${rate(ours.perSecond)} / ${rate(floor.perSecond)}`,
  };
}

/** The table in Markdown. */
export function markdown(rows: readonly Row[]): string {
  const cells = rows.map(({ work, ours, floor, ratio, bound, met, rates }) => [work, ours, floor, ratio, bound, metText(met), rates]);
  const lines = [COLUMNS, COLUMNS.map((_, at) => at === 0 ? "---" : "--:"), ...cells];
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/**
 * Puts new text between the markers and leaves the rest, which is written by hand.
 *
 * @throws {Error} Where a marker is missing.
 */
export function replaceBetweenMarkers(document: string, text: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END, begin);
  if (begin === -1 || end === -1) throw new Error(`RESULTS.md must hold "${BEGIN}" and "${END}"`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${document.slice(end)}`;
}

/** The one in the middle, or the mean of the two. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("No values");
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Text of a number of µs, with three digits that mean something. */
export function micros(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Text of a rate. */
export function rate(perSecond: number): string {
  return perSecond >= 10_000 ? `${(perSecond / 1000).toFixed(1)}k` : perSecond.toFixed(perSecond >= 100 ? 0 : 1);
}

function metText(met: boolean | null): string {
  return met === null ? "–" : met ? "yes" : "**no**";
}
