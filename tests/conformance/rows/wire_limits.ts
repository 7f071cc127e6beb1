/** Limits of the wire, where an engine has them: exact, and set to a few bytes. */

import { assert, assertEquals } from "@std/assert";
import { echo, scopes, text } from "../apps.ts";
import { H2Peer } from "../h2_peer.ts";
import type { Reply } from "../reply.ts";
import { row } from "../suite.ts";
import type { Running } from "../target.ts";
import { until } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";

const LIMITED = { wire: true, needs: ["target-limits"] } as const;
const COUNTED = { wire: true, needs: ["timeouts"] } as const;

/** An engine looks at its connections some times within its shortest timeout: here it does so often. */
const OFTEN = { keepAliveTimeoutMs: 500 } as const;

/** Sends a head of these lines, and gives the answer and whether the connection ended behind it. */
async function head(server: Running, lines: readonly string[]): Promise<{ reply: Reply; ended: boolean }> {
  const connection = await server.connect();
  await connection.send(`${lines.join("\r\n")}\r\n\r\n`);
  const reply = await WireExchange.reply(connection);
  return { reply, ended: reply.status !== 200 && await connection.ends() };
}

/** A target of so many bytes. */
const target = (bytes: number) => `/${"a".repeat(bytes - 1)}`;

row("LIM-001", "with 414", LIMITED, async (engine) => {
  const { app, seen } = scopes();
  await using server = await engine.start(app);
  const { reply, ended } = await head(server, [`GET ${target(8193)} HTTP/1.1`, "Host: a"]);
  assertEquals([reply.status, reply.phrase, reply.get("connection"), ended], [414, "URI Too Long", "close", true]);
  assertEquals([reply.get("content-type")?.startsWith("text/plain"), reply.text.length < 100, seen.waiting], [true, true, 0]);
});

row("LIM-002", "with 431", LIMITED, async (engine) => {
  const { app, seen } = scopes();
  await using server = await engine.start(app);
  const lines = Array.from({ length: 33 }, (_, index) => `X-${index}: ${"a".repeat(1000)}`);
  const { reply, ended } = await head(server, ["GET / HTTP/1.1", "Host: a", ...lines]);
  assertEquals([reply.status, reply.phrase, ended], [431, "Request Header Fields Too Large", true]);
  assertEquals(seen.waiting, 0);
});

row("LIM-002", "one line that never ends is answered 431, or cut, and never held", LIMITED, async (engine) => {
  const { app, seen } = scopes();
  await using server = await engine.start(app);
  const connection = await server.connect();
  const sending = connection.send(`GET / HTTP/1.1\r\nHost: a\r\nX-A: ${"a".repeat(1_000_000)}`).catch(() => {});
  const got = await connection.rest();
  await sending;
  assert(/^(HTTP\/1\.1 431 |$)/.test(got), got.slice(0, 100));
  assertEquals(seen.waiting, 0);
});

row("LIM-003", "The limits are exact", LIMITED, async (engine) => {
  await using server = await engine.start(text("ok"), { wire: { maxTargetBytes: 100, maxHeaderBytes: 200, maxHeaderCount: 5 } });
  const statuses = [];
  for (const bytes of [100, 101]) {
    statuses.push((await head(server, [`GET ${target(bytes)} HTTP/1.1`, "Host: a"])).reply.status);
  }
  // Each line counts with its colon, blank and line end: `Host: a` is 9 bytes.
  for (const bytes of [200, 201]) {
    statuses.push((await head(server, ["GET / HTTP/1.1", "Host: a", `X: ${"a".repeat(bytes - 9 - 5)}`])).reply.status);
  }
  for (const count of [5, 6]) {
    const lines = Array.from({ length: count - 1 }, (_, index) => `X-${index}: 1`);
    statuses.push((await head(server, ["GET / HTTP/1.1", "Host: a", ...lines])).reply.status);
  }
  assertEquals(statuses, [200, 414, 200, 431, 200, 431]);
});

