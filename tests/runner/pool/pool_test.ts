import { assert, assertEquals, assertRejects } from "@std/assert";
import { StartupError } from "../../../src/spec/errors.ts";
import { type FakeWorker, Rig } from "./fakes.ts";

Deno.test("Pool.start() starts each worker once, with its number", async () => {
  const rig = new Rig({ count: 3 });
  await rig.start();
  assertEquals(rig.home.all.map(({ started }) => [started!.isWorker, started!.workerNum]), [[true, 1], [true, 2], [true, 3]]);
  assertEquals(rig.states, ["1 100 ready", "2 101 ready", "3 102 ready"]);
  assertEquals(rig.log, ["info Worker 1 is ready", "info Worker 2 is ready", "info Worker 3 is ready"]);
  await rig.pool.stop(1000);
  assertEquals([rig.clock.pending, rig.home.alive.length, rig.states], [0, 0, []]);
});

Deno.test("Pool.start() rejects with the text of a worker whose app refuses, and stops the others", async () => {
  const rig = new Rig({ count: 3 });
  rig.home.outcomes = ["ready", "refuses", "held"];
  const error = await assertRejects(() => rig.start(), StartupError, "the app refused");
  assertEquals(error.exitCode, 3);
  const [first, , third] = rig.home.all;
  assertEquals([first!.stops, first!.kills], [[1000], 0]);
  assertEquals([third!.stops, third!.kills], [[], 1]);
  assertEquals([rig.home.all.length, rig.home.alive.length, rig.clock.pending], [3, 0, 0]);
});

Deno.test("Pool.start() says how a worker ended that ended while it started", async () => {
  const rig = new Rig({ count: 1 });
  rig.home.outcomes = ["dies"];
  const error = await assertRejects(() => rig.start(), StartupError, "Worker 1 ended while it started: exit code 1");
  assertEquals(error.exitCode, 3);
  const other = new Rig();
  other.home.outcomes = ["no spawn"];
  await assertRejects(() => other.start(), StartupError, "cannot spawn");
  assertEquals(other.home.alive.length, 0);
});

Deno.test("Pool.stop() during the start ends it at once", async () => {
  const rig = new Rig({ count: 2 });
  rig.home.outcomes = ["held", "held"];
  const starting = rig.start();
  await rig.settle();
  const stopped = rig.pool.stop(0);
  await assertRejects(() => starting, StartupError, "The server was stopped during the startup");
  await stopped;
  assertEquals([rig.home.alive.length, rig.clock.pending], [0, 0]);
});

Deno.test("Pool.stop() while a worker is being spawned waits for it and ends it", async () => {
  const rig = new Rig({ count: 1 });
  const { promise, resolve } = Promise.withResolvers<void>();
  rig.home.spawning = promise;
  const starting = rig.start();
  const stopped = rig.pool.stop(0);
  await rig.settle();
  resolve();
  await assertRejects(() => starting, StartupError, "The server was stopped during the startup");
  await stopped;
  assertEquals([rig.home.all.length, rig.home.alive.length, rig.clock.pending], [1, 0, 0]);
});

Deno.test("Pool.open() takes the worker with the fewest open exchanges, and equals in turn", async () => {
  const rig = new Rig({ count: 3 });
  await rig.start();
  const sizes = () => rig.home.all.map(({ size }) => size);
  for (let n = 0; n < 3; n++) rig.open();
  assertEquals(sizes(), [1, 1, 1]);
  for (let n = 0; n < 3; n++) rig.open("websocket");
  assertEquals(sizes(), [2, 2, 2]);
  rig.home.all[1]!.answer();
  rig.open();
  assertEquals(sizes(), [2, 2, 2]);
  for (const worker of rig.home.all) while (worker.size > 0) worker.answer();
  // One after the other, not always the first.
  for (let n = 0; n < 6; n++) {
    rig.open();
    rig.home.all.find(({ size }) => size > 0)!.answer();
  }
  assertEquals(rig.home.all.map(({ completed }) => completed), [4, 5, 4]);
  await rig.pool.stop(0);
});

