/**
 * What docs/engines.md shows that is written elsewhere: figures of bench/RESULTS.md, limits of the options table, and what the two engines
 * do differently with the same bytes, of tests/differential.
 *
 * @module
 */

import { type Option, OPTIONS } from "../src/runner/options.ts";
import { CORPUS } from "../tests/differential/corpus.ts";
import type { Class, Group } from "../tests/differential/difference.ts";
import { GROUPS } from "../tests/differential/differences.ts";
import type { Entry } from "../tests/differential/entry.ts";
import { BEGIN, END } from "../bench/table.ts";

/** Rows of bench/RESULTS.md that are about engines. */
const ABOUT_ENGINES =
  /^(?:hello, 7 request|WebSocket echo of 1 KB, 32|.*\bengine (?:node|deno)\b|.*node:http on Deno|the same[,:]|\d+ (?:idle|slow)|flood of|hello beside)/;

/** Rows that look like those and are not. */
const OTHERS = /^the same with the JSON|on Node\b/;

const CLASSES: readonly (readonly [kind: Class, title: string])[] = [
  ["bug", "Rules that one engine breaks"],
  ["limit", "Limits"],
  ["leniency", "Leniencies: what one takes and the other refuses"],
  ["capability", "What follows from capabilities that deno lacks"],
  ["same-outcome-different-words", "The same outcome in other words"],
];

/** The rows of bench/RESULTS.md that are about engines, in columns that say enough here. */
export function engineFigures(results: string): string {
  const table = results.slice(results.indexOf(BEGIN), results.indexOf(END));
  const lines = table.split("\n").filter((line) => line.startsWith("| ")).slice(2);
  const shown = lines.map((line) => line.slice(2, -2).split(" | ")).filter(([work]) => ABOUT_ENGINES.test(work!) && !OTHERS.test(work!));
  if (shown.length === 0) throw new Error("bench/RESULTS.md has no row about an engine");
  return [
    "| work | ours | floor | ratio | bound |",
    "|---|--:|--:|--:|--:|",
    ...shown.map(([work, ours, floor, ratio, bound, met]) =>
      `| ${work} | ${ours} | ${floor} | ${ratio} | ${bound}${met === "**no**" ? " (missed)" : ""} |`
    ),
  ].join("\n");
}

/** The options that the node engine alone has, with their defaults. */
export function wireLimits(): string {
  const rows = (Object.values(OPTIONS) as Option<unknown>[]).filter(({ only }) => only === "node");
  return [
    "| option | default | what it is |",
    "|---|---|---|",
    ...rows.map((option) => `| \`--${option.name}\` | ${defaultText(option)} | ${cell(option.help)} |`),
  ].join("\n");
}

/** Every difference, by class and cause. */
export function differences(): string {
  const entries = new Map(CORPUS.map((entry) => [entry.id, entry]));
  const count = GROUPS.reduce((sum, { rows }) => sum + Object.keys(rows).length, 0);
  const lines = [`Of ${CORPUS.length} entries ${count} differ.`];
  for (const [kind, title] of CLASSES) {
    const groups = GROUPS.filter((group) => group.class === kind);
    if (groups.length === 0) continue;
    lines.push("", `### ${title}`);
    for (const group of groups) lines.push("", ...groupLines(group, entries));
  }
  return lines.join("\n");
}

function groupLines({ why, rows }: Group, entries: ReadonlyMap<string, Entry>): string[] {
  const all = Object.entries(rows);
  const pairs = new Set(all.map(([, pair]) => pair.join("\0")));
  if (pairs.size === 1 && all.length > 2) {
    const [deno, node] = all[0]![1];
    const list = all.map(([id]) => `\`${id}\``).join(", ");
    return [`${why}. On deno: ${cell(deno)}. On node: ${cell(node)}.`, "", `${list}.`];
  }
  return [
    `${why}.`,
    "",
    "| entry | what is sent | on deno | on node |",
    "|---|---|---|---|",
    ...all.map(([id, [deno, node]]) => {
      const { what, rfc } = entries.get(id)!;
      return `| \`${id}\` | ${cell(what)} (${rfc}) | ${cell(deno)} | ${cell(node)} |`;
    }),
  ];
}

function defaultText({ default: value, kind, otherwise }: Option<unknown>): string {
  if (otherwise !== undefined) return cell(otherwise);
  return value === null ? "–" : value === false ? "off" : cell(kind.show(value));
}

/** Text inside a cell of a table: nothing of it is Markdown. */
function cell(text: string): string {
  return text.replace(/[\\`*_<|[\]]/g, "\\$&").replace(/\r?\n/g, "␤");
}
