/** Smuggling, splitting, floods. */

import { assert, assertEquals } from "@std/assert";
import { echo, http, rejection, scopes, text } from "../apps.ts";
import { elsewhere, row } from "../suite.ts";
import type { Target } from "../target.ts";
import { Mailbox, settle } from "../waiting.ts";
import type { WireConnection } from "../wire_connection.ts";
import { WireExchange } from "../wire_exchange.ts";
import { defineApp } from "../../../src/spec/app.ts";

const WIRE = { wire: true };

/** Requests that must not be served. */
async function refuses(target: Target, requests: readonly string[]): Promise<void> {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  for (const request of requests) {
    const connection = await server.connect();
    await connection.send(request);
    assertEquals((await WireExchange.reply(connection)).status, 400, JSON.stringify(request));
  }
  assertEquals(seen.waiting, 0);
}

row("SEC-001", "Nothing that an app puts into headers, trailers, an accept or a subprotocol splits an answer", {}, async (target) => {
  const bad = "a\r\nx-injected: 1\r\n\r\n<html>";
  const errors = new Mailbox<string>();
  const app = defineApp({
    async http(_scope, _receive, send) {
      for (const headers of [[["x-a", bad]], [[bad, "v"]], [["location", bad]], [["set-cookie", bad]]] as const) {
        errors.put((await rejection(send({ type: "http.response.start", status: 200, headers }))).name);
      }
      await send({ type: "http.response.start", status: 200, trailers: 1 });
      await send({ type: "http.response.body", body: "ok" });
      errors.put((await rejection(send({ type: "http.response.trailers", headers: [["x-a", bad]] }))).name);
    },
    async websocket(_scope, receive, send) {
      await receive();
      errors.put((await rejection(send({ type: "websocket.accept", headers: [["x-a", bad]] }))).name);
      errors.put((await rejection(send({ type: "websocket.accept", subprotocol: bad }))).name);
      await send({ type: "websocket.accept" });
    },
  });
  await using server = await target.start(app);
  const reply = await server.request();
  assertEquals([reply.text, reply.get("x-injected")], ["ok", null]);
  const socket = await server.websocket();
  assertEquals(socket.header("x-injected"), null);
  for (let count = 0; count < 7; count++) assertEquals(await errors.take(), "EventError");
});

row("SEC-002", "Nothing in an event's name, id or comment forges another event", {}, async (target) => {
  const bad = "a\n\ndata: forged\n\n";
  const app = defineApp({
    async sse(_scope, _receive, send) {
      await send({ type: "sse.start" });
      await rejection(send({ type: "sse.send", data: "x", event: bad }));
      await rejection(send({ type: "sse.send", data: "x", id: bad }));
      await send({ type: "sse.comment", comment: bad });
      await send({ type: "sse.send", data: bad });
    },
  });
  await using server = await target.start(app);
  const { text } = await server.request({ headers: [["accept", "text/event-stream"]] });
  assertEquals(text.split("\n").filter((line) => line === "data: forged"), []);
});

row("SEC-003", "A blank before the colon of a header is answered 400", WIRE, (target) =>
  refuses(target, [
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello",
  ]));

row("SEC-004", "Chunk data that is not followed by CRLF is never taken for a whole body", WIRE, async (target) => {
  const seen = new Mailbox<string>();
  await using server = await target.start(http(async (_scope, receive) => {
    let event = await receive();
    while (event.type === "http.request" && event.more) event = await receive();
    seen.put(event.type);
  }));
  for (const chunk of ["5\r\nhelloXX0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhelloworld\r\n0\r\n\r\n"]) {
    const connection = await server.connect();
    await connection.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    await settle(5);
    await connection.send(chunk);
    assertEquals(await seen.take(), "http.disconnect", JSON.stringify(chunk));
  }
});

row("SEC-005", "Two Host headers, and a Host that could stand in for a path, are answered 400", WIRE, (target) =>
  refuses(target, [
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET /real HTTP/1.1\r\nHost: a/fake?q=\r\n\r\n",
    "GET /real HTTP/1.1\r\nHost: a#\r\n\r\n",
    "GET /real HTTP/1.1\r\nHost: user@a\r\n\r\n",
    "GET /real HTTP/1.1\r\nHost: a b\r\n\r\n",
  ]));

row("SEC-004", "the answer is 400", {
  wire: true,
  except: { deno: "`Deno.serve` closes the connection without an answer where chunks are malformed" },
}, async (target) => {
  await using server = await target.start(echo);
  for (const chunk of ["5\r\nhelloXX0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhelloworld\r\n0\r\n\r\n"]) {
    const connection = await server.connect();
    await connection.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
    assertEquals([(await WireExchange.reply(connection)).status, await connection.ends()], [400, true], chunk);
  }
});

