/** The sse session against a recording wire. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { RequestHead } from "../../src/exchange.ts";
import type { Context } from "../../src/sessions/context.ts";
import { DrainRegistry } from "../../src/sessions/drain.ts";
import { Fairness } from "../../src/sessions/fairness.ts";
import { SseEncoder, SseSession } from "../../src/sessions/sse.ts";
import { EventError, StateError } from "../../src/spec/errors.ts";
import type { SseStreamEvent } from "../../src/spec/events.ts";
import { HandClock, head, LIMITS, MemoryFiles, RecordingOutbound } from "./doubles.ts";

function rig(overrides: Partial<RequestHead> = {}, more: Partial<Context> = {}) {
  const out = new RecordingOutbound();
  const clock = new HandClock();
  const context: Context = {
    clock,
    files: new MemoryFiles({}),
    limits: LIMITS,
    strict: false,
    state: null,
    drain: new DrainRegistry(),
    fairness: new Fairness(clock),
    ...more,
  };
  return { out, clock, session: new SseSession(head({ kind: "sse", ...overrides }), out, context, new SseEncoder()) };
}

Deno.test("SseSession starts at once, with defaults for what the app left out", async () => {
  const plain = rig();
  await plain.session.send({ type: "sse.start" });
  assertEquals(plain.out.take(), [
    'head 200 [["content-type","text/event-stream"],["cache-control","no-cache"],["connection","keep-alive"]] 4',
  ]);
  const own = rig();
  await own.session.send({
    type: "sse.start",
    status: 201,
    headers: [["Content-Type", "text/event-stream; charset=utf-8"], ["CACHE-CONTROL", "no-store"]],
  });
  assertStringIncludes(
    own.out.take()[0]!,
    '[["Content-Type","text/event-stream; charset=utf-8"],["CACHE-CONTROL","no-store"],["connection","keep-alive"]]',
  );
  const h2 = rig({ httpVersion: "2" });
  await h2.session.send({ type: "sse.start" });
  assertEquals(h2.out.take()[0]!.includes("connection"), false);
});

Deno.test("SseSession sends events and comments as text, each at once", async () => {
  const { out, session } = rig();
  await session.send({ type: "sse.start" });
  out.take();
  await session.send({ type: "sse.send", data: "a\nb", event: "tick", id: "7", retry: 100 });
  await session.send({ type: "sse.send", data: "ü" });
  await session.send({ type: "sse.comment", comment: "hi" });
  assertEquals(out.take(), [
    'chunk "event: tick\\ndata: a\\ndata: b\\nid: 7\\nretry: 100\\n\\n"',
    'chunk "data: ü\\n\\n"',
    'chunk ":hi\\n\\n"',
  ]);
});

Deno.test("SseSession refuses malformed events and goes on", async () => {
  const { out, session } = rig();
  await assertRejects(() => session.send({ type: "sse.start", status: null } as unknown as SseStreamEvent), EventError, "status must be");
  await session.send({ type: "sse.start" });
  out.take();
  const bad: [Record<string, unknown>, string][] = [
    [{ type: "sse.send" }, "data"],
    [{ type: "sse.send", data: 1 }, "data"],
    [{ type: "sse.send", data: "a", event: "a\nb" }, "event"],
    [{ type: "sse.send", data: "a", id: "a\0" }, "id"],
    [{ type: "sse.send", data: "a", retry: -1 }, "retry"],
    [{ type: "sse.comment" }, "comment"],
    [{ type: "sse.keepalive" }, "interval"],
    [{ type: "sse.keepalive", interval: -1 }, "interval"],
    [{ type: "sse.keepalive", interval: NaN }, "interval"],
    [{ type: "sse.keepalive", interval: 1, comment: 1 }, "comment"],
    [{ type: "sse.close", reason: {} }, "reason"],
  ];
  for (const [event, field] of bad) {
    const error = await assertRejects(() => session.send(event as unknown as SseStreamEvent), EventError);
    assertEquals(error.field, field, JSON.stringify(event));
  }
  await session.send({ type: "sse.send", data: "fine" });
  assertEquals(out.take(), ['chunk "data: fine\\n\\n"']);
});

Deno.test("SseSession encodes an event anew when one field differs", async () => {
  const encoder = new SseEncoder();
  const event = { type: "sse.send" as const, data: "a" };
  const first = encoder.encode(event);
  assertEquals(encoder.encode({ type: "sse.send", data: "a" }) === first, true);
  for (const change of [{ data: "b" }, { event: "e" }, { id: "i" }, { retry: 1 }]) {
    assertEquals(encoder.encode({ ...event, ...change }) === first, false);
  }
  await Promise.resolve();
});

Deno.test("SseSession closes once; the reason stays here", async () => {
  const { out, session } = rig();
  await session.receive();
  const pending = session.receive();
  await session.send({ type: "sse.start" });
  out.take();
  await session.send({ type: "sse.close", reason: "done" });
  assertEquals(out.take(), ["end null done"]);
  assertEquals(await pending, { type: "sse.disconnect", reason: "done" });
  await session.send({ type: "sse.close" });
  await assertRejects(() => session.send({ type: "sse.send", data: "a" }), StateError, 'Cannot send "sse.send": the stream is closed');
  session.closed({ reason: null });
  session.returned();
  assertEquals(out.take(), []);
  assertEquals(await session.receive(), { type: "sse.disconnect", reason: "done" });
});

Deno.test("SseSession tells why a stream ended, and sends nothing more", async () => {
  for (const reason of ["client_closed", "server_shutdown", "write_error"]) {
    const { out, session } = rig();
    await session.send({ type: "sse.start" });
    await session.receive();
    const pending = session.receive();
    out.take();
    session.closed({ reason });
    assertEquals(await pending, { type: "sse.disconnect", reason });
    await session.send({ type: "sse.send", data: "late" });
    await session.send({ type: "sse.close" });
    assertEquals(out.take(), []);
  }
});

Deno.test("SseSession declines with an ordinary response, and tells no disconnect", async () => {
  const { out, session } = rig();
  await session.receive();
  let told = false;
  void session.receive().then(() => told = true);
  await session.send({ type: "sse.http.response.start", status: 503, headers: [["retry-after", "9"]] });
  await assertRejects(() => session.send({ type: "sse.start" }), StateError, "the stream is being declined");
  await session.send({ type: "sse.http.response.body", body: "no" });
  session.returned();
  session.closed({ reason: "client_closed" });
  assertEquals(out.take(), ["watch", 'respond 503 [["retry-after","9"]] "no" 0']);
  await Promise.resolve();
  assertEquals(told, false);
});

Deno.test("SseSession answers 500 where nothing has left, and cuts afterwards", async () => {
  const cases: [string, (session: SseSession) => unknown, string][] = [
    ["returned", (session) => session.returned(), "respond 500"],
    ["threw", (session) => session.threw(new Error("boom")), "respond 500"],
    ["closed before the start", (session) => session.send({ type: "sse.close" }), "respond 500"],
    [
      "returned in a decline",
      async (session) => {
        await session.send({ type: "sse.http.response.start", status: 404 });
        session.returned();
      },
      "respond 500",
    ],
    [
      "threw in a stream",
      async (session) => {
        await session.send({ type: "sse.start" });
        session.threw(new Error("boom"));
      },
      "abort server_error",
    ],
    [
      "returned in a decline that has left",
      async (session) => {
        await session.send({ type: "sse.http.response.start", status: 404 });
        await session.send({ type: "sse.http.response.body", body: "a", more: 1 });
        session.returned();
      },
      "abort server_error",
    ],
  ];
  for (const [name, act, call] of cases) {
    const { out, session } = rig();
    await act(session);
    assertStringIncludes(out.take().at(-1)!, call, name);
    assertEquals(out.notes.length, 1, name);
  }
});

Deno.test("SseSession keeps a stream alive with comments until it ends; the last keepalive wins", async () => {
  const { out, clock, session } = rig();
  await session.send({ type: "sse.keepalive", interval: 5 });
  clock.advance(10_000);
  assertEquals(out.take(), []);
  await session.send({ type: "sse.start" });
  out.take();
  clock.advance(10_000);
  assertEquals(out.take(), ['chunk ":\\n\\n"', 'chunk ":\\n\\n"']);
  await session.send({ type: "sse.keepalive", interval: 1, comment: ":x" });
  clock.advance(1000);
  assertEquals(out.take(), ['chunk ":x\\n\\n"']);
  out.buffered = 5000;
  await session.send({ type: "sse.send", data: "x".repeat(LIMITS.highWaterBytes) });
  out.take();
  clock.advance(5000); // a client that does not read gets none
  assertEquals(out.take(), []);
  await session.send({ type: "sse.keepalive", interval: 0 });
  assertEquals(clock.pending, 0);
  await session.send({ type: "sse.keepalive", interval: 1 });
  session.closed({ reason: "client_closed" });
  assertEquals(clock.pending, 0);
});

Deno.test("SseSession ends an idle stream; keepalive comments count as life", async () => {
  const limits = { ...LIMITS, sseIdleTimeoutMs: 3000 };
  const idle = rig({}, { limits });
  await idle.session.send({ type: "sse.start" });
  idle.clock.advance(2000);
  await idle.session.send({ type: "sse.send", data: "a" });
  idle.clock.advance(2999);
  assertEquals(idle.out.take().at(-1), 'chunk "data: a\\n\\n"');
  idle.clock.advance(1);
  assertEquals(idle.out.take(), ["abort idle_timeout"]);
  const alive = rig({}, { limits });
  await alive.session.send({ type: "sse.start" });
  await alive.session.send({ type: "sse.keepalive", interval: 2 });
  alive.clock.advance(20_000);
  assertEquals(alive.out.take().filter((call) => call.startsWith("abort")), []);
});

Deno.test("SseSession has no body for HEAD: the app sees the client leave", async () => {
  const { out, session } = rig({ method: "HEAD" });
  await session.send({ type: "sse.start" });
  await session.send({ type: "sse.send", data: "a" });
  assertEquals(out.take().map((call) => call.slice(0, 8)), ["head 200", "end null"]);
  assertEquals(await session.receive(), { type: "sse.disconnect", reason: "client_closed" });
});
