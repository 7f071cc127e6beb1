/** Rows of the checklist: the head of an event stream, and the end of one that never starts. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { outcomeOf, sseProbe } from "../probe.ts";
import { started, STREAM } from "../streams.ts";
import { row } from "../suite.ts";

row("SSE-012", "The status is 200 and the content type text/event-stream where the app gave none", {}, async (target) => {
  await using server = await target.start(started(() => Promise.resolve()).app);
  const reply = await server.request({ headers: STREAM });
  assertEquals([reply.status, reply.get("content-type")], [200, "text/event-stream"]);
});

row("SSE-012", "The app's own status and content type are kept, in any case of the name, and come once", {}, async (target) => {
  const { app } = sseProbe((_scope, _receive, send) =>
    send({ type: "sse.start", status: 201, headers: [["Content-Type", "text/event-stream; charset=utf-8"], ["x-a", "1"], ["x-a", "2"]] })
  );
  await using server = await target.start(app);
  const reply = await server.request({ headers: STREAM });
  assertEquals([reply.status, reply.get("content-type")], [201, "text/event-stream; charset=utf-8"]);
  assertEquals(reply.all("x-a"), ["1", "2"]);
});

row("SSE-013", "cache-control: no-cache and date are supplied", {}, async (target) => {
  await using server = await target.start(started(() => Promise.resolve()).app);
  const reply = await server.request({ headers: STREAM });
  assertEquals(reply.get("cache-control"), "no-cache");
  assertMatch(reply.get("date")!, / GMT$/);
});

row("SSE-013", "The app's own cache-control, date and connection are kept, and come once", {}, async (target) => {
  const date = "Thu, 01 Jan 1970 00:00:00 GMT";
  const { app } = sseProbe((_scope, _receive, send) =>
    send({ type: "sse.start", headers: [["Cache-Control", "no-store"], ["Date", date], ["connection", "Keep-Alive"]] })
  );
  await using server = await target.start(app);
  const reply = await server.request({ headers: STREAM });
  assertEquals([reply.get("cache-control"), reply.get("date"), reply.get("connection")], ["no-store", date, "Keep-Alive"]);
});

row("SSE-014", "HTTP/1.1 has connection: keep-alive and chunked framing", {}, async (target) => {
  await using server = await target.start(started((send) => send({ type: "sse.send", data: "x" })).app);
  const reply = await server.request({ headers: STREAM });
  assertEquals([reply.get("connection"), reply.get("transfer-encoding"), reply.get("content-length")], ["keep-alive", "chunked", null]);
});

row("SSE-015", "A second sse.start rejects (StateError; the reference ignores it)", {}, async (target) => {
  const { app, outcome } = started(async (send) => {
    const again = await outcomeOf(send({ type: "sse.start", status: 500 }));
    await send({ type: "sse.send", data: "x" });
    return again;
  });
  await using server = await target.start(app);
  const reply = await server.request({ headers: STREAM });
  assertEquals([reply.status, reply.text], [200, "data: x\n\n"]);
  assertEquals(await outcome(), 'StateError: Cannot send "sse.start": the stream has started');
});

row("SSE-016", "A bad header or status rejects and starts nothing: a corrected start works", {}, async (target) => {
  const { app, outcome } = sseProbe(async (_scope, _receive, send) => {
    const outcomes = [
      await outcomeOf(send({ type: "sse.start", headers: [["x-a", "b\r\nx-evil: 1"]] })),
      await outcomeOf(send({ type: "sse.start", headers: [["x a", "b"]] })),
      await outcomeOf(send({ type: "sse.start", headers: [["x-a", "\x01"]] })),
      await outcomeOf(send({ type: "sse.start", status: 99 })),
    ];
    await send({ type: "sse.start", status: 202 });
    return outcomes;
  });
  await using server = await target.start(app);
  const reply = await server.request({ headers: STREAM });
  assertEquals([reply.status, reply.get("x-evil")], [202, null]);
  for (const text of await outcome()) assertMatch(text, /^EventError: Cannot send "sse\.start": (headers|status) /);
});

row("SSE-017", "HTTP/1.0 gets the events bare, up to the end of the connection", {}, async (target) => {
  await using server = await target.start(started((send) => send({ type: "sse.send", data: "x" })).app);
  const reply = await server.request({ headers: STREAM, httpVersion: "1.0" });
  assertEquals([reply.get("transfer-encoding"), reply.get("content-length"), reply.text], [null, null, "data: x\n\n"]);
});

row("SSE-017", "HEAD gets the head and no byte of an event; further sends resolve", {}, async (target) => {
  const { app, outcome } = started(async (send) => {
    const outcomes = [await outcomeOf(send({ type: "sse.send", data: "x" })), await outcomeOf(send({ type: "sse.close" }))];
    return outcomes;
  });
  await using server = await target.start(app);
  const reply = await server.request({ method: "HEAD", headers: STREAM });
  assertEquals([reply.status, reply.get("content-type"), reply.body.byteLength], [200, "text/event-stream", 0]);
  assertEquals(await outcome(), ["resolved", "resolved"]);
});

row("SSE-017", "The app's content-length is dropped: a stream has none", {}, async (target) => {
  const { app } = sseProbe(async (_scope, _receive, send) => {
    await send({ type: "sse.start", headers: [["Content-Length", "3"], ["transfer-encoding", "gzip"]] });
    await send({ type: "sse.send", data: "longer than three" });
  });
  await using server = await target.start(app);
  const reply = await server.request({ headers: STREAM });
  assertEquals([reply.get("content-length"), reply.get("transfer-encoding"), reply.cut], [null, "chunked", false]);
  assertEquals(reply.text, "data: longer than three\n\n");
});

row("SSE-018", "Events before sse.start reject (StateError; the reference ignores them)", {}, async (target) => {
  const { app, outcome } = sseProbe(async (_scope, _receive, send) => {
    const outcomes = [
      await outcomeOf(send({ type: "sse.send", data: "early" })),
      await outcomeOf(send({ type: "sse.comment", comment: "early" })),
    ];
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "late" });
    return outcomes;
  });
  await using server = await target.start(app);
  assertEquals((await server.request({ headers: STREAM })).text, "data: late\n\n");
  assertEquals(await outcome(), [
    'StateError: Cannot send "sse.send": the stream has not started',
    'StateError: Cannot send "sse.comment": the stream has not started',
  ]);
});

row("SSE-045", "A close before the start is answered 500, logged; a later start rejects (StateError)", {}, async (target) => {
  const { app, outcome } = sseProbe(async (_scope, _receive, send) => {
    await send({ type: "sse.close", reason: "no" });
    return await outcomeOf(send({ type: "sse.start" }));
  });
  await using server = await target.start(app);
  assertEquals((await server.request({ headers: STREAM })).status, 500);
  assertEquals((await server.noted(/without starting it/)).level, "error");
  assertEquals(await outcome(), 'StateError: Cannot send "sse.start": the stream is closed');
});

row("SSE-060", "An app that throws before any answer is answered 500, logged", {}, async (target) => {
  const { app } = sseProbe(() => Promise.reject(new Error("the app broke")));
  await using server = await target.start(app);
  assertEquals((await server.request({ headers: STREAM })).status, 500);
  const note = await server.noted(/^The app failed$/);
  assert(note.level === "error" && String(note.fields.error).includes("the app broke"));
});

row("SSE-061", "An app that throws after the start is logged, and its stream is cut: the client sees that it is not whole", {}, async (
  target,
) => {
  const { app } = started(async (send) => {
    await send({ type: "sse.send", data: "x" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    throw new Error("the app broke");
  });
  await using server = await target.start(app);
  const reply = await server.request({ headers: STREAM });
  assertEquals([reply.status, reply.text, reply.cut], [200, "data: x\n\n", true]);
  assert(String((await server.noted(/^The app failed \(after/)).fields.error).includes("the app broke"));
  assertEquals((await server.ended()).end.reason, "server_error");
});

row("SSE-062", "An app that returns without a start or a decline is answered 500, logged", {}, async (target) => {
  const { app } = sseProbe(() => Promise.resolve());
  await using server = await target.start(app);
  assertEquals((await server.request({ headers: STREAM })).status, 500);
  assertEquals((await server.noted(/without starting a stream/)).level, "error");
});
