/** Timeouts of the wire, where an engine has them: each is set to a moment. */

import { assert, assertEquals } from "@std/assert";
import { answer, echo, http, readBody, scopes, text } from "../apps.ts";
import { H2Peer } from "../h2_peer.ts";
import { FLAG, FRAME, FrameConnection, GET } from "../h2_frames.ts";
import { httpProbe, socketProbe, sseProbe } from "../probe.ts";
import { STREAM } from "../streams.ts";
import { row } from "../suite.ts";
import { Gate, Mailbox, settle, until, within } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";

const TIMED = { wire: true, needs: ["timeouts"] } as const;

/** How long nothing may happen in these rows, and what a test waits for at least to see that something did not happen. */
const MOMENT = 100;
const LONG = 3 * MOMENT;

row("TIME-001", "A connection on which nothing comes is closed, without an answer", TIMED, async (target) => {
  await using server = await target.start(text("ok"), { wire: { headerTimeoutMs: MOMENT } });
  const begin = performance.now();
  assertEquals(await (await server.connect()).rest(), "");
  assert(performance.now() - begin > MOMENT / 2);
});

row("TIME-001", "also between requests, and each request starts it anew", TIMED, async (target) => {
  await using server = await target.start(text("ok"), { wire: { keepAliveTimeoutMs: 2 * MOMENT } });
  const connection = await server.connect();
  for (let count = 0; count < 3; count++) {
    await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals((await WireExchange.reply(connection)).text, "ok");
    await settle(MOMENT);
  }
  assertEquals(await connection.ends(), true);
});

row("TIME-001", "also one of HTTP/2 without a stream, with GOAWAY", TIMED, async (target) => {
  await using server = await target.start(text("ok"), { wire: { keepAliveTimeoutMs: MOMENT } });
  const client = await FrameConnection.connect(server);
  await client.send(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, GET);
  const goaway = await client.until(({ type }) => type === FRAME.goaway);
  assertEquals([...goaway!.payload.subarray(4, 8)], [0, 0, 0, 0], "no error");
  assertEquals(await client.until(() => false), null);
});

row("TIME-001", "also one that begins no TLS handshake", TIMED, async (target) => {
  await using server = await target.start(text("ok"), { tls: true, wire: { tlsHandshakeTimeoutMs: MOMENT } });
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: (server.address as { port: number }).port });
  const count = await within(plain.read(new Uint8Array(100)).catch(() => null), "the end of the connection");
  plain.close();
  assertEquals(count, null);
  assertEquals((await server.request()).text, "ok");
});

row("HTTP-034", "a head that is never finished is answered 408", TIMED, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app, { wire: { headerTimeoutMs: MOMENT } });
  for (const part of ["G", "GET / HTTP/1.1\r\nHost: a\r\nX-"]) {
    const connection = await server.connect();
    await connection.send(part);
    const reply = await WireExchange.reply(connection);
    assertEquals([reply.status, reply.phrase, reply.get("connection")], [408, "Request Timeout", "close"]);
    assertEquals([await connection.ends(), seen.waiting], [true, 0]);
  }
});

row("HTTP-034", "also where its bytes come one by one, and behind another request", TIMED, async (target) => {
  await using server = await target.start(text("ok"), { wire: { headerTimeoutMs: LONG } });
  const connection = await server.connect();
  await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals((await WireExchange.reply(connection)).text, "ok");
  let sent = 0;
  const dripping = (async () => {
    for (const byte of "GET / HTTP/1.1\r\nHost: a\r\nX-A: " + "a".repeat(1000)) {
      await connection.send(byte);
      sent++;
      await settle(10);
    }
  })().catch(() => {});
  assertEquals((await WireExchange.reply(connection)).status, 408);
  connection.close();
  await dripping;
  assert(sent < 300, `${sent} bytes were taken`);
});

row("TIME-002", "not even where all limits are shorter than the work", TIMED, async (target) => {
  const wire = { headerTimeoutMs: 40, keepAliveTimeoutMs: 40, bodyTimeoutMs: 40, writeTimeoutMs: 40 };
  await using server = await target.start(
    http(async (_scope, receive, send) => {
      await readBody(receive);
      await settle(LONG);
      await answer(send, "done");
    }),
    { wire },
  );
  assertEquals((await server.request({ method: "POST", body: "x" })).text, "done");
  await using peer = await H2Peer.connect(server);
  assertEquals((await peer.request({ method: "POST", body: "x" })).text, "done");
});

