/** Rows of the checklist: event streams over HTTP/2. */

import { assert, assertEquals } from "@std/assert";
import type { SseReceiveEvent } from "../../../src/spec/events.ts";
import { H2Peer } from "../h2_peer.ts";
import { sseProbe } from "../probe.ts";
import { started } from "../streams.ts";
import { row } from "../suite.ts";
import { Gate } from "../waiting.ts";

const STREAM = { headers: { accept: "text/event-stream" } };

row("SSE-009", "Over HTTP/2 the body streams, and its last event waits for its end", { wire: true }, async (target) => {
  const first = new Gate();
  const { app, outcome } = sseProbe(async (_scope, receive, send) => {
    const events: SseReceiveEvent[] = [await receive()];
    first.open();
    for (let event = events[0]!; event.type === "sse.request" && event.more === 1;) {
      event = await receive();
      events.push(event);
    }
    await send({ type: "sse.start" });
    return events;
  });
  await using server = await target.start(app);
  await using peer = await H2Peer.connect(server);
  const stream = peer.open({ ...STREAM, method: "POST", streams: true });
  stream.write("hello");
  await first.pass();
  stream.write("world");
  stream.end();
  const events = await outcome();
  assertEquals(events[0], { type: "sse.request", body: new TextEncoder().encode("hello"), more: 1 });
  assertEquals(events.map((event) => event.type === "sse.request" ? new TextDecoder().decode(event.body) : "?").join(""), "helloworld");
  await stream.finish();
});

row("SSE-014", "HTTP/2 has neither connection nor transfer-encoding", { wire: true }, async (target) => {
  const { app } = started((send) => send({ type: "sse.send", data: "x" }));
  await using server = await target.start(app);
  await using peer = await H2Peer.connect(server);
  const { status, headers, text } = await peer.request(STREAM);
  const names = Object.keys(headers);
  assertEquals([status, text], [200, "data: x\n\n"], "plain DATA, no chunks");
  assert(!names.includes("connection") && !names.includes("transfer-encoding"), names.join());
  for (const name of ["content-type", "cache-control", "date"]) assert(names.includes(name), name);
});

row("SSE-029", "Over HTTP/2 an event is plain DATA, and is there at once", { wire: true }, async (target) => {
  const next = new Gate();
  const { app } = started(async (send) => {
    await send({ type: "sse.send", data: "one" });
    await next.pass();
    await send({ type: "sse.send", data: "two" });
  });
  await using server = await target.start(app);
  await using peer = await H2Peer.connect(server);
  const stream = peer.open(STREAM);
  assertEquals(await stream.readUntil("\n\n"), "data: one\n\n");
  next.open();
  assertEquals((await stream.finish()).text, "data: one\n\ndata: two\n\n");
});

row("SSE-036", "Streams of one HTTP/2 connection have a keepalive each", { wire: true }, async (target) => {
  const left = new Gate();
  const { app } = started(async (send, receive, { query_string }) => {
    await send({ type: "sse.keepalive", interval: 0.005, comment: query_string });
    await receive();
    await receive();
    if (query_string === "a") left.open();
  });
  await using server = await target.start(app);
  await using peer = await H2Peer.connect(server);
  const [a, b] = [peer.open({ ...STREAM, target: "/?a" }), peer.open({ ...STREAM, target: "/?b" })];
  assert(!(await a.readUntil(":a\n\n:a\n\n")).includes("b"));
  const before = await b.readUntil(":b\n\n:b\n\n");
  assert(!before.includes("a"));
  a.reset();
  await left.pass();
  await b.readUntil(before + before);
});

row("SSE-039", "Over HTTP/2 an app that returns ends the stream with END_STREAM", { wire: true }, async (target) => {
  const { app } = started((send) => send({ type: "sse.send", data: "x" }));
  await using server = await target.start(app);
  await using peer = await H2Peer.connect(server);
  assertEquals((await peer.request(STREAM)).text, "data: x\n\n");
  assertEquals((await peer.request(STREAM)).text, "data: x\n\n", "the connection goes on");
});

row("SSE-047", "Over HTTP/2 a stream that is reset is told as client_closed", { wire: true }, async (target) => {
  const { app, outcome } = started(async (send, receive) => {
    await send({ type: "sse.send", data: "x" });
    await receive();
    return await receive();
  });
  await using server = await target.start(app);
  await using peer = await H2Peer.connect(server);
  const stream = peer.open(STREAM);
  await stream.readUntil("x");
  stream.reset();
  assertEquals(await outcome(), { type: "sse.disconnect", reason: "client_closed" });
});
