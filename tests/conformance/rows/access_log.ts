/** Rows of the checklist: what the access log is told of each exchange, and how it writes it. */

import { assertEquals } from "@std/assert";
import { defineApp } from "../../../src/spec/app.ts";
import { answer, http, text } from "../apps.ts";
import { handshake } from "../frames.ts";
import { H2Peer } from "../h2_peer.ts";
import { httpProbe, outcomeOf, socketProbe, sseProbe } from "../probe.ts";
import { Cut } from "../reply.ts";
import { started, STREAM, stream } from "../streams.ts";
import { elsewhere, row } from "../suite.ts";
import type { Running } from "../target.ts";
import { Gate, settle } from "../waiting.ts";

const FORMATS = "tests/runner/access_log_test.ts";
const RUN = "tests/runner/cli_run_test.ts";

/** Kind, status and bytes of an exchange that is over. */
async function record(server: Running, count = 1): Promise<[kind: string, status: number, bytes: number]> {
  const { head, status, bytes } = await server.ended(count);
  return [head.kind, status, bytes];
}

row("LOG-001", "There is one record for each request, and for each stream and WebSocket when it ends", {}, async (target) => {
  const app = defineApp({
    http: (_scope, _receive, send) => answer(send),
    sse: async (_scope, receive, send) => {
      await send({ type: "sse.start" });
      await receive();
      await receive();
    },
    websocket: async (_scope, receive, send) => {
      await send({ type: "websocket.accept" });
      await receive();
      await receive();
    },
  });
  await using server = await target.start(app);
  await server.request();
  await server.ended(1);
  const exchange = await stream(server);
  await exchange.head();
  const socket = await server.websocket();
  await settle();
  assertEquals(server.finished.length, 1, "those that go on have none yet");
  socket.close(1000);
  await server.ended(2);
  exchange.leave();
  await server.ended(3);
  assertEquals(server.finished.map(({ head, status }) => [head.kind, status]), [["http", 200], ["websocket", 101], ["sse", 200]]);
  await server.stop();
  assertEquals(server.finished.length, 3);
});

elsewhere("LOG-001", "each is a line", RUN);
elsewhere("LOG-002", "`clf` is the default: the reference's line, the bytes, and why an exchange ended early", FORMATS);
elsewhere("LOG-003", "`combined`", FORMATS);
elsewhere("LOG-004", "`common`", FORMATS);
elsewhere("LOG-005", "`tiny`, in milliseconds, with the bytes", FORMATS);
elsewhere("LOG-006", "`combined` without size, referer and agent", FORMATS);
elsewhere("LOG-007", "%h, %l, %u, %t", FORMATS);
elsewhere("LOG-008", "%r, %m, %U, %q, %H, %s", FORMATS);
elsewhere("LOG-009", "%b, %B", FORMATS);
elsewhere("LOG-010", "%d, %D, %T", FORMATS);
elsewhere("LOG-011", "%{Name}i, %%, and other text", FORMATS);
elsewhere("LOG-012", "Unknown atoms and a lone % are refused at the start; `%>s` too", FORMATS);

row("LOG-013", "The size is that of the payload of one response, without framing", {}, async (target) => {
  const app = http(async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["x-long", "x".repeat(100)]] });
    if (scope.path === "/parts") { for (const body of ["ab", "cdé"]) await send({ type: "http.response.body", body, more: 1 }); }
    await send({ type: "http.response.body", body: "z" });
  });
  await using server = await target.start(app);
  for (const path of ["/whole", "/parts", "/whole"]) await server.request({ target: path });
  assertEquals([await record(server, 1), await record(server, 2), await record(server, 3)].map(([, , bytes]) => bytes), [1, 7, 1]);
});

row(
  "LOG-014",
  "HEAD has size 0; streams, WebSockets, declines, denials and the server's own answers have theirs (0 in the reference)",
  {},
  async (
    target,
  ) => {
    {
      await using server = await target.start(text("four"));
      await server.request({ method: "HEAD" });
      assertEquals(await record(server), ["http", 200, 0]);
    }
    {
      await using server = await target.start(started((send) => send({ type: "sse.send", data: "x" })).app);
      await server.request({ headers: STREAM });
      assertEquals(await record(server), ["sse", 200, 9]);
    }
    {
      const { app } = sseProbe(async (_scope, _receive, send) => {
        await send({ type: "sse.http.response.start", status: 404 });
        await send({ type: "sse.http.response.body", body: "none" });
      });
      await using server = await target.start(app);
      await server.request({ headers: STREAM });
      assertEquals(await record(server), ["sse", 404, 4]);
    }
    {
      const { app } = socketProbe(async (_scope, _receive, send) => {
        await send({ type: "websocket.accept" });
        await send({ type: "websocket.send", text: "hello" });
      });
      await using server = await target.start(app);
      await (await server.websocket()).closed;
      assertEquals(await record(server), ["websocket", 101, 5]);
    }
    {
      await using server = await target.start(http(() => Promise.resolve()));
      const { body } = await server.request();
      assertEquals(await record(server), ["http", 500, body.byteLength]);
    }
  },
);

