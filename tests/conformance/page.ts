/**
 * The page docs/compliance.md: every row of the checklist once, with its state on every engine.
 *
 * It follows from the rows alone; `main.ts` writes it after they have passed.
 *
 * @module
 */

import { AREAS, idsOf } from "./checklist.ts";
import { DEVIATIONS } from "./deviations.ts";
import { OUTCOMES } from "./outcomes.ts";
import { type Row, skipped } from "./suite.ts";
import type { Target } from "./target.ts";

/** A row's state on one target. */
export interface State {
  readonly kind: "met" | "partly" | "skipped" | "later" | "missing";
  /** As the page shows it. */
  readonly text: string;
}

/** The state of an id on a target. */
export function stateOf(all: readonly Row[], target: Target): State {
  if (all.length === 0) return { kind: "missing", text: "**missing**" };
  const rows = all.filter((row) => row.kind !== "later" || row.engine === undefined || row.engine === target.engine);
  if (rows.length === 0) return { kind: "skipped", text: "skipped: needs bytes on a socket" };
  const reasons = new Set<string>();
  const files = new Set<string>();
  let met = 0;
  let put = 0;
  let instead = false;
  for (const row of rows) {
    if (row.kind === "later") {
      reasons.add(row.reason);
      put++;
    } else if (row.kind === "elsewhere") {
      met++;
      files.add(`[${row.where.split("/").at(-1)}](../${row.where})`);
    } else {
      const reason = skipped(row, target);
      // A test of what happens without a capability, or on one engine, does not meet a row that needs it, and is not missed where the capability is there.
      if (row.options.lacks !== undefined || row.options.instead !== undefined) instead = instead || reason === null;
      else if (reason === null) met++;
      else reasons.add(reason);
    }
  }
  if (met === 0 && reasons.size === 0 && !instead) reasons.add("it is about engines that can do less");
  const why = [...reasons].join("; ");
  const by = files.size > 0 ? `: ${[...files].join(", ")}` : "";
  if (reasons.size === 0) return { kind: "met", text: `met${by}` };
  if (met > 0) return { kind: "partly", text: `partly${by}; ${why}` };
  return put > 0
    ? { kind: "later", text: `later: ${why}` }
    : { kind: "skipped", text: `skipped: ${why}${instead ? "; what happens instead is tested" : ""}` };
}

/** The whole page. */
export function page(rows: readonly Row[], targets: readonly Target[]): string {
  const byId = new Map<string, Row[]>();
  for (const row of rows) {
    const list = byId.get(row.id) ?? [];
    list.push(row);
    byId.set(row.id, list);
  }
  return [
    ...intro(rows, byId, targets),
    ...AREAS.flatMap((area) => [
      `### ${area.title}`,
      "",
      ...table(["row", "what it says", ...targets.map(({ name }) => name)], idsOf(area).map((id) => line(id, byId.get(id) ?? [], targets))),
    ]),
    ...outcomes(),
    ...deviations(),
  ].join("\n").trimEnd() + "\n";
}

/** Ids without any row. */
export function missing(rows: readonly Row[]): string[] {
  const declared = new Set(rows.map(({ id }) => id));
  return AREAS.flatMap(idsOf).filter((id) => !declared.has(id));
}

function intro(rows: readonly Row[], byId: ReadonlyMap<string, readonly Row[]>, targets: readonly Target[]): string[] {
  const kinds = ["met", "partly", "skipped", "later"] as const;
  const counts = targets.map((target) => {
    const states = AREAS.flatMap(idsOf).map((id) => stateOf(byId.get(id) ?? [], target).kind);
    return [target.name, ...kinds.map((kind) => String(states.filter((state) => state === kind).length))];
  });
  const tests = rows.filter(({ kind }) => kind === "test").length;
  return [
    "# Compliance",
    "",
    "What a server of the interface must, should and may do, row by row, and how this one stands. `deno task conformance` runs the",
    "suite (`tests/conformance`) and writes this page; a test keeps the two together. On a socket the clients of the suite are raw",
    "bytes with a strict reader of responses, curl, nghttp, Node's `http2` and the npm package `ws`: never code of the server.",
    "",
    "- **met**: each test of the row passes on that engine and home; a file behind it is a test outside the suite.",
    "- **partly**: some of its tests can't run there, for the reason given.",
    "- **skipped**: the engine lacks a capability by design ([engines](engines.md) says why), or the row is about bytes on a socket",
    "  and there is none in memory.",
    "- **later**: not done yet, or not possible, with the reason.",
    "",
    `${tests} tests stand behind the rows.`,
    "",
    ...table(["engine × home", ...kinds], counts),
    "## Rows",
    "",
  ];
}

function line(id: string, rows: readonly Row[], targets: readonly Target[]): string[] {
  const says = [...new Set(rows.map((row) => row.says))].join(" · ");
  return [id, says, ...targets.map((target) => stateOf(rows, target).text)];
}

function outcomes(): string[] {
  return [
    "## What becomes of a `send`",
    "",
    "Where the specification leaves the outcome open and the reference swallows an event, this server rejects it: an event that does",
    "nothing is a fault in the app, and one that is told is found. [States](specs/states.md) has every cell.",
    "",
    ...table(["state", "event", "outcome", "the reference, where it differs"], OUTCOMES),
  ];
}

function deviations(): string[] {
  const lines = DEVIATIONS.map(({ rows, follows, here, there }, index) => [`D${index + 1}`, rows.join(", "), follows, here, there]);
  return [
    "## Where this server follows the specification and not the reference implementation",
    "",
    "The reference implementation differs in these points from the specification of the interface, from the standards for HTTP, WebSocket",
    "and event streams, or from its own documentation. Rows that name one are written for the former.",
    "",
    ...table(["", "rows", "what is followed", "this server", "the reference implementation"], lines),
  ];
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string[] {
  const print = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [print(head), `|${"---|".repeat(head.length)}`, ...lines.map(print), ""];
}
