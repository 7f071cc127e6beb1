/** Contract section 5 as a client and an app see it, over the memory engine. */

import { assertEquals, assertRejects } from "@std/assert";
import type { WebSocketReceiveEvent } from "../../src/spec/events.ts";
import { ClosedError, ManualClock, RefusedError, testClient } from "../../src/testing/mod.ts";
import { settle } from "../../src/testing/waiting.ts";
import { outcome, websocket, wrong } from "./scenarios.ts";

Deno.test("websocket: the scope", async () => {
  let seen: unknown;
  const app = websocket(async (scope, _receive, send) => {
    seen = [
      scope.scheme,
      scope.subprotocols,
      scope.path,
      scope.query_string,
      scope.http_version,
      "pagi.connection" in scope,
      typeof scope["pagi.transport"],
      "websocket.http.response" in scope.extensions,
    ];
    await send({ type: "websocket.accept" });
  });
  await using client = await testClient(app, { tls: true });
  await client.websocket("/a%20b?c=d", { headers: [["sec-websocket-protocol", "one,, two ,three"]] });
  assertEquals(seen, ["wss", ["one", "two", "three"], "/a b", "c=d", "1.1", false, "object", true]);
});

for (const validateEvents of [true, false]) {
  Deno.test(`websocket: wrong events and orders reject (validateEvents: ${validateEvents})`, async () => {
    const seen: string[] = [];
    const app = websocket(async (_scope, receive, send) => {
      const attempt = async (event: unknown): Promise<void> => void seen.push(await outcome(send(wrong(event))));
      await receive();
      await attempt({ type: "websocket.send", text: "early" });
      await attempt({ type: "websocket.keepalive", interval: 1 });
      await attempt({ type: "websocket.http.response.body" });
      await attempt({ type: "http.response.start", status: 200 });
      await attempt({ type: "websocket.accept", subprotocol: "a b" });
      await attempt({ type: "websocket.accept", headers: [["a", "b\n"]] });
      await attempt({ type: "websocket.close", code: 1006 });
      await attempt({ type: "websocket.close", code: 1000, reason: "x".repeat(124) });
      await attempt({ type: "websocket.accept" });
      await attempt({ type: "websocket.accept" });
      await attempt({ type: "websocket.send" });
      await attempt({ type: "websocket.send", text: "a", bytes: new Uint8Array(1) });
      await attempt({ type: "websocket.send", text: 1 });
      await attempt({ type: "websocket.send", bytes: "a" });
      await attempt({ type: "websocket.send", text: "null is as good as absent", bytes: null });
      await attempt({ type: "websocket.keepalive" });
      await attempt({ type: "websocket.keepalive", interval: -1 });
      await attempt({ type: "websocket.keepalive", interval: Infinity });
      await attempt({ type: "websocket.http.response.start", status: 403 });
      await attempt({ type: "websocket.close", code: 1005 });
      await attempt({ type: "websocket.close", code: "1000" });
      await attempt({ type: "websocket.close", code: 3000, reason: "x".repeat(123) });
      await attempt({ type: "websocket.send", text: "after" });
      await attempt({ type: "websocket.close" });
    });
    await using client = await testClient(app, { validateEvents });
    const socket = await client.websocket("/");
    assertEquals(await socket.receive(), "null is as good as absent");
    assertEquals((await socket.closed).code, 3000);
    await settle();
    assertEquals(seen, [
      "StateError websocket.send",
      "StateError websocket.keepalive",
      "StateError websocket.http.response.body",
      "EventError http.response.start type",
      "EventError websocket.accept subprotocol",
      "EventError websocket.accept headers",
      "EventError websocket.close code",
      "EventError websocket.close reason",
      "ok",
      "StateError websocket.accept",
      "EventError websocket.send text",
      "EventError websocket.send text",
      "EventError websocket.send text",
      "EventError websocket.send bytes",
      "ok",
      "EventError websocket.keepalive interval",
      "EventError websocket.keepalive interval",
      "EventError websocket.keepalive interval",
      "ok",
      "EventError websocket.close code",
      "EventError websocket.close code",
      "ok",
      "ok",
      "ok",
    ]);
  });
}

