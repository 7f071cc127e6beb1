import { assert, assertEquals } from "@std/assert";
import { Backoff } from "../../../src/runner/pool/backoff.ts";

const delays = (backoff: Backoff, served: number | null, count: number) => Array.from({ length: count }, () => backoff.next(served));

Deno.test("Backoff.next() is 0, then doubles up to 30 s where a worker can't start", () => {
  assertEquals(delays(new Backoff(() => 1), null, 11), [0, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000]);
});

Deno.test("Backoff.next() grows to 2 s only where the worker had served", () => {
  assertEquals(delays(new Backoff(() => 1), 100, 8), [0, 100, 200, 400, 800, 1600, 2000, 2000]);
});

Deno.test("Backoff.next() begins anew after a worker that served for 5 s", () => {
  const backoff = new Backoff(() => 1);
  delays(backoff, null, 6);
  assertEquals([backoff.next(5000), backoff.next(4999)], [0, 100]);
});

Deno.test("Backoff.next() takes off up to a half at random", () => {
  assertEquals(delays(new Backoff(() => 0), null, 4), [0, 50, 100, 200]);
  const backoff = new Backoff(Math.random);
  for (let n = 0; n < 100; n++) assert(backoff.next(null) <= 30_000);
});
