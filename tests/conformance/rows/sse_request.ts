/** Rows of the checklist: which request is an event stream, its scope and its body. */

import { assert, assertEquals } from "@std/assert";
import { defineApp } from "../../../src/spec/app.ts";
import type { SseReceiveEvent } from "../../../src/spec/events.ts";
import { answer } from "../apps.ts";
import { sseProbe } from "../probe.ts";
import { STREAM } from "../streams.ts";
import { row } from "../suite.ts";
import { Gate, Mailbox, settle } from "../waiting.ts";

/** Answers http and sse scopes, and tells their scopes. */
function scopes() {
  const seen = new Mailbox<Record<string, unknown>>();
  const app = defineApp({
    http: async (scope, _receive, send) => {
      seen.put(scope);
      await answer(send);
    },
    sse: async (scope, _receive, send) => {
      seen.put(scope);
      await send({ type: "sse.start" });
    },
  });
  return { app, seen };
}

/** Starts the stream when the whole request body has come, and tells its events. */
function bodyProbe() {
  return sseProbe(async (_scope, receive, send) => {
    const events: SseReceiveEvent[] = [];
    for (;;) {
      const event = await receive();
      events.push(event);
      if (event.type !== "sse.request" || event.more === 0) break;
    }
    await send({ type: "sse.start" });
    return events;
  });
}

function bodyOf(events: readonly SseReceiveEvent[]): string {
  return events.map((event) => event.type === "sse.request" ? new TextDecoder().decode(event.body) : `(${event.type})`).join("");
}

row("SSE-001", "A request that accepts text/event-stream gets an sse scope, any other an http scope", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ headers: STREAM });
  await server.request({ target: "/text/event-stream?accept=text/event-stream" });
  assertEquals([(await seen.take()).type, (await seen.take()).type], ["sse", "http"]);
});

row("SSE-002", "Any method makes an event stream, and stays as it is", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  for (const method of ["POST", "DELETE", "OPTIONS", "REPORT"]) {
    await server.request({ method, headers: STREAM });
    const { type, method: told } = await seen.take();
    assertEquals([type, told], ["sse", method]);
  }
});

const ACCEPTS: readonly [accept: string, type: string][] = [
  ["text/html, text/event-stream", "sse"],
  ["TEXT/Event-Stream", "sse"],
  ["text/event-stream ; q=0.1", "sse"],
  ["text/event-stream;charset=utf-8", "sse"],
  ["text/event-stream;q=0", "http"],
  ["text/event-stream;q=0.000", "http"],
  ["text/event-streamx", "http"],
  ["x-text/event-stream", "http"],
  ["*/*", "http"],
  ["text/*", "http"],
  ['text/html;x="text/event-stream, text/event-stream"', "http"],
];

row("SSE-003", "Accept is read as media ranges: the exact type, in any case, with a quality above 0", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  for (const [accept, type] of ACCEPTS) {
    await server.request({ headers: [["accept", accept]] });
    assertEquals((await seen.take()).type, type, accept);
  }
});

row("SSE-003", "The type may be in any of several Accept headers", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ headers: [["accept", "text/html"], ["accept", "text/event-stream"]] });
  assertEquals((await seen.take()).type, "sse");
});

row("SSE-004", "The scope has the keys and values that http has", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app, { rootPath: "/app" });
  const at = { method: "POST", target: "/caf%C3%A9?x=1", body: "b" } as const;
  await server.request({ ...at, headers: STREAM });
  await server.request({ ...at, headers: [["accept", "text/plain"]] });
  const [sse, http] = [await seen.take(), await seen.take()];
  assertEquals(Object.keys(sse).sort(), Object.keys(http).filter((key) => key !== "pagi.connection").sort());
  for (const key of ["pagi", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "server"]) {
    assertEquals(sse[key], http[key], key);
  }
  assert(Array.isArray(sse.client) && Number.isInteger(sse.client[1]));
});

row("SSE-005", "The scope has no pagi.connection", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ headers: STREAM });
  assertEquals("pagi.connection" in await seen.take(), false);
});

row("SSE-006", "A request without a body gives one empty event", {}, async (target) => {
  const { app, outcome } = bodyProbe();
  await using server = await target.start(app);
  await server.request({ headers: STREAM });
  assertEquals(await outcome(), [{ type: "sse.request", body: new Uint8Array(), more: 0 }]);
});

row("SSE-007", "The body comes in events, only the last with more 0", {}, async (target) => {
  const { app, outcome } = bodyProbe();
  await using server = await target.start(app);
  await server.request({ method: "POST", headers: STREAM, body: "helloworld" });
  const events = await outcome();
  assertEquals(bodyOf(events), "helloworld");
  assert(events.every((event, at) => event.type === "sse.request" && event.more === (at === events.length - 1 ? 0 : 1)));
});

row("SSE-008", "A body in chunks comes as it is sent", {}, async (target) => {
  const first = new Gate();
  const { app, outcome } = sseProbe(async (_scope, receive, send) => {
    const events = [await receive()];
    first.open();
    for (let event = events[0]!; event.type === "sse.request" && event.more === 1;) {
      event = await receive();
      events.push(event);
    }
    await send({ type: "sse.start" });
    return events;
  });
  await using server = await target.start(app);
  const exchange = await server.exchange({ method: "POST", headers: STREAM, streams: true });
  await exchange.write("hello");
  await first.pass();
  await exchange.write("world");
  await exchange.end();
  const events = await outcome();
  assertEquals(events[0], { type: "sse.request", body: new TextEncoder().encode("hello"), more: 1 });
  assertEquals(bodyOf(events), "helloworld");
  await exchange.finish();
});

row("SSE-010", "100 Continue is sent when the app first reads, and not before", { needs: ["continue"] }, async (target) => {
  const called = new Gate();
  const reading = new Gate();
  const { app, outcome } = sseProbe(async (_scope, receive, send) => {
    called.open();
    await reading.pass();
    const event = await receive();
    await send({ type: "sse.start" });
    return [event];
  });
  await using server = await target.start(app);
  const exchange = await server.exchange({ method: "POST", headers: [...STREAM, ["expect", "100-continue"]], body: "hello" });
  let continued = false;
  const asked = exchange.continued.then(() => continued = true);
  await called.pass();
  await settle();
  assertEquals(continued, false);
  reading.open();
  await asked;
  assertEquals(bodyOf(await outcome()), "hello");
  await exchange.finish();
});

row("SSE-010", "Expect: 100-continue is honoured", {}, async (target) => {
  const { app, outcome } = bodyProbe();
  await using server = await target.start(app);
  const exchange = await server.exchange({ method: "POST", headers: [...STREAM, ["expect", "100-continue"]], body: "hello" });
  await exchange.continued;
  assertEquals(bodyOf(await outcome()), "hello");
  assertEquals((await exchange.finish()).status, 200);
});

row("SSE-011", "The stream may start without any receive, with an unread body too", {}, async (target) => {
  const { app } = sseProbe(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "x" });
  });
  await using server = await target.start(app);
  assertEquals((await server.request({ headers: STREAM })).text, "data: x\n\n");
  assertEquals((await server.request({ method: "POST", headers: STREAM, body: "unread" })).text, "data: x\n\n");
});
