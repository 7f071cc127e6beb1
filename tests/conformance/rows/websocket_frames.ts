/** Rows of the checklist: frames of a WebSocket as RFC 6455 has them, and peers that break its rules. */

import { assert, assertEquals } from "@std/assert";
import type { WebSocketReceiveEvent } from "../../../src/spec/events.ts";
import { BREACHES } from "../breaches.ts";
import { CLOSE, closing, CONTINUATION, FramePeer, handshake, PING, PONG, TEXT } from "../frames.ts";
import { socketProbe } from "../probe.ts";
import { elsewhere, later, row } from "../suite.ts";

/** Accepts, echoes text, and tells everything that came, the disconnect last. */
function echo() {
  return socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    const events: WebSocketReceiveEvent[] = [];
    for (;;) {
      const event = await receive();
      events.push(event);
      if (event.type === "websocket.disconnect") return events;
      if (event.type === "websocket.receive" && event.text !== undefined) await send({ type: "websocket.send", text: event.text });
    }
  });
}

row("WS-025", "Fragments are one message; a ping between them is answered at once", { wire: true }, async (target) => {
  const { app } = echo();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  await peer.send(TEXT, "one ", { more: true });
  await peer.send(CONTINUATION, "two ", { more: true });
  await peer.send(PING, "now");
  assertEquals(await peer.next(), [PONG, "now"]);
  await peer.send(CONTINUATION, "three");
  assertEquals(await peer.next(), [TEXT, "one two three"]);
});

row("WS-026", "UTF-8 is judged over the whole message: a character may be split over two fragments", { wire: true }, async (target) => {
  const { app } = echo();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  await peer.send(TEXT, new Uint8Array([0xc3]), { more: true });
  await peer.send(CONTINUATION, new Uint8Array([0xa9]));
  assertEquals(await peer.next(), [TEXT, "\xc3\xa9"]);
});

row("WS-027", "A ping is answered with its payload and the app hears of neither; a pong nobody asked for does nothing", {
  wire: true,
}, async (target) => {
  const { app, outcome } = echo();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  for (const payload of ["", "beat", "x".repeat(125)]) {
    await peer.send(PING, payload);
    assertEquals(await peer.next(), [PONG, payload]);
  }
  await peer.send(PONG, "unasked");
  await peer.send(TEXT, "a");
  assertEquals(await peer.next(), [TEXT, "a"]);
  await peer.send(CLOSE, closing(1000));
  assertEquals((await outcome()).map(({ type }) => type), ["websocket.receive", "websocket.disconnect"]);
});

row("WS-030", "A control frame of 125 bytes is fine", { wire: true }, async (target) => {
  const { app } = echo();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  await peer.send(PING, "y".repeat(125));
  assertEquals(await peer.next(), [PONG, "y".repeat(125)]);
});

for (const [id, what, code, breach] of BREACHES) {
  row(id, `${what} fails the connection with ${code}, and the app is told protocol_error`, {
    wire: true,
    needs: ["ws-close-codes"],
  }, async (target) => {
    const { app, outcome } = echo();
    await using server = await target.start(app);
    const peer = await FramePeer.open(server);
    await breach(peer);
    assertEquals((await peer.closed())?.code, code);
    assertEquals((await outcome()).at(-1), { type: "websocket.disconnect", code, reason: "protocol_error" });
  });

  // Deno answers a bad close code, and nothing else, with a close frame of 1002.
  const answered = id === "WS-032";
  row(id, `${what} ends its connection alone, ${answered ? "with 1002" : "without a close frame"}, and the app is told 1006`, {
    wire: true,
    lacks: "ws-close-codes",
  }, async (target) => {
    const { app, outcome } = echo();
    await using server = await target.start(app);
    const peer = await FramePeer.open(server);
    await breach(peer);
    assertEquals(await outcome(), [{ type: "websocket.disconnect", code: 1006, reason: "client_closed" }]);
    if (answered) assertEquals((await peer.closed())?.code, 1002);
    assertEquals(await peer.receive(), null, "the connection has ended");
    const next = await FramePeer.open(server);
    await next.send(TEXT, "the server lives");
    assertEquals(await next.next(), [TEXT, "the server lives"]);
  });
}

later(
  "WS-034",
  "The texts of close frames that answer a violation",
  "the code says it: Deno ends the connection without a close frame, and `npm:ws` sends its code without words",
);

elsewhere(
  "WS-035",
  "A violation that the engine tells reaches the app with its code and protocol_error",
  "tests/sessions/websocket_test.ts",
);

row("WS-036", "An unmasked frame fails the connection with 1002", { wire: true, needs: ["ws-strict-frames"] }, async (target) => {
  const { app } = echo();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  await peer.send(TEXT, "bare", { unmasked: true });
  assertEquals((await peer.closed())?.code, 1002);
});

row("WS-036", "An unmasked frame is accepted by this engine", { wire: true, lacks: "ws-strict-frames" }, async (target) => {
  const { app } = echo();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  await peer.send(TEXT, "bare", { unmasked: true });
  assertEquals(await peer.next(), [TEXT, "bare"]);
});

row("WS-073", "An offer of permessage-deflate is ignored", { wire: true, lacks: "ws-deflate" }, async (target) => {
  const { app } = echo();
  await using server = await target.start(app);
  const connection = await server.connect();
  await connection.send(handshake([["sec-websocket-extensions", "permessage-deflate; client_max_window_bits"]]));
  const head = (await connection.head())!;
  assertEquals(head.status, 101);
  assert(head.pairs.every(([name]) => name.toLowerCase() !== "sec-websocket-extensions"));
});

later(
  "WS-074",
  "The Autobahn cases",
  "its program is not at hand where this page is made; the rows around it and tests/engines/node_socket_frames_test.ts cover its areas",
);
