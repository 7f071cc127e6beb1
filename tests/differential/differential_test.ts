/** The two engines under the same bytes: every difference is classified, and none that was classified is gone. */

import { assert, assertEquals } from "@std/assert";
import { Lane } from "./lane.ts";
import { surprises } from "./compare.ts";
import { CORPUS } from "./corpus.ts";
import { classified, GROUPS } from "./differences.ts";
import { DENO, NODE } from "./makers.ts";
import { play } from "./play.ts";

Deno.test("the corpus has entries of every kind, each with a name of its own", () => {
  const ids = new Set(CORPUS.map(({ id }) => id));
  assertEquals(ids.size, CORPUS.length);
  assert(CORPUS.length >= 600, `${CORPUS.length} entries`);
  for (const { id, what, rfc, parts } of CORPUS) assert(what !== "" && rfc !== "" && parts.length > 0, id);
  for (const { why, rows } of GROUPS) assert(why !== "" && Object.keys(rows).length > 0, why);
  assertEquals([...classified().keys()].filter((id) => !ids.has(id)), [], "classified, but not in the corpus");
});

Deno.test("every difference between the engines is classified, and none of them is gone", async () => {
  const found = await surprises(DENO, NODE);
  assertEquals(found, [], "`is` and `was` are what deno and node do; tests/differential/differences has the classification");
});

Deno.test("a difference that nobody has classified is found", async () => {
  const [entry] = CORPUS.filter(({ id }) => id === "host/none");
  const [surprise] = await surprises(DENO, NODE, [{ ...entry!, id: "host/none-again" }]);
  assertEquals(surprise?.was, null);
  assertEquals(surprise?.is?.[1], "400; closed; the app saw nothing");
});

Deno.test("a classified difference that is gone is found", async () => {
  const [plain] = CORPUS.filter(({ id }) => id === "line/plain");
  const [surprise] = await surprises(DENO, NODE, [{ ...plain!, id: "host/none" }]);
  assertEquals(surprise?.is, null);
  assertEquals(surprise?.was?.[1], "400; closed; the app saw nothing");
});

Deno.test("a request behind another is seen as one more", async () => {
  await using lane = await Lane.start(NODE);
  const [entry] = CORPUS.filter(({ id }) => id === "chunk/behind");
  const { answers, saw, fate } = await play(entry!, lane, 150);
  assertEquals([answers.length, saw.map(({ path }) => path), fate], [2, ["/body", "/smuggled"], "kept"]);
});