Deno.test("Pool replaces a worker that died under its number; its exchanges are answered, others see nothing", async () => {
  const rig = new Rig();
  await rig.start();
  const { out: hit } = rig.open();
  const { out: spared } = rig.open();
  rig.home.all[0]!.die("signal SIGKILL");
  await rig.settle();
  assertEquals([hit.ends, spared.ends], [["502 x-worker-lost"], []]);
  assertEquals(rig.states, ["1 102 ready", "2 101 ready"]);
  assertEquals(rig.pool.workers().map(({ restarts, lastCause }) => [restarts, lastCause]), [[1, "signal SIGKILL"], [0, null]]);
  assertEquals(rig.home.all[2]!.started!.workerNum, 1);
  assert(rig.log.includes("error Worker 1 is gone: signal SIGKILL"), rig.log.join("\n"));
  await rig.pool.stop(0);
});

Deno.test("Pool tells the cause of a broken link and how the worker ended then, and kills one that lives on", async () => {
  const rig = new Rig();
  await rig.start();
  const [first, second] = rig.home.all as [FakeWorker, FakeWorker];
  first.abandon("garbage came");
  first.exit("exit code 7");
  second.abandon("garbage came");
  await rig.clock.advance(1000);
  assertEquals([first.kills, second.kills], [0, 1]);
  assertEquals(rig.pool.workers().map(({ lastCause }) => lastCause), ["garbage came (exit code 7)", "garbage came"]);
  assertEquals(rig.home.alive.length, 2);
  await rig.pool.stop(0);
});

Deno.test("Pool tries a worker that can't start again later and later, while the rest serves", async () => {
  const rig = new Rig();
  await rig.start();
  rig.home.outcomes = ["refuses", "dies", "no spawn", "ready"];
  rig.home.all[0]!.die("signal SIGTRAP");
  await rig.clock.advance(0);
  assertEquals(rig.states, ["1 null gone", "2 101 ready"]);
  rig.open();
  assertEquals(rig.home.all[1]!.size, 1);
  await rig.clock.advance(700);
  assertEquals(rig.states, ["1 104 ready", "2 101 ready"]);
  assertEquals(rig.log.filter((line) => /starts again|could not/.test(line)), [
    "error Worker 1 could not start: the app refused",
    "info Worker 1 starts again in 0.1 s",
    "error Worker 1 could not start: Worker 1 ended while it started: exit code 1",
    "info Worker 1 starts again in 0.2 s",
    "error Worker 1 could not start: cannot spawn",
    "info Worker 1 starts again in 0.4 s",
  ]);
  await rig.pool.stop(0);
  assertEquals(rig.clock.pending, 0);
});

Deno.test("Pool lets exchanges wait while no worker is ready, and hands them out then", async () => {
  const rig = new Rig({ count: 1, maxQueue: 3 });
  await rig.start();
  rig.home.outcomes = ["held"];
  rig.home.all[0]!.die("exit code 0");
  await rig.settle();
  const outs = [rig.open(), rig.open("sse"), rig.open("websocket"), rig.open(), rig.open()].map(({ out }) => out);
  assertEquals(outs.map(({ ends }) => ends), [[], [], [], ["503 x-queue-full"], ["503 x-queue-full"]]);
  assertEquals(rig.pool.queued, 3);
  assertEquals(rig.log.filter((line) => line.includes("503")).length, 1);
  rig.home.held[0]!.go();
  await rig.settle();
  assertEquals([rig.pool.queued, rig.home.all[1]!.ids], [0, [0, 1, 2]]);
  await rig.pool.stop(0);
});

Deno.test("Pool forgets an exchange that waited when its client has left", async () => {
  const rig = new Rig({ count: 1 });
  await rig.start();
  rig.home.outcomes = ["held"];
  rig.home.all[0]!.die("exit code 0");
  await rig.settle();
  const { out, inbound } = rig.open();
  inbound.closed({ reason: "client_closed" });
  rig.home.held[0]!.go();
  await rig.settle();
  assertEquals([out.ends, rig.home.all[1]!.size], [[], 0]);
  await rig.pool.stop(0);
});

