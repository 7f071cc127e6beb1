/**
 * `deno task docs`: prints what documentation shows of the source into its pages: the packets of a link, the life of a worker, the engines.
 *
 * A test compares the pages with what is printed here. The tables of the sessions are printed by `deno task conformance`.
 *
 * @module
 */

import { PACKETS } from "../src/links/packets.ts";
import { WORKER_TABLE } from "../src/runner/pool/worker_table.ts";
import { IGNORE, printTable, type Table } from "../src/sessions/table.ts";
import { differences, engineFigures, wireLimits } from "./engines_page.ts";

/** A piece of a page: what stands between `<!-- print: NAME -->` and `<!-- /print -->`. */
export interface Print {
  readonly page: string;
  readonly name: string;
  readonly text: string;
}

/** The states of an exchange on a link, in the order of their bits. */
const EXCHANGE_STATES = ["idle", "streaming", "sent", "open", "closing", "cut"] as const;

/** All of them. */
export function prints(): Print[] {
  return [
    { page: "docs/homes.md", name: "packets", text: packetTable() },
    { page: "docs/supervision.md", name: "diagram", text: diagram(WORKER_TABLE) },
    { page: "docs/supervision.md", name: "table", text: printTable(WORKER_TABLE) },
    {
      page: "docs/engines.md",
      name: "figures",
      text: engineFigures(Deno.readTextFileSync(new URL("../bench/RESULTS.md", import.meta.url))),
    },
    { page: "docs/engines.md", name: "limits", text: wireLimits() },
    { page: "docs/differences.md", name: "differences", text: differences() },
  ];
}

/**
 * Puts a piece into its page.
 *
 * @throws {Error} Where the page has no place for it.
 */
export function put(text: string, print: Print): string {
  const [from, to] = place(text, print);
  return `${text.slice(0, from)}\n\n${print.text.trim()}\n\n${text.slice(to)}`;
}

/** What a page shows of a piece now. */
export function shown(text: string, print: Print): string {
  return text.slice(...place(text, print)).trim();
}

function place(text: string, { page, name }: Print): [number, number] {
  const mark = `<!-- print: ${name} -->`;
  const from = text.indexOf(mark);
  const to = text.indexOf("<!-- /print -->", from);
  if (from < 0 || to < 0) throw new Error(`${page} has no ${mark} … <!-- /print -->`);
  return [from + mark.length, to];
}

function packetTable(): string {
  const lines = ["| code | packet | from | while the exchange is | fields |", "|--:|---|---|---|---|"];
  for (const [code, { name, from, states, fields }] of PACKETS.entries()) {
    const list = fields.map(([field, kind]) => kind === "any" ? `\`${field}\`` : `\`${field}\`: ${kind}`).join(", ");
    lines.push(`| ${code} | ${name} | ${from} | ${stateNames(states)} | ${list === "" ? "–" : list} |`);
  }
  return lines.join("\n");
}

function stateNames(states: number): string {
  if (states === 0) return "–";
  const names = EXCHANGE_STATES.filter((_, bit) => (states & 1 << bit) !== 0);
  return names.length === EXCHANGE_STATES.length ? "any" : names.join(", ");
}

function diagram({ states, events, rows }: Table): string {
  const lines = ["```mermaid", "stateDiagram-v2", `  [*] --> ${states[0]}`];
  for (const [from, row] of rows.entries()) {
    for (const [to, state] of states.entries()) {
      const causes = events.filter((_, event) => row[event] === to);
      if (causes.length > 0) lines.push(`  ${states[from]} --> ${state}: ${causes.join(", ")}`);
    }
    if (row.every((cell) => cell === IGNORE)) lines.push(`  ${states[from]} --> [*]`);
  }
  return [...lines, "```"].join("\n");
}

if (import.meta.main) {
  for (const print of prints()) {
    const file = new URL(`../${print.page}`, import.meta.url);
    await Deno.writeTextFile(file, put(await Deno.readTextFile(file), print));
  }
}
