/** Rows of the checklist: what is sent and received behind the end of a WebSocket. */

import { assertEquals } from "@std/assert";
import { CLOSE, closing, FramePeer, TEXT } from "../frames.ts";
import { outcomeOf, socketProbe } from "../probe.ts";
import { elsewhere, row } from "../suite.ts";
import { Gate, settle } from "../waiting.ts";

const GONE = { type: "websocket.disconnect" as const, code: 1006, reason: "client_closed" };

row("WS-024", "A send after the app's own close resolves and writes nothing (the reference writes it)", { wire: true }, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.close", code: 4000 });
    return [
      await outcomeOf(send({ type: "websocket.send", text: "late" })),
      await outcomeOf(send({ type: "websocket.close", code: 4001 })),
      await outcomeOf(send({ type: "websocket.keepalive", interval: 0 })),
    ];
  });
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  assertEquals(await outcome(), ["resolved", "resolved", "resolved"]);
  assertEquals(await peer.closed(), { code: 4000, reason: "" });
  await peer.send(CLOSE, closing(4000));
  assertEquals(await peer.receive(), null, "nothing behind the close frame");
});

row(
  "WS-052",
  "A message that crosses the app's close is received, then the disconnect with the peer's code",
  { needs: ["ws-close-codes"] },
  async (
    target,
  ) => {
    const { app, outcome } = socketProbe(async (_scope, receive, send) => {
      await send({ type: "websocket.accept" });
      await receive();
      await send({ type: "websocket.close", code: 4000 });
      return [await receive(), await receive()];
    });
    await using server = await target.start(app);
    const socket = await server.websocket({ stalled: true });
    socket.send("crossing");
    await settle();
    socket.resume();
    assertEquals(await outcome(), [
      { type: "websocket.receive", text: "crossing" },
      { type: "websocket.disconnect", code: 4000, reason: "" },
    ]);
  },
);

row("WS-052", "A message that crosses the app's close ends the connection at once: the app is told 1006", {
  wire: true,
  lacks: "ws-close-codes",
}, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    await send({ type: "websocket.close", code: 4000 });
    return await receive();
  });
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  assertEquals((await peer.closed())?.code, 4000);
  await peer.send(TEXT, "crossing");
  assertEquals(await outcome(), GONE);
});

elsewhere("WS-053", "A peer that never answers a close frame is cut in the end", "tests/sessions/scenario_websocket_test.ts");

row("WS-058", "Sends after the connection has ended resolve", {}, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    await receive();
    const outcomes = [
      await outcomeOf(send({ type: "websocket.send", text: "x" })),
      await outcomeOf(send({ type: "websocket.close" })),
      await outcomeOf(send({ type: "websocket.keepalive", interval: 1 })),
    ];
    return outcomes;
  });
  await using server = await target.start(app);
  (await server.websocket()).leave();
  assertEquals(await outcome(), ["resolved", "resolved", "resolved"]);
});

row("WS-059", "A receive after the disconnect gives the same disconnect again", {}, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    return [await receive(), await receive(), await receive()];
  });
  await using server = await target.start(app);
  (await server.websocket()).close(4004, "x");
  const event = { type: "websocket.disconnect" as const, code: 4004, reason: "x" };
  assertEquals(await outcome(), [event, event, event]);
});

row("WS-060", "Messages that came before the peer's close are delivered before the disconnect", {}, async (target) => {
  const closed = new Gate();
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await closed.pass();
    return [await receive(), await receive(), await receive(), await receive()].map((event) => "text" in event ? event.text : event.type);
  });
  await using server = await target.start(app);
  const socket = await server.websocket();
  socket.send("one");
  socket.send("two");
  socket.close(1000);
  await socket.closed;
  closed.open();
  assertEquals(await outcome(), ["websocket.connect", "one", "two", "websocket.disconnect"]);
});

elsewhere("WS-075", "No timer of a session is left when the connection is over", "tests/sessions/scenario_websocket_test.ts");