Deno.test("websocket: a subprotocol that the client did not offer rejects, and the handshake still waits", async () => {
  const seen: string[] = [];
  const app = websocket(async (_scope, _receive, send) => {
    seen.push(await outcome(send({ type: "websocket.accept", subprotocol: "other" })));
    await send({ type: "websocket.accept", subprotocol: "one" });
  });
  await using client = await testClient(app);
  const socket = await client.websocket("/", { subprotocols: ["one"] });
  assertEquals([socket.protocol, seen], ["one", ["EventError websocket.accept subprotocol"]]);
});

Deno.test("websocket: the handshake waits for the app", async () => {
  const go = Promise.withResolvers<void>();
  const app = websocket(async (_scope, receive, send) => {
    await receive();
    await go.promise;
    await send({ type: "websocket.accept" });
  });
  await using client = await testClient(app);
  let open = false;
  const opening = client.websocket("/").then((socket) => (open = true, socket));
  await settle();
  assertEquals(open, false);
  go.resolve();
  assertEquals((await (await opening).closed).code, 1000, "an app that returns closes with 1000");
});

Deno.test("websocket: the other key of a message is absent", async () => {
  const events: WebSocketReceiveEvent[] = [];
  const app = websocket(async (_scope, receive, send) => {
    events.push(await receive());
    await send({ type: "websocket.accept" });
    for (let i = 0; i < 5; i++) events.push(await receive());
  });
  await using client = await testClient(app);
  const socket = await client.websocket("/");
  socket.sendText("");
  socket.sendBytes(new Uint8Array([1]));
  socket.close(4000, "bye");
  await settle();
  assertEquals(events, [
    { type: "websocket.connect" },
    { type: "websocket.receive", text: "" },
    { type: "websocket.receive", bytes: new Uint8Array([1]) },
    { type: "websocket.disconnect", code: 4000, reason: "bye" },
    { type: "websocket.disconnect", code: 4000, reason: "bye" },
    { type: "websocket.disconnect", code: 4000, reason: "bye" },
  ]);
});

Deno.test("websocket: an app that throws after the accept closes with 1011, logged", async () => {
  const app = websocket(async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" });
    throw new Error("no");
  });
  await using client = await testClient(app);
  assertEquals((await (await client.websocket("/")).closed).code, 1011);
  assertEquals(client.notes.filter(({ level }) => level === "error").length, 1);
});

for (
  const [what, path, status] of [
    ["closes before the accept", "/close", 403],
    ["returns without an answer", "/return", 500],
    ["throws", "/throw", 500],
    ["starts a denial and returns", "/half", 500],
  ] as const
) {
  Deno.test(`websocket: an app that ${what} refuses the handshake with ${status}`, async () => {
    const app = websocket(async (scope, receive, send) => {
      await receive();
      if (scope.path === "/close") {
        await send({ type: "websocket.close" });
        assertEquals(await outcome(send({ type: "websocket.send", text: "x" })), "ok");
        assertEquals(await outcome(send({ type: "websocket.accept" })), "StateError websocket.accept");
      } else if (scope.path === "/throw") throw new Error("no");
      else if (scope.path === "/half") await send({ type: "websocket.http.response.start", status: 401 });
    });
    await using client = await testClient(app);
    const { response } = await assertRejects(() => client.websocket(path), RefusedError);
    assertEquals([response.status, response.headers.get("connection")], [status, "close"]);
    await settle();
    assertEquals(client.errors.length, path === "/throw" ? 1 : 0);
    assertEquals(client.notes.filter(({ level }) => level === "error").length, status === 500 ? 1 : 0);
  });
}

Deno.test("websocket: a denial is a whole response, and no disconnect follows", async () => {
  let told = false;
  const app = websocket(async (_scope, receive, send) => {
    await receive();
    void receive().then(() => told = true);
    await send({ type: "websocket.http.response.start", status: 429, headers: [["retry-after", "5"]] });
    await send({ type: "websocket.http.response.body", body: "slow ", more: 1 });
    await send({ type: "websocket.http.response.body", body: "down" });
  });
  await using client = await testClient(app);
  const { response } = await assertRejects(() => client.websocket("/"), RefusedError);
  assertEquals([response.status, response.text(), response.headers.get("retry-after")], [429, "slow down", "5"]);
  await settle();
  assertEquals(told, false);
});