/** Reads its body, and tells its events and the reason of the end. */
const reader = () =>
  httpProbe(async (scope, receive) => {
    const reason = scope["pagi.connection"].disconnectFuture();
    const { body, events } = await readBody(receive);
    return [body, events.at(-1)!.type, await reason];
  });

row("TIME-003", "A body of which nothing more comes is answered 408, and the app is told `client_timeout`", TIMED, async (target) => {
  const { app, outcome } = reader();
  await using server = await target.start(app, { wire: { bodyTimeoutMs: MOMENT } });
  for (const framing of ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]) {
    const connection = await server.connect();
    await connection.send(`POST / HTTP/1.1\r\nHost: a\r\n${framing}`);
    const reply = await WireExchange.reply(connection);
    assertEquals([reply.status, reply.get("connection"), await connection.ends()], [408, "close", true]);
    assertEquals(await outcome(), ["half", "http.disconnect", "client_timeout"]);
  }
});

row("TIME-003", "also over HTTP/2, and no other stream", TIMED, async (target) => {
  const { app, outcome } = reader();
  await using server = await target.start(app, { wire: { bodyTimeoutMs: MOMENT } });
  await using peer = await H2Peer.connect(server);
  const stream = peer.open({ method: "POST", streams: true });
  stream.write("half");
  assertEquals(Number((await stream.head())[":status"]), 408);
  assertEquals(await outcome(), ["half", "http.disconnect", "client_timeout"]);
  const other = peer.open({ method: "POST", streams: true });
  other.write("half");
  assertEquals(Number((await other.head())[":status"]), 408);
});

row("TIME-003", "each part of the body starts it anew", TIMED, async (target) => {
  await using server = await target.start(echo, { wire: { bodyTimeoutMs: 2 * MOMENT } });
  const exchange = await server.exchange({ method: "POST", streams: true });
  for (const part of ["a", "b", "c", "d"]) {
    await exchange.write(part);
    await settle(MOMENT);
  }
  await exchange.end();
  assertEquals((await exchange.finish()).text, "abcd");
});

row("TIME-003", "an app that takes its time with a body is no fault of the client", TIMED, async (target) => {
  await using server = await target.start(
    http(async (_scope, receive, send) => {
      await settle(LONG);
      const { body } = await readBody(receive);
      await settle(LONG);
      await answer(send, String(body.length));
    }),
    { wire: { bodyTimeoutMs: MOMENT } },
  );
  assertEquals((await server.request({ method: "POST", body: "x".repeat(3_000_000) })).text, "3000000");
});

/** More than any buffer between the two takes. */
const MUCH = new Uint8Array(65_536);

row("CONN-019", "A client that takes nothing of its answer is cut, with write_timeout", TIMED, async (target) => {
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    const reason = scope["pagi.connection"].disconnectFuture();
    await send({ type: "http.response.start", status: 200 });
    while (scope["pagi.connection"].isConnected()) await send({ type: "http.response.body", body: MUCH, more: 1 });
    return await reason;
  });
  await using server = await target.start(app, { wire: { writeTimeoutMs: MOMENT } });
  const exchange = await server.exchange({ stalled: true });
  assertEquals(await outcome(), "write_timeout");
  assertEquals((await server.ended()).end.reason, "write_timeout");
  assertEquals((await exchange.finish()).cut, true);
});

row("CONN-019", "also over HTTP/2, where other streams go on", TIMED, async (target) => {
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    if (scope.path === "/other") {
      await answer(send);
      return "";
    }
    const reason = scope["pagi.connection"].disconnectFuture();
    await send({ type: "http.response.start", status: 200 });
    while (scope["pagi.connection"].isConnected()) await send({ type: "http.response.body", body: MUCH, more: 1 });
    return await reason;
  });
  await using server = await target.start(app, { wire: { writeTimeoutMs: MOMENT } });
  await using peer = await H2Peer.connect(server);
  const stalled = peer.open();
  stalled.pause();
  assertEquals(await outcome(), "write_timeout");
  assertEquals((await peer.request({ target: "/other" })).text, "ok");
});