row("LOG-015", "The status is what the client got: 101, that of a refusal, of a stream, of a decline, 500", {}, async (target) => {
  const app = defineApp({
    http: (scope) => scope.path === "/throw" ? Promise.reject(new Error("the app broke")) : Promise.resolve(),
    sse: (_scope, _receive, send) => send({ type: "sse.start", status: 202 }),
    websocket: async (scope, _receive, send) => {
      if (scope.path === "/close") return await send({ type: "websocket.close" });
      if (scope.path === "/open") return await send({ type: "websocket.accept" });
      await send({ type: "websocket.http.response.start", status: 401 });
      await send({ type: "websocket.http.response.body" });
    },
  });
  await using server = await target.start(app);
  await server.request({ target: "/throw" });
  await server.request({ target: "/return" });
  await server.request({ headers: STREAM });
  await outcomeOf(server.websocket({ target: "/close" }));
  await outcomeOf(server.websocket({ target: "/deny" }));
  await (await server.websocket({ target: "/open" })).closed;
  await server.ended(6);
  assertEquals(server.finished.map(({ status }) => status), [500, 500, 202, 403, 401, 101]);
});

row("LOG-016", "What the server refuses is recorded too: a body that is too large, a wrong handshake", { wire: true }, async (target) => {
  await using server = await target.start(text("ok"), { maxBodyBytes: 3 });
  assertEquals((await server.request({ method: "POST", body: "four" })).status, 413);
  assertEquals(await record(server, 1).then(([kind, status]) => [kind, status]), ["http", 413]);
  const connection = await server.connect();
  await connection.send(handshake([], { "sec-websocket-version": "8" }));
  assertEquals((await connection.head())!.status, 426);
  assertEquals(await record(server, 2).then(([kind, status]) => [kind, status]), ["websocket", 426]);
  const forged = await server.connect();
  await forged.send("GET / HTTP/1.1\r\nhost: a/b\r\n\r\n");
  assertEquals((await forged.head())!.status, 400);
  assertEquals((await server.ended(3)).status, 400);
});

row("LOG-016", "and what its parser refuses", {
  wire: true,
  except: { deno: "`Deno.serve` answers a malformed head with 400 by itself and tells nobody" },
}, async (target) => {
  await using server = await target.start(text("ok"));
  const requests = [["GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400], [`GET /${"a".repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414]] as const;
  for (const [index, [bytes, status]] of requests.entries()) {
    const connection = await server.connect();
    await connection.send(bytes);
    assertEquals((await connection.head())!.status, status);
    const { end, ...record } = await server.ended(index + 1);
    assertEquals([record.status, end.reason, record.head.client?.[0]], [status, "protocol_error", "127.0.0.1"]);
  }
});

row("LOG-017", "A request over HTTP/2 is recorded, with the path as it was sent", { wire: true }, async (target) => {
  await using server = await target.start(text("ok"));
  await using peer = await H2Peer.connect(server);
  await peer.request({ target: "/caf%C3%A9?q=%20" });
  const { head, status, bytes } = await server.ended();
  assertEquals([head.httpVersion, head.rawPath, head.query, status, bytes], ["2", "/caf%C3%A9", "q=%20", 200, 2]);
});

row("LOG-018", "A client that left before its answer is recorded without a status, as client_closed", {}, async (target) => {
  const ready = new Gate();
  const { app } = httpProbe(async (_scope, receive) => {
    await receive();
    ready.open();
    await receive();
  });
  await using server = await target.start(app);
  const exchange = await server.exchange();
  await ready.pass();
  exchange.leave();
  const { status, end } = await server.ended();
  assertEquals([status, end.reason], [0, "client_closed"]);
  assertEquals(await outcomeOf(exchange.head()).then((told) => told.startsWith(Cut.name)), true);
});

elsewhere("LOG-018", "It goes to standard error, a file or nowhere", RUN);
