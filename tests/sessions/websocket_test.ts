/** The websocket session against a recording wire. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { RequestHead } from "../../src/exchange.ts";
import type { Context } from "../../src/sessions/context.ts";
import { DrainRegistry } from "../../src/sessions/drain.ts";
import { Fairness } from "../../src/sessions/fairness.ts";
import { WebSocketSession } from "../../src/sessions/websocket.ts";
import { EventError, StateError } from "../../src/spec/errors.ts";
import type { WebSocketSendEvent } from "../../src/spec/events.ts";
import { HandClock, head, LIMITS, MemoryFiles, RecordingOutbound } from "./doubles.ts";

/** As much as fills the buffer to its high mark. */
const BIG = "x".repeat(LIMITS.highWaterBytes);

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
  return { out, clock, session: new WebSocketSession(head({ kind: "websocket", ...overrides }), out, context) };
}

async function open(overrides: Partial<RequestHead> = {}, more: Partial<Context> = {}) {
  const opened = rig(overrides, more);
  await opened.session.receive();
  await opened.session.send({ type: "websocket.accept" });
  opened.out.take();
  return opened;
}

Deno.test("WebSocketSession builds its scope from the handshake", () => {
  const { session } = rig({ scheme: "https", headers: [["sec-websocket-protocol", "a , b"], ["sec-websocket-protocol", "c,,"]] });
  assertEquals(session.scope.scheme, "wss");
  assertEquals(session.scope.subprotocols, ["a", "b", "c"]);
  assertEquals(["method" in session.scope, "pagi.connection" in session.scope], [false, false]);
  assertEquals(Object.keys(session.scope.extensions), ["drain", "websocket.http.response"]);
});

Deno.test("WebSocketSession accepts once, with a subprotocol and headers", async () => {
  const { out, session } = rig({ headers: [["sec-websocket-protocol", "chat, a"]] });
  assertEquals(await session.receive(), { type: "websocket.connect" });
  for (const subprotocol of ["a b", "a,b", "a\r\nx: y", "", "other"]) {
    await assertRejects(() => session.send({ type: "websocket.accept", subprotocol }), EventError);
  }
  await assertRejects(() => session.send({ type: "websocket.accept", headers: [["x", "a\nb"]] }), EventError);
  out.take();
  await session.send({ type: "websocket.accept", subprotocol: "chat", headers: [["x-a", "1"]] });
  assertEquals(out.take(), ['accept chat [["x-a","1"]]']);
  await assertRejects(() => session.send({ type: "websocket.accept" }), StateError, "the connection is accepted");
});

Deno.test("WebSocketSession passes messages both ways", async () => {
  const { out, session } = await open();
  session.message("hi");
  session.message(new Uint8Array([1]));
  assertEquals(await session.receive(), { type: "websocket.receive", text: "hi" });
  assertEquals(await session.receive(), { type: "websocket.receive", bytes: new Uint8Array([1]) });
  const pending = session.receive();
  session.message("");
  assertEquals(await pending, { type: "websocket.receive", text: "" });
  await session.send({ type: "websocket.send", text: "" });
  await session.send({ type: "websocket.send", bytes: new Uint8Array([65]), text: null });
  assertEquals(out.take(), ['message ""', 'message "A"']);
  for (const event of [{}, { text: "a", bytes: new Uint8Array() }, { text: 1 }, { bytes: "a" }, { text: null, bytes: null }]) {
    await assertRejects(() => session.send({ type: "websocket.send", ...event } as unknown as WebSocketSendEvent), EventError);
  }
});

Deno.test("WebSocketSession tells the peer's own close, and a loss", async () => {
  const ends: [Parameters<WebSocketSession["closed"]>[0], number, string][] = [
    [{ reason: null, code: 4002, text: "bye", clean: true }, 4002, "bye"],
    [{ reason: null, code: 1005, clean: true }, 1005, ""],
    [{ reason: "client_closed", code: 1006 }, 1006, "client_closed"],
    [{ reason: "client_closed" }, 1006, "client_closed"],
    [{ reason: "protocol_error", code: 1002 }, 1002, "protocol_error"],
    [{ reason: "server_shutdown", code: 1012 }, 1012, "server_shutdown"],
  ];
  for (const [end, code, reason] of ends) {
    const { out, session } = await open();
    session.message("queued");
    session.closed(end);
    session.closed({ reason: "write_error" });
    assertEquals(await session.receive(), { type: "websocket.receive", text: "queued" });
    for (let again = 0; again < 2; again++) assertEquals(await session.receive(), { type: "websocket.disconnect", code, reason });
    await session.send({ type: "websocket.send", text: "late" });
    await session.send({ type: "websocket.close" });
    assertEquals(out.take(), []);
  }
});