Deno.test("Pool.roll() replaces one worker after the other, the new one before the old", async () => {
  const rig = new Rig();
  await rig.start();
  rig.home.outcomes = ["held", "ready"];
  const { out } = rig.open();
  const rolling = rig.pool.roll("SIGHUP");
  await rig.settle();
  assertEquals(rig.states, ["1 100 ready", "1 102 starting", "2 101 ready"]);
  rig.home.held[0]!.go();
  await rig.settle();
  // The old one keeps its exchange, gets no new one, and the next number waits for it.
  assertEquals(rig.states, ["1 102 ready", "1 100 draining", "2 101 ready"]);
  assertEquals(rig.home.all[0]!.drains, ["restart 30"]);
  for (let n = 0; n < 4; n++) rig.open();
  assertEquals(rig.home.all.map(({ size }) => size), [1, 2, 2]);
  rig.home.all[0]!.answer();
  await rig.settle();
  assertEquals(out.ends, ["200"]);
  assertEquals(rig.states, ["1 102 ready", "2 103 ready", "2 101 draining"]);
  while (rig.home.all[1]!.size > 0) rig.home.all[1]!.answer();
  await rolling;
  assertEquals(rig.states, ["1 102 ready", "2 103 ready"]);
  assertEquals(rig.home.all.map(({ stops }) => stops.length), [1, 1, 0, 0]);
  assertEquals(rig.pool.workers().map(({ restarts, lastCause }) => [restarts, lastCause]), [[1, "SIGHUP"], [1, "SIGHUP"]]);
  await rig.pool.stop(0);
  assertEquals(rig.clock.pending, 0);
});

Deno.test("Pool.roll() cuts what is open in an old worker when its time is over", async () => {
  const rig = new Rig({ count: 1, shutdownTimeoutMs: 5000 });
  await rig.start();
  const { out } = rig.open();
  const rolling = rig.pool.roll("SIGHUP");
  await rig.clock.advance(4999);
  assertEquals([out.ends, rig.home.all[0]!.stops], [[], []]);
  await rig.clock.advance(1);
  await rolling;
  assertEquals([out.ends, rig.home.all[0]!.stops, rig.home.all[0]!.kills], [["502 x-worker-lost"], [1000], 0]);
  assertEquals(rig.states, ["1 101 ready"]);
  await rig.pool.stop(0);
});

Deno.test("Pool.roll() kills an old worker that does not stop", async () => {
  const rig = new Rig({ count: 1, shutdownTimeoutMs: 5000 });
  await rig.start();
  rig.home.obeys = false;
  const rolling = rig.pool.roll("SIGHUP");
  await rig.clock.advance(4999);
  assertEquals([rig.home.all[0]!.stops, rig.home.all[0]!.kills], [[5000], 0]);
  await rig.clock.advance(1);
  await rolling;
  assertEquals(rig.home.all[0]!.kills, 1);
  assert(rig.log.includes("warn Worker 1 is killed: it did not end in time"), rig.log.join("\n"));
  rig.home.obeys = true;
  await rig.pool.stop(0);
  assertEquals(rig.clock.pending, 0);
});

Deno.test("Pool.roll() leaves the old workers where a new one can't start", async () => {
  const rig = new Rig();
  await rig.start();
  rig.home.outcomes = ["refuses"];
  await rig.pool.roll("SIGHUP");
  assertEquals(rig.states, ["1 100 ready", "2 101 ready"]);
  assert(rig.log.includes("error SIGHUP: worker 1 could not be replaced, the old ones go on: the app refused"), rig.log.join("\n"));
  await rig.pool.roll("SIGHUP");
  assertEquals(rig.states, ["1 103 ready", "2 104 ready"]);
  await rig.pool.stop(0);
});

Deno.test("Pool.roll() asked meanwhile is done once more, and wakes a worker that waits for its turn", async () => {
  const rig = new Rig({ count: 1 });
  await rig.start();
  rig.home.outcomes = ["held"];
  const rolling = rig.pool.roll("SIGHUP");
  await rig.settle();
  void rig.pool.roll("SIGHUP");
  void rig.pool.roll("SIGHUP");
  rig.home.held[0]!.go();
  await rolling;
  assertEquals(rig.states, ["1 102 ready"]);
  rig.home.outcomes = ["refuses", "refuses", "refuses", "refuses"];
  rig.home.all[2]!.die("exit code 1");
  await rig.clock.advance(300);
  assertEquals(rig.states, ["1 null gone"]);
  rig.home.outcomes = [];
  await rig.pool.roll("SIGHUP");
  assertEquals(rig.states, ["1 106 ready"]);
  await rig.pool.stop(0);
  assertEquals(rig.clock.pending, 0);
});

