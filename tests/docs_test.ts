/** The documentation: state tables are those of the source, links lead somewhere. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { HTTP_TABLE } from "../src/sessions/http_table.ts";
import { LIFESPAN_TABLE } from "../src/sessions/lifespan_table.ts";
import { SSE_TABLE } from "../src/sessions/sse_table.ts";
import { printTable } from "../src/sessions/table.ts";
import { WEBSOCKET_TABLE } from "../src/sessions/websocket_table.ts";
import { BEGIN, END } from "../bench/table.ts";
import { prints, shown } from "../tasks/docs.ts";
import { COSTS, engineFigures } from "../tasks/engines_page.ts";

const ROOT = fromFileUrl(new URL("../", import.meta.url));

for (const table of [HTTP_TABLE, WEBSOCKET_TABLE, SSE_TABLE, LIFESPAN_TABLE]) {
  Deno.test(`docs/specs/states.md prints the ${table.name} table`, async () => {
    const page = await Deno.readTextFile(`${ROOT}docs/specs/states.md`);
    const shown = page.split(`<!-- table: ${table.name} -->`)[1]?.split("<!-- /table -->")[0];
    assertEquals(
      shown?.trim(),
      printTable(table).trim(),
      `Print it with printTable() of src/sessions/table.ts, between <!-- table: ${table.name} --> and <!-- /table -->`,
    );
  });
}

for (const print of prints()) {
  Deno.test(`${print.page} shows what is printed of the source: ${print.name}`, async () => {
    const page = await Deno.readTextFile(`${ROOT}${print.page}`);
    assertEquals(shown(page, print), print.text.trim(), "deno task docs prints it anew");
  });
}

Deno.test("the rows that docs/engines.md shows are those that the benchmarks write", async () => {
  let works = "";
  for await (const { name } of Deno.readDir(`${ROOT}bench/works`)) works += await Deno.readTextFile(`${ROOT}bench/works/${name}`);
  // The title of a server beside ours is put together.
  const written = COSTS.map(({ title }) => title).filter((title) => !title.startsWith("hello beside"));
  assert(written.length >= 8);
  assertEquals(written.filter((title) => !works.includes(`title: "${title}"`)), []);
});

Deno.test("the figures of docs/engines.md are as many as were measured", () => {
  const results = (rows: readonly string[]) =>
    `${BEGIN}\n\n| work | … |\n| --- | --: |\n${rows.map((row) => `| ${row} |`).join("\n")}\n\n${END}`;
  const hello = COSTS.map(({ title, engine }) => `${title} | ${engine === "deno" ? "10.0" : "25.0"} | 8.00 | 1.25 | ≤ 1.20 | **no** | –`);
  const clients = [
    "5000 idle connections, engine node: memory of each | 15.0 KB | – | – | ≤ 24 KB | yes | –",
    "the same: p50 of others (floor: without them) | 200 µs | 190 µs | 1.05 | ≤ 1.25 | yes | –",
    "500 slow-read clients, limit 6 s: ended, the last after | 500, 6.4 s | – | – | all, ≤ 11 s | yes | –",
    "flood of PINGs on HTTP/2: its end, and the CPU two seconds later | GOAWAY 11 after 3 ms; 0 % | – | – | GOAWAY; < 5 % | yes | –",
  ];
  const all = engineFigures(results([...hello, "file of 50 MB | 1 | 1 | 1.00 | – | – | –", ...clients]));
  const lines = all.split("\n").filter((line) => line.startsWith("| ")).slice(0, -clients.length);
  assertEquals(lines.length, COSTS.length + 2, all);
  assertStringIncludes(all, "| `node` | 25.0 | 8.00 | `npm:ws` in Deno | 1.25 | ≤ 1.20 (missed) |");
  assertEquals(all.match(/ 2\.5 ×/g)?.length, 4);
  assertStringIncludes(all, "| 5000 idle connections, engine node: p50 of others | 200 µs | 190 µs | 1.05 | ≤ 1.25 |");
  assertStringIncludes(all, "| flood of PINGs on HTTP/2: its end");
  assert(!all.includes("file of 50 MB"));

  const few = engineFigures(results(hello.slice(0, 1)));
  assertEquals(few.split("\n").length, 3);
  assertThrows(() => engineFigures(results([])), Error, "no row about an engine");
});

Deno.test("links of the documentation lead to a file, and to a heading in it", async () => {
  const broken: string[] = [];
  let count = 0;
  for (const page of await pages()) {
    const text = withoutCode(await Deno.readTextFile(page));
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      count++;
      const [path, anchor] = target!.split("#", 2) as [string, string | undefined];
      const file = path === "" ? page : join(dirname(page), path);
      if (!await leads(file, anchor)) broken.push(`${page.slice(ROOT.length)}: ${target}`);
    }
  }
  assert(count > 50, `only ${count} links were found`);
  assertEquals(broken, []);
});

Deno.test("paths of tests and sources that the documentation names exist", async () => {
  const missing: string[] = [];
  let count = 0;
  for (const page of await pages()) {
    if (page.endsWith("/compliance.md")) continue; // generated, with checks of its own
    for (const [, path] of (await Deno.readTextFile(page)).matchAll(/`((?:tests|src|bench|docs|examples|links|tasks|\.ci)\/[\w/.-]*)`/g)) {
      count++;
      try {
        await Deno.stat(`${ROOT}${path}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        missing.push(`${page.slice(ROOT.length)}: ${path}`);
      }
    }
  }
  assert(count > 15, `only ${count} paths were found`);
  assertEquals(missing, []);
});

async function pages(): Promise<string[]> {
  const found = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map((name) => `${ROOT}${name}`);
  for (const folder of [`${ROOT}docs`, `${ROOT}docs/specs`]) {
    for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".md")) found.push(`${folder}/${name}`);
  }
  return found;
}

async function leads(file: string, anchor: string | undefined): Promise<boolean> {
  try {
    if (anchor === undefined) return (await Deno.stat(file)) !== null;
    return headings(await Deno.readTextFile(file)).includes(anchor);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Anchors as repository hosts make them: lower case, punctuation gone, spaces to hyphens. */
function headings(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-")
  );
}

/** Blocks of code may hold what looks like a link or a heading. */
function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, "").replace(/^ {4}.*$/gm, "");
}
