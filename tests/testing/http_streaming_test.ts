/** Streaming exchanges of the test client, over the real sessions. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type App, defineApp } from "../../src/spec/app.ts";
import { testClient } from "../../src/testing/client.ts";
import { ClosedError, WaitError } from "../../src/testing/errors.ts";
import { settle } from "../../src/testing/waiting.ts";

/** Answers each part of the body as it comes. */
const duplex: App = defineApp({
  async http(_scope, receive, send) {
    await send({ type: "http.response.start", status: 200 });
    for (let event = await receive(); event.type === "http.request"; event = await receive()) {
      await send({ type: "http.response.body", body: event.body, more: event.more });
      if (event.more === 0) return;
    }
  },
});

Deno.test("TestExchange streams both ways", async () => {
  await using client = await testClient(duplex);
  const exchange = await client.open("POST", "/", { streams: true });
  await exchange.write("one");
  assertEquals((await exchange.response).headers.get("transfer-encoding"), "chunked");
  assertEquals(await exchange.readText(), "one");
  await exchange.write(new Uint8Array([33]));
  assertEquals(await exchange.readText(), "!");
  exchange.end();
  assertEquals(await exchange.read(), null);
  assertEquals(await exchange.closed, null);
});

Deno.test("TestExchange.write() resolves when the app has received the bytes", async () => {
  const go = Promise.withResolvers<void>();
  const app = defineApp({
    async http(_scope, receive, send) {
      await go.promise;
      await receive();
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body" });
    },
  });
  await using client = await testClient(app, { timeoutMs: 30 });
  const exchange = await client.open("POST", "/", { streams: true });
  await assertRejects(() => exchange.write("a"), WaitError, "for the app to receive the body of POST /");
  go.resolve();
  assertEquals((await exchange.response).status, 200);
});

Deno.test("TestExchange is an async iterable of chunks", async () => {
  const app = defineApp({
    async http(_scope, _receive, send) {
      await send({ type: "http.response.start", status: 200 });
      for (const body of ["a", "b", "c"]) await send({ type: "http.response.body", body, more: true });
      await send({ type: "http.response.body" });
    },
  });
  await using client = await testClient(app);
  const chunks: string[] = [];
  for await (const bytes of await client.open("GET", "/")) chunks.push(new TextDecoder().decode(bytes));
  assertEquals(chunks, ["a", "b", "c"]);
});

Deno.test("TestExchange gets hints before and trailers after the body", async () => {
  const app = defineApp({
    async http(_scope, _receive, send) {
      await send({ type: "http.response.early_hint", headers: [["link", "</a.css>; rel=preload"]] });
      await send({ type: "http.response.start", status: 200, trailers: true });
      await send({ type: "http.response.body", body: "x" });
      await send({ type: "http.response.trailers", headers: [["x-sum", "42"]] });
    },
  });
  await using client = await testClient(app);
  const response = await client.get("/");
  assertEquals(response.hints.map((hint) => [hint.status, hint.headers.get("link")]), [[103, "</a.css>; rel=preload"]]);
  assertEquals(response.trailers?.get("x-sum"), "42");
  assertEquals((await client.get("/", { httpVersion: "2" })).trailers?.get("x-sum"), "42");
});

Deno.test("TestExchange.continued tells that the app reads a body that was announced", async () => {
  const read = Promise.withResolvers<void>();
  const app = defineApp({
    async http(_scope, receive, send) {
      await read.promise;
      const event = await receive();
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: event.type === "http.request" ? event.body : "gone" });
    },
  });
  await using client = await testClient(app);
  const exchange = await client.open("POST", "/", { streams: true, headers: { expect: "100-continue", "content-length": "2" } });
  let continued = false;
  const waiting = exchange.continued.then(() => continued = true);
  await settle();
  assertEquals(continued, false);
  read.resolve();
  await waiting;
  await exchange.write("ok");
  exchange.end();
  assertEquals((await exchange.finish()).text(), "ok");
});

