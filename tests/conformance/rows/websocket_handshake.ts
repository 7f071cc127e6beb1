/** Rows of the checklist: which request is a WebSocket, and its scope. */

import { assert, assertEquals } from "@std/assert";
import { defineApp } from "../../../src/spec/app.ts";
import type { WebSocketScope } from "../../../src/spec/scope.ts";
import { answer } from "../apps.ts";
import { FramePeer, handshake, KEY } from "../frames.ts";
import { socketProbe } from "../probe.ts";
import { elsewhere, row } from "../suite.ts";
import { Mailbox } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";

/** Accepts with the first subprotocol, and gives the scope to the test. */
function scopeProbe() {
  return socketProbe<WebSocketScope>(async (scope, _receive, send) => {
    await send({ type: "websocket.accept", subprotocol: scope.subprotocols[0] ?? null });
    return scope;
  });
}

/** Answers http and sse scopes with their type, accepts WebSockets, and tells the types. */
function types() {
  const seen = new Mailbox<string>();
  const app = defineApp({
    http: async (_scope, _receive, send) => {
      seen.put("http");
      await answer(send);
    },
    sse: async (_scope, _receive, send) => {
      seen.put("sse");
      await send({ type: "sse.start" });
    },
    websocket: async (_scope, _receive, send) => {
      seen.put("websocket");
      await send({ type: "websocket.accept" });
    },
  });
  return { app, seen };
}

row("WS-001", "A WebSocket handshake gets a websocket scope", {}, async (target) => {
  const { app, seen } = types();
  await using server = await target.start(app);
  await server.websocket();
  assertEquals([await seen.take(), seen.waiting], ["websocket", 0]);
});

row("WS-002", "Without Upgrade: websocket, Connection: upgrade or a key the scope is http", {}, async (target) => {
  const { app, seen } = types();
  await using server = await target.start(app);
  const all = [["upgrade", "websocket"], ["connection", "upgrade"], ["sec-websocket-key", KEY]] as const;
  for (const [name] of all) {
    assertEquals((await server.request({ headers: all.filter(([other]) => other !== name) })).status, 200);
    assertEquals(await seen.take(), "http", `without ${name}`);
  }
  await server.request({ headers: [["upgrade", "websockets"], ...all.slice(1)] });
  assertEquals(await seen.take(), "http");
});

row("WS-002", "Upgrade counts in any case, Connection may be a list", { wire: true }, async (target) => {
  const { app, seen } = types();
  await using server = await target.start(app);
  for (const change of [{ upgrade: "WebSocket" }, { connection: "keep-alive, Upgrade" }]) {
    const connection = await server.connect();
    await connection.send(handshake([], change));
    assertEquals((await connection.head())!.status, 101);
    assertEquals(await seen.take(), "websocket");
  }
});

