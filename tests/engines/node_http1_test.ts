/** HTTP/1 of the node engine on real sockets: order, what is left unread, what does not move, and how connections end. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { NOTIFY } from "../../src/exchange.ts";
import { until } from "../conformance/waiting.ts";
import { echoHead, RawClient, startNode, type Tap } from "./engine_peer.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

function hello({ out }: Tap): void {
  out.respond(200, [], "hello", 0);
}

function statuses(text: string): string[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => match[1]!);
}

Deno.test("NodeEngine answers requests that come at once in their order, and opens one after the other", async () => {
  await using server = await startNode();
  using client = await RawClient.connect(server.port);
  await client.send(["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""));
  const first = await server.tap();
  assertEquals(server.opened.map(({ rawPath }) => rawPath), ["/1"]);
  first.do((out) => out.respond(200, [], "one", 0));
  assertEquals((await client.response()).body, "one");
  (await server.tap()).do((out) => out.respond(200, [], "two", 0));
  assertEquals((await client.response()).body, "two");
  (await server.tap()).do((out) => out.respond(200, [], "three", 0));
  assertEquals((await client.response()).body, "three");
  assertEquals(server.finished.map(({ end }) => end.reason), [null, null, null]);
});

Deno.test("NodeEngine answers thousands of requests of one packet, of a session that answers inside open", async () => {
  await using server = await startNode(hello);
  using client = await RawClient.connect(server.port);
  await client.send(GET.repeat(3000));
  const text = await client.readUntil((text) => statuses(text).length === 3000, 20_000);
  assertEquals(statuses(text).length, 3000);
});

Deno.test("NodeEngine does not read on while a pipeline waits for its first answer, and then reads all of it", async () => {
  await using server = await startNode();
  using client = await RawClient.connect(server.port);
  const packet = new TextEncoder().encode(GET.repeat(2000));
  // Far more than the system keeps for both sides.
  const most = 24_000_000;
  let written = 0;
  let seen = -1;
  let still = 0;
  let stops = false;
  const writing = (async () => {
    while (written < most && !stops) {
      written += await client.connection.write(packet.subarray(written % packet.byteLength));
    }
  })();
  const first = await server.tap();
  // By looks, not by the clock: a loop that is busy with requests lets nobody write.
  const stands = () => {
    still = written === seen ? still + 1 : 0;
    seen = written;
    return written >= most || still === 40;
  };
  await until(stands, "the client can't write on", 60_000);
  assert(written < most, `${written} bytes were read`);
  stops = true;
  first.do((out) => out.respond(200, [], "one", 0));
  for (let count = 1; count < 40; count++) (await server.tap()).do((out) => out.respond(200, [], "more", 0));
  await client.readUntil((text) => statuses(text).length === 40);
  client.connection.close();
  await writing.catch(() => {});
});

Deno.test("NodeEngine.close() is not held up by thousands of requests that wait", async () => {
  await using server = await startNode();
  const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(server.port)));
  for (const client of clients) await client.send(GET.repeat(2300));
  for (const _ of clients) await server.tap();
  const from = performance.now();
  await server.engine.close(0);
  for (const client of clients) await client.rest().catch(() => {});
  const elapsedMs = performance.now() - from;
  for (const client of clients) client[Symbol.dispose]();
  assert(elapsedMs < 4000, `${elapsedMs} ms`);
});

Deno.test("NodeEngine answers a client that has closed its half, where the answer comes at once", async () => {
  await using server = await startNode(hello);
  using client = await RawClient.connect(server.port);
  await client.send(GET);
  await (client.connection as Deno.TcpConn).closeWrite();
  assertStringIncludes(await client.rest(), "hello");
  assert(client.ended);
});

Deno.test("NodeEngine takes a closed half for a client that has left, where there is no answer yet", async () => {
  await using server = await startNode();
  using client = await RawClient.connect(server.port);
  await client.send(GET);
  const tap = await server.tap();
  await (client.connection as Deno.TcpConn).closeWrite();
  assertEquals(await tap.end(), { reason: "client_closed" });
  assertEquals(await client.rest(), "");
});

Deno.test("NodeEngine sees a client leave while its request with a body is handled", async () => {
  await using server = await startNode();
  const client = await RawClient.connect(server.port);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  const tap = await server.tap();
  client.close();
  assertEquals(await tap.end(), { reason: "client_closed" });
  assertEquals(server.finished.map(({ status, end }) => [status, end.reason]), [[0, "client_closed"]]);
});

Deno.test("NodeEngine goes on with a connection whose small body was not read", async () => {
  await using server = await startNode(hello);
  using client = await RawClient.connect(server.port);
  await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n`);
  assertEquals((await client.response()).body, "hello");
  await client.send("x".repeat(1000) + GET);
  assertEquals((await client.response()).body, "hello");
});

Deno.test("NodeEngine ends a connection whose large body was not read, and does not swallow it", async () => {
  await using server = await startNode(hello, { maxBodyBytes: 0 });
  for (const framing of ["Content-Length: 50000000", "Transfer-Encoding: chunked"]) {
    using client = await RawClient.connect(server.port);
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
    assertEquals((await client.response()).body, "hello");
    let sent = 0;
    try {
      for (; sent < 50_000_000; sent += 0xffff) await client.send(`ffff\r\n${"x".repeat(0xffff)}\r\n`);
    } catch (error) {
      assertMatch((error as Error).name, /BrokenPipe|ConnectionReset/);
    }
    assert(sent < 25_000_000, `${sent} bytes were taken (${framing})`);
  }
});

Deno.test("NodeEngine answers 413 to a body that is too large by its length and by its bytes, and the connection ends", async () => {
  await using server = await startNode((tap) => tap.out.pull(1_000_000), { maxBodyBytes: 1000 });
  for (const [framing, body] of [["Content-Length: 1001", ""], ["Transfer-Encoding: chunked", `3e9\r\n${"x".repeat(1001)}\r\n`]]) {
    using client = await RawClient.connect(server.port);
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}`);
    const answer = await client.response();
    assertEquals(answer.status, 413);
    assertStringIncludes(answer.head.toLowerCase(), "connection: close");
    await client.rest();
    assert(client.ended);
  }
  assertEquals(server.finished.map(({ end }) => end.reason), ["body_too_large", "body_too_large"]);
});

Deno.test("NodeEngine cuts a client that takes nothing of a large answer, with write_timeout, and its connection is gone", async () => {
  await using server = await startNode(() => {}, {}, { writeTimeoutMs: 200 });
  using client = await RawClient.connect(server.port);
  await client.send(GET);
  const tap = await server.tap();
  tap.do((out) => out.respond(200, [], new Uint8Array(50_000_000), NOTIFY));
  assertEquals(await tap.end(), { reason: "write_timeout" });
  const [{ bytes, end }] = server.finished as [typeof server.finished[number]];
  assertEquals(end.reason, "write_timeout");
  assert(bytes < 50_000_000);
});

Deno.test("NodeEngine does not cut a client that takes a large answer slowly", async () => {
  await using server = await startNode(() => {}, {}, { writeTimeoutMs: 400 });
  using client = await RawClient.connect(server.port);
  await client.send(GET);
  const tap = await server.tap();
  tap.do((out) => out.respond(200, [], new Uint8Array(12_000_000), NOTIFY));
  // So long as it moves: a megabyte at a time, for longer than the timeout.
  const buffer = new Uint8Array(1_000_000);
  const began = performance.now();
  let read = 0;
  while (read < 12_000_000) {
    const count = await client.connection.read(buffer.subarray(0, Math.min(buffer.length, 100_000)));
    assert(count !== null, `cut after ${read} bytes`);
    read += count;
    while (read < 12_000_000 && performance.now() - began < read / 12_000_000 * 900) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert(performance.now() - began > 400);
  assertEquals(await tap.end(), { reason: null });
});

Deno.test("NodeEngine ends a body that stops with 408 and client_timeout only while the app waits for it", async () => {
  await using server = await startNode(() => {}, {}, { bodyTimeoutMs: 200 });
  using client = await RawClient.connect(server.port);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  const tap = await server.tap();
  tap.do((out) => out.pull(3));
  assertEquals(await tap.next(), { call: "body", text: "abc", more: true });
  assertEquals(server.finished, []);
  tap.do((out) => out.pull(1));
  assertEquals(await tap.end(), { reason: "client_timeout" });
  assertEquals((await client.response()).status, 408);
});

Deno.test("NodeEngine tells nobody of what it cuts twice: a broken body ends one exchange, with 400", async () => {
  await using server = await startNode((tap) => tap.out.pull(1000));
  using client = await RawClient.connect(server.port);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  assertEquals((await client.response()).status, 400);
  await client.rest();
  assertEquals(server.finished.map(({ status, end }) => [status, end.reason]), [[400, "protocol_error"]]);
});

Deno.test("NodeEngine lets the answer before garbage leave, then answers the garbage with 400", async () => {
  await using server = await startNode(hello);
  using client = await RawClient.connect(server.port);
  await client.send(`${GET}GARBAGE\r\n\r\n`);
  assertEquals(statuses(await client.rest()), ["200", "400"]);
  assert(client.ended);
});

Deno.test("NodeEngine.drain() lets a connection take one more request and then closes it; idle ones close soon", async () => {
  await using server = await startNode(echoHead);
  using busy = await RawClient.connect(server.port);
  using idle = await RawClient.connect(server.port);
  for (const client of [busy, idle]) {
    await client.send(GET);
    await client.response();
  }
  server.engine.drain();
  await busy.send(GET);
  const last = await busy.response();
  assertEquals(last.status, 200);
  assertStringIncludes(last.head.toLowerCase(), "connection: close");
  assertEquals([await busy.rest(), await idle.rest()], ["", ""]);
  assert(busy.ended && idle.ended);
});

Deno.test("NodeEngine.close() waits for an exchange and ends it with 503 when the time is up", async () => {
  await using server = await startNode();
  using client = await RawClient.connect(server.port);
  await client.send(GET);
  const tap = await server.tap();
  await server.engine.close(50);
  assertEquals(await tap.end(), { reason: "server_shutdown" });
  assertEquals((await client.response()).status, 503);
  await server.engine.finished;
});

Deno.test("NodeEngine gives the trailers of a body with its last part", async () => {
  const told: unknown[] = [];
  await using server = await startNode((tap) => {
    tap.body = (_chunk, more, ...rest: unknown[]) => void told.push(more, ...rest);
    tap.out.pull(1000);
    if (told.length === 0) queueMicrotask(() => {});
  });
  using client = await RawClient.connect(server.port);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n");
  const tap = await server.tap();
  await client.readUntil(() => told.length === 3, 100);
  assertEquals(told, [true, false, [["x-sum", "1"], ["x-sum", "2"]]]);
  tap.do((out) => out.respond(200, [], "", 0));
  assertEquals((await client.response()).status, 200);
});

Deno.test("NodeEngine logs no more than the beginning of a target that it refuses for its length", async () => {
  await using server = await startNode();
  using client = await RawClient.connect(server.port);
  await client.send(`GET /${"a".repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`);
  assertEquals((await client.response()).status, 414);
  assertEquals(server.finished.map(({ head, end }) => [head.rawPath, end.reason]), [[`/${"a".repeat(511)}...`, "protocol_error"]]);
});
