/**
 * Workers come and go under a constant load. In the suite the runs are short; `PAGI_FAULTS=full`, or `deno task faults`, makes them as
 * long as the promise is: 20 replacements of all workers, 50 kills.
 */

import { assert, assertEquals } from "@std/assert";
import { until } from "../conformance/waiting.ts";
import { FaultServer } from "./fault_server.ts";
import { Load } from "./load.ts";

const IS_FULL = Deno.env.get("PAGI_FAULTS") === "full";
const PER_SECOND = 2000;
const HUPS = IS_FULL ? 20 : 3;
const KILLS = IS_FULL ? 50 : 5;
const CHANGES = IS_FULL ? 20 : 3;

/** Without the access log: a line for each request would be what is measured. */
const ARGS = ["--no-access-log"];

function report(what: string, load: Load, ms: number): void {
  const rate = Math.round(load.count / ms * 1000);
  console.log(`${what}: ${load.count} requests, ${rate} per second, at most ${load.mostOpen} at once: ${JSON.stringify(load.fates)}`);
  assert(rate > PER_SECOND / 2, "the load was not there");
}

Deno.test(`under ${PER_SECOND} requests per second, SIGHUP fails none (${HUPS} times)`, async () => {
  await using server = await FaultServer.start({ args: ARGS });
  const load = new Load(server.url, "/wait", PER_SECOND);
  const started = performance.now();
  const all = new Set(server.workers());
  await until(() => load.count > 200, "the load");
  for (let n = 0; n < HUPS; n++) {
    const before = server.workers();
    server.cli.kill("SIGHUP");
    // Two others, and the old ones are gone.
    await until(
      () => {
        const now = server.workers();
        return now.length === 2 && !now.some((pid) => before.includes(pid));
      },
      "new workers",
      20_000,
    );
    for (const pid of server.workers()) all.add(pid);
  }
  await load.stop();
  report("SIGHUP", load, performance.now() - started);
  assertEquals(load.failed, 0, JSON.stringify(load.fates));
  assertEquals(all.size, 2 + 2 * HUPS);
  await server.recovered();
  await server.stop();
});

Deno.test(`under ${PER_SECOND} requests per second, SIGTTIN and SIGTTOU fail none (${CHANGES} times)`, async () => {
  await using server = await FaultServer.start({ args: ARGS });
  const load = new Load(server.url, "/wait", PER_SECOND);
  const started = performance.now();
  await until(() => load.count > 200, "the load");
  for (let n = 0; n < CHANGES; n++) {
    const from = server.cli.stderr.text.length;
    server.cli.kill("SIGTTIN");
    await server.log(/Worker 3 is ready/, from);
    server.cli.kill("SIGTTOU");
    await server.log(/Worker 3 has stopped/, from);
  }
  await load.stop();
  report("SIGTTIN, SIGTTOU", load, performance.now() - started);
  assertEquals(load.failed, 0, JSON.stringify(load.fates));
  await server.recovered();
  await server.stop();
});

Deno.test(`under ${PER_SECOND} requests per second, a kill fails what its worker had, with 502 or a cut, and hangs nobody (${KILLS} times)`, async () => {
  // With the access log: it tells which exchanges the killed workers had.
  await using server = await FaultServer.start();
  const load = new Load(server.url, "/wait", PER_SECOND);
  const started = performance.now();
  await until(() => load.count > 200, "the load");
  for (let n = 0; n < KILLS; n++) {
    await until(() => server.workers().length === 2 && count(server.cli.stderr.text, " is ready ") === 2 + n, "two workers", 20_000);
    const victim = server.workers()[n % 2]!;
    Deno.kill(victim, "SIGKILL");
    await server.log(new RegExp(`Worker \\d is gone: .* pid=${victim}\n`));
  }
  await load.stop();
  report("SIGKILL", load, performance.now() - started);
  const { ok = 0, "502": lost = 0, cut = 0 } = load.fates;
  assertEquals(ok + lost + cut, load.count, JSON.stringify(load.fates));
  assert(lost + cut > 0, "no kill met an exchange");
  await server.recovered();
  const { stdout } = await server.stop();
  assertEquals(count(stdout, "log 502 /wait x-worker-lost\n"), lost);
  assertEquals(count(stdout, "log 200 /wait -\n"), ok);
});

const count = (text: string, part: string) => text.split(part).length - 1;