Deno.test("Pool.grow() and shrink() add and take the last worker, never the only one", async () => {
  const rig = new Rig({ count: 1 });
  await rig.start();
  rig.pool.shrink("SIGTTOU");
  await rig.pool.grow("SIGTTIN");
  await rig.pool.grow("SIGTTIN");
  assertEquals(rig.states, ["1 100 ready", "2 101 ready", "3 102 ready"]);
  for (let n = 0; n < 3; n++) rig.open();
  rig.pool.shrink("SIGTTOU");
  await rig.settle();
  assertEquals(rig.states, ["1 100 ready", "2 101 ready", "3 102 draining"]);
  await rig.pool.grow("SIGTTIN");
  assertEquals(rig.states, ["1 100 ready", "2 101 ready", "3 102 draining", "3 103 ready"]);
  rig.home.all[2]!.answer();
  await rig.settle();
  assertEquals(rig.states, ["1 100 ready", "2 101 ready", "3 103 ready"]);
  assertEquals(rig.log[1], "warn SIGTTOU: the last worker stays");
  await rig.pool.stop(0);
});

Deno.test("Pool.grow() tries a worker that can't start again", async () => {
  const rig = new Rig({ count: 1 });
  await rig.start();
  rig.home.outcomes = ["refuses", "ready"];
  await rig.pool.grow("SIGTTIN");
  assertEquals(rig.states, ["1 100 ready", "2 null gone"]);
  await rig.clock.advance(100);
  assertEquals(rig.states, ["1 100 ready", "2 102 ready"]);
  await rig.pool.stop(0);
});

Deno.test("Pool recycles a worker after its number of exchanges, and refuses none", async () => {
  const rig = new Rig({ count: 1, limits: { maxRequests: 2 } });
  await rig.start();
  const outs = [rig.open().out, rig.open().out, rig.open().out];
  rig.home.all[0]!.answer();
  rig.home.all[0]!.answer();
  await rig.settle();
  assertEquals(rig.states, ["1 101 ready", "1 100 draining"]);
  rig.home.all[0]!.answer();
  await rig.settle();
  assertEquals(rig.states, ["1 101 ready"]);
  assertEquals(outs.map(({ ends }) => ends), [["200"], ["200"], ["200"]]);
  assertEquals(rig.pool.workers()[0]!.lastCause, "it has served 2 exchanges");
  await rig.pool.stop(0);
});

Deno.test("Pool tries a recycling that failed again, while the old worker serves", async () => {
  const rig = new Rig({ count: 1, limits: { maxRequests: 1 } });
  await rig.start();
  rig.home.outcomes = ["refuses", "ready"];
  rig.open();
  rig.home.all[0]!.answer();
  await rig.clock.advance(99);
  assertEquals(rig.states, ["1 100 ready"]);
  rig.open();
  rig.home.all[0]!.answer();
  await rig.clock.advance(1);
  await rig.settle();
  assertEquals(rig.states, ["1 102 ready"]);
  await rig.pool.stop(0);
  assertEquals(rig.clock.pending, 0);
});

Deno.test("Pool lets a worker that asks for its replacement again and again wait, while it serves", async () => {
  const rig = new Rig({ count: 1, limits: { maxRequests: 1 } });
  await rig.start();
  const replace = async () => {
    rig.open();
    rig.home.all.at(-1)!.answer();
    await rig.settle();
  };
  await replace();
  assertEquals(rig.states, ["1 101 ready"]);
  await replace();
  assertEquals(rig.states, ["1 101 ready"]);
  await rig.clock.advance(100);
  await rig.settle();
  assertEquals(rig.states, ["1 102 ready"]);
  await rig.pool.stop(0);
  assertEquals(rig.clock.pending, 0);
});

