/** The app that misbehaves, in its sandbox, through the command line and its own README. */

import { assertEquals, assertMatch } from "@std/assert";
import { needs } from "../tools.ts";
import { curl, run } from "./running.ts";

Deno.test(needs("curl", "sandboxed-app gets nothing, and the log says what it tried"), async () => {
  await using example = await run("sandboxed-app");
  const lines = (await curl(example.url)).trim().split("\n");
  assertEquals(lines.length, 14);
  for (const line of lines) assertMatch(line, /: refused \(/);
  await example.line(/Worker 1 was denied read access to "\/etc\/passwd" \(derived from its flags\)/);
  await example.stop();
});

Deno.test(needs("curl", "sandboxed-app gets what a flag allows, and nothing else"), async () => {
  await using example = await run("sandboxed-app", ["--allow-read=/etc/passwd"]);
  const done = (await curl(example.url)).split("\n").filter((line) => line.endsWith(": done"));
  // Computed imports ask for the same permission.
  assertEquals(done, ["read /etc/passwd: done", "import /etc/passwd as text: done"]);
  await example.stop();
});
