/** Rows of the checklist: WebSockets over HTTP/2 (RFC 8441). */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { WebSocketReceiveEvent } from "../../../src/spec/events.ts";
import type { WebSocketScope } from "../../../src/spec/scope.ts";
import { loose, outcomeOf, type Probe, socketProbe } from "../probe.ts";
import { BREACHES } from "../breaches.ts";
import { CLOSE, closing, frame, FramePeer, TEXT } from "../frames.ts";
import { CONNECT, FLAG, FRAME, FrameConnection, settingsOf } from "../h2_frames.ts";
import { H2Tunnel } from "../h2_tunnel.ts";
import { bytesOf, join, Refused } from "../reply.ts";
import { elsewhere, row } from "../suite.ts";
import { Gate, settle, until } from "../waiting.ts";

const OVER = { needs: ["ws-over-h2"] } as const;
const TWO = { httpVersion: "2" } as const;
const FRAMES = { ...OVER, wire: true } as const;

/** Accepts with the first subprotocol, echoes, and gives its scope and everything that came. */
function echo(): Probe<{ scope: WebSocketScope; events: WebSocketReceiveEvent[] }> {
  return socketProbe(async (scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept", subprotocol: scope.subprotocols[0] ?? null, headers: [["x-a", "1"]] });
    const events: WebSocketReceiveEvent[] = [];
    for (;;) {
      const event = await receive();
      events.push(event);
      if (event.type === "websocket.disconnect") return { scope, events };
      if (event.type !== "websocket.receive") continue;
      if (event.text !== undefined) await send({ type: "websocket.send", text: event.text });
      else await send({ type: "websocket.send", bytes: event.bytes });
    }
  });
}

row("WSH2-001", "SETTINGS_ENABLE_CONNECT_PROTOCOL is advertised", FRAMES, async (target) => {
  await using server = await target.start(echo().app);
  const client = await FrameConnection.connect(server);
  assertEquals(settingsOf((await client.next())!.payload).get(8), 1);
});

row("WSH2-002", "An extended CONNECT gets a websocket scope with http_version 2, path and subprotocols as ever", OVER, async (target) => {
  const { app, outcome } = echo();
  await using server = await target.start(app);
  const socket = await server.websocket({ ...TWO, target: "/a%20b?q=1", subprotocols: ["chat", "x"] });
  socket.close(1000);
  const { scope } = await outcome();
  assertEquals([scope.type, scope.http_version, scope.path, scope.query_string], ["websocket", "2", "/a b", "q=1"]);
  assertEquals([scope.subprotocols, "method" in scope], [["chat", "x"], false]);
});

row(
  "WSH2-003",
  "The accept is answered without Upgrade and accept key, with the subprotocol and headers of the app",
  OVER,
  async (target) => {
    const { app } = echo();
    await using server = await target.start(app);
    const socket = await server.websocket({ ...TWO, subprotocols: ["chat"] });
    assertEquals([socket.protocol, socket.header("x-a")], ["chat", "1"]);
    assertEquals([socket.header("upgrade"), socket.header("connection"), socket.header("sec-websocket-accept")], [null, null, null]);
  },
);

row("WSH2-004", "Text and binary come back; streams are independent; 32 KiB survive", OVER, async (target) => {
  const { app } = echo();
  await using server = await target.start(app);
  const [first, second] = [await server.websocket(TWO), await server.websocket(TWO)];
  first.send("hé");
  second.send(new Uint8Array(32_768).fill(7));
  assertEquals(await first.receive(), "hé");
  assertEquals(await second.receive(), new Uint8Array(32_768).fill(7));
  first.close(1000);
  second.send("still open");
  assertEquals(await second.receive(), "still open");
});

