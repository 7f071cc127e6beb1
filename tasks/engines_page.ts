/**
 * What docs/engines.md and docs/differences.md show that is written elsewhere: figures of bench/RESULTS.md, limits of the options table, and
 * what the two engines do differently with the same bytes, of tests/differential.
 *
 * @module
 */

import { type Option, OPTIONS } from "../src/runner/options.ts";
import { CORPUS } from "../tests/differential/corpus.ts";
import type { Class, Group } from "../tests/differential/difference.ts";
import { GROUPS } from "../tests/differential/differences.ts";
import type { Entry } from "../tests/differential/entry.ts";
import { BEGIN, END } from "../bench/table.ts";

/** A row of bench/RESULTS.md about the CPU time of an engine, and how it is named here. */
export interface Cost {
  /** As in bench/works. */
  readonly title: string;
  readonly work: string;
  readonly engine: "deno" | "node";
  /** What the ratio is to. */
  readonly beside: string;
}

const HTTP1 = "HTTP/1.1, a small request";
const HTTP2 = "HTTP/2, the same, 10 streams at once";
const SOCKET = "WebSocket, a message of 1 KB and its echo";
const LISTENERS = "HTTP/1.1, two workers that listen";

/** Those that are looked for, in the order of the page. */
export const COSTS: readonly Cost[] = [
  { title: "hello, 7 request headers, production, no access log", work: HTTP1, engine: "deno", beside: "`Deno.serve`" },
  { title: "hello beside node:http on Deno (in place of the floor)", work: HTTP1, engine: "deno", beside: "`node:http` in Deno" },
  { title: "hello, engine node (floor: node:http in Deno)", work: HTTP1, engine: "node", beside: "`node:http` in Deno" },
  { title: "the same, engine deno (floor: bare Deno.serve)", work: HTTP2, engine: "deno", beside: "`Deno.serve`" },
  {
    title: "hello on HTTP/2, 10 streams, engine node (floor: streams of node:http2 in Deno)",
    work: HTTP2,
    engine: "node",
    beside: "streams of `node:http2` in Deno",
  },
  { title: "WebSocket echo of 1 KB, 32 connections (per message)", work: SOCKET, engine: "deno", beside: "`Deno.serve`" },
  { title: "WebSocket echo of 1 KB, engine node (floor: npm:ws in Deno)", work: SOCKET, engine: "node", beside: "`npm:ws` in Deno" },
  {
    title: "hello, two listener workers, engine deno (floor: bare Deno.serve, one process)",
    work: LISTENERS,
    engine: "deno",
    beside: "`Deno.serve`, one process",
  },
  {
    title: "hello, two listener workers, engine node (floor: node:http in Deno, one process)",
    work: LISTENERS,
    engine: "node",
    beside: "`node:http` in Deno, one process",
  },
];

/** Rows about clients that wait, are slow or flood; behind some stands what others notice of them. */
const CLIENTS = /^(?:\d+ (?:idle|slow)|flood of )/;
const OF_OTHERS = "the same: ";

const CLASSES: readonly (readonly [kind: Class, title: string])[] = [
  ["bug", "Rules that one engine breaks"],
  ["limit", "Limits"],
  ["leniency", "Leniencies: what one takes and the other refuses"],
  ["capability", "What follows from capabilities that deno lacks"],
  ["same-outcome-different-words", "The same outcome in other words"],
];

/**
 * The rows of bench/RESULTS.md that are about engines, named so that they can be read here; those that were not measured are left out.
 *
 * @throws {Error} Where there is none at all.
 */
export function engineFigures(results: string): string {
  const rows = resultRows(results);
  const costs = COSTS.flatMap((cost) => {
    const row = rows.find(([work]) => work === cost.title);
    return row === undefined ? [] : [{ ...cost, row }];
  });
  if (costs.length === 0) throw new Error("bench/RESULTS.md has no row about an engine");
  const lines = [
    "| what | engine | CPU, µs for each | the bare server, µs | which is | ratio | at most |",
    "|---|---|--:|--:|---|--:|--:|",
    ...costs.map(({ work, engine, beside, row: [, ours, floor, ratio, bound, met] }) =>
      `| ${work} | \`${engine}\` | ${ours} | ${floor} | ${beside} | ${ratio} | ${boundText(bound!, met!)} |`
    ),
  ];
  const between = betweenEngines(costs.map(({ work, engine, row }) => ({ work, engine, ours: Number(row[1]) })));
  if (between.length > 0) lines.push("", `The CPU time of \`node\` by that of \`deno\`, of these rows: ${between.join("; ")}.`);
  const clients = clientRows(rows);
  if (clients.length === 0) return lines.join("\n");
  return [
    ...lines,
    "",
    "| clients that wait, are slow, or flood | measured | without them | ratio | bound |",
    "|---|--:|--:|--:|--:|",
    ...clients,
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
    lines.push("", `## ${title}`);
    for (const group of groups) lines.push("", ...groupLines(group, entries));
  }
  return lines.join("\n");
}

/** The cells of each row of the table. */
function resultRows(results: string): string[][] {
  const table = results.slice(results.indexOf(BEGIN), results.indexOf(END));
  return table.split("\n").filter((line) => line.startsWith("| ")).slice(2).map((line) => line.slice(2, -2).split(" | "));
}

/** For each work that both engines were measured at. */
function betweenEngines(costs: readonly { work: string; engine: string; ours: number }[]): string[] {
  return [...new Set(costs.map(({ work }) => work))].flatMap((work) => {
    const of = (name: string) => costs.find((cost) => cost.work === work && cost.engine === name)?.ours;
    const [deno, node] = [of("deno"), of("node")];
    return deno === undefined || node === undefined ? [] : [`${work}, ${(node / deno).toFixed(1)} ×`];
  });
}

function clientRows(rows: readonly string[][]): string[] {
  const lines: string[] = [];
  let of: string | null = null;
  for (const [work = "", ours, floor, ratio, bound, met] of rows) {
    const isOfOthers = of !== null && work.startsWith(OF_OTHERS);
    if (!isOfOthers) of = CLIENTS.test(work) ? work.split(":", 1)[0]! : null;
    if (of === null) continue;
    const name = isOfOthers ? `${of}: ${work.slice(OF_OTHERS.length).replace(" (floor: without them)", "")}` : work;
    lines.push(`| ${name} | ${ours} | ${floor} | ${ratio} | ${boundText(bound!, met!)} |`);
  }
  return lines;
}

function boundText(bound: string, met: string): string {
  return met === "**no**" ? `${bound} (missed)` : bound;
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
