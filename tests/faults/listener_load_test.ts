/**
 * Workers that listen themselves come and go under a constant load. In the suite the runs are short; `PAGI_FAULTS=full`, or
 * `deno task faults`, makes them as long as the promise is: 20 replacements of all workers.
 */

import { assert, assertEquals } from "@std/assert";
import { until } from "../conformance/waiting.ts";
import { FaultServer } from "./fault_server.ts";
import { Load } from "./load.ts";

const IS_FULL = Deno.env.get("PAGI_FAULTS") === "full";
const PER_SECOND = 2000;
const HUPS = IS_FULL ? 20 : 2;
const KILLS = IS_FULL ? 30 : 4;

/** Without the access log: a line for each request would be what is measured. */
const ARGS = ["--no-access-log", "--engine"];

function report(what: string, load: Load, ms: number): void {
  const rate = Math.round(load.count / ms * 1000);
  console.log(`${what}: ${load.count} requests, ${rate} per second, at most ${load.mostOpen} at once: ${JSON.stringify(load.fates)}`);
  assert(rate > PER_SECOND / 2, "the load was not there");
}

/** Replaces all workers again and again under a load. */
async function roll(engine: "node" | "deno"): Promise<Load> {
  await using server = await FaultServer.start({ home: "listener", args: [...ARGS, engine] });
  const load = new Load(server.url, "/wait", PER_SECOND, "both");
  const started = performance.now();
  await until(() => load.count > 200, "the load");
  for (let n = 0; n < HUPS; n++) {
    const before = server.workers();
    server.cli.kill("SIGHUP");
    await until(
      () => {
        const now = server.workers();
        return now.length === 2 && !now.some((pid) => before.includes(pid));
      },
      "new workers",
      30_000,
    );
  }
  await load.stop();
  report(`SIGHUP, ${engine}`, load, performance.now() - started);
  await server.recovered();
  await server.stop();
  return load;
}

Deno.test(`under ${PER_SECOND} requests per second, SIGHUP fails none of listeners on the engine node (${HUPS} times)`, async () => {
  const load = await roll("node");
  assertEquals(load.failed, 0, JSON.stringify(load.fates));
});

Deno.test(`under ${PER_SECOND} requests per second, SIGHUP cuts a few of listeners on the engine deno, and nothing else (${HUPS} times)`, async () => {
  const load = await roll("deno");
  const { ok = 0, cut = 0 } = load.fates;
  assertEquals(ok + cut, load.count, JSON.stringify(load.fates));
  assert(cut < load.count / 20, JSON.stringify(load.fates));
});

Deno.test(`under ${PER_SECOND} requests per second, a kill cuts what its listener had, and stalls nobody (${KILLS} times)`, async () => {
  await using server = await FaultServer.start({ home: "listener", args: [...ARGS, "node"] });
  const load = new Load(server.url, "/wait", PER_SECOND, "both");
  const started = performance.now();
  await until(() => load.count > 200, "the load");
  const gaps: number[] = [];
  for (let n = 0; n < KILLS; n++) {
    await until(() => server.workers().length === 2 && count(server.cli.stderr.text, " is ready ") === 2 + n, "two workers", 20_000);
    const victim = server.workers()[n % 2]!;
    Deno.kill(victim, "SIGKILL");
    // A worker that starts must stop none of the others: each answer is looked at until it is there.
    let [last, seen, gap] = [performance.now(), load.count, 0];
    while (!server.cli.stderr.text.includes(`pid=${victim}\n`) || count(server.cli.stderr.text, " is ready ") < 3 + n) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (load.count > seen) [last, seen] = [performance.now(), load.count];
      gap = Math.max(gap, performance.now() - last);
    }
    gaps.push(Math.round(gap));
  }
  await load.stop();
  report(`SIGKILL, longest time without an answer ${Math.max(...gaps)} ms`, load, performance.now() - started);
  const { ok = 0, cut = 0 } = load.fates;
  assertEquals(ok + cut, load.count, JSON.stringify(load.fates));
  assert(cut > 0, "no kill met an exchange");
  assert(Math.max(...gaps) < 1000, `nobody was answered for ${gaps} ms`);
  await server.recovered();
  await server.stop();
});

const count = (text: string, part: string) => text.split(part).length - 1;
