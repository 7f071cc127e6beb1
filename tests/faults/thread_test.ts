/** What an app does to a worker thread: what the others see, and what is said about what can't be done. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { WebSocket } from "ws";
import { within } from "../conformance/waiting.ts";
import { FaultServer } from "./fault_server.ts";
import { ask, RawClient, request } from "./raw_client.ts";

const HEARTBEAT = ["--heartbeat-timeout", "1"];

Deno.test("errors that an app throws later in a thread are logged, and the thread goes on", async () => {
  await using server = await FaultServer.start({ home: "thread" });
  assertEquals((await ask(server.url, "/later")).body, "still here");
  await server.log(/An error was not caught[^]*thrown in a timer/);
  await server.log(/An error was not caught[^]*thrown in a microtask/);
  await server.log(/A rejection was not handled[^]*rejected and left alone/);
  const { stderr } = await server.stop();
  assert(!stderr.includes("is gone"), stderr);
});

for (const path of ["/exit", "/close"]) {
  Deno.test(`a thread that ends itself (${path}): 502, the others go on, and a new one comes`, async () => {
    await using server = await FaultServer.start({ home: "thread", args: HEARTBEAT });
    using bystander = await RawClient.to(server.url, request("/stream"));
    await bystander.until(/first of/);
    assertEquals((await ask(server.url, path)).status, 502);
    await server.access(`502 ${path} x-worker-lost`);
    await server.log(/Worker (\d) is (gone|killed)[^]*Worker \1 is ready/);
    assert(!bystander.isOver);
    bystander[Symbol.dispose]();
    for (let n = 0; n < 4; n++) assertEquals((await ask(server.url, "/")).status, 200);
    await server.stop();
  });
}

Deno.test("a thread whose loop is blocked is replaced: 502, a cut and 1011; the log says that it can't be stopped", async () => {
  await using server = await FaultServer.start({ home: "thread", workers: 1, args: HEARTBEAT });
  using stream = await RawClient.to(server.url, request("/stream"));
  await stream.until(/first of/);
  const socket = new WebSocket(server.url.replace("http", "ws"));
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  await new Promise((resolve) => socket.on("message", resolve));
  assertEquals((await ask(server.url, "/block")).status, 502);
  assert(!(await stream.rest()).text.includes("\r\n0\r\n"));
  assertEquals(await within(closed, "the close"), 1011);
  await server.log(/Worker 1 is killed: no sign of life for 1 s/);
  await server.log(/A thread was terminated; where its loop is blocked, it goes on to use a CPU until the server ends/);
  assertEquals((await ask(server.url, "/")).status, 200);
  // The process ends all the same.
  const { stderr } = await server.stop();
  assertMatch(stderr, /SIGTERM: stopping/);
});

for (const [path, cause] of [["/text", "The text of a batch is not JSON"], ["/packets", "A worker sends no packet 99"]] as const) {
  Deno.test(`a thread that sends garbage (${path}) is replaced: 502`, async () => {
    await using server = await FaultServer.start({ home: "thread" });
    assertEquals((await ask(server.url, path)).status, 502);
    await server.log(new RegExp(`Worker (\\d) is gone: .*${cause}[^]*Worker \\1 is ready`));
    await server.recovered();
    await server.stop();
  });
}
