/** What happens to the front: killed, interrupted with its whole group, without room for its log. */

import { assert, assertEquals } from "@std/assert";
import { until } from "../conformance/waiting.ts";
import { needs } from "../tools.ts";
import { FaultServer } from "./fault_server.ts";
import { isAlive, isRunning, members } from "./processes.ts";
import { ask, RawClient, request } from "./raw_client.ts";

/** No worker may outlive its front for longer. */
const ORPHAN_MS = 1000;

async function killFront(server: FaultServer, pids: readonly number[]): Promise<void> {
  server.cli.kill("SIGKILL");
  const killed = performance.now();
  await until(() => !pids.some(isAlive), "the workers to end", 5000);
  const ms = performance.now() - killed;
  assert(ms < ORPHAN_MS, `the last worker ended after ${Math.round(ms)} ms`);
}

Deno.test("workers end within a second when their front is killed, whatever they are at; clients see a cut", async () => {
  await using server = await FaultServer.start();
  const pids = server.workers();
  using stream = await RawClient.to(server.url, request("/stream"));
  using hang = await RawClient.to(server.url, request("/hang"));
  await stream.until(/first of/);
  await server.at("hang");
  await killFront(server, pids);
  for (const client of [stream, hang]) assert(!(await client.rest()).text.includes("\r\n0\r\n"));
});

Deno.test("workers in their lifespan startup end within a second when their front is killed", async () => {
  await using server = await FaultServer.start({ gate: "closed" });
  const pids = [await server.at("lifespan.startup"), await server.at("lifespan.startup")];
  await killFront(server, pids);
});

Deno.test({
  ...needs("setpriv", "a worker in a busy loop ends within a second when its front is killed"),
  fn: async () => {
    await using server = await FaultServer.start();
    const pids = server.workers();
    using _client = await RawClient.to(server.url, request("/block"));
    const busy = await server.at("block");
    await until(() => isRunning(busy), "its loop");
    await killFront(server, pids);
  },
});

Deno.test("a Ctrl+C that goes to the whole group stops once: exchanges end well, each worker cleans up once", async () => {
  await using server = await FaultServer.start({ detached: true });
  const pids = server.workers();
  assertEquals(members(server.pid).sort(), [server.pid, ...pids].sort());
  using client = await RawClient.to(server.url, request("/slow"));
  const pid = await server.at("slow");
  // As a terminal does it.
  const { success } = await new Deno.Command("kill", { args: ["-INT", "--", `-${server.pid}`] }).output();
  assert(success);
  await server.log(/SIGINT: stopping; 1 open exchange/);
  const { end, text } = await client.rest();
  assertEquals([end, text.endsWith(`\r\n\r\nslow answer of ${pid}`)], ["closed", true], text);
  const { stdout, stderr } = await server.end(0, pids);
  assertEquals(members(server.pid), []);
  assertEquals(stderr.split("SIGINT").length, 2, stderr);
  assert(!stderr.includes("is gone"), stderr);
  for (const pid of pids) assertEquals(stdout.split(`lifespan.shutdown ${pid}\n`).length, 2);
});

Deno.test("a full disk under the access log is told of once, and nobody else feels it", async () => {
  await using server = await FaultServer.start({ args: ["--access-log", "/dev/full"] });
  for (let n = 0; n < 20; n++) assertEquals((await ask(server.url, "/")).status, 200);
  await server.log(/error .*[Nn]o space left on device/);
  // The next lines fail too.
  for (let n = 0; n < 20; n++) assertEquals((await ask(server.url, "/")).status, 200);
  await server.recovered();
  const { stderr } = await server.stop();
  assertEquals(stderr.match(/No space left/gi)?.length, 1, stderr);
});
