/** Requests that are malformed, or that two readers could take differently. */

import { assert, assertEquals } from "@std/assert";
import { http, readBody, scopes } from "../apps.ts";
import { row } from "../suite.ts";
import type { Target } from "../target.ts";
import { Mailbox } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";

const WIRE = { wire: true };

/** Each of these is answered with a status, the connection ends, and the app is not called. */
async function refuses(target: Target, statuses: readonly number[], requests: readonly string[]): Promise<void> {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  for (const request of requests) {
    const connection = await server.connect();
    await connection.send(request);
    const got = await connection.rest();
    const status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(got)?.[1] ?? 0);
    assert(statuses.includes(status), `${JSON.stringify(request)} was answered ${JSON.stringify(got)}`);
    assertEquals(got.split("HTTP/1.").length, 2, `one answer to ${JSON.stringify(request)}: ${JSON.stringify(got)}`);
  }
  assertEquals(seen.waiting, 0);
  assertEquals((await server.request()).status, 200);
}

/** Each of these is served. */
async function serves(target: Target, requests: readonly string[]): Promise<void> {
  const { app } = scopes();
  await using server = await target.start(app);
  for (const request of requests) {
    const connection = await server.connect();
    await connection.send(request);
    assertEquals((await WireExchange.reply(connection)).status, 200, JSON.stringify(request));
  }
}

const REST = "Host: a\r\n\r\n";

row(
  "HTTP-025",
  "A malformed request line is answered 400, the connection is closed, the app is not called",
  WIRE,
  (target) =>
    refuses(target, [400], [
      `GET\r\n${REST}`,
      `\x01\x02\x03\r\n\r\n`,
      `GET / HTTP/1.1 x\r\n${REST}`,
      `G@T / HTTP/1.1\r\n${REST}`,
      `/ HTTP/1.1\r\n${REST}`,
    ]),
);

row("HTTP-026", "An unknown version, or a blank or NUL inside the line, is answered 400", WIRE, (target) =>
  refuses(target, [400], [
    `GET / HTTP/2.0\r\n${REST}`,
    `GET / HTTP/0.9\r\n${REST}`,
    `GET / http/1.1\r\n${REST}`,
    `GET /\r\n${REST}`,
    `GET /a b HTTP/1.1\r\n${REST}`,
    `GET /\0 HTTP/1.1\r\n${REST}`,
  ]));

row("HTTP-027", "HTTP/1.2 is an unknown version too", WIRE, (target) => refuses(target, [400], [`GET / HTTP/1.2\r\n${REST}`]));

row("HTTP-028", "An empty line before the request line is skipped", WIRE, (target) => serves(target, [`\r\nGET / HTTP/1.1\r\n${REST}`]));

row(
  "HTTP-028",
  "bare line feeds are taken as line ends, as RFC 9112 section 2.2 allows",
  { wire: true, except: { node: "llhttp refuses them, which the RFC allows too" } },
  (target) => serves(target, ["GET / HTTP/1.1\nHost: a\n\n"]),
);

row(
  "HTTP-028",
  "or answered 400",
  { wire: true, instead: "node" },
  (target) => refuses(target, [400], ["GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"]),
);

row("HTTP-029", "A target in absolute form is cut to path and query, and its authority is the host", WIRE, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ target: "http://other:81/p/q?x=1", headers: [["host", "a"]] });
  const { path, raw_path, query_string, headers } = await seen.take();
  assertEquals([path, raw_path, query_string, new Map(headers).get("host")], ["/p/q", "/p/q", "x=1", "other:81"]);
});

row("HTTP-029", "`OPTIONS *` has the path `*`", WIRE, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ method: "OPTIONS", target: "*" });
  assertEquals((await seen.take()).path, "*");
});

row(
  "HTTP-030",
  "An HTTP/1.1 request without Host is answered 400",
  { wire: true, needs: ["missing-host"] },
  (target) => refuses(target, [400], ["GET / HTTP/1.1\r\n\r\n"]),
);

row(
  "HTTP-031",
  "An HTTP/1.0 request without Host is served, and an empty Host is taken",
  WIRE,
  (target) => serves(target, ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nHost: \r\n\r\n"]),
);

row("HTTP-032", "A malformed header line is answered 400", WIRE, (target) =>
  refuses(
    target,
    [400],
    ["NoColon", ": empty", "X-A: a\0b", "X-A: a\x01b", "X-A: a\x0bb", "X-A: a\x0cb", "X-\xe9: a", "X-A\t: a", "X-A : a", "X A: b"].map((
      line,
    ) => `GET / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`),
  ));

row(
  "HTTP-033",
  "A folded header line is answered 400, as RFC 9112 section 5.2 allows",
  WIRE,
  (target) =>
    refuses(target, [400], ["GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\tc\r\n\r\n"]),
);

row("HTTP-034", "Nothing is sent before a head is complete; bytes may come one by one", WIRE, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const connection = await server.connect();
  for (const byte of "GET /slow HTTP/1.1\r\nHost: a\r\n\r") await connection.send(byte);
  assert(await connection.silent());
  await connection.send("\n");
  assertEquals((await WireExchange.reply(connection)).status, 200);
  assertEquals((await seen.take()).path, "/slow");
});

