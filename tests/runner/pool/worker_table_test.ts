import { assert, assertEquals } from "@std/assert";
import * as T from "../../../src/runner/pool/worker_table.ts";
import { IGNORE, printTable } from "../../../src/sessions/table.ts";

const { states, events, rows } = T.WORKER_TABLE;

Deno.test("WORKER_TABLE has a cell for each state and event, and refuses nothing", () => {
  assertEquals(rows.length, states.length);
  for (const row of rows) {
    assertEquals(row.length, events.length);
    for (const cell of row) assert(typeof cell === "number" && (cell === IGNORE || cell in states));
  }
});

Deno.test("WORKER_TABLE leads nowhere back, and from everywhere to the end", () => {
  for (const [state, row] of rows.entries()) {
    for (const cell of row) assert(cell === IGNORE || (cell as number) > state);
    // Whatever it does, its process may end, and then it is over.
    const afterExit = row[T.EXITED] === IGNORE ? state : row[T.EXITED] as number;
    assert(afterExit === T.ENDING || afterExit === T.GONE);
  }
  assertEquals(rows[T.ENDING]![T.OVER], T.GONE);
});

Deno.test("WORKER_TABLE lets a worker take exchanges once, after its start alone", () => {
  const ways = rows.flatMap((row, state) => row.flatMap((cell, event) => cell === T.READY ? [[state, event]] : []));
  assertEquals(ways, [[T.STARTING, T.STARTED]]);
});

Deno.test("printTable() prints the life of a worker", () => {
  const text = printTable(T.WORKER_TABLE);
  assert(text.includes("| **draining** | – | – | – | **stopping** | **stopping** | **stopping** | – | **ending** |"), text);
});