Deno.test("TestExchange.stall() makes the app's send wait, resume() lets it go on", async () => {
  const log: string[] = [];
  const app = defineApp({
    async http(scope, _receive, send) {
      const transport = scope["pagi.transport"];
      transport.onHighWater(() => log.push(`high ${transport.bufferedAmount()}`));
      transport.onDrain(() => log.push(`drain ${transport.bufferedAmount()}`));
      await send({ type: "http.response.start", status: 200 });
      for (let i = 0; i < 3; i++) {
        await send({ type: "http.response.body", body: new Uint8Array(60), more: true });
        log.push(`sent ${i}`);
      }
      await send({ type: "http.response.body" });
    },
  });
  await using client = await testClient(app, { limits: { highWaterBytes: 100, lowWaterBytes: 50 } });
  const exchange = await client.open("GET", "/", { stalled: true });
  await exchange.response;
  await settle();
  assertEquals(log, ["sent 0", "high 120", "sent 1"]);
  assertEquals(exchange.buffered, 180);
  exchange.resume(130);
  await settle();
  assertEquals(log.slice(3), [], "180 − 130 is not below the low mark");
  exchange.resume(1);
  await settle();
  assertEquals(log.slice(3), ["drain 49", "sent 2"]);
  exchange.resume();
  assertEquals((await exchange.finish()).bytes().byteLength, 180);
});

Deno.test("TestExchange.disconnectAfter() leaves at that byte", async () => {
  let reason: string | undefined;
  const app = defineApp({
    async http(scope, _receive, send) {
      scope["pagi.connection"].onDisconnect((token) => reason = token);
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "0123456789", more: true });
      await send({ type: "http.response.body", body: "more" });
    },
  });
  await using client = await testClient(app);
  const exchange = await client.open("GET", "/", { stalled: true });
  exchange.disconnectAfter(7);
  exchange.resume();
  const response = await exchange.finish();
  assertEquals([response.text(), response.cut], ["0123456", "client_closed"]);
  await settle();
  assertEquals(reason, "client_closed");
});

Deno.test("TestExchange.disconnect() in the middle of an upload is seen by a receive that waits", async () => {
  const seen: string[] = [];
  const app = defineApp({
    async http(_scope, receive) {
      for (let event = await receive();; event = await receive()) {
        seen.push(event.type);
        if (event.type === "http.disconnect") return;
      }
    },
  });
  await using client = await testClient(app);
  const exchange = await client.open("POST", "/", { streams: true });
  await exchange.write("part");
  await settle();
  exchange.disconnect();
  await assertRejects(() => exchange.response, ClosedError, "client_closed");
  await settle();
  assertEquals(seen, ["http.request", "http.disconnect"]);
  assertEquals(client.notes.filter(({ level }) => level === "error"), [], "a client that is gone needs no 500 and no error in the log");
});

Deno.test("TestExchange.read() throws where the response is cut", async () => {
  const app = defineApp({
    async http(_scope, _receive, send) {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", more: true });
      throw new Error("no");
    },
  });
  await using client = await testClient(app);
  const exchange = await client.open("GET", "/");
  assertEquals(await exchange.readText(), "a");
  const error = await assertRejects(() => exchange.read(), ClosedError);
  assertEquals(error.reason, "server_error");
});

Deno.test("TestClient.open() answers a body over the limit with 413", async () => {
  await using client = await testClient(duplex, { limits: { maxBodyBytes: 5 } });
  assertEquals((await client.post("/", { body: "123456" })).status, 413);
  const exchange = await client.open("POST", "/", { streams: true });
  await exchange.write("123");
  await exchange.write("456");
  assertEquals((await exchange.finish()).cut, "body_too_large");
});

Deno.test("TestClient.open() needs a length for a body that streams over HTTP/1.0", async () => {
  await using client = await testClient(duplex, { httpVersion: "1.0" });
  await assertRejects(() => client.open("POST", "/", { streams: true }), TypeError, "content-length");
});

Deno.test("TestExchange: fullflush resolves when the client has read", async () => {
  let flushed = false;
  const app = defineApp({
    async http(_scope, _receive, send) {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", more: true });
      await send({ type: "http.fullflush" });
      flushed = true;
      await send({ type: "http.response.body" });
    },
  });
  await using client = await testClient(app);
  const exchange = await client.open("GET", "/", { stalled: true });
  await settle();
  assertEquals(flushed, false);
  exchange.resume();
  assertEquals((await exchange.finish()).text(), "a");
  assert(flushed);
});
