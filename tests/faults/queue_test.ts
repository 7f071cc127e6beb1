/** No worker is ready: what waits, what is refused, and what is served once there is one again. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { WebSocket } from "ws";
import { FaultServer } from "./fault_server.ts";
import { ask, RawClient, request } from "./raw_client.ts";

/** A server whose only worker was killed and can't come back before the gate is opened. */
async function withoutWorker(args: readonly string[]): Promise<FaultServer> {
  const server = await FaultServer.start({ workers: 1, gate: "open", args });
  await server.at("lifespan.startup");
  await server.closeGate();
  Deno.kill(server.workers()[0]!, "SIGKILL");
  await server.log(/Worker 1 is gone: /);
  return server;
}

Deno.test("requests wait while there is no worker; over --max-queue they get 503 with retry-after, after --queue-timeout too", async () => {
  await using server = await withoutWorker(["--max-queue", "2", "--queue-timeout", "0.5"]);
  const started = performance.now();
  const waiting = [ask(server.url, "/"), ask(server.url, "/")];
  // Connections are taken in no order: two of three wait, whichever.
  const third = ask(server.url, "/");
  const first = await Promise.race([...waiting, third]);
  assert(performance.now() - started < 450);
  assertEquals([first.status, first.body], [503, "Service Unavailable\n"]);
  assertMatch(first.head, /\r\nretry-after: \d+/);
  for (const { status, head } of await Promise.all([...waiting, third])) {
    assertEquals(status, 503);
    assertMatch(head, /\r\nretry-after: \d+/);
  }
  assert(performance.now() - started > 450);
  await server.log(/No worker is ready, and exchanges that can't wait are answered 503/);
  await server.access("503 / x-queue-full");
  await server.access("503 / x-queue-timeout");
  await server.openGate();
  await server.recovered();
  assertEquals((await ask(server.url, "/")).status, 200);
  await server.stop();
});

Deno.test("what waits is served by the next worker: requests, bodies, WebSockets; also where a worker dies in its startup meanwhile", async () => {
  await using server = await withoutWorker([]);
  const waiting = Array.from({ length: 20 }, () => ask(server.url, "/"));
  const body = fetch(`${server.url}upload`, { method: "POST", body: "x".repeat(100_000) });
  const socket = new WebSocket(server.url.replace("http", "ws"));
  const greeting = new Promise<string>((resolve) => socket.on("message", (data: Uint8Array) => resolve(String(data))));
  const starting = await server.at("lifespan.startup");
  Deno.kill(starting, "SIGKILL");
  await server.log(/Worker 1 could not start: .*signal SIGKILL/);
  const again = await server.at("lifespan.startup");
  await server.openGate();
  for (const { status, body } of await Promise.all(waiting)) assertEquals([status, body], [200, String(again)]);
  assertEquals(await (await body).text(), `100000 bytes for ${again}`);
  assertEquals(await greeting, String(again));
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.close();
  await closed;
  await server.stop();
});

Deno.test("a client that leaves the queue gives its place to another", async () => {
  await using server = await withoutWorker(["--max-queue", "1"]);
  using waiting = await fill(server);
  waiting.client[Symbol.dispose]();
  await server.access("- / client_closed");
  const next = ask(server.url, "/");
  await server.openGate();
  assertEquals((await next).status, 200);
  await server.recovered();
  await server.stop();
});

Deno.test("a server that stops while an exchange waits and no worker comes answers it 503", async () => {
  await using server = await withoutWorker(["--max-queue", "1", "--shutdown-timeout", "1"]);
  await server.at("lifespan.startup");
  using waiting = await fill(server);
  const pids = server.workers();
  server.cli.kill("SIGTERM");
  assertEquals(await waiting.client.status(), 503);
  await server.end(0, pids);
});

/** Fills a queue for one: of two clients one is refused, so the other is known to wait. */
async function fill(server: FaultServer): Promise<Disposable & { client: RawClient }> {
  const clients = await Promise.all([0, 1].map(() => RawClient.to(server.url, request("/", { close: true }))));
  const refused = await Promise.race(clients.map(async (client) => (await client.status(), client)));
  assertEquals(await refused.status(), 503);
  const client = clients.find((client) => client !== refused)!;
  assertEquals(client.text, "");
  return { client, [Symbol.dispose]: () => clients.forEach((client) => client[Symbol.dispose]()) };
}
