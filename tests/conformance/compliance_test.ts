/** The page of the suite: complete, true to the rows, and what it points to is there. */

import { assertEquals } from "@std/assert";
import { allIds, AREAS } from "./checklist.ts";
import { DEVIATIONS } from "./deviations.ts";
import { missing, page } from "./page.ts";
import { loadRows } from "./suite.ts";
import { TARGETS } from "./targets.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("the checklist has 600 rows in 22 areas, and 68 deviations that name some of them", () => {
  assertEquals([AREAS.length, allIds().length, new Set(allIds()).size, DEVIATIONS.length], [22, 600, 600, 68]);
  const known = new Set(allIds());
  assertEquals(DEVIATIONS.flatMap(({ rows }) => rows).filter((id) => !known.has(id)), []);
});

Deno.test("every id of the checklist has a row", async () => {
  assertEquals(missing(await loadRows()), []);
});

Deno.test("a row that is proven elsewhere names a test file that exists", async () => {
  const absent: string[] = [];
  for (const row of await loadRows()) {
    if (row.kind !== "elsewhere") continue;
    const isFile = await Deno.stat(new URL(row.where, ROOT)).then((info) => info.isFile, () => false);
    if (!isFile || !row.where.endsWith("_test.ts")) absent.push(`${row.id}: ${row.where}`);
  }
  assertEquals(absent, []);
});

Deno.test("docs/compliance.md lists every id once and is what the rows say", async () => {
  const written = await Deno.readTextFile(new URL("docs/compliance.md", ROOT));
  const listed = [...written.matchAll(/^\| ([A-Z0-9]+-\d{3}) \|/gm)].map(([, id]) => id!);
  assertEquals(listed, allIds());
  assertEquals(written === page(await loadRows(), TARGETS), true, "docs/compliance.md is old: run `deno task conformance`");
});