row("WSH2-004", "Frames travel in DATA frames, and the close frame ends the stream", FRAMES, async (target) => {
  const { app } = echo();
  await using server = await target.start(app);
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, FLAG.endHeaders, 1, CONNECT);
  assert(await client.until(({ type, stream }) => type === FRAME.headers && stream === 1) !== null);
  // In pieces that know nothing of the frames within.
  const hello = frame(TEXT, "hello");
  await client.send(FRAME.data, 0, 1, hello.subarray(0, 3));
  await client.send(FRAME.data, 0, 1, hello.subarray(3));
  const got = [(await client.until(({ type, stream }) => type === FRAME.data && stream === 1))!.payload];
  await client.send(FRAME.data, 0, 1, frame(CLOSE, closing(1000)));
  const last = await client.until(({ type, flags, payload, stream }) => {
    if (type === FRAME.data && stream === 1) got.push(payload);
    return stream === 1 && (type === FRAME.reset || (type === FRAME.data && (flags & FLAG.endStream) === 1));
  });
  assertEquals([last?.type, [...join(got)]], [FRAME.data, [0x81, 5, ...bytesOf("hello"), 0x88, 2, 3, 232]]);
});

row("WSH2-005", "Data received before the accept is processed after it", FRAMES, async (target) => {
  const accept = new Gate();
  const called = new Gate();
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await receive();
    called.open();
    await accept.pass();
    await send({ type: "websocket.accept" });
    return await receive();
  });
  await using server = await target.start(app);
  const opening = H2Tunnel.open(server, {}, frame(TEXT, "early"));
  await called.pass();
  await settle();
  accept.open();
  assertEquals(await outcome(), { type: "websocket.receive", text: "early" });
  await (await opening).close();
});

row("WSH2-006", "The peer's close is told with its code and reason, and echoed", OVER, async (target) => {
  const { app, outcome } = echo();
  await using server = await target.start(app);
  const socket = await server.websocket(TWO);
  socket.close(1000, "normal closure");
  assertEquals((await outcome()).events, [{ type: "websocket.disconnect", code: 1000, reason: "normal closure" }]);
  assertEquals(await socket.closed, { code: 1000, reason: "normal closure" });
});

row("WSH2-007", "The app's close sends its code and reason", OVER, async (target) => {
  const { app } = socketProbe(async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.close", code: 4002, reason: "bye" });
  });
  await using server = await target.start(app);
  assertEquals(await (await server.websocket(TWO)).closed, { code: 4002, reason: "bye" });
});

row("WSH2-008", "A close before the accept is 403", OVER, async (target) => {
  const { app } = socketProbe((_scope, _receive, send) => send({ type: "websocket.close" }));
  await using server = await target.start(app);
  assertEquals((await assertRejects(() => server.websocket(TWO), Refused)).reply.status, 403);
});

row("WSH2-009", "A denial response works, in parts too, and is advertised", OVER, async (target) => {
  const { app, outcome } = socketProbe(async (scope, _receive, send) => {
    await send({ type: "websocket.http.response.start", status: 429, headers: [["retry-after", "5"]] });
    await send({ type: "websocket.http.response.body", body: "not ", more: 1 });
    await send({ type: "websocket.http.response.body", body: "so fast" });
    return scope.extensions["websocket.http.response"];
  });
  await using server = await target.start(app);
  const { reply } = await assertRejects(() => server.websocket(TWO), Refused);
  assertEquals([reply.status, reply.get("retry-after"), reply.text], [429, "5", "not so fast"]);
  assertEquals(await outcome(), {});
});

for (const [, what, code, breach] of BREACHES) {
  row(code === 1007 || / close /.test(what) ? "WSH2-010" : "WSH2-015", `${what}: ${code}, and protocol_error`, FRAMES, async (target) => {
    const { app, outcome } = echo();
    await using server = await target.start(app);
    const tunnel = await H2Tunnel.open(server);
    const peer = new FramePeer(tunnel, tunnel.answer);
    await breach(peer);
    assertEquals((await peer.closed())?.code, code);
    assertEquals((await outcome()).events.at(-1), { type: "websocket.disconnect", code, reason: "protocol_error" });
    await tunnel.close();
  });
}

elsewhere("WSH2-011", "The reason is the standard token, whatever the transport", "tests/sessions/websocket_test.ts");

row("WSH2-012", "A stream that is reset is 1006 client_closed", OVER, async (target) => {
  const { app, outcome } = echo();
  await using server = await target.start(app);
  (await server.websocket(TWO)).leave();
  assertEquals((await outcome()).events, [{ type: "websocket.disconnect", code: 1006, reason: "client_closed" }]);
});