Deno.test("WebSocketSession closes with a checked code and text, then sends nothing", async () => {
  const { out, session, clock } = await open();
  for (
    const event of [{ code: 1005 }, { code: 1006 }, { code: 999 }, { code: 5000 }, { code: 1.5 }, { code: null }, {
      reason: "ü".repeat(62),
    }, {
      reason: 1,
    }, { reason: null }]
  ) {
    await assertRejects(() => session.send({ type: "websocket.close", ...event } as unknown as WebSocketSendEvent), EventError);
  }
  await session.send({ type: "websocket.close", code: 4000, reason: "bye" });
  await session.send({ type: "websocket.send", text: "late" });
  await session.send({ type: "websocket.close" });
  assertEquals(out.take(), ["close 4000 bye"]);
  session.message("crossed");
  assertEquals(await session.receive(), { type: "websocket.receive", text: "crossed" });
  clock.advance(10_000); // the peer never answers
  assertEquals(out.take(), ["abort client_timeout"]);
  assertEquals(await session.receive(), { type: "websocket.disconnect", code: 1006, reason: "client_timeout" });
});

Deno.test("WebSocketSession closes for an app that ends", async () => {
  const returned = await open();
  returned.session.returned();
  assertEquals(returned.out.take(), ["close 1000 "]);
  const threw = await open();
  threw.session.threw(new Error("boom"));
  assertEquals(threw.out.take(), ["close 1011 "]);
  assertEquals(threw.out.notes, ["error: The app failed (after it answered the handshake) (Error: boom)"]);
});

Deno.test("WebSocketSession refuses the handshake: close is 403, no answer is 500", async () => {
  const acts: [(session: WebSocketSession) => unknown, number, number][] = [
    [(session) => session.send({ type: "websocket.close" }), 403, 0],
    [(session) => session.returned(), 500, 1],
    [(session) => session.threw(new Error("boom")), 500, 1],
  ];
  for (const [act, status, notes] of acts) {
    const { out, session } = rig();
    await act(session);
    assertStringIncludes(out.take()[0]!, `respond ${status}`);
    assertEquals(out.notes.length, notes);
    await assertRejects(() => session.send({ type: "websocket.accept" }), StateError, "the handshake was refused");
    await session.send({ type: "websocket.send", text: "a" });
    session.returned();
    assertEquals(out.take(), []);
  }
});

Deno.test("WebSocketSession denies with a response, after which no disconnect is told", async () => {
  const { out, session } = rig();
  await session.receive();
  let told = false;
  void session.receive().then(() => told = true);
  out.take();
  await session.send({ type: "websocket.http.response.start", status: 401, headers: [["www-authenticate", "Basic"]] });
  await session.send({ type: "websocket.http.response.body", body: "n", more: 1 });
  await session.send({ type: "websocket.http.response.body", body: "o" });
  assertEquals(out.take(), ['head 401 [["www-authenticate","Basic"]] 4', 'chunk "n"', 'chunk "o"', "end null"]);
  session.closed({ reason: null });
  await Promise.resolve();
  assertEquals(told, false);
});

Deno.test("WebSocketSession sees a client leave before the accept", async () => {
  const { out, session } = rig();
  await session.receive();
  assertEquals(out.take(), []);
  const pending = session.receive();
  assertEquals(out.take(), ["watch"]);
  session.closed({ reason: "client_closed" });
  assertEquals(await pending, { type: "websocket.disconnect", code: 1006, reason: "client_closed" });
  session.returned();
  assertEquals(out.notes, []);
});

