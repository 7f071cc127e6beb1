/** The documentation: state tables are those of the source, links lead somewhere. */

import { assert, assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { HTTP_TABLE } from "../src/sessions/http_table.ts";
import { LIFESPAN_TABLE } from "../src/sessions/lifespan_table.ts";
import { SSE_TABLE } from "../src/sessions/sse_table.ts";
import { printTable } from "../src/sessions/table.ts";
import { WEBSOCKET_TABLE } from "../src/sessions/websocket_table.ts";
import { prints, shown } from "../tasks/docs.ts";

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
