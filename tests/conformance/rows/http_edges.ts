/** What only an engine can do that has the whole wire: trailers of requests, 205, and answers that break off over HTTP/1.0. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, rejection, scopes } from "../apps.ts";
import { CONNECT, FLAG, FRAME, FrameConnection, literal } from "../h2_frames.ts";
import { H2Peer } from "../h2_peer.ts";
import { httpProbe } from "../probe.ts";
import { join } from "../reply.ts";
import { row } from "../suite.ts";
import { settle } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";

const TRAILERS = { wire: true, needs: ["request-trailers"] } as const;

/** Gives the trailers that the last event of a request body had, and whether the scope offers them. */
const reader = () =>
  httpProbe(async (scope, receive, send) => {
    let event = await receive();
    while (event.type === "http.request" && event.more) event = await receive();
    await answer(send);
    return [event.type === "http.request" ? event.trailers : event.type, scope.extensions["http.request.trailers"]];
  });

row(
  "HTTP-040",
  "and the app gets them with the last part of the body, where `http.request.trailers` is offered",
  TRAILERS,
  async (target) => {
    const { app, outcome } = reader();
    await using server = await target.start(app);
    const connection = await server.connect();
    const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    await connection.send(`${head}5\r\nhello\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n`);
    assertEquals((await WireExchange.reply(connection)).status, 200);
    assertEquals(await outcome(), [[["x-sum", "1"], ["x-sum", "2"]], {}]);
    await connection.send(`${head}0\r\n\r\n`);
    assertEquals((await WireExchange.reply(connection)).status, 200);
    assertEquals(await outcome(), [undefined, {}]);
  },
);

row("HTTP-040", "over HTTP/2 too", TRAILERS, async (target) => {
  const { app, outcome } = reader();
  await using server = await target.start(app);
  const client = await FrameConnection.connect(server);
  const lines = [[":method", "POST"], [":scheme", "http"], [":path", "/"], [":authority", "a"]] as const;
  await client.send(FRAME.headers, FLAG.endHeaders, 1, join(lines.map(([name, value]) => literal(name, value))));
  await client.send(FRAME.data, 0, 1, new Uint8Array(5));
  await client.send(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, literal("x-sum", "1"));
  assert(await client.until(({ type, stream }) => type === FRAME.headers && stream === 1) !== null);
  assertEquals(await outcome(), [[["x-sum", "1"]], {}]);
});

row("HTTP-079", "205 says that there is nothing: a length of 0, and the connection stays in step", {
  wire: true,
  needs: ["reset-content"],
}, async (target) => {
  await using server = await target.start(http((scope, _receive, send) => answer(send, "surprise", [], scope.path === "/205" ? 205 : 200)));
  const connection = await server.connect();
  for (const path of ["/205", "/200"]) await connection.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const reply = await WireExchange.reply(connection);
  assertEquals([reply.status, reply.get("content-length"), reply.get("transfer-encoding")], [205, "0", null]);
  assertEquals((await WireExchange.reply(connection)).text, "surprise");
});

row("HTTP-079", "a 205 that can't be framed rejects", { wire: true, lacks: "reset-content" }, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    const { name } = await rejection(send({ type: "http.response.start", status: 205 }));
    await answer(send, name);
  }));
  assertEquals((await server.request()).text, "EventError");
});

row("HTTP-092", "over HTTP/1.0, where the end of the connection ends an answer, the connection is reset", {
  wire: true,
  except: { deno: "`Deno.serve` closes it as behind a whole answer" },
}, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "hello", more: 1 });
    await settle(20);
    throw new Error("oops");
  }));
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: (server.address as { port: number }).port });
  await connection.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
  const buffer = new Uint8Array(4096);
  let error: unknown = null;
  try {
    while (await connection.read(buffer) !== null);
  } catch (caught) {
    error = caught;
  }
  connection.close();
  assert(error instanceof Deno.errors.ConnectionReset, String(error));
});

row("WSH2-002", "an extended CONNECT for anything but a WebSocket is answered 501, one of another version 426", {
  wire: true,
  needs: ["ws-over-h2"],
}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const client = await FrameConnection.connect(server);
  const lines = [[":method", "CONNECT"], [":protocol", "other"], [":scheme", "http"], [":path", "/"], [":authority", "a"]] as const;
  await client.send(FRAME.headers, FLAG.endHeaders, 1, join(lines.map(([name, value]) => literal(name, value))));
  assert(await client.until(({ type, stream }) => stream === 1 && type === FRAME.headers) !== null);
  assertEquals((await server.ended()).status, 501);
  const old = join([
    CONNECT.subarray(0, CONNECT.byteLength - literal("sec-websocket-version", "13").byteLength),
    literal("sec-websocket-version", "8"),
  ]);
  await client.send(FRAME.headers, FLAG.endHeaders, 3, old);
  assert(await client.until(({ type, stream }) => stream === 3 && type === FRAME.headers) !== null);
  assertEquals([(await server.ended(2)).status, seen.waiting], [426, 0]);
});

row("HTTP-003", "with TLS, and over HTTP/2", { wire: true, needs: ["http-version"] }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app, { tls: true });
  for (const httpVersion of ["1.0", "1.1"] as const) {
    await server.request({ httpVersion });
    assertEquals((await seen.take()).http_version, httpVersion);
  }
  await using peer = await H2Peer.connect(server);
  await peer.request();
  assertEquals((await seen.take()).http_version, "2");
});
