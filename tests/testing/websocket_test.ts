/** WebSockets of the test client, over the real sessions. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type App, defineApp } from "../../src/spec/app.ts";
import { testClient } from "../../src/testing/client.ts";
import { ManualClock } from "../../src/testing/clock.ts";
import { ClosedError, RefusedError, WaitError } from "../../src/testing/errors.ts";
import { settle } from "../../src/testing/waiting.ts";
import { echo } from "./apps.ts";

/** Accepts, and writes down everything that comes. */
function listening(events: unknown[]): App {
  return defineApp({
    async websocket(_scope, receive, send) {
      await receive();
      await send({ type: "websocket.accept" });
      for (let event = await receive();; event = await receive()) {
        events.push(event);
        if (event.type === "websocket.disconnect") return;
      }
    },
  });
}

for (const httpVersion of ["1.1", "2"] as const) {
  Deno.test(`TestClient.websocket() talks over HTTP/${httpVersion}`, async () => {
    await using client = await testClient(echo, { httpVersion });
    const socket = await client.websocket("/chat?room=1", { subprotocols: ["one", "two"], headers: { "x-a": "1" } });
    assertEquals([socket.protocol, socket.headers.get("x-app"), socket.status], ["one", "echo", httpVersion === "2" ? 200 : 101]);
    socket.sendText("héllo");
    assertEquals(await socket.receiveText(), "héllo");
    socket.sendBytes(new Uint8Array([1, 2]));
    assertEquals(await socket.receiveBytes(), new Uint8Array([1, 2]));
    socket.sendJson({ a: [1] });
    assertEquals(await socket.receiveJson(), { a: [1] });
    socket.close(1000, "done");
    assertEquals(await socket.closed, { code: 1000, reason: "done" });
    assertThrows(() => socket.sendText("late"), ClosedError, "Cannot send: the WebSocket is closed");
  });
}

Deno.test("TestWebSocket.receive() says which kind came instead, and that it is closed", async () => {
  await using client = await testClient(echo);
  const socket = await client.websocket("/");
  socket.sendText("text");
  await assertRejects(() => socket.receiveBytes(), TypeError, 'the text "text" came');
  socket.sendBytes(new Uint8Array(3));
  await assertRejects(() => socket.receiveText(), TypeError, "a binary one of 3 bytes came");
  socket.close(4001, "over");
  const error = await assertRejects(() => socket.receive(), ClosedError, "The WebSocket was closed with 4001: over");
  assertEquals([error.code, error.reason], [4001, "over"]);
});

Deno.test("TestWebSocket.receive() waits for real, and a late message is not lost", async () => {
  await using client = await testClient(echo, { timeoutMs: 20 });
  const socket = await client.websocket("/");
  await assertRejects(() => socket.receive(), WaitError, "Waited 20 ms for a message on WebSocket /");
  socket.sendText("late");
  assertEquals(await socket.receive(), "late");
});

Deno.test("TestWebSocket is an async iterable that ends with the connection", async () => {
  const app = defineApp({
    async websocket(_scope, receive, send) {
      await receive();
      await send({ type: "websocket.accept" });
      for (const text of ["a", "b"]) await send({ type: "websocket.send", text });
      await send({ type: "websocket.close", code: 4000, reason: "enough" });
    },
  });
  await using client = await testClient(app);
  const socket = await client.websocket("/");
  const messages: unknown[] = [];
  for await (const message of socket) messages.push(message);
  assertEquals(messages, ["a", "b"]);
  assertEquals(await socket.closed, { code: 4000, reason: "enough" });
});

Deno.test("TestClient.websocket() rejects with the 403 of a close before the accept", async () => {
  const app = defineApp({
    async websocket(_scope, _receive, send) {
      await send({ type: "websocket.close" });
    },
  });
  await using client = await testClient(app);
  const error = await assertRejects(() => client.websocket("/room"), RefusedError, "WebSocket /room was answered with status 403");
  assertEquals(error.response.status, 403);
});

Deno.test("TestClient.websocket() rejects with the whole denial response", async () => {
  const app = defineApp({
    async websocket(_scope, _receive, send) {
      await send({ type: "websocket.http.response.start", status: 401, headers: [["www-authenticate", "Bearer"]] });
      await send({ type: "websocket.http.response.body", body: "who ", more: true });
      await send({ type: "websocket.http.response.body", body: "are you?" });
    },
  });
  await using client = await testClient(app);
  const { response } = await assertRejects(() => client.websocket("/"), RefusedError);
  assertEquals([response.status, response.headers.get("www-authenticate"), response.text()], [401, "Bearer", "who are you?"]);
});

