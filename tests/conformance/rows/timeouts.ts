/** Timeouts. */

import { assertEquals } from "@std/assert";
import { answer, http } from "../apps.ts";
import { row } from "../suite.ts";
import { Mailbox, settle } from "../waiting.ts";
import { defineApp } from "../../../src/spec/app.ts";
import type { SseStreamEvent } from "../../../src/spec/events.ts";

row("TIME-002", "No idle limit ends a request that is being worked on, or an open stream", { wire: true }, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await settle(100);
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "a", more: 1 });
    await settle(100);
    await send({ type: "http.response.body", body: "b" });
  }));
  assertEquals((await server.request()).text, "ab");
});

row(
  "TIME-003",
  "A request on which nothing is read or written for the request timeout ends: 504, `client_timeout`, a warning",
  {},
  async (target) => {
    const seen = new Mailbox<string>();
    await using server = await target.start(
      http(async (scope, receive, send) => {
        scope["pagi.connection"].onDisconnect((reason) => seen.put(reason));
        while ((await receive()).type !== "http.disconnect");
        await answer(send, "late").then(() => seen.put("resolved"), (error: Error) => seen.put(error.message));
      }),
      { limits: { requestTimeoutMs: 40 } },
    );
    assertEquals((await server.request()).status, 504);
    assertEquals([await seen.take(), await seen.take()], ["client_timeout", "resolved"]);
    assertEquals((await server.noted(/request timeout/)).level, "warn");
  },
);

row("TIME-003", "each send starts it anew", {}, async (target) => {
  await using server = await target.start(
    http(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      for (const body of ["a", "b", "c", "d", "e"]) {
        await settle(60);
        await send({ type: "http.response.body", body, more: 1 });
      }
      await send({ type: "http.response.body" });
    }),
    { limits: { requestTimeoutMs: 200 } },
  );
  assertEquals((await server.request()).text, "abcde");
});

row("TIME-004", "It is for http alone: a quiet event stream and a quiet WebSocket live on", {}, async (target) => {
  const app = defineApp({
    async sse(_scope, _receive, send) {
      await send({ type: "sse.start" });
      await settle(120);
      await send({ type: "sse.send", data: "still here" });
    },
    async websocket(_scope, receive, send) {
      await receive();
      await send({ type: "websocket.accept" });
      await settle(120);
      await send({ type: "websocket.send", text: "still here" });
      await receive();
    },
  });
  await using server = await target.start(app, { limits: { requestTimeoutMs: 40 } });
  const [reply, socket] = await Promise.all([server.request({ headers: [["accept", "text/event-stream"]] }), server.websocket()]);
  assertEquals([reply.text, await socket.receive()], ["data: still here\n\n", "still here"]);
});

row("TIME-005", "Nothing is written behind a timeout", {}, async (target) => {
  const said = new Mailbox<string>();
  await using server = await target.start(
    http(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", more: 1 });
      await settle(120);
      await send({ type: "http.response.body", body: "b" }).then(() => said.put("resolved"));
    }),
    { limits: { requestTimeoutMs: 40 } },
  );
  const reply = await server.request();
  assertEquals([reply.text, reply.cut, await said.take()], ["a", true, "resolved"]);
});

row(
  "TIME-006",
  "A WebSocket on which nothing moves for its idle limit ends: 1006, `idle_timeout`; sends start it anew",
  {},
  async (target) => {
    const seen = new Mailbox<unknown>();
    const app = defineApp({
      async websocket(_scope, receive, send) {
        await receive();
        await send({ type: "websocket.accept" });
        for (let count = 0; count < 5; count++) {
          await settle(50);
          await send({ type: "websocket.send", text: String(count) });
        }
        seen.put(await receive());
      },
    });
    await using server = await target.start(app, { limits: { wsIdleTimeoutMs: 150 } });
    const socket = await server.websocket();
    for (let count = 0; count < 5; count++) assertEquals(await socket.receive(), String(count));
    assertEquals(await seen.take(), { type: "websocket.disconnect", code: 1006, reason: "idle_timeout" });
    await socket.closed;
  },
);