Deno.test("Pool kills a worker that is not ready in time, and starts with the next", async () => {
  const rig = new Rig({ count: 1 });
  await rig.start();
  rig.home.outcomes = ["held", "ready"];
  const rolling = rig.pool.roll("SIGHUP");
  await rig.settle();
  await rig.clock.advance(60_000);
  await rolling;
  assertEquals(rig.states, ["1 100 ready"]);
  await rig.pool.roll("SIGHUP");
  await rig.settle();
  assertEquals(rig.states, ["1 102 ready"]);
  await rig.pool.stop(0);
  assertEquals(rig.clock.pending, 0);
});

Deno.test("Pool starts no second worker where the old one dies while the new one starts", async () => {
  const rig = new Rig({ count: 1 });
  await rig.start();
  rig.home.outcomes = ["held"];
  const rolling = rig.pool.roll("SIGHUP");
  await rig.settle();
  rig.home.all[0]!.die("signal SIGKILL");
  await rig.clock.advance(10_000);
  assertEquals(rig.states, ["1 101 starting"]);
  rig.home.held[0]!.go();
  await rolling;
  assertEquals(rig.states, ["1 101 ready"]);
  assertEquals(rig.pool.workers().map(({ restarts, lastCause }) => [restarts, lastCause]), [[1, "signal SIGKILL"]]);
  // Neither does it miss the one that is due where that one fails.
  rig.home.outcomes = ["held"];
  const again = rig.pool.roll("SIGHUP");
  await rig.settle();
  rig.home.all[1]!.die("signal SIGKILL");
  await rig.settle();
  rig.home.all[2]!.die("exit code 1");
  await again;
  await rig.clock.advance(1000);
  assertEquals(rig.states, ["1 103 ready"]);
  await rig.pool.stop(0);
});

Deno.test("Pool recycles a worker that was asked to stop from outside", async () => {
  const rig = new Rig({ count: 1 });
  await rig.start();
  rig.home.all[0]!.ask();
  rig.home.all[0]!.ask();
  await rig.clock.advance(100);
  await rig.settle();
  assertEquals([rig.states, rig.home.all.length], [["1 101 ready"], 2]);
  await rig.pool.stop(0);
});

Deno.test("Pool replaces no worker that was asked to stop together with the server, and says nothing of it", async () => {
  const rig = new Rig({ count: 1 });
  await rig.start();
  rig.home.all[0]!.ask();
  await rig.clock.advance(50);
  await rig.pool.stop(0);
  assertEquals([rig.home.all.length, rig.log.filter((line) => line.includes("asked to stop"))], [1, []]);
  assertEquals(rig.clock.pending, 0);
});

Deno.test("Pool starts replacements one at a time, also where all workers ask for one at once", async () => {
  const rig = new Rig({ count: 3 });
  await rig.start();
  rig.home.outcomes = ["held", "held", "held"];
  for (const worker of [...rig.home.all]) worker.ask();
  await rig.clock.advance(100);
  for (let n = 0; n < 3; n++) {
    await rig.settle();
    assertEquals(rig.home.held.length, n + 1);
    rig.home.held[n]!.go();
  }
  await rig.settle();
  assertEquals(rig.states, ["1 103 ready", "2 104 ready", "3 105 ready"]);
  await rig.pool.stop(0);
});

Deno.test("Pool kills a worker that is silent too long, answers its exchanges and starts another", async () => {
  const rig = new Rig({ count: 1, limits: { heartbeatTimeoutMs: 3000 } });
  await rig.start();
  const { out } = rig.open();
  await rig.clock.advance(3000);
  assertEquals([out.ends, rig.home.all[0]!.kills], [["502 x-worker-lost"], 1]);
  assertEquals(rig.states, ["1 101 ready"]);
  assertEquals(rig.pool.workers()[0]!.lastCause, "no sign of life for 3 s");
  assert(rig.log.includes("warn Worker 1 is killed: no sign of life for 3 s"), rig.log.join("\n"));
  await rig.pool.stop(0);
});

Deno.test("Pool gives up a worker that not even a kill ends, and says so", async () => {
  const rig = new Rig({ count: 1, limits: { heartbeatTimeoutMs: 3000 } });
  await rig.start();
  rig.home.immortal = true;
  await rig.clock.advance(3000);
  assertEquals(rig.states, ["1 100 ending"]);
  await rig.clock.advance(5000);
  assertEquals(rig.states, ["1 101 ready"]);
  assert(rig.log.includes("error Worker 1 does not end although it was killed: it is given up"), rig.log.join("\n"));
  await rig.pool.stop(0);
});

