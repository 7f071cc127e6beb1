/** Rows of the checklist: keepalives of an event stream, and its end. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { outcomeOf, sseProbe } from "../probe.ts";
import { started, STREAM, stream } from "../streams.ts";
import { elsewhere, row } from "../suite.ts";
import { Gate, settle } from "../waiting.ts";

row("SSE-033", "A keepalive sends its comment every interval seconds, a bare colon by default", {}, async (target) => {
  for (const [comment, text] of [[undefined, ":\n\n"], ["ping", ":ping\n\n"], [":ping", ":ping\n\n"], ["a\nb", ":a\n:b\n\n"]] as const) {
    const enough = new Gate();
    const { app } = started(async (send) => {
      await send({ type: "sse.keepalive", interval: 0.005, ...(comment === undefined ? {} : { comment }) });
      await enough.pass();
    });
    await using server = await target.start(app);
    const exchange = await stream(server);
    const read = await exchange.readUntil(text.repeat(3));
    assert(read.startsWith(text.repeat(3)), JSON.stringify(read));
    enough.open();
    await exchange.finish();
  }
});

row("SSE-033", "The last keepalive wins, and an interval of 0 stops it", {}, async (target) => {
  const seen = new Gate();
  const { app } = started(async (send) => {
    await send({ type: "sse.keepalive", interval: 0.005, comment: "old" });
    await send({ type: "sse.keepalive", interval: 0.005, comment: "new" });
    await seen.pass();
    await send({ type: "sse.keepalive", interval: 0 });
    await send({ type: "sse.send", data: "stopped" });
    await settle(40);
  });
  await using server = await target.start(app);
  const exchange = await stream(server);
  assert(!(await exchange.readUntil(":new\n\n:new\n\n")).includes("old"));
  seen.open();
  assertMatch((await exchange.finish()).text, /data: stopped\n\n$/);
});

row("SSE-034", "A keepalive before sse.start begins with the stream", {}, async (target) => {
  const seen = new Gate();
  const { app } = sseProbe(async (_scope, _receive, send) => {
    await send({ type: "sse.keepalive", interval: 0.005, comment: "k" });
    await settle();
    await send({ type: "sse.start" });
    await seen.pass();
  });
  await using server = await target.start(app);
  const exchange = await stream(server);
  assertEquals((await exchange.head()).status, 200);
  await exchange.readUntil(":k\n\n:k\n\n");
  seen.open();
  await exchange.finish();
});

row("SSE-035", "A keepalive ends with sse.close and with the client", {}, async (target) => {
  const closed = new Gate();
  const { app } = started(async (send) => {
    await send({ type: "sse.keepalive", interval: 0.005 });
    await settle(20);
    await send({ type: "sse.close" });
    await settle(40);
    closed.open();
  });
  await using server = await target.start(app);
  const reply = await server.request({ headers: STREAM });
  assertMatch(reply.text, /^(:\n\n)+$/);
  await closed.pass();
  const gone = await server.ended();
  assertEquals([gone.end.reason, gone.bytes], [null, reply.body.byteLength]);
});

elsewhere("SSE-035", "No timer of a stream is left when it is over", "tests/sessions/sse_test.ts");

row("SSE-037", "Keepalives count as buffered and stop at the high mark (the reference goes on and tells nobody)", {
  instead: "memory",
}, async (target) => {
  const done = new Gate();
  const { app, outcome } = started(async (send, _receive, scope) => {
    const transport = scope["pagi.transport"];
    let highs = 0;
    transport.onHighWater(() => highs++);
    await send({ type: "sse.keepalive", interval: 0.001, comment: "x".repeat(37) });
    await settle(60);
    const amount = transport.bufferedAmount();
    done.open();
    return { highs, amount };
  });
  await using server = await target.start(app, { limits: { highWaterBytes: 100, lowWaterBytes: 20 } });
  const exchange = await stream(server, { stalled: true });
  await done.pass();
  assertEquals(await outcome(), { highs: 1, amount: 120 });
  exchange.leave();
});

row(
  "SSE-037",
  "also on a socket: a client that reads nothing is sent no more of them",
  { wire: true, needs: ["delivery"] },
  async (target) => {
    const { app, outcome } = started(async (send, _receive, scope) => {
      const transport = scope["pagi.transport"];
      const high = new Gate();
      let highs = 0;
      transport.onHighWater(() => {
        highs++;
        high.open();
      });
      await send({ type: "sse.keepalive", interval: 0.001, comment: "x".repeat(1_000_000) });
      await high.pass();
      await settle(50);
      const amount = transport.bufferedAmount();
      await settle(50);
      return { highs, amount: amount > 0 && amount < 5_000_000, more: transport.bufferedAmount() > amount };
    });
    await using server = await target.start(app);
    const exchange = await stream(server, { stalled: true });
    const { amount, more } = await outcome();
    assertEquals([amount, more], [true, false]);
    exchange.leave();
  },
);

row("SSE-038", "An app that returns ends the stream as a whole one", {}, async (target) => {
  const { app } = started((send) => send({ type: "sse.send", data: "x" }));
  await using server = await target.start(app);
  const reply = await server.request({ headers: STREAM });
  assertEquals([reply.text, reply.cut], ["data: x\n\n", false]);
  assertEquals((await server.ended()).end.reason, null);
});

row("SSE-038", "The end is 0 CRLF CRLF; a connection that the client asked to close is closed", { wire: true }, async (target) => {
  const { app } = started((send) => send({ type: "sse.send", data: "x" }));
  await using server = await target.start(app);
  const connection = await server.connect();
  await connection.send("GET / HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\nconnection: close\r\n\r\n");
  assert((await connection.rest()).endsWith("\r\n0\r\n\r\n"));
});

row("SSE-038", "The connection is closed behind the stream", {
  wire: true,
  except: { deno: "a header can't make `Deno.serve` close a connection of HTTP/1.1: it is kept for the next request" },
}, async (target) => {
  const { app } = started((send) => send({ type: "sse.send", data: "x" }));
  await using server = await target.start(app);
  const connection = await server.connect();
  await connection.send("GET / HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n");
  assert((await connection.rest()).endsWith("\r\n0\r\n\r\n"));
});

row("SSE-040", "sse.close ends the stream at once, behind what was sent, before the app returns", {}, async (target) => {
  const ended = new Gate();
  const { app, outcome } = started(async (send) => {
    await send({ type: "sse.send", data: "one" });
    await send({ type: "sse.send", data: "two" });
    await send({ type: "sse.close" });
    await ended.pass();
  });
  await using server = await target.start(app);
  const reply = await server.request({ headers: STREAM });
  assertEquals([reply.text, reply.cut], ["data: one\n\ndata: two\n\n", false]);
  ended.open();
  await outcome();
});

row("SSE-041", "The reason of sse.close is not on the wire", {}, async (target) => {
  const { app } = started(async (send) => {
    await send({ type: "sse.send", data: "x" });
    await send({ type: "sse.close", reason: "secret" });
  });
  await using server = await target.start(app);
  const reply = await server.request({ headers: STREAM });
  assertEquals(reply.text, "data: x\n\n");
  assert(!JSON.stringify([reply.pairs, reply.trailers]).includes("secret"));
});

row("SSE-042", "After sse.close events, comments and keepalives reject (StateError)", {}, async (target) => {
  const { app, outcome } = started(async (send) => {
    await send({ type: "sse.close" });
    return [
      await outcomeOf(send({ type: "sse.send", data: "x" })),
      await outcomeOf(send({ type: "sse.comment", comment: "x" })),
      await outcomeOf(send({ type: "sse.keepalive", interval: 1 })),
    ];
  });
  await using server = await target.start(app);
  assertEquals((await server.request({ headers: STREAM })).text, "");
  assertEquals(
    await outcome(),
    ["sse.send", "sse.comment", "sse.keepalive"].map((type) => `StateError: Cannot send "${type}": the stream is closed`),
  );
});

row("SSE-043", "A second sse.close is ignored, sse.start rejects (StateError), and the return adds nothing", {}, async (target) => {
  const { app, outcome } = started(async (send) => {
    await send({ type: "sse.close", reason: "first" });
    return [
      await outcomeOf(send({ type: "sse.close", reason: "second" })),
      await outcomeOf(send({ type: "sse.start" })),
      await outcomeOf(send({ type: "sse.http.response.start", status: 200 })),
    ];
  });
  await using server = await target.start(app);
  assertEquals((await server.request({ headers: STREAM })).cut, false);
  const [second, start, decline] = await outcome();
  assertEquals([second, start], ["resolved", 'StateError: Cannot send "sse.start": the stream is closed']);
  assertMatch(decline!, /^StateError/);
  await settle();
  assertEquals([server.finished.length, server.notes.filter(({ level }) => level === "error").length], [1, 0]);
});

row("SSE-044", "A receive after sse.close gives sse.disconnect with its reason, client_closed where it has none", {}, async (target) => {
  for (const reason of ["done", undefined]) {
    const { app, outcome } = started(async (send, receive) => {
      await send({ type: "sse.close", ...(reason === undefined ? {} : { reason }) });
      return [await receive(), await receive()];
    });
    await using server = await target.start(app);
    await server.request({ headers: STREAM });
    const event = { type: "sse.disconnect" as const, reason: reason ?? "client_closed" };
    assertEquals(await outcome(), [event, event]);
  }
});

row("SSE-046", "Once the client is gone every send resolves", {}, async (target) => {
  const { app, outcome } = started(async (send, receive) => {
    await send({ type: "sse.send", data: "x" });
    await receive();
    await receive();
    return [
      await outcomeOf(send({ type: "sse.send", data: "x" })),
      await outcomeOf(send({ type: "sse.comment", comment: "x" })),
      await outcomeOf(send({ type: "sse.keepalive", interval: 1 })),
      await outcomeOf(send({ type: "sse.close" })),
      await outcomeOf(send({ type: "sse.send", data: "x" })),
    ];
  });
  await using server = await target.start(app);
  const exchange = await stream(server);
  await exchange.readUntil("data: x");
  exchange.leave();
  assertEquals(await outcome(), new Array(5).fill("resolved"));
  assertEquals(server.notes.filter(({ level }) => level === "error"), []);
});