row("SEC-006", "Clients that send or read slowly do not stop service", WIRE, async (target) => {
  await using server = await target.start(text("x".repeat(1000)));
  const slow: WireConnection[] = [];
  for (let count = 0; count < 50; count++) {
    const head = await server.connect();
    await head.send("GET / HTTP/1.1\r\nHost: a\r\nX-");
    const body = await server.connect();
    await body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx");
    const reader = await server.connect();
    await reader.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100));
    slow.push(head, body, reader);
  }
  const begin = performance.now();
  assertEquals((await server.request()).status, 200);
  assert(performance.now() - begin < 1000);
  for (const connection of slow) connection.close();
});

row("SEC-007", "Bytes at random end their connection, and nothing else", WIRE, async (target) => {
  await using server = await target.start(text("ok"));
  // A generator of its own, so that a failure can be repeated.
  let state = 42;
  const random = (below: number) => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  const good = "GET /path?query HTTP/1.1\r\nHost: a\r\nX-A: b\r\nContent-Length: 3\r\n\r\nabc";
  for (let count = 0; count < 200; count++) {
    const bytes = count % 2 === 0 ? new TextEncoder().encode(good) : new Uint8Array(random(300) + 1).map(() => random(256));
    for (let change = 0; change < 1 + random(5); change++) bytes[random(bytes.length)] = random(256);
    const connection = await server.connect();
    await connection.send(bytes).catch(() => {});
    await connection.closeWrite().catch(() => {});
    await connection.rest();
    connection.close();
  }
  assertEquals((await server.request()).text, "ok");
});

elsewhere("SEC-007", "a table of malformed input over raw bytes", "tests/engines/malformed_test.ts");

row("SEC-008", "A WebSocket frame that claims a huge length, or text that is not UTF-8, ends its own connection", WIRE, async (target) => {
  const app = defineApp({
    async websocket(_scope, receive, send) {
      await receive();
      await send({ type: "websocket.accept" });
      while ((await receive()).type !== "websocket.disconnect");
    },
    http: (_scope, _receive, send) =>
      send({ type: "http.response.start", status: 200 }).then(() => send({ type: "http.response.body", body: "ok" })),
  });
  await using server = await target.start(app);
  const upgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  for (const frame of ["\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", "\x81\x82\0\0\0\0\xff\xfe"]) {
    const connection = await server.connect();
    await connection.send(`GET / HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`);
    await connection.until("\r\n\r\n");
    await connection.send(frame);
    await connection.rest();
  }
  assertEquals((await server.request()).text, "ok");
});

row("SEC-009", "Unfinished heads and pipelined requests are held in bounded memory", WIRE, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app, { wire: { keepAliveTimeoutMs: 500 } });
  const connection = await server.connect();
  const sending = connection.send(`GET / HTTP/1.1\r\nHost: a\r\nX-A: ${"a".repeat(4_000_000)}`).catch(() => {});
  const got = await connection.rest();
  await sending;
  assert(/^(HTTP\/1\.1 4\d\d |$)/.test(got), got.slice(0, 100));
  assertEquals(seen.waiting, 0);
});

row("SEC-010", "Exchanges that fail leave nothing behind", {}, async (target) => {
  await using server = await target.start(http((scope) => Promise.reject(new Error(scope.path))));
  for (let count = 1; count <= 50; count++) {
    assertEquals((await server.request()).status, 500);
    await server.ended(count);
  }
  assertEquals(server.finished.length, 50);
});

row("SEC-011", "Answers of the server never contain the text of an error", {}, async (target) => {
  await using server = await target.start(http(() => Promise.reject(new Error("password=secret /etc/app.ts"))));
  const reply = await server.request();
  assertEquals([reply.status, /secret|app\.ts|Error:/.test(reply.text + JSON.stringify(reply.pairs))], [500, false]);
});

row("SEC-012", "NUL, dot segments and escaped slashes reach the app decoded", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  for (const [asked, path] of [["/a%00b", "/a\0b"], ["/%2e%2e%2fetc", "/../etc"], ["/..%5c", "/..\\"]] as const) {
    await server.request({ target: asked });
    assertEquals((await seen.take()).path, path);
  }
});

elsewhere("SEC-012", "the directory app guards against them", "tests/toolkit/apps/directory_test.ts");
