/** What an app or an operator does to a worker process, and what is seen of it. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "../conformance/waiting.ts";
import { FaultServer } from "./fault_server.ts";
import { isAlive, isStopped } from "./processes.ts";
import { ask, RawClient, request } from "./raw_client.ts";

/** One client gets 502, the worker is replaced, nothing is left. */
async function loses(server: FaultServer, path: string, cause: RegExp): Promise<void> {
  const before = server.workers();
  const { status, body } = await ask(server.url, path);
  assertEquals([status, body], [502, "Bad Gateway\n"]);
  await server.log(cause);
  await server.access(`502 ${path} x-worker-lost`);
  await server.recovered();
  const after = server.workers();
  assertEquals(before.filter((pid) => after.includes(pid)).length, before.length - 1);
  assertEquals(before.filter(isAlive).length, before.length - 1);
}

Deno.test("a worker that is stopped for longer than the heartbeat is killed and replaced", async () => {
  await using server = await FaultServer.start({ args: ["--heartbeat-timeout", "1"] });
  using client = await RawClient.to(server.url, request("/hang", { close: true }));
  const pid = await server.at("hang");
  Deno.kill(pid, "SIGSTOP");
  // The other one has fewer exchanges, so it serves meanwhile.
  assertEquals((await ask(server.url, "/")).status, 200);
  assertEquals(await client.status(), 502);
  await server.log(new RegExp(`Worker \\d is killed: no sign of life for 1 s .*pid=${pid}`));
  assertEquals((await client.rest()).end, "closed");
  await server.recovered();
  assert(!isAlive(pid));
  await server.stop();
});

Deno.test("a worker that is stopped for less than the heartbeat goes on where it was", async () => {
  await using server = await FaultServer.start({ workers: 1, args: ["--heartbeat-timeout", "30"] });
  const [pid] = server.workers();
  Deno.kill(pid!, "SIGSTOP");
  await until(() => isStopped(pid!), "its stop");
  const answer = ask(server.url, "/");
  Deno.kill(pid!, "SIGCONT");
  assertEquals((await answer).body, String(pid));
  await server.stop();
});

Deno.test("a front that was stopped for longer than the heartbeat condemns no worker", async () => {
  await using server = await FaultServer.start({ args: ["--heartbeat-timeout", "0.5"] });
  const before = server.workers();
  server.cli.kill("SIGSTOP");
  await until(() => isStopped(server.pid), "its stop");
  // There is nothing to wait for but time.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  server.cli.kill("SIGCONT");
  for (let n = 0; n < 10; n++) assertEquals((await ask(server.url, "/wait")).status, 200);
  assertEquals(server.workers(), before);
  const { stderr } = await server.stop();
  assert(!stderr.includes("sign of life"), stderr);
});

Deno.test("a worker whose loop is blocked is killed: 502", async () => {
  await using server = await FaultServer.start({ args: ["--heartbeat-timeout", "1"] });
  await loses(server, "/block", /Worker \d is killed: no sign of life for 1 s/);
  await server.stop();
});

Deno.test("an app that ends its process: 502, and how it ended is in the log", async () => {
  await using server = await FaultServer.start();
  await loses(server, "/exit", /Worker \d is gone: .*exit code 7/);
  await server.stop();
});

Deno.test("an app that runs out of heap: 502", async () => {
  await using server = await FaultServer.start({ args: ["--worker-memory", "256M"] });
  await loses(server, "/heap", /Worker \d is (gone: .*(signal SIG|exit code 13\d)|killed: it takes \d+ MiB)/);
  await server.stop();
});

Deno.test("an app whose array buffers outgrow the memory limit is killed: 502", async () => {
  await using server = await FaultServer.start({ args: ["--worker-memory", "200M"] });
  await loses(server, "/buffers", /Worker \d is killed: it takes \d+ MB of memory, its limit is 200 MB/);
  await server.stop();
});

Deno.test("errors that an app throws later are logged, and its worker goes on", async () => {
  await using server = await FaultServer.start({ workers: 1 });
  const before = server.workers();
  assertEquals((await ask(server.url, "/later")).body, "still here");
  await server.log(/An error was not caught[^]*thrown in a timer/);
  await server.log(/An error was not caught[^]*thrown in a microtask/);
  await server.log(/A rejection was not handled[^]*rejected and left alone/);
  assertEquals(server.workers(), before);
  await server.recovered();
  await server.stop();
});

for (
  const [path, cause] of [
    ["/text", "The text of a batch is not JSON"],
    ["/packets", "A worker sends no packet 99"],
    ["/frames", ""],
  ] as const
) {
  Deno.test(`an app that makes its worker send garbage (${path}) loses its worker: 502`, async () => {
    await using server = await FaultServer.start();
    await loses(server, path, new RegExp(`Worker \\d is gone: .*${cause}`));
    await server.stop();
  });
}

Deno.test("a worker that gets a TERM of its own ends after its exchanges, and a new one is there before it goes", async () => {
  await using server = await FaultServer.start({ workers: 1 });
  const [pid] = server.workers();
  using client = await RawClient.to(server.url, "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  await client.until(new RegExp(`\r\n${pid}\n`));
  Deno.kill(pid!, "SIGTERM");
  await server.log(/Worker 1 takes no more exchanges: it was asked to stop/);
  const { body } = await ask(server.url, "/");
  assert(body !== String(pid));
  assert(isAlive(pid!));
  await client.chunk("the last one");
  await client.until(/the last one/);
  await client.send("0\r\n\r\n");
  await client.until(/\r\n0\r\n\r\n/);
  await server.log(new RegExp(`Worker 1 has stopped \\(exit code 0\\) .*pid=${pid}`));
  client[Symbol.dispose]();
  await server.recovered();
  const { stdout } = await server.stop();
  assertMatch(stdout, new RegExp(`lifespan.shutdown ${pid}\n`));
});