/** A request with this framing and a body that a careless reader would take for a second request. */
const smuggled = (lines: string, body = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n") =>
  `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n${body}`;

row(
  "HTTP-041",
  "A coding that ends with chunked is taken, in any case",
  WIRE,
  (target) =>
    serves(target, ["chunked", "Chunked", "gzip, chunked"].map((coding) => smuggled(`Transfer-Encoding: ${coding}`, "0\r\n\r\n"))),
);

row(
  "HTTP-042",
  "A coding in which chunked is not the last is answered 400",
  WIRE,
  (target) => refuses(target, [400], [smuggled("Transfer-Encoding: chunked, gzip", "0\r\n\r\n")]),
);

row(
  "HTTP-043",
  "A coding without chunked is refused (400 or 501), and the connection ends",
  WIRE,
  (target) =>
    refuses(
      target,
      [400, 501],
      ["gzip", "identity", "", "chunked;q=1", "xchunked"].map((coding) => smuggled(`Transfer-Encoding: ${coding}`)),
    ),
);

row("HTTP-044", "Both Transfer-Encoding and Content-Length are answered 400", WIRE, (target) =>
  refuses(target, [400], [
    smuggled("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
    smuggled("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
  ]));

row(
  "HTTP-045",
  "A Content-Length that is no number is answered 400",
  WIRE,
  (target) =>
    refuses(target, [400], ["abc", "-1", "+5", "", "0x5", "5 5", "1e1", "5.0"].map((length) => smuggled(`Content-Length: ${length}`))),
);

row(
  "HTTP-046",
  "More than one Content-Length is answered 400, and the app is not called",
  WIRE,
  (target) =>
    refuses(
      target,
      [400],
      ["5\r\nContent-Length: 6", "5,5", "5, 5", "5,6"].map((length) => smuggled(`Content-Length: ${length}`, "hello")),
    ),
);

row("HTTP-046", "also where they agree", WIRE, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const connection = await server.connect();
  await connection.send(smuggled("Content-Length: 5\r\nContent-Length: 5", "hello"));
  assertEquals((await WireExchange.reply(connection)).status, 400);
  assertEquals(seen.waiting, 0);
});

row(
  "HTTP-047",
  "Zeros in front of a Content-Length are taken",
  WIRE,
  (target) => serves(target, [smuggled("Content-Length: 005", "hello")]),
);

row("HTTP-048", "A Content-Length beyond all measure is answered 413", WIRE, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  for (const length of ["2147483648", "99999999999"]) {
    const connection = await server.connect();
    await connection.send(smuggled(`Content-Length: ${length}`, ""));
    assertEquals((await WireExchange.reply(connection)).status, 413, length);
  }
  assertEquals(seen.waiting, 0);
});

row("HTTP-038", "the answer is 400", {
  wire: true,
  except: { deno: "`Deno.serve` closes the connection without an answer where a chunk size is malformed" },
}, async (target) => {
  const seen = new Mailbox<string>();
  await using server = await target.start(http(async (scope, receive) => {
    scope["pagi.connection"].onDisconnect((reason) => seen.put(reason));
    seen.put((await readBody(receive)).events.at(-1)!.type);
  }));
  for (const chunk of ["garbage", "", "-5", "xyz5", "5 5", "fffffffffffffffff"]) {
    const connection = await server.connect();
    await connection.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n${chunk}\r\nhello\r\n0\r\n\r\n`);
    const reply = await WireExchange.reply(connection);
    assertEquals([reply.status, reply.get("connection"), await connection.ends()], [400, "close", true], chunk);
    assertEquals([await seen.take(), await seen.take()], ["protocol_error", "http.disconnect"], chunk);
  }
});

row("HTTP-043", "the status is 501", {
  wire: true,
  except: { deno: "`Deno.serve` answers 400 before the server hears of the request" },
}, (target) => refuses(target, [501], ["gzip", "identity", "xchunked"].map((coding) => smuggled(`Transfer-Encoding: ${coding}`))));