row("WSH2-013", "END_STREAM without a close frame is 1006", FRAMES, async (target) => {
  const { app, outcome } = echo();
  await using server = await target.start(app);
  const tunnel = await H2Tunnel.open(server);
  tunnel.end();
  assertEquals((await outcome()).events, [{ type: "websocket.disconnect", code: 1006, reason: "client_closed" }]);
  assertEquals(await tunnel.some(1000), null, "the stream has ended");
  await tunnel.close();
});

row("WSH2-014", "One disconnect is told for each session; a further receive gives the same", OVER, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    return [await receive(), await receive()];
  });
  await using server = await target.start(app);
  const socket = await server.websocket(TWO);
  socket.close(4000, "x");
  await socket.closed;
  socket.leave();
  const event = { type: "websocket.disconnect" as const, code: 4000, reason: "x" };
  assertEquals(await outcome(), [event, event]);
});

row("WSH2-015", "The limits of the queue and of a message hold", OVER, async (target) => {
  const called = new Gate();
  const { app } = socketProbe(async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" });
    await called.pass();
  });
  for (const [limits, size, code] of [[{ maxReceiveQueue: 2 }, 1, 1008], [{ maxMessageBytes: 10 }, 11, 1009]] as const) {
    await using server = await target.start(app, { limits });
    const socket = await server.websocket(TWO);
    for (let count = 0; count < 3; count++) if (await isOpen(socket)) socket.send(new Uint8Array(size));
    assertEquals((await socket.closed).code, code);
  }
  called.open();
});

row("WSH2-016", "Unknown events reject, and a keepalive pings", { needs: ["ws-over-h2", "ws-ping"] }, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    const unknown = await outcomeOf(loose(send)({ type: "websocket.nope" }));
    await send({ type: "websocket.keepalive", interval: 0.005 });
    await receive();
    return unknown;
  });
  await using server = await target.start(app);
  const socket = await server.websocket(TWO);
  await until(() => socket.pings >= 2, "two pings");
  socket.close(1000);
  assertMatch(await outcome(), /^EventError: Cannot send "websocket\.nope"/);
});

row("WSH2-017", "A message that is too large ends its own stream alone", OVER, async (target) => {
  const { app } = echo();
  await using server = await target.start(app, { limits: { maxMessageBytes: 10 } });
  const [large, small] = [await server.websocket(TWO), await server.websocket(TWO)];
  large.send(new Uint8Array(11));
  assertEquals((await large.closed).code, 1009);
  small.send("fine");
  assertEquals(await small.receive(), "fine");
});

row("WSH2-018", "The scope has pagi.transport", OVER, async (target) => {
  const { app, outcome } = echo();
  await using server = await target.start(app);
  (await server.websocket(TWO)).close(1000);
  assertEquals((await outcome()).scope["pagi.transport"].highWaterMark(), 65_536);
});

row("WSH2-019", "The scope has no pagi.connection", OVER, async (target) => {
  const { app, outcome } = echo();
  await using server = await target.start(app);
  (await server.websocket(TWO)).close(1000);
  assertEquals("pagi.connection" in (await outcome()).scope, false);
});

row("WSH2-020", "An app that returns without an answer is 500", OVER, async (target) => {
  const { app } = socketProbe(() => Promise.resolve());
  await using server = await target.start(app);
  assertEquals((await assertRejects(() => server.websocket(TWO), Refused)).reply.status, 500);
});

row("WSH2-021", "The scheme is that of the connection: ws, wss over TLS", OVER, async (target) => {
  for (const [tls, scheme] of [[false, "ws"], [true, "wss"]] as const) {
    const { app, outcome } = echo();
    await using server = await target.start(app, { tls });
    (await server.websocket(TWO)).close(1000);
    assertEquals((await outcome()).scope.scheme, scheme);
  }
});

/** A client that was closed takes no more to send. */
async function isOpen(socket: { readonly closed: Promise<unknown> }): Promise<boolean> {
  return await Promise.race([socket.closed.then(() => false), new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 1))]);
}
