/** Rows of the checklist: a WebSocket from its connect event to the accept. */

import { assertEquals, assertMatch } from "@std/assert";
import { ACCEPT, frame, FramePeer, TEXT } from "../frames.ts";
import { loose, outcomeOf, socketProbe } from "../probe.ts";
import { row } from "../suite.ts";
import { Gate, settle } from "../waiting.ts";

row("WS-011", "The first receive gives websocket.connect", {}, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    const first = await receive();
    await send({ type: "websocket.accept" });
    return first;
  });
  await using server = await target.start(app);
  await server.websocket();
  assertEquals(await outcome(), { type: "websocket.connect" });
});

row("WS-012", "The handshake is not answered before the app does", {}, async (target) => {
  const called = new Gate();
  const answering = new Gate();
  const { app } = socketProbe(async (_scope, receive, send) => {
    await receive();
    called.open();
    await answering.pass();
    await send({ type: "websocket.accept" });
  });
  await using server = await target.start(app);
  let open = false;
  const opening = server.websocket().then(() => open = true);
  await called.pass();
  await settle(50);
  assertEquals(open, false);
  answering.open();
  await opening;
});

row("WS-013", "An accept is answered 101 with the accept key of RFC 6455; Date is there too", { wire: true }, async (target) => {
  const { app } = socketProbe((_scope, _receive, send) => send({ type: "websocket.accept" }));
  await using server = await target.start(app);
  const { answer } = await FramePeer.open(server);
  assertEquals([answer.get("sec-websocket-accept"), answer.get("sec-websocket-protocol")], [ACCEPT, null]);
  assertEquals(answer.get("upgrade")!.toLowerCase(), "websocket");
  assertMatch(answer.get("connection")!, /^upgrade$/i);
  assertEquals([answer.get("content-length"), answer.get("transfer-encoding")], [null, null]);
});

row("WS-017", "Frames that came with the handshake are delivered after the accept", { wire: true }, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await receive();
    await settle();
    await send({ type: "websocket.accept" });
    return [await receive(), await receive()];
  });
  await using server = await target.start(app);
  const opening = FramePeer.open(server, [], new Uint8Array([...frame(TEXT, "one"), ...frame(TEXT, "two")]));
  assertEquals(await outcome(), [{ type: "websocket.receive", text: "one" }, { type: "websocket.receive", text: "two" }]);
  await opening;
});

const ACCEPTS: readonly [what: string, event: Record<string, unknown>][] = [
  ["a subprotocol with a blank", { subprotocol: "a b" }],
  ["a subprotocol with CRLF", { subprotocol: "a\r\nx: y" }],
  ["a subprotocol with a comma", { subprotocol: "a,b" }],
  ["a subprotocol with a slash", { subprotocol: "a/b" }],
  ["a subprotocol that was not offered", { subprotocol: "other" }],
];

row("WS-014", "The chosen subprotocol is in the answer", {}, async (target) => {
  const { app } = socketProbe((_scope, _receive, send) => send({ type: "websocket.accept", subprotocol: "b" }));
  await using server = await target.start(app);
  const socket = await server.websocket({ subprotocols: ["a", "b"] });
  assertEquals([socket.protocol, socket.header("sec-websocket-protocol")], ["b", "b"]);
});

row("WS-015", "A subprotocol that is no token, or that was not offered, rejects; a good one may follow", {}, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, _receive, send) => {
    const outcomes: string[] = [];
    for (const [, event] of ACCEPTS) outcomes.push(await outcomeOf(loose(send)({ type: "websocket.accept", ...event })));
    await send({ type: "websocket.accept", subprotocol: "a" });
    return outcomes;
  });
  await using server = await target.start(app);
  assertEquals((await server.websocket({ subprotocols: ["a"] })).protocol, "a");
  for (const [at, text] of (await outcome()).entries()) {
    assertMatch(text, /^EventError: Cannot send "websocket\.accept": subprotocol must be /, ACCEPTS[at]![0]);
  }
});

row("WS-016", "Headers of the accept are in the answer; it may come before any receive", {}, async (target) => {
  const { app } = socketProbe((_scope, _receive, send) => send({ type: "websocket.accept", headers: [["X-A", "1"], ["x-b", "é"]] }));
  await using server = await target.start(app);
  const socket = await server.websocket();
  assertEquals([socket.header("x-a"), socket.header("x-b")], ["1", "é"]);
});

row("WS-016", "A header with CR, LF or NUL rejects and injects nothing; a second accept rejects (StateError)", {}, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, _receive, send) => {
    const outcomes: string[] = [];
    for (const value of ["a\rb", "a\nx-evil: 1", "a\0", "a\x01"]) {
      outcomes.push(await outcomeOf(send({ type: "websocket.accept", headers: [["x-a", value]] })));
    }
    await send({ type: "websocket.accept" });
    outcomes.push(await outcomeOf(send({ type: "websocket.accept" })));
    return outcomes;
  });
  await using server = await target.start(app);
  assertEquals((await server.websocket()).header("x-evil"), null);
  const outcomes = await outcome();
  for (const text of outcomes.slice(0, 4)) assertMatch(text, /^EventError: Cannot send "websocket\.accept": headers /);
  assertEquals(outcomes[4], 'StateError: Cannot send "websocket.accept": the connection is accepted');
});