Deno.test("Pool.drain() tells all apps, also one that becomes ready later, and replaces nobody any more", async () => {
  const rig = new Rig();
  await rig.start();
  rig.home.outcomes = ["held"];
  rig.home.all[0]!.die("exit code 1");
  await rig.settle();
  rig.pool.drain("shutdown", 30);
  await rig.clock.advance(10_000);
  rig.home.held[0]!.go();
  await rig.settle();
  assertEquals(rig.home.all.map(({ drains }) => drains), [[], ["shutdown 30"], ["shutdown 20"]]);
  rig.home.all[1]!.die("exit code 1");
  await rig.clock.advance(60_000);
  assertEquals(rig.home.all.length, 3);
  await rig.pool.roll("SIGHUP");
  await rig.pool.grow("SIGTTIN");
  assertEquals(rig.home.all.length, 3);
  await rig.pool.stop(0);
});

Deno.test("Pool answers what waits with 503 when it drains and no worker will come", async () => {
  const rig = new Rig({ count: 1 });
  await rig.start();
  rig.home.outcomes = ["refuses", "refuses"];
  rig.home.all[0]!.die("exit code 1");
  await rig.settle();
  const { out } = rig.open();
  rig.pool.drain("shutdown", 30);
  assertEquals(out.ends, ["503 server_shutdown"]);
  await rig.pool.stop(0);
  assertEquals(rig.clock.pending, 0);
});

Deno.test("Pool.stop() kills the workers that do not stop in time, and waits for no other", async () => {
  const rig = new Rig();
  await rig.start();
  rig.home.obeys = false;
  let isOver = false;
  const stopped = rig.pool.stop(2000).then(() => isOver = true);
  await rig.settle();
  rig.home.all[1]!.die("exit code 0");
  await rig.clock.advance(1999);
  assertEquals([isOver, rig.home.all[0]!.kills], [false, 0]);
  await rig.clock.advance(1);
  await stopped;
  assertEquals(rig.home.all.map(({ kills }) => kills), [1, 0]);
  assertEquals(rig.clock.pending, 0);
});

Deno.test("Pool loses no exchange, whatever happens to its workers", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = generator(seed);
    const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
    const rig = new Rig({ count: 3, maxQueue: 5, shutdownTimeoutMs: 2000, random, limits: { maxRequests: 5, maxRequestsJitter: 5 } });
    await rig.start();
    const left = new Set<number>();
    for (let step = 0; step < 300; step++) {
      const worker = pick(rig.home.alive);
      const dice = random();
      if (dice < 0.4) {
        const { out, inbound } = rig.open(pick(["http", "sse", "websocket"] as const));
        if (random() < 0.1 && out.ends.length === 0) {
          left.add(out.request.id);
          inbound.closed({ reason: "client_closed" });
        }
      } else if (dice < 0.7) {
        if (worker !== undefined && worker.size > 0) worker.answer(pick(worker.ids)!);
      } else if (dice < 0.74) worker?.die("signal SIGKILL");
      else if (dice < 0.76) worker?.abandon("garbage came");
      else if (dice < 0.78) worker?.ask();
      else if (dice < 0.79) void rig.pool.roll("SIGHUP");
      else if (dice < 0.8) void rig.pool.grow("SIGTTIN");
      else if (dice < 0.81) rig.pool.shrink("SIGTTOU");
      else if (dice < 0.83) rig.home.outcomes.push(pick(["refuses", "dies", "no spawn"] as const)!);
      else await rig.clock.advance(Math.floor(random() * 200));
    }
    rig.pool.drain("shutdown", 1);
    const stopped = rig.pool.stop(1000);
    await rig.clock.advance(20_000);
    await stopped;
    for (const { request, ends } of rig.outs) {
      const isRight = left.has(request.id) ? ends.length <= 1 : ends.length === 1;
      assert(isRight, `seed ${seed}, exchange ${request.id}: ${ends.length} ends: ${ends}`);
    }
    assertEquals([rig.home.alive.length, rig.clock.pending, rig.pool.queued], [0, 0, 0], `seed ${seed}`);
  }
});

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
