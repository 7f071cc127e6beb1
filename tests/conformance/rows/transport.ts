/** Rows of the checklist: `pagi.transport` against clients that do not read, on whatever wire. */

import { assert, assertEquals } from "@std/assert";
import type { App, Send } from "../../../src/spec/app.ts";
import type { Transport } from "../../../src/spec/handles.ts";
import type { Scope } from "../../../src/spec/scope.ts";
import { answer } from "../apps.ts";
import { H2Peer } from "../h2_peer.ts";
import { httpProbe } from "../probe.ts";
import { row } from "../suite.ts";
import type { Running } from "../target.ts";
import { Gate, Mailbox, settle, until } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";

const CHUNK = new Uint8Array(65_536).fill(97);
/** More than any kernel takes for a client that does not read. */
const COUNT = 400;

/** What an endless sender has done so far. */
interface Progress {
  sent: number;
  highs: number;
  drains: number;
  transport: Transport;
}

/** An app of every scope type that sends 25 MiB, one awaited event after the other, or until it is told to stop. */
function sender(): { app: App; progress: Mailbox<Progress>; done: Mailbox<Progress> } {
  const progress = new Mailbox<Progress>();
  const done = new Mailbox<Progress>();
  const app: App = async (scope, _receive, send) => {
    if (scope.type === "lifespan") throw new Error("no lifespan");
    const transport = scope["pagi.transport"];
    const state: Progress = { sent: 0, highs: 0, drains: 0, transport };
    transport.onHighWater(() => state.highs++);
    transport.onDrain(() => state.drains++);
    await begin(scope, send);
    progress.put(state);
    for (; state.sent < COUNT; state.sent++) await one(scope, send);
    if (scope.type === "http") await send({ type: "http.response.body" });
    done.put(state);
  };
  return { app, progress, done };
}

async function begin(scope: Scope, send: Send): Promise<void> {
  if (scope.type === "http") await send({ type: "http.response.start", status: 200 });
  else if (scope.type === "sse") await send({ type: "sse.start" });
  else await send({ type: "websocket.accept" });
}

async function one(scope: Scope, send: Send): Promise<void> {
  if (scope.type === "http") await send({ type: "http.response.body", body: CHUNK, more: 1 });
  else if (scope.type === "sse") await send({ type: "sse.comment", comment: "x".repeat(65_536) });
  else await send({ type: "websocket.send", bytes: CHUNK });
}

/** Waits until nothing has moved for a while. */
async function stuck(state: Progress): Promise<number> {
  for (let before = -1; before !== state.sent;) {
    before = state.sent;
    await settle(150);
  }
  return state.sent;
}

/** A client that reads nothing until it is told to, for each scope type; reading on gives the bytes that came. */
const CLIENTS: Readonly<Record<string, (server: Running) => Promise<() => Promise<number>>>> = {
  http: async (server) => {
    const exchange = await server.exchange({ stalled: true });
    return async () => {
      exchange.resume();
      return (await exchange.finish()).body.byteLength;
    };
  },
  sse: async (server) => {
    const exchange = await server.exchange({ headers: [["accept", "text/event-stream"]], stalled: true });
    return async () => {
      exchange.resume();
      return (await exchange.finish()).body.byteLength - COUNT * 3;
    };
  },
  websocket: async (server) => {
    const socket = await server.websocket({ stalled: true });
    return async () => {
      socket.resume();
      let bytes = 0;
      for (let count = 0; count < COUNT; count++) bytes += ((await socket.receive()) as Uint8Array).byteLength;
      return bytes;
    };
  },
};

for (const [type, open] of Object.entries(CLIENTS)) {
  row("FLOW-001", `The scope of ${type} has the handle, with the marks of the server`, {}, async (target) => {
    const { app, progress } = sender();
    await using server = await target.start(app, { limits: { highWaterBytes: 40_000, lowWaterBytes: 7 } });
    const read = await open(server);
    const { transport } = await progress.take();
    assertEquals([transport.highWaterMark(), transport.lowWaterMark()], [40_000, 7]);
    await read();
  });

  row("FLOW-004", `A client of ${type} that does not read stops the app's sends; once it reads, they go on`, {}, async (target) => {
    const { app, progress, done } = sender();
    await using server = await target.start(app);
    const read = await open(server);
    const state = await progress.take();
    const sent = await stuck(state);
    assert(sent < COUNT, "the app was stopped");
    const { transport } = state;
    assert(transport.bufferedAmount() >= transport.highWaterMark(), `${transport.bufferedAmount()} bytes`);
    assert(transport.bufferedAmount() <= transport.highWaterMark() + 2 * 65_600, `${transport.bufferedAmount()} bytes`);
    assertEquals(await read(), COUNT * 65_536);
    await done.take();
    assert(state.highs >= 1 && state.drains >= 1 && state.highs - state.drains <= 1, `${state.highs} high, ${state.drains} drained`);
  });
}

