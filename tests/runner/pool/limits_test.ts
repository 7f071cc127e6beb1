import { assertEquals } from "@std/assert";
import { LimitWatch } from "../../../src/runner/pool/limits.ts";
import type { WorkerHandle, WorkerLimits } from "../../../src/runner/pool/ports.ts";
import { ManualClock } from "../../../src/testing/clock.ts";

function rig(limits: Partial<WorkerLimits>, random = 0) {
  const clock = new ManualClock();
  const calls: string[] = [];
  const worker = { heardAt: 0, completed: 0, rss: 0 as number | null };
  const handle = { host: worker, rssBytes: () => worker.rss } as unknown as WorkerHandle;
  const all: WorkerLimits = { maxRequests: 0, maxRequestsJitter: 0, maxLifetimeMs: 0, memoryBytes: 0, heartbeatTimeoutMs: 0, ...limits };
  const watch = new LimitWatch(handle, all, clock, () => random, {
    recycle: (cause) => calls.push(`recycle: ${cause}`),
    kill: (cause) => calls.push(`kill: ${cause}`),
  });
  return { clock, calls, worker, watch };
}

Deno.test("LimitWatch without limits sets no timer", () => {
  const { clock, watch } = rig({});
  watch.serving();
  assertEquals(clock.pending, 0);
});

Deno.test("LimitWatch condemns a worker that is silent for the heartbeat timeout, and no other", async () => {
  const { clock, calls, worker } = rig({ heartbeatTimeoutMs: 3000 });
  for (let beat = 0; beat < 10; beat++) {
    await clock.advance(600);
    worker.heardAt = clock.now();
  }
  await clock.advance(2999);
  assertEquals(calls, []);
  await clock.advance(1);
  assertEquals(calls, ["kill: no sign of life for 3 s"]);
  assertEquals(clock.pending, 0);
});

Deno.test("LimitWatch does not blame a worker for the sleep of its own process", async () => {
  class SleepyClock extends ManualClock {
    asleepMs = 0;
    override now(): number {
      return super.now() + this.asleepMs;
    }
  }
  const clock = new SleepyClock();
  const calls: string[] = [];
  const worker = { heardAt: 0, completed: 0 };
  const limits = { maxRequests: 0, maxRequestsJitter: 0, maxLifetimeMs: 0, memoryBytes: 0, heartbeatTimeoutMs: 3000 };
  new LimitWatch({ host: worker, rssBytes: () => 0 } as unknown as WorkerHandle, limits, clock, () => 0, {
    recycle: () => {},
    kill: (cause) => calls.push(cause),
  });
  clock.asleepMs = 60_000;
  await clock.advance(3000);
  assertEquals(calls, []);
  // It had something to say.
  worker.heardAt = clock.now();
  await clock.advance(2999);
  assertEquals(calls, []);
  await clock.advance(1);
  assertEquals(calls.length, 1);
});

Deno.test("LimitWatch recycles once from the memory limit on, and kills at one and a half times as much", async () => {
  const { clock, calls, worker } = rig({ memoryBytes: 100 * 1_048_576 });
  worker.rss = 99 * 1_048_576;
  await clock.advance(1000);
  assertEquals(calls, []);
  worker.rss = 100 * 1_048_576;
  await clock.advance(1000);
  assertEquals(calls, ["recycle: it takes 100 MiB of memory, its limit is 100 MiB"]);
  worker.rss = 150 * 1_048_576;
  await clock.advance(250);
  assertEquals(calls.slice(1), ["kill: it takes 150 MiB of memory, its limit is 100 MiB"]);
  await clock.advance(1000);
  assertEquals([calls.length, clock.pending], [2, 0]);
});

Deno.test("LimitWatch names memory in the unit of its limit", async () => {
  const { clock, calls, worker } = rig({ memoryBytes: 150_000_000 });
  worker.rss = 151_000_000;
  await clock.advance(1000);
  assertEquals(calls, ["recycle: it takes 151 MB of memory, its limit is 150 MB"]);
});

Deno.test("LimitWatch bears with a memory that nobody can tell", async () => {
  const { clock, calls, worker, watch } = rig({ memoryBytes: 1 });
  worker.rss = null;
  await clock.advance(1000);
  assertEquals(calls, []);
  watch.stop();
});

Deno.test("LimitWatch recycles at the age that is set, counted from when the worker serves", async () => {
  const { clock, calls, watch } = rig({ maxLifetimeMs: 60_000 });
  await clock.advance(60_000);
  watch.serving();
  await clock.advance(59_999);
  assertEquals(calls, []);
  await clock.advance(1);
  assertEquals(calls, ["recycle: it is 60 s old"]);
});

Deno.test("LimitWatch recycles after the exchanges that are set, with jitter on top", () => {
  for (const [random, expected] of [[0, 10], [0.999, 14]] as const) {
    const { calls, worker, watch } = rig({ maxRequests: 10, maxRequestsJitter: 4 }, random);
    while (calls.length === 0) {
      worker.completed++;
      watch.ended();
    }
    assertEquals(worker.completed, expected);
    worker.completed++;
    watch.ended();
    assertEquals(calls, [`recycle: it has served ${expected} exchanges`]);
  }
});

Deno.test("LimitWatch.stop() ends all of it", async () => {
  const { clock, calls, worker, watch } = rig({ maxRequests: 1, maxLifetimeMs: 10, memoryBytes: 1, heartbeatTimeoutMs: 10 });
  watch.serving();
  watch.stop();
  worker.rss = 1e9;
  worker.completed = 9;
  watch.ended();
  await clock.advance(10_000);
  assertEquals([calls, clock.pending], [[], 0]);
});