row("WS-003", "A wrong version is answered 426, a wrong method or key 400, and the app is not called", { wire: true }, async (target) => {
  const { app, seen } = types();
  await using server = await target.start(app);
  const ask = async (bytes: Uint8Array) => {
    const connection = await server.connect();
    await connection.send(bytes);
    return await WireExchange.reply(connection);
  };
  for (const version of ["8", "12", "013"]) {
    const reply = await ask(handshake([], { "sec-websocket-version": version }));
    assertEquals([reply.status, reply.get("sec-websocket-version")], [426, "13"], version);
  }
  for (const key of ["short", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ==x"]) {
    assertEquals((await ask(handshake([], { "sec-websocket-key": key }))).status, 400, key);
  }
  assertEquals((await ask(handshake([], {}, "POST /ws HTTP/1.1"))).status, 400);
  assertEquals(seen.waiting, 0);
});

row("WS-003", "A handshake over HTTP/1.0 is answered 400", { wire: true, needs: ["http-version"] }, async (target) => {
  const { app, seen } = types();
  await using server = await target.start(app);
  const connection = await server.connect();
  await connection.send(handshake([], {}, "GET /ws HTTP/1.0"));
  assertEquals((await connection.head())!.status, 400);
  assertEquals(seen.waiting, 0);
});

elsewhere("WS-003", "The check itself takes every good key and refuses every other", "tests/wire/handshake_test.ts");

row("WS-004", "A WebSocket wins over an event stream", {}, async (target) => {
  const { app, seen } = types();
  await using server = await target.start(app);
  await server.websocket({ headers: [["accept", "text/event-stream"]] });
  assertEquals(await seen.take(), "websocket");
});

row("WS-005", "The scope follows the rules of http, with the scheme ws", {}, async (target) => {
  const { app, outcome } = scopeProbe();
  await using server = await target.start(app, { rootPath: "/app" });
  await server.websocket({ target: "/caf%C3%A9%2Fx?q=%20&q", headers: [["X-Twice", "One"]] });
  const scope = await outcome();
  assertEquals([scope.scheme, scope.http_version, scope.path, scope.raw_path, scope.query_string, scope.root_path], [
    "ws",
    "1.1",
    "/café/x",
    "/caf%C3%A9%2Fx",
    "q=%20&q",
    "/app",
  ]);
  assertEquals(scope.headers.filter(([name]) => name === "x-twice"), [["x-twice", "One"]]);
  assert(scope.headers.every(([name]) => name === name.toLowerCase()));
  assertEquals([typeof scope.client![0], Number.isInteger(scope.client![1]), Number.isInteger(scope.server[1])], ["string", true, true]);
  assertEquals([scope.pagi.version, typeof scope.extensions, "state" in scope], ["0.3", "object", false]);
});

row("WS-005", "The scheme is wss over TLS", { tool: "openssl" }, async (target) => {
  const { app, outcome } = scopeProbe();
  await using server = await target.start(app, { tls: true });
  await server.websocket({ headers: [["x-forwarded-proto", "http"]] });
  assertEquals((await outcome()).scheme, "wss");
});

row("WS-006", "The scope has no method", {}, async (target) => {
  const { app, outcome } = scopeProbe();
  await using server = await target.start(app);
  await server.websocket();
  assertEquals("method" in await outcome(), false);
});

row("WS-007", "The headers of the handshake are in the scope", {}, async (target) => {
  const { app, outcome } = scopeProbe();
  await using server = await target.start(app);
  await server.websocket({ subprotocols: ["chat"] });
  const { headers } = await outcome();
  const get = (name: string) => headers.filter(([other]) => other === name).map(([, value]) => value);
  assertEquals([get("upgrade"), get("connection"), get("sec-websocket-version"), get("sec-websocket-protocol")], [
    ["websocket"],
    ["Upgrade"],
    ["13"],
    ["chat"],
  ]);
  assertEquals([get("sec-websocket-key").length, get("host").length], [1, 1]);
});

row("WS-008", "The offered subprotocols are a list, empty where there are none", {}, async (target) => {
  const { app, outcome } = scopeProbe();
  await using server = await target.start(app);
  await server.websocket();
  assertEquals((await outcome()).subprotocols, []);
  await server.websocket({ subprotocols: ["a", "b.c"] });
  assertEquals((await outcome()).subprotocols, ["a", "b.c"]);
});

row("WS-008", "Subprotocols of several headers are one list, blanks and empty ones left out", { wire: true }, async (target) => {
  const { app, outcome } = scopeProbe();
  await using server = await target.start(app);
  await FramePeer.open(server, [["sec-websocket-protocol", "a , b"], ["Sec-WebSocket-Protocol", "c,,"]]);
  assertEquals((await outcome()).subprotocols, ["a", "b", "c"]);
});

row("WS-009", "The scope has no pagi.connection", {}, async (target) => {
  const { app, outcome } = scopeProbe();
  await using server = await target.start(app);
  await server.websocket();
  assertEquals("pagi.connection" in await outcome(), false);
});

row("WS-010", "The denial response is advertised as an extension", {}, async (target) => {
  const { app, outcome } = scopeProbe();
  await using server = await target.start(app);
  await server.websocket();
  assertEquals((await outcome()).extensions["websocket.http.response"], {});
});