row("FLOW-002", "bufferedAmount() is an integer, and 0 again when everything has been written", {}, async (target) => {
  const { app, progress, done } = sender();
  await using server = await target.start(app);
  const read = await CLIENTS.http!(server);
  const { transport } = await progress.take();
  assert(Number.isInteger(transport.bufferedAmount()));
  await read();
  await done.take();
  await until(() => transport.bufferedAmount() === 0, "the buffer to be empty");
});

row("FLOW-003", "The marks are 65536 and 16384 where nothing else is set", {}, async (target) => {
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    const transport = scope["pagi.transport"];
    await answer(send);
    return [transport.highWaterMark(), transport.lowWaterMark()];
  });
  await using server = await target.start(app);
  await server.request();
  assertEquals(await outcome(), [65_536, 16_384]);
});

row("FLOW-006", "A send that waits resolves when the client leaves, and so do later ones, without effect", {}, async (target) => {
  const { app, progress, done } = sender();
  await using server = await target.start(app);
  const exchange = await server.exchange({ stalled: true });
  const state = await progress.take();
  await exchange.head();
  const sent = await stuck(state);
  assert(sent < COUNT);
  exchange.leave();
  assertEquals((await done.take()).sent, COUNT);
  assertEquals([state.transport.bufferedAmount(), (await server.ended()).end.reason], [0, "client_closed"]);
});

row("FLOW-016", "The end releases waiting sends and is no drain", {}, async (target) => {
  const { app, progress, done } = sender();
  await using server = await target.start(app);
  const exchange = await server.exchange({ stalled: true });
  const state = await progress.take();
  await stuck(state);
  const { drains } = state;
  exchange.leave();
  await done.take();
  assertEquals(state.drains, drains);
});

row("FLOW-018", "Each request of a kept connection has a handle of its own", { wire: true }, async (target) => {
  const handles: Transport[] = [];
  const { app } = httpProbe(async (scope, _receive, send) => {
    handles.push(scope["pagi.transport"]);
    await answer(send);
  });
  await using server = await target.start(app);
  const connection = await server.connect();
  for (let count = 0; count < 2; count++) {
    await connection.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assertEquals((await WireExchange.reply(connection)).text, "ok");
  }
  assert(handles[0] !== handles[1]);
});

row("FLOW-015", "Over HTTP/2 a stream whose client does not read goes high, and drains once it does", { wire: true }, async (target) => {
  const { app, progress, done } = sender();
  await using server = await target.start(app);
  await using peer = await H2Peer.connect(server);
  for (const accept of ["*/*", "text/event-stream"]) {
    const stream = peer.open({ headers: { accept } });
    stream.pause();
    const state = await progress.take();
    assert(await stuck(state) < COUNT);
    assertEquals(state.highs - state.drains, 1);
    const { drains } = state;
    stream.resume();
    await done.take();
    assert(state.drains > drains);
    await stream.finish();
  }
});

row("FLOW-014", "A callback may send: over HTTP/2 too", { wire: true }, async (target) => {
  const reading = new Gate();
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    const sent: Promise<void>[] = [];
    let drains = 0;
    scope["pagi.transport"].onDrain(() => {
      if (drains++ === 0) sent.push(send({ type: "http.response.body", body: "(drained)", more: 1 }));
    });
    await send({ type: "http.response.start", status: 200 });
    for (let count = 0; count < 40; count++) {
      await send({ type: "http.response.body", body: CHUNK, more: 1 });
      reading.open();
    }
    await Promise.all(sent);
    await send({ type: "http.response.body" });
    return drains;
  });
  await using server = await target.start(app);
  await using peer = await H2Peer.connect(server);
  const stream = peer.open();
  stream.pause();
  await reading.pass();
  await settle(100);
  stream.resume();
  assert(await outcome() >= 1);
  assertEquals((await stream.finish()).text.replaceAll("a", ""), "(drined)");
});
