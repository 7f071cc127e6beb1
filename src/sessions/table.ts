/**
 * State tables: state × event → next state, an error text, or nothing at all.
 *
 * A session looks a cell up before it does anything, so that what is legal when is data: one test walks every cell of every table,
 * and the docs print the tables from here. See `http_table.ts`, `websocket_table.ts`, `sse_table.ts`, `lifespan_table.ts`.
 *
 * @module
 */

import { StateError } from "../spec/errors.ts";

/** The event has no effect and its `send` resolves. */
export const IGNORE = -1;

/** A number is the next state or {@linkcode IGNORE}; a string is why the event is refused. */
export type Cell = number | string;

/** One scope type's rules. Rows and columns are indexed by the constants beside the table. */
export interface Table {
  /** Which session it belongs to. */
  readonly name: string;
  /** Names of the rows. */
  readonly states: readonly string[];
  /** Names of the columns. */
  readonly events: readonly string[];
  /** `rows[state][event]`. */
  readonly rows: readonly (readonly Cell[])[];
}

/**
 * Looks up one cell.
 *
 * @returns The next state, or {@linkcode IGNORE}.
 * @throws {StateError} Where the cell refuses the event; `type` names it in the message.
 */
export function step(table: Table, state: number, event: number, type: string): number {
  const cell = table.rows[state]![event]!;
  if (typeof cell === "string") throw new StateError(type, cell);
  return cell;
}

/**
 * Prints a table as markdown: one line for each state, one column for each event.
 *
 * @returns Lines that end with a newline. A dash stands for {@linkcode IGNORE}.
 */
export function printTable(table: Table): string {
  const lines = [
    `| state | ${table.events.map((name) => `\`${name}\``).join(" | ")} |`,
    `|---|${"---|".repeat(table.events.length)}`,
  ];
  for (const [index, row] of table.rows.entries()) {
    const cells = row.map((cell) => typeof cell === "string" ? `error: ${cell}` : cell === IGNORE ? "–" : `**${table.states[cell]}**`);
    lines.push(`| **${table.states[index]}** | ${cells.join(" | ")} |`);
  }
  return lines.join("\n") + "\n";
}
