/** Rows of the checklist: messages of a WebSocket, their limits and the queue. */

import { assert, assertEquals } from "@std/assert";
import type { WebSocketReceiveEvent } from "../../../src/spec/events.ts";
import { BINARY, CONTINUATION, FramePeer, TEXT } from "../frames.ts";
import { loose, outcomeOf, socketProbe } from "../probe.ts";
import { elsewhere, row } from "../suite.ts";
import { Gate } from "../waiting.ts";

const SEND = 'Cannot send "websocket.send"';

/** Accepts and gives everything that comes to the test, the disconnect last. */
function listener() {
  return socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    const events: WebSocketReceiveEvent[] = [];
    for (;;) {
      const event = await receive();
      if (event.type !== "websocket.connect") events.push(event);
      if (event.type === "websocket.disconnect") return events;
    }
  });
}

/** Accepts and sends every message back. */
function echo() {
  return socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    for (let event = await receive(); event.type !== "websocket.disconnect"; event = await receive()) {
      if (event.type !== "websocket.receive") continue;
      if (event.text !== undefined) await send({ type: "websocket.send", text: event.text });
      else await send({ type: "websocket.send", bytes: event.bytes });
    }
  });
}

row("WS-018", "A text frame comes as text, a binary one as bytes, without the other key", {}, async (target) => {
  const { app, outcome } = listener();
  await using server = await target.start(app);
  const socket = await server.websocket();
  socket.send("hé 🦕");
  socket.send(new Uint8Array([0, 255, 0xc3, 0x28]));
  socket.send("");
  socket.close(1000);
  const [text, bytes, empty] = await outcome();
  assertEquals(text, { type: "websocket.receive", text: "hé 🦕" });
  assertEquals(bytes, { type: "websocket.receive", bytes: new Uint8Array([0, 255, 0xc3, 0x28]) });
  assertEquals([Object.keys(text!), Object.keys(bytes!)], [["type", "text"], ["type", "bytes"]]);
  assertEquals(empty, { type: "websocket.receive", text: "" });
});

row("WS-020", "Text and bytes are sent as they are, empty text too", {}, async (target) => {
  const { app } = echo();
  await using server = await target.start(app);
  const socket = await server.websocket();
  for (const data of ["hé 🦕", "", new Uint8Array([0, 255, 0xc3, 0x28])]) {
    socket.send(data);
    assertEquals(await socket.receive(), data);
  }
});

row("WS-020", "Messages are single frames, unmasked, with FIN set", { wire: true }, async (target) => {
  const { app } = echo();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  for (const [opcode, payload] of [[TEXT, "h\xc3\xa9"], [TEXT, ""], [BINARY, "\x00\xff"]] as const) {
    await peer.send(opcode, Uint8Array.from(payload, (character) => character.charCodeAt(0)));
    const frame = (await peer.receive())!;
    assertEquals([frame.opcode, frame.flags, frame.masked], [opcode, 0x80, false]);
    assertEquals(String.fromCharCode(...frame.payload), payload);
  }
});

row("WS-021", "Exactly one of text and bytes must be given, else the send rejects (EventError)", {}, async (target) => {
  for (const validateEvents of [true, false]) {
    const { app, outcome } = socketProbe(async (_scope, _receive, send) => {
      await send({ type: "websocket.accept" });
      const both = await outcomeOf(loose(send)({ type: "websocket.send", text: "a", bytes: new Uint8Array() }));
      const neither = await outcomeOf(loose(send)({ type: "websocket.send" }));
      await send({ type: "websocket.send", text: "good" });
      return [both, neither];
    });
    await using server = await target.start(app, { validateEvents });
    const socket = await server.websocket();
    assertEquals(await socket.receive(), "good");
    for (const text of await outcome()) assert(text.startsWith(`EventError: ${SEND}: text `), text);
  }
});

row("WS-022", "Both or neither reject without validation too; a null key counts as absent", {}, async (target) => {
  const { app } = socketProbe(async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" });
    await loose(send)({ type: "websocket.send", text: null, bytes: new Uint8Array([7]) });
    await loose(send)({ type: "websocket.send", text: "x", bytes: null });
    assert((await outcomeOf(loose(send)({ type: "websocket.send", text: null, bytes: null }))).startsWith("EventError"));
  });
  await using server = await target.start(app);
  const socket = await server.websocket();
  assertEquals([await socket.receive(), await socket.receive()], [new Uint8Array([7]), "x"]);
  assertEquals((await socket.closed).code, 1000, "1011 where the assertion of the app failed");
});

