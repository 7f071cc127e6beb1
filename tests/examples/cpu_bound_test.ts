/** The app that computes, inline and in two workers, through the command line and its own README. */

import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { curl, run } from "./running.ts";

/** Long enough that two of them overlap. */
const SLOW = "/?n=40";

interface Answer {
  n: number;
  value: number;
  worker: number | null;
  pid: number;
}

/** Two requests at the same time. */
async function two(url: string): Promise<[Answer, Answer]> {
  const [one, other] = await Promise.all([curl(`${url}${SLOW}`), curl(`${url}${SLOW}`)]);
  const answers: [Answer, Answer] = [JSON.parse(one), JSON.parse(other)];
  for (const { n, value } of answers) assertEquals([n, value], [40, 102_334_155]);
  return answers;
}

Deno.test("cpu-bound: two requests at the same time are computed by two workers in processes of their own", async () => {
  await using server = await run("cpu-bound");
  const [one, other] = await two(server.url);
  assertEquals([one.worker, other.worker].toSorted(), [1, 2]);
  assertNotEquals(one.pid, other.pid);
  const output = await server.stop();
  assertStringIncludes(output, "2 worker processes");
});

Deno.test("cpu-bound: without workers one process computes both", async () => {
  await using server = await run("cpu-bound", ["--workers", "0"]);
  const [one, other] = await two(server.url);
  assertEquals([one.worker, other.worker], [null, null]);
  assertEquals(one.pid, other.pid);
});

Deno.test("cpu-bound: threads are workers in one process", async () => {
  await using server = await run("cpu-bound", ["--worker-type", "thread"]);
  const [one, other] = await two(server.url);
  assertEquals([one.worker, other.worker].toSorted(), [1, 2]);
  assertEquals(one.pid, other.pid);
});

Deno.test("cpu-bound: what is no number, or would take too long, is refused", async () => {
  await using server = await run("cpu-bound");
  for (const n of ["45", "-1", "x", "1e9", ""]) {
    const text = await curl("-o", "-", "-w", "%{http_code}", `${server.url}/?n=${n}`);
    assertEquals(text, '{"error":"n is a number from 0 to 44"}\n400');
  }
});
