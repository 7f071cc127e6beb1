/**
 * `deno task conformance`: runs the suite, prints what was skipped and why, and writes docs/compliance.md and the tables of
 * docs/specs/states.md.
 *
 * @module
 */

import { HTTP_TABLE } from "../../src/sessions/http_table.ts";
import { LIFESPAN_TABLE } from "../../src/sessions/lifespan_table.ts";
import { SSE_TABLE } from "../../src/sessions/sse_table.ts";
import { printTable } from "../../src/sessions/table.ts";
import { WEBSOCKET_TABLE } from "../../src/sessions/websocket_table.ts";
import { missing, page } from "./page.ts";
import { loadRows, type Row, skipped } from "./suite.ts";
import type { Target } from "./target.ts";
import { TARGETS } from "./targets.ts";

const ROOT = new URL("../../", import.meta.url);

/** Runs the tests in a process of their own, as `deno task test` does; prints what it says where one fails. */
async function passes(): Promise<boolean> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--frozen", "--sanitize-ops", "--sanitize-resources", "tests/conformance/conformance_test.ts"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  // The lines of tests that passed or were skipped say nothing here.
  if (!success) {
    console.log(text.split("\n").filter((line) => !/ \.\.\. (ok|ignored) /.test(line)).join("\n") + new TextDecoder().decode(stderr));
  }
  return success;
}

/** What was skipped on a target, counted by reason. */
function skips(rows: readonly Row[], target: Target): Map<string, string[]> {
  const byReason = new Map<string, string[]>();
  for (const row of rows) {
    const reason = row.kind === "test" ? skipped(row, target) : null;
    if (reason === null) continue;
    const ids = byReason.get(reason) ?? [];
    ids.push(row.id);
    byReason.set(reason, ids);
  }
  return byReason;
}

/** Puts the tables of the sessions between their marks. */
async function writeTables(): Promise<void> {
  const file = new URL("docs/specs/states.md", ROOT);
  const before = await Deno.readTextFile(file);
  let after = before;
  for (const table of [HTTP_TABLE, WEBSOCKET_TABLE, SSE_TABLE, LIFESPAN_TABLE]) {
    const mark = `<!-- table: ${table.name} -->`;
    const from = after.indexOf(mark);
    const to = after.indexOf("<!-- /table -->", from);
    if (from < 0 || to < 0) throw new Error(`docs/specs/states.md has no ${mark} … <!-- /table -->`);
    after = `${after.slice(0, from + mark.length)}\n\n${printTable(table)}\n${after.slice(to)}`;
  }
  if (after !== before) await Deno.writeTextFile(file, after);
}

if (import.meta.main) {
  const rows = await loadRows();
  if (!await passes()) Deno.exit(1);
  for (const target of TARGETS) {
    const reasons = skips(rows, target);
    const run = rows.filter((row) => row.kind === "test" && skipped(row, target) === null).length;
    const count = [...reasons.values()].reduce((sum, ids) => sum + ids.length, 0);
    console.log(`${target.name}: ${run} tests passed, ${count} skipped`);
    for (const [reason, ids] of reasons) console.log(`  ${reason}: ${ids.length} (${[...new Set(ids)].join(", ")})`);
  }
  const open = missing(rows);
  if (open.length > 0) console.log(`Without a row: ${open.length} (${open.join(", ")})`);
  await Deno.writeTextFile(new URL("docs/compliance.md", ROOT), page(rows, TARGETS));
  await writeTables();
  if (open.length > 0) Deno.exit(1);
}
