/** The manual clock. */

import { assertEquals, assertRejects } from "@std/assert";
import { ManualClock } from "../../src/testing/clock.ts";

Deno.test("ManualClock.advance() runs callbacks in order, each at its time", async () => {
  const clock = new ManualClock(1000);
  const log: [string, number][] = [];
  clock.after(20, () => log.push(["b", clock.now()]));
  clock.after(10, () => log.push(["a", clock.now()]));
  clock.after(20, () => log.push(["c", clock.now()]));
  clock.after(21, () => log.push(["d", clock.now()]));
  await clock.advance(20);
  assertEquals(log, [["a", 1010], ["b", 1020], ["c", 1020]]);
  assertEquals([clock.now(), clock.pending, clock.nextMs], [1020, 1, 1]);
});

Deno.test("ManualClock.advance() runs a timer that a callback's promise starts", async () => {
  const clock = new ManualClock();
  const log: number[] = [];
  const again = async (): Promise<void> => {
    await Promise.resolve();
    log.push(clock.now());
    clock.after(10, () => void again());
  };
  clock.after(10, () => void again());
  await clock.advance(35);
  assertEquals(log, [10, 20, 30]);
});

Deno.test("ManualClock: a cancelled callback does not run", async () => {
  const clock = new ManualClock();
  let ran = false;
  const timer = clock.after(5, () => ran = true);
  timer.cancel();
  await clock.advance(10);
  assertEquals([ran, clock.pending, clock.nextMs], [false, 0, null]);
});

Deno.test("ManualClock.advance() only goes forward", async () => {
  await assertRejects(() => new ManualClock().advance(-1), RangeError, "only goes forward");
});