Deno.test("TestClient.websocket() rejects with the 500 of an app that throws, or with its error", async () => {
  const app = defineApp({ websocket: () => Promise.reject(new RangeError("no")) });
  {
    await using client = await testClient(app);
    assertEquals((await assertRejects(() => client.websocket("/"), RefusedError)).response.status, 500);
    assertEquals(client.errors.length, 1);
  }
  await using client = await testClient(app, { raiseAppErrors: true });
  await assertRejects(() => client.websocket("/"), RangeError, "no");
});

Deno.test("TestWebSocket with raiseAppErrors throws what the app throws later", async () => {
  const app = defineApp({
    async websocket(_scope, receive, send) {
      await receive();
      await send({ type: "websocket.accept" });
      await receive();
      throw new RangeError("bad message");
    },
  });
  await using client = await testClient(app, { raiseAppErrors: true });
  const socket = await client.websocket("/");
  socket.sendText("x");
  await assertRejects(() => socket.receive(), RangeError, "bad message");
});

Deno.test("TestWebSocket.close() and drop() tell the app what happened", async () => {
  const events: unknown[] = [];
  await using client = await testClient(listening(events));
  (await client.websocket("/")).close(4321, "mine");
  (await client.websocket("/")).close(1005);
  (await client.websocket("/")).drop();
  (await client.websocket("/")).breakProtocol(1007);
  await settle();
  assertEquals(events, [
    { type: "websocket.disconnect", code: 4321, reason: "mine" },
    { type: "websocket.disconnect", code: 1005, reason: "" },
    { type: "websocket.disconnect", code: 1006, reason: "client_closed" },
    { type: "websocket.disconnect", code: 1007, reason: "protocol_error" },
  ]);
});

Deno.test("TestWebSocket.pings counts keepalives, and a peer that is dead ends with 1006", async () => {
  const events: unknown[] = [];
  const app = defineApp({
    async websocket(_scope, receive, send) {
      await receive();
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.keepalive", interval: 10, timeout: 5 });
      for (let event = await receive();; event = await receive()) {
        events.push(event);
        if (event.type === "websocket.disconnect") return;
      }
    },
  });
  const clock = new ManualClock();
  await using client = await testClient(app, { clock });
  const socket = await client.websocket("/");
  await clock.advance(20_000);
  assertEquals([socket.pings, socket.isClosed], [2, false]);
  socket.answersPings = false;
  await clock.advance(14_999);
  assertEquals(socket.isClosed, false);
  await clock.advance(1);
  assertEquals((await socket.closed).code, 1006);
  assertEquals(events, [{ type: "websocket.disconnect", code: 1006, reason: "keepalive_timeout" }]);
});

Deno.test("TestClient.websocket() with a client that stalls makes the app's send wait", async () => {
  let sent = 0;
  const app = defineApp({
    async websocket(_scope, receive, send) {
      await receive();
      await send({ type: "websocket.accept" });
      for (; sent < 5; sent++) await send({ type: "websocket.send", bytes: new Uint8Array(60) });
    },
  });
  await using client = await testClient(app, { limits: { highWaterBytes: 100, lowWaterBytes: 50 } });
  const socket = await client.websocket("/", { stalled: true });
  await settle();
  const stalled = sent;
  assertEquals(stalled < 5, true, `${stalled} of 5 were sent to a client that does not read`);
  assertEquals(socket.buffered >= 100, true);
  socket.resume();
  await settle();
  assertEquals(sent, 5);
  assertEquals((await socket.closed).code, 1000);
});

Deno.test("TestClient.shutdown() ends a WebSocket with 1012", async () => {
  const events: unknown[] = [];
  await using client = await testClient(listening(events));
  const socket = await client.websocket("/");
  await client.shutdown();
  assertEquals((await socket.closed).code, 1012);
  assertEquals(events.length, 1);
});

Deno.test("TestClient.open() refuses to open a WebSocket as a plain request", async () => {
  await using client = await testClient(echo);
  const headers = {
    connection: "upgrade",
    upgrade: "websocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
  };
  await assertRejects(() => client.get("/", { headers }), TypeError, "handshake()");
});
