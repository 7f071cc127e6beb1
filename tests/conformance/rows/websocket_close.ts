/** Rows of the checklist: the end of a WebSocket. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { WebSocketReceiveEvent } from "../../../src/spec/events.ts";
import { CLOSE, closing, FramePeer, handshake } from "../frames.ts";
import { loose, outcomeOf, socketProbe } from "../probe.ts";
import { row } from "../suite.ts";
import { Gate } from "../waiting.ts";

/** Accepts and gives the disconnect. */
function waiter() {
  return socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    let event: WebSocketReceiveEvent = await receive();
    while (event.type !== "websocket.disconnect") event = await receive();
    return event;
  });
}

const GONE = { type: "websocket.disconnect" as const, code: 1006, reason: "client_closed" };

row("WS-038", "The app is told the peer's own code and reason; the reason may be empty", {}, async (target) => {
  const { app, outcome } = waiter();
  await using server = await target.start(app);
  for (const [code, reason] of [[1000, ""], [1001, "going"], [3000, ""], [4999, "é"]] as const) {
    (await server.websocket()).close(code, reason);
    assertEquals(await outcome(), { type: "websocket.disconnect", code, reason });
  }
});

row("WS-039", "A close frame without a code is 1005 with an empty reason", {}, async (target) => {
  const { app, outcome } = waiter();
  await using server = await target.start(app);
  (await server.websocket()).close();
  assertEquals(await outcome(), { type: "websocket.disconnect", code: 1005, reason: "" });
});

row("WS-040", "A close frame is answered once, with the same code", { wire: true }, async (target) => {
  const { app, outcome } = waiter();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  await peer.send(CLOSE, closing(4321, "why"));
  assertEquals((await peer.closed())?.code, 4321);
  assertEquals(await peer.receive(), null);
  await outcome();
});

row("WS-041", "A close frame without a code is answered without one: 1005 is never on the wire", { wire: true }, async (target) => {
  const { app, outcome } = waiter();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  await peer.send(CLOSE);
  assertEquals(await peer.next(), [CLOSE, ""]);
  await outcome();
});

row("WS-042", "A connection that is lost without a close frame is 1006 client_closed", {}, async (target) => {
  const { app, outcome } = waiter();
  await using server = await target.start(app);
  (await server.websocket()).leave();
  assertEquals(await outcome(), GONE);
});

row("WS-043", "The idle timeout ends with 1006 and idle_timeout", {}, async (target) => {
  const { app, outcome } = waiter();
  await using server = await target.start(app, { limits: { wsIdleTimeoutMs: 40 } });
  const socket = await server.websocket();
  assertEquals(await outcome(), { type: "websocket.disconnect", code: 1006, reason: "idle_timeout" });
  await socket.closed;
});

row("WS-043", "A stop sends 1012, and the app is told that code and server_shutdown", {}, async (target) => {
  const { app, outcome } = waiter();
  await using server = await target.start(app);
  const socket = await server.websocket();
  const stopping = server.stop(0);
  assertEquals(await outcome(), { type: "websocket.disconnect", code: 1012, reason: "server_shutdown" });
  assertEquals((await socket.closed).code, 1012);
  await stopping;
});

row("WS-048", "A client that leaves before the accept is told as websocket.disconnect", {}, async (target) => {
  const called = new Gate();
  const { app, outcome } = socketProbe(async (_scope, receive) => {
    const first = await receive();
    called.open();
    return [first.type, await receive()];
  });
  await using server = await target.start(app);
  if (target.wire) {
    const connection = await server.connect();
    await connection.send(handshake());
    await called.pass();
    connection.close();
  } else {
    const opening = outcomeOf(server.websocket());
    await called.pass();
    await server.stop(0);
    await opening;
  }
  const [first, last] = await outcome() as [string, WebSocketReceiveEvent];
  assertEquals(first, "websocket.connect");
  const reason = target.wire ? "client_closed" : "server_shutdown";
  assertEquals(last, { type: "websocket.disconnect", code: 1006, reason });
});

row("WS-051", "A close sends its code and reason, 1000 and nothing by default", {}, async (target) => {
  const closes: [Record<string, unknown>, number, string][] = [
    [{}, 1000, ""],
    [{ code: 4001, reason: "bye é" }, 4001, "bye é"],
    [{ code: 1011 }, 1011, ""],
    [{ reason: "r" }, 1000, "r"],
  ];
  for (const [fields, code, reason] of closes) {
    const { app } = socketProbe(async (_scope, _receive, send) => {
      await send({ type: "websocket.accept" });
      await loose(send)({ type: "websocket.close", ...fields });
    });
    await using server = await target.start(app);
    assertEquals(await (await server.websocket()).closed, { code, reason });
  }
});

row("WS-054", "Codes that an app may not send and reasons over 123 bytes reject (EventError), the connection stays", {}, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" });
    const outcomes: string[] = [];
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5]) {
      outcomes.push(await outcomeOf(send({ type: "websocket.close", code })));
    }
    outcomes.push(await outcomeOf(send({ type: "websocket.close", reason: "x".repeat(124) })));
    outcomes.push(await outcomeOf(send({ type: "websocket.close", reason: "é".repeat(62) })));
    await send({ type: "websocket.close", reason: "é".repeat(61) });
    return outcomes;
  });
  await using server = await target.start(app);
  const socket = await server.websocket();
  for (const text of await outcome()) assertMatch(text, /^EventError: Cannot send "websocket\.close": (code|reason) /);
  assertEquals(await socket.closed, { code: 1000, reason: "é".repeat(61) });
});

row("WS-055", "An app that returns without closing closes with 1000, one that throws with 1011, logged", {}, async (target) => {
  for (const [fails, code] of [[false, 1000], [true, 1011]] as const) {
    const { app } = socketProbe(async (_scope, _receive, send) => {
      await send({ type: "websocket.accept" });
      if (fails) throw new Error("the app broke");
    });
    await using server = await target.start(app);
    assertEquals(await (await server.websocket()).closed, { code, reason: "" });
    if (fails) assert(String((await server.noted(/The app failed/)).fields.error).includes("the app broke"));
    await server.ended();
    assertEquals(server.notes.filter(({ level }) => level === "error").length, fails ? 1 : 0);
  }
});
