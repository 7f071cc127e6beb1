import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { BEGIN, END, markdown, median, replaceBetweenMarkers, rowOf } from "../../bench/table.ts";

Deno.test("median() is the one in the middle, or the mean of two", () => {
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([4, 1, 2, 3]), 2.5);
  assertThrows(() => median([]));
});

Deno.test("markdown() says whether a bound is met", () => {
  const sample = { cpuMicros: 8.123, perSecond: 91_234 };
  const rows = [rowOf("met", sample, sample, 1, 1.25), rowOf("missed", sample, sample, 1.254, 1.25), rowOf("unbound", sample, sample, 3)];
  const lines = markdown(rows).split("\n");
  assertEquals(lines.length, 5);
  assertEquals(lines[2], "| met | 8.12 | 8.12 | 1.00 | ≤ 1.25 | yes | 91.2k / 91.2k |");
  assertStringIncludes(lines[3]!, "| **no** |");
  assertStringIncludes(lines[4]!, "| 3.00 | – | – |");
});

Deno.test("replaceBetweenMarkers() leaves what is written by hand", () => {
  const document = `# Title\n\n${BEGIN}\n\nold\n\n${END}\n\nby hand\n`;
  assertEquals(replaceBetweenMarkers(document, "new"), `# Title\n\n${BEGIN}\n\nnew\n\n${END}\n\nby hand\n`);
  assertThrows(() => replaceBetweenMarkers("# Title\n", "new"), Error, "must hold");
});
