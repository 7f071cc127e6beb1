/** HTTP/2: what no client library sends, by raw frames. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, scopes, text } from "../apps.ts";
import { FLAG, FRAME, frame, FrameConnection, GET, literal, settingsOf } from "../h2_frames.ts";
import { H2Peer } from "../h2_peer.ts";
import { join } from "../reply.ts";
import { row } from "../suite.ts";
import { Gate, Mailbox, settle } from "../waiting.ts";

const WIRE = { wire: true };
const WHOLE = FLAG.endHeaders | FLAG.endStream;

row("H2-011", "A push of a client is refused: the connection ends with GOAWAY", WIRE, async (target) => {
  await using server = await target.start(text("ok"));
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, FLAG.endHeaders, 1, GET);
  await client.send(FRAME.push, FLAG.endHeaders, 1, join([new Uint8Array([0, 0, 0, 2]), GET]));
  assert(await client.until(({ type }) => type === FRAME.goaway) !== null);
  assertEquals((await server.request()).status, 200);
});

row("H2-027", "The first frame of the server is SETTINGS, and those of the client are acknowledged", WIRE, async (target) => {
  await using server = await target.start(text("ok"));
  const client = await FrameConnection.connect(server);
  const first = await client.next();
  assertEquals([first?.type, first!.flags & FLAG.ack], [FRAME.settings, 0]);
  assert(await client.until(({ type, flags }) => type === FRAME.settings && (flags & FLAG.ack) === 1) !== null);
});

row("H2-028", "SETTINGS bound the streams, the frames and the header list of a client", WIRE, async (target) => {
  await using server = await target.start(text("ok"));
  const client = await FrameConnection.connect(server);
  const settings = settingsOf((await client.next())!.payload);
  const [streams, frameSize, headerList] = [settings.get(3), settings.get(5) ?? 16_384, settings.get(6)];
  assert(streams !== undefined && streams <= 1000, `streams: ${streams}`);
  assert(frameSize <= 65_536, `frame: ${frameSize}`);
  assert(headerList !== undefined && headerList <= 131_072, `header list: ${headerList}`);
});

row("H2-029", "A header list over its limit is refused, and the app is not called", WIRE, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const client = await FrameConnection.connect(server);
  const lines = (from: number) => join(Array.from({ length: 100 }, (_, index) => literal(`x-${from + index}`, "v".repeat(110))));
  await client.send(FRAME.headers, FLAG.endStream, 1, join([GET, lines(100)]));
  await client.send(FRAME.continuation, 0, 1, lines(200));
  await client.send(FRAME.continuation, 0, 1, lines(300));
  await client.send(FRAME.continuation, FLAG.endHeaders, 1, lines(400));
  const refusal = await client.until(({ type, stream }) => type === FRAME.goaway || (stream === 1 && type !== FRAME.window));
  assert(refusal !== null);
  assertEquals([(await server.request()).status, seen.waiting], [200, 1]);
});

row("H2-030", "A client that resets its streams without end is sent away, others are served", WIRE, async (target) => {
  await using server = await target.start(text("ok"));
  const client = await FrameConnection.connect(server);
  const frames = [];
  for (let stream = 1; stream < 4000; stream += 2) {
    frames.push(frame(FRAME.headers, WHOLE, stream, GET), frame(FRAME.reset, 0, stream, new Uint8Array([0, 0, 0, 8])));
  }
  // The server may close before it has read them all.
  await client.sendAll(frames).catch(() => {});
  const last = await client.until(({ type }) => type === FRAME.goaway);
  if (last !== null) assertEquals(await client.until(() => false), null);
  assert(server.finished.length < 1000, `${server.finished.length} requests were served`);
  await using peer = await H2Peer.connect(server);
  assertEquals((await peer.request()).text, "ok");
});

row("H2-031", "Frames behind END_STREAM are an error, and the server lives on", WIRE, async (target) => {
  for (const type of [FRAME.data, FRAME.headers]) {
    const gate = new Gate();
    await using server = await target.start(http(async (_scope, _receive, send) => {
      await gate.pass();
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "ok" });
    }));
    const client = await FrameConnection.connect(server);
    await client.send(FRAME.headers, WHOLE, 1, GET);
    await client.send(type, WHOLE, 1, type === FRAME.data ? new Uint8Array(3) : GET);
    const error = await client.until((frame) => frame.type === FRAME.reset || frame.type === FRAME.goaway);
    assert(error !== null);
    gate.open();
    assertEquals((await server.request()).text, "ok");
  }
});

row("H2-032", "A client that says GOAWAY behind its answers: the connection closes", WIRE, async (target) => {
  await using server = await target.start(text("ok"));
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, WHOLE, 1, GET);
  assert(await client.until(({ type, flags }) => type === FRAME.data && (flags & FLAG.endStream) === 1) !== null);
  await client.send(FRAME.goaway, 0, 0, new Uint8Array(8));
  assertEquals(await client.until(() => false), null);
});

row("H2-032", "what is under way is sent before", {
  wire: true,
  except: { deno: "`Deno.serve` closes the connection at once, and the app is told `client_closed`" },
}, async (target) => {
  const began = new Gate();
  const gate = new Gate();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    began.open();
    await gate.pass();
    await answer(send, "all of it");
  }));
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, WHOLE, 1, GET);
  await began.pass();
  await client.send(FRAME.goaway, 0, 0, new Uint8Array(8));
  await settle();
  gate.open();
  let bytes = 0;
  const last = await client.until(({ type, flags, payload }) => {
    if (type === FRAME.data) bytes += payload.byteLength;
    return type === FRAME.data && (flags & FLAG.endStream) === 1;
  });
  assertEquals([last !== null, bytes], [true, 9]);
  assertEquals(await client.until(() => false), null);
});

row("H2-032", "what was under way is told `client_closed`", { wire: true, lacks: "timeouts" }, async (target) => {
  const seen = new Mailbox<string>();
  const began = new Gate();
  await using server = await target.start(http(async (scope) => {
    scope["pagi.connection"].onDisconnect((reason) => seen.put(reason));
    began.open();
    await scope["pagi.connection"].disconnectFuture();
  }));
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, WHOLE, 1, GET);
  await began.pass();
  await client.send(FRAME.goaway, 0, 0, new Uint8Array(8));
  assertEquals(await seen.take(), "client_closed");
});

row("H2-024", "The answer to HEAD has the headers of GET, no byte of a body, and ends", WIRE, async (target) => {
  await using server = await target.start(http(async (scope, _receive, send) => {
    const headers = scope.path === "/sized" ? [["content-length", "5"]] as const : [];
    await send({ type: "http.response.start", status: 200, headers });
    if (scope.path === "/parts") await send({ type: "http.response.body", body: "he", more: 1 });
    await send({ type: "http.response.body", body: scope.path === "/parts" ? "llo" : "hello" });
  }));
  for (const path of ["/whole", "/sized", "/parts"]) {
    const client = await FrameConnection.connect(server);
    const block = join(
      [[":method", "HEAD"], [":path", path], [":scheme", "http"], [":authority", "a"]].map(([name, value]) => literal(name!, value!)),
    );
    await client.send(FRAME.headers, WHOLE, 1, block);
    let bytes = 0;
    const last = await client.until(({ type, stream, flags, payload }) => {
      if (type === FRAME.data) bytes += payload.byteLength;
      return stream === 1 && (flags & FLAG.endStream) === 1;
    });
    assertEquals([last?.type === FRAME.headers || path === "/parts", bytes], [true, 0], path);
  }
});

row("H2-010", "also at once, where the app asks for it before", WIRE, async (target) => {
  const asked = new Gate();
  const seen = new Mailbox<string>();
  await using server = await target.start(http(async (scope) => {
    scope["pagi.connection"].onDisconnect((reason) => seen.put(reason));
    asked.open();
    await scope["pagi.connection"].disconnectFuture();
  }));
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, WHOLE, 1, GET);
  await asked.pass();
  await client.send(FRAME.reset, 0, 1, new Uint8Array([0, 0, 0, 8]));
  assertEquals(await seen.take(), "client_closed");
});

row("H2-010", "also late, where the app asks for it behind", WIRE, async (target) => {
  const gate = new Gate();
  const began = new Gate();
  const seen = new Mailbox<string>();
  await using server = await target.start(http(async (scope, receive) => {
    await receive();
    began.open();
    await gate.pass();
    scope["pagi.connection"].isConnected();
    seen.put((await receive()).type);
  }));
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, WHOLE, 1, GET);
  await began.pass();
  await settle(50);
  await client.send(FRAME.reset, 0, 1, new Uint8Array([0, 0, 0, 8]));
  await settle(10);
  gate.open();
  assertEquals(await seen.take(), "http.disconnect");
  assertEquals((await server.ended()).end.reason, "client_closed");
});

row("H2-033", "A connection that ends ends its streams: a waiting `receive` resolves", WIRE, async (target) => {
  const seen = new Mailbox<string>();
  await using server = await target.start(http(async (_scope, receive) => {
    seen.put((await receive()).type);
    seen.put((await receive()).type);
  }));
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, WHOLE, 1, GET);
  assertEquals(await seen.take(), "http.request");
  client.close();
  assertEquals(await seen.take(), "http.disconnect");
});

row("H2-034", "A plain CONNECT is answered 501, and the app is not called", WIRE, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, FLAG.endHeaders, 1, join([literal(":method", "CONNECT"), literal(":authority", "test:80")]));
  assert(await client.until(({ type, stream }) => stream === 1 && (type === FRAME.headers || type === FRAME.reset)) !== null);
  await server.ended();
  assertEquals([server.finished[0]!.status, seen.waiting], [501, 0]);
});

row("H2-046", "A server that stops says GOAWAY", WIRE, async (target) => {
  await using server = await target.start(text("ok"));
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, WHOLE, 1, GET);
  await client.until(({ type, flags }) => type === FRAME.data && (flags & FLAG.endStream) === 1);
  const stopped = server.stop(2000);
  assert(await client.until(({ type }) => type === FRAME.goaway) !== null);
  client.close();
  await stopped;
});