Deno.test("websocket: a client that leaves before the accept is told as a disconnect", async () => {
  const events: WebSocketReceiveEvent[] = [];
  const app = websocket(async (_scope, receive, send) => {
    events.push(await receive(), await receive());
    assertEquals(await outcome(send({ type: "websocket.accept" })), "ok");
  });
  const client = await testClient(app);
  const opening = client.websocket("/").catch((error: unknown) => error);
  await settle();
  await client[Symbol.asyncDispose]();
  assertEquals((await opening) instanceof ClosedError, true);
  assertEquals(events, [{ type: "websocket.connect" }, { type: "websocket.disconnect", code: 1006, reason: "client_closed" }]);
  assertEquals(client.errors, []);
});

Deno.test("websocket: messages that came before the close are still delivered", async () => {
  const events: WebSocketReceiveEvent[] = [];
  const go = Promise.withResolvers<void>();
  const app = websocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    await go.promise;
    for (let i = 0; i < 3; i++) events.push(await receive());
  });
  await using client = await testClient(app);
  const socket = await client.websocket("/");
  socket.sendText("one");
  socket.sendText("two");
  socket.drop();
  await settle();
  go.resolve();
  await settle();
  assertEquals(events, [
    { type: "websocket.receive", text: "one" },
    { type: "websocket.receive", text: "two" },
    { type: "websocket.disconnect", code: 1006, reason: "client_closed" },
  ]);
});

for (
  const [what, limits, code, reason, messages] of [
    ["too many messages", { maxReceiveQueue: 3 }, 1008, "queue_overflow", ["a", "b", "c", "d"]],
    ["too many bytes", { maxReceiveQueueBytes: 10 }, 1008, "queue_overflow", ["aaaa", "bbbb", "cccc"]],
    ["a message that is too long", { maxMessageBytes: 4 }, 1009, "body_too_large", ["12345"]],
    ["a message that is too long in bytes", { maxMessageBytes: 4 }, 1009, "body_too_large", ["ééé"]],
  ] as const
) {
  Deno.test(`websocket: ${what} close the connection with ${code}`, async () => {
    const events: WebSocketReceiveEvent[] = [];
    const go = Promise.withResolvers<void>();
    const app = websocket(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      await go.promise;
      for (;;) {
        const event = await receive();
        events.push(event);
        if (event.type === "websocket.disconnect") return;
      }
    });
    await using client = await testClient(app, { limits });
    const socket = await client.websocket("/");
    for (const message of messages) socket.sendText(message);
    assertEquals((await socket.closed).code, code);
    go.resolve();
    await settle();
    assertEquals(events.at(-1), { type: "websocket.disconnect", code, reason });
    assertEquals(events.length, messages.length, "what was queued before is delivered");
  });
}

Deno.test("websocket: a consumer that keeps up is never limited", async () => {
  let count = 0;
  const app = websocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    for (let event = await receive(); event.type === "websocket.receive"; event = await receive()) count++;
  });
  await using client = await testClient(app, { limits: { maxReceiveQueue: 2, maxMessageBytes: 4 } });
  const socket = await client.websocket("/");
  for (let i = 0; i < 50; i++) {
    socket.sendText("1234");
    await settle();
  }
  assertEquals([count, socket.isClosed], [50, false]);
});

Deno.test("websocket: what was received makes room in the queue again", async () => {
  let count = 0;
  const app = websocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    for (;;) {
      await settle(); // so that messages queue up
      const event = await receive();
      if (event.type === "websocket.disconnect") return;
      count++;
      await send({ type: "websocket.send", text: "next" });
    }
  });
  await using client = await testClient(app, { limits: { maxReceiveQueue: 2, maxReceiveQueueBytes: 8 } });
  const socket = await client.websocket("/");
  socket.sendText("1234");
  for (let i = 0; i < 10; i++) {
    socket.sendText("1234");
    assertEquals(await socket.receive(), "next");
  }
  assertEquals([count, socket.isClosed], [10, false]);
});