row("TIME-006", "so do messages of the client", {}, async (target) => {
  const seen = new Mailbox<unknown>();
  const app = defineApp({
    async websocket(_scope, receive, send) {
      await receive();
      await send({ type: "websocket.accept" });
      for (;;) {
        const event = await receive();
        seen.put(event.type);
        if (event.type === "websocket.disconnect") return;
      }
    },
  });
  await using server = await target.start(app, { limits: { wsIdleTimeoutMs: 150 } });
  const socket = await server.websocket();
  for (let count = 0; count < 5; count++) {
    await settle(50);
    socket.send("x");
    assertEquals(await seen.take(), "websocket.receive");
  }
  assertEquals(await seen.take(), "websocket.disconnect");
});

row("TIME-007", "A peer that answers the keepalive pings of the server is not idle", { needs: ["ws-ping"] }, async (target) => {
  const seen = new Mailbox<unknown>();
  const app = defineApp({
    async websocket(_scope, receive, send) {
      await receive();
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.keepalive", interval: 0.02 });
      seen.put(await receive());
    },
  });
  await using server = await target.start(app, { limits: { wsIdleTimeoutMs: 100 } });
  const socket = await server.websocket();
  await settle(250);
  assertEquals([seen.waiting, socket.pings > 5], [0, true]);
  socket.leave();
  assertEquals(await seen.take(), { type: "websocket.disconnect", code: 1006, reason: "client_closed" });
});

/** An event stream that does this behind its start, and tells how it ends. */
const streaming = (seen: Mailbox<unknown>, then: (send: (event: SseStreamEvent) => Promise<void>) => Promise<void>) =>
  defineApp({
    async sse(_scope, receive, send) {
      await send({ type: "sse.start" });
      await then(send);
      for (;;) {
        const event = await receive();
        if (event.type === "sse.disconnect") return seen.put(event.reason);
      }
    },
  });

const STREAM = { headers: [["accept", "text/event-stream"]] } as const;

row(
  "TIME-008",
  "An event stream on which nothing is sent for its idle limit ends: `idle_timeout`; events start it anew",
  {},
  async (target) => {
    const seen = new Mailbox<unknown>();
    const app = streaming(seen, async (send) => {
      for (let count = 0; count < 5; count++) {
        await settle(50);
        await send({ type: "sse.send", data: String(count) });
      }
    });
    await using server = await target.start(app, { limits: { sseIdleTimeoutMs: 150 } });
    const reply = await server.request(STREAM);
    assertEquals([reply.text.match(/data: /g)?.length, await seen.take()], [5, "idle_timeout"]);
  },
);

row("TIME-009", "Keepalive comments keep an event stream below its idle limit", {}, async (target) => {
  const seen = new Mailbox<unknown>();
  const app = streaming(seen, (send) => send({ type: "sse.keepalive", interval: 0.03 }));
  await using server = await target.start(app, { limits: { sseIdleTimeoutMs: 150 } });
  const exchange = await server.exchange(STREAM);
  await exchange.readUntil(":\n\n".repeat(8));
  assertEquals(seen.waiting, 0);
  exchange.leave();
  assertEquals(await seen.take(), "client_closed");
});

row("TIME-010", "The idle limit of an event stream ends that stream alone", {}, async (target) => {
  const seen = new Mailbox<unknown>();
  const app = streaming(seen, () => Promise.resolve());
  await using server = await target.start(app, { limits: { sseIdleTimeoutMs: 100 } });
  const first = await server.exchange(STREAM);
  await first.head();
  await settle(60);
  const second = await server.exchange(STREAM);
  await second.head();
  assertEquals(await seen.take(), "idle_timeout");
  assertEquals(server.finished.length, 1);
  assertEquals(await seen.take(), "idle_timeout");
});

row("TIME-011", "A stream that was ended for being idle is a warning in the log", {}, async (target) => {
  await using server = await target.start(streaming(new Mailbox(), () => Promise.resolve()), { limits: { sseIdleTimeoutMs: 40 } });
  await server.request(STREAM);
  assertEquals((await server.noted(/idle/)).level, "warn");
});

row("TIME-011", "no timer is left behind when a connection closes", {}, async (target) => {
  const seen = new Mailbox<unknown>();
  const app = streaming(seen, (send) => send({ type: "sse.keepalive", interval: 30 }));
  await using server = await target.start(app, { limits: { sseIdleTimeoutMs: 60_000 } });
  const exchange = await server.exchange(STREAM);
  await exchange.head();
  exchange.leave();
  assertEquals(await seen.take(), "client_closed");
});
