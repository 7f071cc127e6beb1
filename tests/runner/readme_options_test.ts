/** The options table of the README is the one of the source. */

import { assert, assertEquals } from "@std/assert";
import { optionsMarkdown } from "../../src/runner/help.ts";
import { VERSION } from "../../src/runner/version.ts";

const root = new URL("../../", import.meta.url);

Deno.test("README.md has the options table, between its markers", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const match = /<!-- options -->\n([\s\S]*?)<!-- \/options -->/.exec(readme);
  assert(match !== null, "README.md needs the lines <!-- options --> and <!-- /options -->");
  assertEquals(
    rows(match[1]!),
    rows(optionsMarkdown()),
    "Print the table with: deno eval 'console.log((await import(\"./src/runner/help.ts\")).optionsMarkdown())'",
  );
});

Deno.test("VERSION is the version of deno.json", async () => {
  assertEquals(VERSION, JSON.parse(await Deno.readTextFile(new URL("deno.json", root))).version);
});

// A formatter may pad the cells.
function rows(table: string): string[] {
  return table.trim().split("\n").map((line) => line.trim().replace(/\s*(?<!\\)\|\s*/g, "|").replace(/\|:?-+:?(?=\|)/g, "|-"));
}
