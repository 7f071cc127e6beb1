/** Rows of the checklist: event streams over HTTP/2. */

import { assert, assertEquals } from "@std/assert";
import type { SseReceiveEvent } from "../../../src/spec/events.ts";
import { Http2Peer } from "../http2_peer.ts";
import { sseProbe } from "../probe.ts";
import { started } from "../streams.ts";
import { row } from "../suite.ts";
import { Gate } from "../waiting.ts";

const STREAM = { accept: "text/event-stream" };

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
  await using peer = await Http2Peer.open(server);
  const stream = peer.request({ ...STREAM, ":method": "POST" }, { open: true });
  stream.write("hello");
  await first.pass();
  stream.write("world");
  stream.end();
  const events = await outcome();
  assertEquals(events[0], { type: "sse.request", body: new TextEncoder().encode("hello"), more: 1 });
  assertEquals(events.map((event) => event.type === "sse.request" ? new TextDecoder().decode(event.body) : "?").join(""), "helloworld");
  await stream.ended;
});

row("SSE-014", "HTTP/2 has neither connection nor transfer-encoding", { wire: true }, async (target) => {
  const { app } = started((send) => send({ type: "sse.send", data: "x" }));
  await using server = await target.start(app);
  await using peer = await Http2Peer.open(server);
  const stream = peer.request(STREAM);
  const { status, pairs } = await stream.head;
  const names = pairs.map(([name]) => name);
  assertEquals(status, 200);
  assert(!names.includes("connection") && !names.includes("transfer-encoding"), names.join());
  for (const name of ["content-type", "cache-control", "date"]) assert(names.includes(name), name);
  await stream.ended;
  assertEquals(stream.text, "data: x\n\n", "plain DATA, no chunks");
});

row("SSE-029", "Over HTTP/2 an event is plain DATA, and is there at once", { wire: true }, async (target) => {
  const next = new Gate();
  const { app } = started(async (send) => {
    await send({ type: "sse.send", data: "one" });
    await next.pass();
    await send({ type: "sse.send", data: "two" });
  });
  await using server = await target.start(app);
  await using peer = await Http2Peer.open(server);
  const stream = peer.request(STREAM);
  assertEquals(await stream.until((text) => text.endsWith("\n\n")), "data: one\n\n");
  next.open();
  await stream.ended;
  assertEquals(stream.text, "data: one\n\ndata: two\n\n");
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
  await using peer = await Http2Peer.open(server);
  const [a, b] = [peer.request({ ...STREAM, ":path": "/?a" }), peer.request({ ...STREAM, ":path": "/?b" })];
  await a.until((text) => text.includes(":a\n\n:a\n\n"));
  await b.until((text) => text.includes(":b\n\n:b\n\n"));
  assert(!a.text.includes("b") && !b.text.includes("a"));
  a.leave();
  await left.pass();
  const { length } = b.text;
  await b.until((text) => text.length > length + 10);
});

row("SSE-039", "Over HTTP/2 an app that returns ends the stream with END_STREAM", { wire: true }, async (target) => {
  const { app } = started((send) => send({ type: "sse.send", data: "x" }));
  await using server = await target.start(app);
  await using peer = await Http2Peer.open(server);
  const stream = peer.request(STREAM);
  await stream.ended;
  assertEquals(stream.text, "data: x\n\n");
  const next = peer.request(STREAM);
  await next.ended;
  assertEquals(next.text, "data: x\n\n", "the connection goes on");
});

row("SSE-047", "Over HTTP/2 a stream that is reset is told as client_closed", { wire: true }, async (target) => {
  const { app, outcome } = started(async (send, receive) => {
    await send({ type: "sse.send", data: "x" });
    await receive();
    return await receive();
  });
  await using server = await target.start(app);
  await using peer = await Http2Peer.open(server);
  const stream = peer.request(STREAM);
  await stream.until((text) => text.includes("x"));
  stream.leave();
  assertEquals(await outcome(), { type: "sse.disconnect", reason: "client_closed" });
});