row("LIM-003", "and hold over HTTP/2", LIMITED, async (engine) => {
  await using server = await engine.start(text("ok"), { wire: { maxTargetBytes: 100, maxHeaderCount: 10 } });
  await using peer = await H2Peer.connect(server);
  const statuses = [];
  for (const bytes of [100, 101]) statuses.push((await peer.request({ target: target(bytes) })).status);
  for (const count of [5, 11]) {
    const headers = Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, "1"]));
    statuses.push((await peer.request({ headers })).status);
  }
  assertEquals(statuses, [200, 414, 200, 431]);
});

row("LIM-004", "The limit on headers does not count the request line, which has its own", LIMITED, async (engine) => {
  await using server = await engine.start(text("ok"), { wire: { maxHeaderBytes: 100 } });
  assertEquals((await head(server, [`GET ${target(200)} HTTP/1.1`, "Host: a"])).reply.status, 200);
});

row("LIM-005", "with 431, beyond 100", LIMITED, async (engine) => {
  await using server = await engine.start(text("ok"));
  const lines = (count: number) => Array.from({ length: count }, (_, index) => `X-${index}: 1`);
  assertEquals((await head(server, ["GET / HTTP/1.1", "Host: a", ...lines(99)])).reply.status, 200);
  assertEquals((await head(server, ["GET / HTTP/1.1", "Host: a", ...lines(100)])).reply.status, 431);
});

row("LIM-006", "Every header line counts", LIMITED, async (engine) => {
  await using server = await engine.start(echo, { wire: { maxHeaderCount: 5 } });
  const repeated = ["X-A: 1", "X-A: 1", "X-A: 1", "X-A: 1", "X-A: 1"];
  assertEquals((await head(server, ["GET / HTTP/1.1", "Host: a", ...repeated])).reply.status, 431);
  const framing = ["Content-Type: text/plain", "Content-Length: 0", "Cookie: a=1", "Cookie: b=2", "Cookie: c=3"];
  assertEquals((await head(server, ["POST / HTTP/1.1", "Host: a", ...framing])).reply.status, 431);
});

row("LIM-007", "What is still to come of such a body is not read: the connection ends", COUNTED, async (engine) => {
  const { app, seen } = scopes();
  await using server = await engine.start(app, { maxBodyBytes: 100, wire: OFTEN });
  const connection = await server.connect();
  await connection.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000000\r\n\r\n");
  let sent = 0;
  const sending = (async () => {
    for (const piece = new Uint8Array(1_000_000); sent < 500_000_000; sent += piece.byteLength) await connection.send(piece);
  })().catch(() => {});
  const reply = await WireExchange.reply(connection);
  assertEquals([reply.status, reply.get("connection")], [413, "close"]);
  await sending;
  assert(sent < 100_000_000, `${sent} bytes were taken`);
  assertEquals(seen.waiting, 0);
});

row("LIM-011", "A connection over the limit is answered 503", COUNTED, async (engine) => {
  await using server = await engine.start(text("ok"), { wire: { maxConnections: 2 } });
  const open = [await server.connect(), await server.connect()];
  // Both are counted once they were served.
  for (const connection of open) {
    await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals((await WireExchange.reply(connection)).status, 200);
  }
  const third = await server.connect();
  const reply = await WireExchange.reply(third);
  assertEquals([reply.status, reply.get("connection"), /^\d+$/.test(reply.get("retry-after") ?? "")], [503, "close", true]);
  assertEquals(await third.ends(), true);
  assertEquals((await server.noted(/connection/i)).level, "warn");
  await open[0]!.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals((await WireExchange.reply(open[0]!)).text, "ok");
});

row("LIM-012", "The number of connections can be limited: idle ones count, those that were turned away do not", COUNTED, async (engine) => {
  await using server = await engine.start(text("ok"), { wire: { maxConnections: 1 } });
  const first = await server.connect();
  await first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals((await WireExchange.reply(first)).status, 200);
  for (let count = 0; count < 3; count++) {
    assertEquals((await WireExchange.reply(await server.connect())).status, 503);
  }
  first.close();
  const served = async () => (await server.request().catch(() => null))?.status === 200;
  let isServed = false;
  void (async () => {
    while (!isServed) isServed = await served();
  })();
  await until(() => isServed, "the place of the first connection");
});
