/** Rows of the checklist: pings that the app asks for, and events that no WebSocket knows. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { loose, outcomeOf, socketProbe } from "../probe.ts";
import { row } from "../suite.ts";
import { Gate, settle, until } from "../waiting.ts";

const KEEPALIVE = 'Cannot send "websocket.keepalive"';

row("WS-061", "Pings leave every interval seconds; the last keepalive wins; 0 stops", { needs: ["ws-ping"] }, async (target) => {
  const stopping = new Gate();
  const stopped = new Gate();
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    await send({ type: "websocket.keepalive", interval: 1000 });
    await send({ type: "websocket.keepalive", interval: 0.005 });
    await stopping.pass();
    await send({ type: "websocket.keepalive", interval: 0 });
    stopped.open();
    return await receive();
  });
  await using server = await target.start(app);
  const socket = await server.websocket();
  await until(() => socket.pings >= 3, "three pings");
  stopping.open();
  await stopped.pass();
  await settle();
  const { pings } = socket;
  await settle(30);
  assertEquals(socket.pings, pings);
  socket.close(1000);
  assertEquals(await outcome(), { type: "websocket.disconnect", code: 1000, reason: "" });
});

row("WS-062", "Without a pong within the timeout the app is told 1006 keepalive_timeout", { needs: ["ws-ping"] }, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    await send({ type: "websocket.keepalive", interval: 0.005, timeout: 0.02 });
    return await receive();
  });
  await using server = await target.start(app);
  // A client that reads nothing answers no ping.
  const socket = await server.websocket({ stalled: true });
  assertEquals(await outcome(), { type: "websocket.disconnect", code: 1006, reason: "keepalive_timeout" });
  socket.resume();
  assertEquals((await socket.closed).code, 1006, "no close frame");
});

row("WS-062", "A pong in time keeps the connection", { needs: ["ws-ping"] }, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    await send({ type: "websocket.keepalive", interval: 0.005, timeout: 1 });
    return await receive();
  });
  await using server = await target.start(app);
  const socket = await server.websocket();
  await until(() => socket.pings >= 5, "five pings");
  socket.close(4000);
  assertEquals(await outcome(), { type: "websocket.disconnect", code: 4000, reason: "" });
});

row("WS-063", "Without a timeout a peer that answers nothing stays", { needs: ["ws-ping"] }, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    await send({ type: "websocket.keepalive", interval: 0.005 });
    return await receive();
  });
  await using server = await target.start(app);
  const socket = await server.websocket({ stalled: true });
  await settle(60);
  socket.resume();
  await until(() => socket.pings >= 3, "the pings that waited");
  socket.close(4000);
  assertEquals(await outcome(), { type: "websocket.disconnect", code: 4000, reason: "" });
});

row("WS-064", "A keepalive before the accept rejects (StateError; the reference ignores it); no ping follows a close", {
  needs: ["ws-ping"],
}, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, _receive, send) => {
    const early = await outcomeOf(send({ type: "websocket.keepalive", interval: 1 }));
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.keepalive", interval: 0.005 });
    await settle(30);
    await send({ type: "websocket.close" });
    return early;
  });
  await using server = await target.start(app);
  const socket = await server.websocket();
  assertEquals((await socket.closed).code, 1000);
  const { pings } = socket;
  assert(pings > 0);
  await settle(30);
  assertEquals(socket.pings, pings);
  assertEquals(await outcome(), `StateError: ${KEEPALIVE}: the connection is not accepted`);
});

for (const id of ["WS-061", "WS-062", "WS-063", "WS-064"]) {
  row(id, "An engine that can't ping refuses a keepalive (StateError) and names the one that can", { lacks: "ws-ping" }, async (target) => {
    const { app, outcome } = socketProbe(async (_scope, _receive, send) => {
      await send({ type: "websocket.accept" });
      const outcomes = [
        await outcomeOf(send({ type: "websocket.keepalive", interval: 1, timeout: 1 })),
        await outcomeOf(send({ type: "websocket.keepalive", interval: 0 })),
      ];
      await send({ type: "websocket.send", text: "still open" });
      return outcomes;
    });
    await using server = await target.start(app);
    assertEquals(await (await server.websocket()).receive(), "still open");
    const [refused, off] = await outcome();
    assertMatch(refused!, /^StateError: .*"ws-ping".*node/);
    assertEquals(off, "resolved", "what asks for nothing is no error");
  });
}

row("WS-072", "Unknown event types reject, at any time (EventError)", {}, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    const outcomes: string[] = [];
    const wrong = ["websocket.accpt", "http.response.start", "sse.send", "websocket.receive", ""];
    const ask = async () => {
      for (const type of wrong) outcomes.push(await outcomeOf(loose(send)({ type })));
    };
    await ask();
    await send({ type: "websocket.accept" });
    await ask();
    await receive();
    await receive();
    await ask();
    return outcomes;
  });
  await using server = await target.start(app);
  (await server.websocket()).close(1000);
  const outcomes = await outcome();
  assertEquals(outcomes.length, 15);
  for (const text of outcomes) assertMatch(text, /^EventError: Cannot send ".*": type is not an event of the websocket protocol/);
});