Deno.test("WebSocketSession stops a peer that sends more than the app takes", async () => {
  const many = await open();
  for (const text of ["1", "2", "3", "4"]) many.session.message(text);
  assertEquals(many.out.take(), ["close 1008 Message queue overflow"]);
  const seen = [];
  for (let n = 0; n < 5; n++) seen.push(await many.session.receive());
  assertEquals(seen.slice(2), [
    { type: "websocket.receive", text: "3" },
    { type: "websocket.disconnect", code: 1008, reason: "queue_overflow" },
    { type: "websocket.disconnect", code: 1008, reason: "queue_overflow" },
  ]);
  const heavy = await open();
  heavy.session.message("x".repeat(500));
  heavy.session.message("x".repeat(500));
  assertEquals(heavy.out.take(), []);
  heavy.session.message("x");
  assertEquals(heavy.out.take(), ["close 1008 Message queue overflow"]);
});

Deno.test("WebSocketSession stops a message that is too big, in bytes of the wire", async () => {
  const fine = await open();
  fine.session.message("ü".repeat(250));
  fine.session.message(new Uint8Array(500));
  assertEquals(fine.out.take(), []);
  for (const message of ["ü".repeat(251), "x".repeat(501), new Uint8Array(501)]) {
    const { out, session } = await open();
    session.message(message);
    assertEquals(out.take(), ["close 1009 Message too big"]);
    assertEquals(await session.receive(), { type: "websocket.disconnect", code: 1009, reason: "body_too_large" });
  }
});

Deno.test("WebSocketSession pings, and ends a peer that does not answer", async () => {
  const { out, clock, session } = await open();
  await session.send({ type: "websocket.keepalive", interval: 5, timeout: 3 });
  clock.advance(5000);
  session.pong();
  clock.advance(5000);
  assertEquals(out.take(), ["ping 0", "ping 1"]);
  await session.send({ type: "websocket.keepalive", interval: 10, timeout: 3 }); // the last wins
  clock.advance(12_999);
  assertEquals(out.take(), ["ping 2"]);
  clock.advance(1);
  assertEquals(out.take(), ["abort keepalive_timeout"]);
  assertEquals(await session.receive(), { type: "websocket.disconnect", code: 1006, reason: "keepalive_timeout" });
  assertEquals(clock.pending, 0);
});

Deno.test("WebSocketSession refuses a keepalive where the engine can't ping, and says which can", async () => {
  const { session } = await open({ capabilities: [] });
  await assertRejects(() => session.send({ type: "websocket.keepalive", interval: 1 }), StateError, "the node engine can");
  await session.send({ type: "websocket.keepalive", interval: 0 });
});

Deno.test("WebSocketSession ends an idle connection; messages and sends count as life", async () => {
  const limits = { ...LIMITS, wsIdleTimeoutMs: 1000 };
  const { out, clock, session } = await open({}, { limits });
  clock.advance(900);
  session.message("a");
  clock.advance(900);
  await session.send({ type: "websocket.send", text: "b" });
  clock.advance(999);
  assertEquals(out.take(), ['message "b"']);
  clock.advance(1);
  assertEquals(out.take(), ["abort idle_timeout"]);
});

Deno.test("WebSocketSession waits for a client that does not read, and stops an app that does not wait", async () => {
  const { out, session } = await open();
  out.buffered = 2000;
  await session.send({ type: "websocket.send", text: BIG });
  let sent = false;
  const waiting = session.send({ type: "websocket.send", text: "b" }).then(() => sent = true);
  await Promise.resolve();
  assertEquals(sent, false);
  out.buffered = 0;
  session.drained();
  await waiting;
  out.buffered = 20_000;
  await session.send({ type: "websocket.send", text: BIG });
  await session.send({ type: "websocket.send", text: "d" });
  assertEquals(out.take().at(-1), "abort queue_overflow");
  assertEquals(await session.receive(), { type: "websocket.disconnect", code: 1006, reason: "queue_overflow" });
});

Deno.test("WebSocketSession leaves the headers of the handshake to the server", async () => {
  const { session, out } = rig();
  for (const name of ["Sec-WebSocket-Protocol", "sec-websocket-accept", "connection", "Upgrade", "transfer-encoding", "content-length"]) {
    await assertRejects(
      () => session.send({ type: "websocket.accept", headers: [[name, "x"]] }),
      EventError,
      "it belongs to the handshake",
    );
  }
  await session.send({ type: "websocket.accept", headers: [["set-cookie", "a=1"]] });
  assertEquals(out.take().at(-1), 'accept null [["set-cookie","a=1"]]');
});