row("CONN-019", "an event stream and a WebSocket are told the same", TIMED, async (target) => {
  const streaming = sseProbe(async (_scope, receive, send) => {
    await send({ type: "sse.start" });
    const gone = (async () => {
      for (;;) {
        const event = await receive();
        if (event.type === "sse.disconnect") return event.reason;
      }
    })();
    let isOver = false;
    void gone.then(() => isOver = true);
    while (!isOver) await send({ type: "sse.send", data: "x".repeat(65_536) });
    return await gone;
  });
  {
    await using server = await target.start(streaming.app, { wire: { writeTimeoutMs: MOMENT } });
    const exchange = await server.exchange({ headers: STREAM, stalled: true });
    assertEquals(await streaming.outcome(), "write_timeout");
    exchange.leave();
  }
  const talking = socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    const gone = receive();
    let isOver = false;
    void gone.then(() => isOver = true);
    while (!isOver) await send({ type: "websocket.send", bytes: MUCH });
    return await gone;
  });
  await using server = await target.start(talking.app, { wire: { writeTimeoutMs: MOMENT } });
  const socket = await server.websocket({ stalled: true });
  assertEquals(await talking.outcome(), { type: "websocket.disconnect", code: 1006, reason: "write_timeout" });
  socket.leave();
});

row("CONN-019", "a client that takes little at a time is not cut", TIMED, async (target) => {
  const seen = new Mailbox<string>();
  const begun = new Gate();
  await using server = await target.start(
    http(async (scope, _receive, send) => {
      scope["pagi.connection"].onDisconnect((reason) => seen.put(reason));
      await send({ type: "http.response.start", status: 200, headers: [["content-length", String(200 * MUCH.byteLength)]] });
      for (let count = 0; count < 200; count++) {
        await send({ type: "http.response.body", body: MUCH, more: count < 199 ? 1 : 0 });
        begun.open();
      }
    }),
    { wire: { writeTimeoutMs: 2 * MOMENT } },
  );
  const connection = await server.connect();
  await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await begun.pass();
  const reply = await connection.head();
  assertEquals(reply!.status, 200);
  let bytes = 0;
  for (let step = 0; bytes < 200 * MUCH.byteLength; step++) {
    if (step < 4) await settle(MOMENT);
    // A quarter of it with pauses, the rest at once.
    for (const goal = step < 4 ? bytes + 50 * MUCH.byteLength : Infinity; bytes < goal;) {
      const piece = await connection.some(1_000_000);
      if (piece === null) break;
      bytes += piece.byteLength;
      if (bytes >= 200 * MUCH.byteLength) break;
    }
  }
  assertEquals([bytes, seen.waiting], [200 * MUCH.byteLength, 0]);
});

row("SEC-006", "and are disconnected in time", TIMED, async (target) => {
  const wire = { headerTimeoutMs: MOMENT, bodyTimeoutMs: MOMENT, writeTimeoutMs: MOMENT, keepAliveTimeoutMs: MOMENT };
  await using server = await target.start(
    http(async (scope, receive, send) => {
      await readBody(receive);
      await send({ type: "http.response.start", status: 200 });
      const connection = scope["pagi.connection"];
      while (connection.isConnected() && scope.method === "GET") await send({ type: "http.response.body", body: MUCH, more: 1 });
    }),
    { wire },
  );
  const slow = [];
  for (let count = 0; count < 20; count++) {
    for (const head of ["GET / HTTP/1.1\r\nHost: a\r\nX-", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx"]) {
      const connection = await server.connect();
      await connection.send(head);
      slow.push(connection.rest());
    }
  }
  const readers = [];
  for (let count = 0; count < 5; count++) {
    const connection = await server.connect();
    await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    readers.push(connection);
  }
  for (const got of await Promise.all(slow)) assert(got.startsWith("HTTP/1.1 408 "), got.slice(0, 50));
  await until(() => server.finished.filter(({ end }) => end.reason === "write_timeout").length === 5, "the end of those that read nothing");
  for (const connection of readers) connection.close();
});
