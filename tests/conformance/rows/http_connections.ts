/** Connections: keep-alive, close, pipelining. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, scopes, text } from "../apps.ts";
import { row } from "../suite.ts";
import { settle } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";

row("HTTP-098", "A connection stays open for the next request", { wire: true }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const connection = await server.connect();
  for (let count = 0; count < 3; count++) {
    await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals((await WireExchange.reply(connection)).status, 200);
  }
  const ports = [await seen.take(), await seen.take(), await seen.take()].map(({ client }) => client![1]);
  assertEquals(new Set(ports).size, 1);
});

row("HTTP-099", "`Connection: close` of the client closes it behind the response", { wire: true }, async (target) => {
  await using server = await target.start(text("ok"));
  for (const value of ["close", "Close", "keep-alive, close"]) {
    const connection = await server.connect();
    await connection.send(`GET / HTTP/1.1\r\nHost: a\r\nConnection: ${value}\r\n\r\n`);
    assertEquals((await WireExchange.reply(connection)).text, "ok");
    assert(await connection.ends(), value);
  }
});

const STREAM = http(async (scope, _receive, send) => {
  const headers = scope.path === "/declared" ? [["content-length", "10"]] as const : [];
  await send({ type: "http.response.start", status: 200, headers });
  await send({ type: "http.response.body", body: "hello", more: 1 });
  await send({ type: "http.response.body", body: "world" });
});

row("HTTP-100", "An HTTP/1.0 response without a length is not chunked, and ends with its connection", { wire: true }, async (target) => {
  await using server = await target.start(STREAM);
  for (const headers of [[], [["connection", "keep-alive"]]] as const) {
    const reply = await server.request({ httpVersion: "1.0", headers });
    assertEquals([reply.text, reply.get("transfer-encoding"), reply.get("content-length")], ["helloworld", null, null]);
  }
});

row("HTTP-101", "HTTP/1.0 with keep-alive and a length: the connection stays open", { wire: true }, async (target) => {
  await using server = await target.start(text("hello"));
  const connection = await server.connect();
  for (let count = 0; count < 2; count++) {
    await connection.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const reply = await WireExchange.reply(connection);
    assertEquals([reply.text, reply.get("connection")], ["hello", "keep-alive"]);
  }
});

row("HTTP-101", "also behind a body in parts with a declared length", {
  wire: true,
  except: { deno: "`Deno.serve` announces `keep-alive` there and closes all the same; the client sees a whole answer" },
}, async (target) => {
  await using server = await target.start(STREAM);
  const connection = await server.connect();
  for (let count = 0; count < 2; count++) {
    await connection.send("GET /declared HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const reply = await WireExchange.reply(connection);
    assertEquals([reply.text, reply.get("connection")], ["helloworld", "keep-alive"]);
  }
});

row("HTTP-102", "HTTP/1.0 without keep-alive: it is closed", { wire: true }, async (target) => {
  await using server = await target.start(STREAM);
  const connection = await server.connect();
  await connection.send("GET /declared HTTP/1.0\r\n\r\n");
  assertEquals((await WireExchange.reply(connection)).text, "helloworld");
  assert(await connection.ends());
});

row("HTTP-103", "`Connection: close` of the app is sent", { wire: true }, async (target) => {
  await using server = await target.start(text("ok", [["Connection", "close"]]));
  assertEquals((await server.request()).get("connection"), "close");
});

row("HTTP-104", "Pipelined requests are answered one by one, in their order", { wire: true }, async (target) => {
  let open = 0;
  let most = 0;
  await using server = await target.start(http(async (scope, _receive, send) => {
    most = Math.max(most, ++open);
    await settle(scope.path === "/0" ? 20 : 1);
    open--;
    await answer(send, scope.path);
  }));
  const connection = await server.connect();
  await connection.send(Array.from({ length: 10 }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""));
  for (let index = 0; index < 10; index++) assertEquals((await WireExchange.reply(connection)).text, `/${index}`);
  assertEquals(most, 1);
});

row(
  "HTTP-105",
  "What is pipelined behind `Connection: close` is not served; garbage behind a good request is refused",
  { wire: true },
  async (target) => {
    const { app, seen } = scopes();
    await using server = await target.start(app);
    const connection = await server.connect();
    await connection.send("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals((await connection.rest()).match(/HTTP\/1\.1/g)?.length, 1);
    const other = await server.connect();
    await other.send("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n\x01\x02 garbage\r\n\r\n");
    const got = await other.rest();
    assertEquals(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 400 /.test(got), true, got);
    assertEquals([(await seen.take()).path, (await seen.take()).path, seen.waiting], ["/1", "/3", 0]);
  },
);

row("HTTP-109", "A connection that breaks ends alone", { wire: true }, async (target) => {
  await using server = await target.start(text("ok"));
  const good = await server.connect();
  await good.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await WireExchange.reply(good);
  for (const bytes of ["\0\0\0", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf", "GET / HT"]) {
    const bad = await server.connect();
    await bad.send(bytes);
    bad.close();
  }
  await settle();
  await good.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals((await WireExchange.reply(good)).text, "ok");
});
