/** Workers that die while their app starts or cleans up. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "../conformance/waiting.ts";
import { FaultServer } from "./fault_server.ts";
import { isAlive } from "./processes.ts";
import { ask } from "./raw_client.ts";

Deno.test("a worker that is killed in the first lifespan startup ends the server: status 3, and why; the other worker is ended", async () => {
  await using server = await FaultServer.start({ gate: "closed" });
  const victim = await server.at("lifespan.startup");
  const other = await server.at("lifespan.startup");
  Deno.kill(victim, "SIGKILL");
  const { stderr } = await server.end(3, [victim, other]);
  assertMatch(stderr, /^error: Worker \d ended while it started: .*signal SIGKILL/m);
  assert(!stderr.includes("Listening"), stderr);
});

Deno.test("a worker that can't start shows its own text: status 3", async () => {
  for (
    const [app, text] of [
      ["export default () => { throw new Error('never called') };\nthrow new Error('no license file');\n", "no license file"],
      ["Deno.exit(9);\nexport default () => {};\n", "exit code 9"],
    ] as const
  ) {
    await using server = await FaultServer.start({ gate: "closed", app });
    const { stderr } = await server.end(3);
    assertMatch(stderr, new RegExp(`^error: .*${text}`, "m"));
  }
});

Deno.test("a worker that is killed in a later lifespan startup is tried again, and the others serve meanwhile", async () => {
  await using server = await FaultServer.start({ gate: "open" });
  await server.at("lifespan.startup");
  await server.at("lifespan.startup");
  await server.closeGate();
  const [victim, other] = server.workers();
  Deno.kill(victim!, "SIGKILL");
  const tries = [];
  for (let n = 0; n < 3; n++) {
    const starting = await server.at("lifespan.startup");
    tries.push(starting);
    Deno.kill(starting, "SIGKILL");
    await until(() => !isAlive(starting), "its end");
    assertEquals((await ask(server.url, "/")).body, String(other));
  }
  assertEquals(new Set([victim, other, ...tries]).size, 5);
  await server.log(/Worker \d could not start: .*signal SIGKILL[^]*starts again in [\d.]+ s/);
  await server.openGate();
  await server.recovered();
  await server.stop({ pids: tries });
});

Deno.test("a worker that is killed in the lifespan shutdown does not hold the stop up", async () => {
  await using server = await FaultServer.start({ shutdown: "hang", args: ["--shutdown-timeout", "30"] });
  const pids = server.workers();
  server.cli.kill("SIGTERM");
  for (const _ of pids) Deno.kill(await server.at("lifespan.shutdown"), "SIGKILL");
  const { stderr } = await server.end(0, pids);
  assertMatch(stderr, /Worker 1 .*signal SIGKILL/);
  assertMatch(stderr, /Worker 2 .*signal SIGKILL/);
});

Deno.test("a worker that is stopped by a signal in its lifespan shutdown is killed when the time is up", async () => {
  await using server = await FaultServer.start({ workers: 1, shutdown: "hang", args: ["--shutdown-timeout", "0.5"] });
  const pids = server.workers();
  server.cli.kill("SIGTERM");
  Deno.kill(await server.at("lifespan.shutdown"), "SIGSTOP");
  const { stderr } = await server.end(0, pids);
  assertMatch(stderr, /Worker 1 is killed: it did not end in time/);
});

Deno.test("an app that does not answer its lifespan shutdown is left when the time is up", async () => {
  await using server = await FaultServer.start({ workers: 1, shutdown: "hang", args: ["--shutdown-timeout", "0.5"] });
  const { stderr } = await server.stop();
  assertMatch(stderr, /The lifespan shutdown was not answered within/);
  assertMatch(stderr, /Worker 1 has stopped/);
});