Deno.test("websocket: no timer is left when the connection is over", async () => {
  const app = websocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.keepalive", interval: 10, timeout: 5 });
    await receive();
    await send({ type: "websocket.close" });
  });
  const clock = new ManualClock();
  await using client = await testClient(app, { clock, limits: { wsIdleTimeoutMs: 60_000 } });
  const socket = await client.websocket("/");
  assertEquals(clock.pending > 0, true);
  socket.sendText("close");
  await socket.closed;
  await settle();
  assertEquals(clock.pending, 0);
});

Deno.test("websocket: keepalive: the last one wins, 0 stops, without a timeout a dead peer stays", async () => {
  const app = websocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.keepalive", interval: 1 });
    await send({ type: "websocket.keepalive", interval: 10 });
    for (let event = await receive(); event.type === "websocket.receive"; event = await receive()) {
      await send({ type: "websocket.keepalive", interval: 0 });
    }
  });
  const clock = new ManualClock();
  await using client = await testClient(app, { clock });
  const socket = await client.websocket("/");
  socket.answersPings = false;
  await clock.advance(100_000);
  assertEquals([socket.pings, socket.isClosed], [10, false]);
  socket.sendText("stop");
  await clock.advance(100_000);
  assertEquals(socket.pings, 10);
});

Deno.test("websocket: keepalive rejects where the engine can't ping, and says so", async () => {
  const seen: string[] = [];
  const app = websocket(async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.keepalive", interval: 1 }).catch((error: Error) => seen.push(error.message));
    seen.push(await outcome(send({ type: "websocket.keepalive", interval: 0 })));
  });
  await using client = await testClient(app, { without: ["ws-ping"] });
  await (await client.websocket("/")).closed;
  assertEquals([seen.length, seen[0]!.includes("ws-ping"), seen[0]!.includes("node")], [2, true, true]);
});

Deno.test("websocket: the idle timeout ends a silent connection with 1006", async () => {
  const events: WebSocketReceiveEvent[] = [];
  const app = websocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    for (let i = 0; i < 2; i++) events.push(await receive());
  });
  const clock = new ManualClock();
  await using client = await testClient(app, { clock, limits: { wsIdleTimeoutMs: 1000 } });
  const socket = await client.websocket("/");
  await clock.advance(999);
  socket.sendText("a sign of life");
  await clock.advance(999);
  assertEquals(socket.isClosed, false);
  await clock.advance(1);
  assertEquals((await socket.closed).code, 1006);
  assertEquals(events.at(-1), { type: "websocket.disconnect", code: 1006, reason: "idle_timeout" });
});

Deno.test("websocket: a peer that never answers the close frame is cut in the end", async () => {
  const app = websocket(async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.close" });
  });
  const clock = new ManualClock();
  await using client = await testClient(app, { clock });
  const socket = await client.websocket("/", { stalled: true });
  await clock.advance(60_000);
  assertEquals([client.openExchanges, (await socket.closed).code], [0, 1006]);
});

Deno.test("websocket: messages that cross the app's close are still received", async () => {
  const events: WebSocketReceiveEvent[] = [];
  const app = websocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.close", code: 4000 });
    for (let i = 0; i < 2; i++) events.push(await receive());
  });
  await using client = await testClient(app);
  const socket = await client.websocket("/", { stalled: true });
  socket.sendText("crossing");
  await settle();
  socket.resume();
  await settle();
  assertEquals(events, [{ type: "websocket.receive", text: "crossing" }, { type: "websocket.disconnect", code: 4000, reason: "" }]);
});

Deno.test("websocket: the shutdown is told as server_shutdown", async () => {
  const events: WebSocketReceiveEvent[] = [];
  const app = websocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    events.push(await receive());
  });
  await using client = await testClient(app);
  await client.websocket("/");
  await client.shutdown();
  assertEquals(events, [{ type: "websocket.disconnect", code: 1012, reason: "server_shutdown" }]);
});
