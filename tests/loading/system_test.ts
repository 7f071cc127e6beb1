import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock, systemFiles } from "../../src/loading/system.ts";

Deno.test("systemClock.after() calls back once, and not after a cancel", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const start = systemClock.now();
  const calls: string[] = [];
  systemClock.after(1, () => calls.push("cancelled")).cancel();
  systemClock.after(20, resolve);
  await promise;
  assert(systemClock.now() - start >= 19);
  assertEquals(calls, []);
});

Deno.test("systemFiles.open() reads at any offset, also where reads overlap", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "0123456789");
  const file = await systemFiles.open(path);
  assertEquals(file.size, 10);
  const parts = await Promise.all([[8, 4], [0, 3], [3, 3], [10, 1], [99, 1]].map(async ([at, length]) => {
    const into = new Uint8Array(length!);
    return new TextDecoder().decode(into.subarray(0, await file.read(into, at!)));
  }));
  assertEquals(parts, ["89", "012", "345", "", ""]);
  file.close();
  await Deno.remove(path);
});

Deno.test("systemFiles.open() rejects what is no readable file", async () => {
  const folder = await Deno.makeTempDir();
  await assertRejects(() => systemFiles.open(`${folder}/none`), Deno.errors.NotFound, `${folder}/none`);
  await assertRejects(() => systemFiles.open(folder), TypeError, `Cannot send "${folder}": it is a directory`);
  await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
  // A pipe that nobody writes to would block an open for ever.
  await assertRejects(() => systemFiles.open(`${folder}/pipe`), TypeError, "it is not a regular file");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("systemClock.after() arms no timer for what is cancelled within a few microtasks", async () => {
  const original = globalThis.setTimeout;
  let armed = 0;
  globalThis.setTimeout = ((...args: Parameters<typeof original>) => {
    armed++;
    return original(...args);
  }) as typeof original;
  try {
    const timer = systemClock.after(60_000, () => {});
    for (let turn = 0; turn < 4; turn++) await null;
    timer.cancel();
    for (let turn = 0; turn < 20; turn++) await null;
    assertEquals(armed, 0);
    const kept = systemClock.after(60_000, () => {});
    assertEquals(armed, 0); // never at once: the caller is not to be interrupted
    for (let turn = 0; turn < 20; turn++) await null;
    assertEquals(armed, 1);
    kept.cancel();
  } finally {
    globalThis.setTimeout = original;
  }
});