row("WS-023", "A send before the accept rejects (StateError; the reference ignores it)", {}, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, _receive, send) => {
    const early = await outcomeOf(send({ type: "websocket.send", text: "early" }));
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.send", text: "late" });
    return early;
  });
  await using server = await target.start(app);
  const socket = await server.websocket();
  assertEquals(await socket.receive(), "late");
  assertEquals(await outcome(), `StateError: ${SEND}: the connection is not accepted`);
});

row("WS-044", "More messages than max_receive_queue close with 1008, and the app is told queue_overflow", {}, async (target) => {
  const sent = new Gate();
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    await sent.pass();
    const events: WebSocketReceiveEvent[] = [];
    while (events.at(-1)?.type !== "websocket.disconnect") events.push(await receive());
    return events;
  });
  await using server = await target.start(app, { limits: { maxReceiveQueue: 3 } });
  const socket = await server.websocket();
  for (let count = 1; count <= 4; count++) socket.send(`${count}`);
  assertEquals(await socket.closed, { code: 1008, reason: "Message queue overflow" });
  sent.open();
  const events = await outcome();
  assertEquals(events.slice(0, -1), ["1", "2", "3"].map((text) => ({ type: "websocket.receive", text })));
  assertEquals(events.at(-1), { type: "websocket.disconnect", code: 1008, reason: "queue_overflow" });
});

row("WS-044", "The bytes of waiting messages are limited too", {}, async (target) => {
  const { app } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
  await using server = await target.start(app, { limits: { maxReceiveQueueBytes: 100 } });
  const socket = await server.websocket();
  for (let count = 0; count < 3; count++) socket.send(new Uint8Array(40));
  assertEquals((await socket.closed).code, 1008);
});

row("WS-045", "A consumer that keeps up is never limited", {}, async (target) => {
  const { app, outcome } = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    for (let count = 0;; count++) {
      const event = await receive();
      if (event.type === "websocket.disconnect") return [count, event];
      await send({ type: "websocket.send", text: "taken" });
    }
  });
  await using server = await target.start(app, { limits: { maxReceiveQueue: 2, maxReceiveQueueBytes: 100 } });
  const socket = await server.websocket();
  for (let count = 0; count < 50; count++) {
    socket.send(`${count}`.padEnd(50));
    assertEquals(await socket.receive(), "taken");
  }
  socket.close(1000);
  assertEquals(await outcome(), [50, { type: "websocket.disconnect", code: 1000, reason: "" }]);
});

row("WS-046", "A message of max_ws_message_size is taken, a larger one closes with 1009", {}, async (target) => {
  const { app, outcome } = listener();
  await using server = await target.start(app, { limits: { maxMessageBytes: 1000 } });
  const socket = await server.websocket();
  socket.send("x".repeat(1000));
  // In bytes of the wire, not in characters.
  socket.send("é".repeat(501));
  assertEquals((await socket.closed).code, 1009);
  const events = await outcome();
  assertEquals(events.map((event) => event.type), ["websocket.receive", "websocket.disconnect"]);
  assertEquals(events[1], { type: "websocket.disconnect", code: 1009, reason: "body_too_large" });
});

row("WS-046", "A frame that claims 2^64 − 1 bytes ends its connection alone", { wire: true }, async (target) => {
  const { app, outcome } = listener();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  await peer.connection.send(new Uint8Array([0x82, 0xff, ...new Array(8).fill(255), 1, 2, 3, 4, 0]));
  const last = (await outcome()).at(-1);
  assert(last?.type === "websocket.disconnect" && [1006, 1009, 1002].includes(last.code), JSON.stringify(last));
  const other = await server.websocket();
  other.close(1000);
  assertEquals((await other.closed).code, 1000);
});

row("WS-047", "The limit is for a whole message, whatever its fragments", { wire: true }, async (target) => {
  const { app, outcome } = listener();
  await using server = await target.start(app, { limits: { maxMessageBytes: 1000 } });
  const peer = await FramePeer.open(server);
  for (let count = 0; count < 100; count++) {
    await peer.send(count === 0 ? BINARY : CONTINUATION, new Uint8Array(10), { more: count < 99 });
  }
  for (let count = 0; count < 2; count++) {
    await peer.send(count === 0 ? BINARY : CONTINUATION, new Uint8Array(600), { more: count === 0 });
  }
  assertEquals((await peer.closed())?.code, 1009);
  const [first] = await outcome();
  assert(first?.type === "websocket.receive" && first.bytes?.byteLength === 1000);
});

elsewhere("WS-044", "Queue limits by count and bytes in the session itself", "tests/sessions/scenario_websocket_test.ts");
