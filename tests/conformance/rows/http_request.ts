/** What a request looks like to the app. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, scopes } from "../apps.ts";
import { row } from "../suite.ts";
import { Mailbox } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";
import { defineApp } from "../../../src/spec/app.ts";

row("HTTP-001", "Each plain request is one call of the app, with a new http scope", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request();
  await server.request();
  const [first, second] = [await seen.take(), await seen.take()];
  assertEquals([first.type, second.type, seen.waiting], ["http", "http", 0]);
  assert(first !== second);
});

row("HTTP-001", "a reused connection is no exception", { wire: true }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const connection = await server.connect();
  for (const path of ["/a", "/b"]) {
    await connection.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await WireExchange.reply(connection);
    assertEquals((await seen.take()).path, path);
  }
});

row("HTTP-002", "`pagi` has the version of the interface as a string", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request();
  const { pagi } = await seen.take();
  assertEquals([pagi.version, pagi.spec_version], ["0.3", "0.3"]);
});

row("HTTP-003", "`http_version` is that of the request line: 1.1", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request();
  assertEquals((await seen.take()).http_version, "1.1");
});

row("HTTP-003", "1.0", { needs: ["http-version"] }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ httpVersion: "1.0" });
  assertEquals((await seen.take()).http_version, "1.0");
});

row("HTTP-004", "`method` is the request method in upper case", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]) {
    await server.request({ method });
    assertEquals((await seen.take()).method, method);
  }
});

row("HTTP-005", "A method in lower case is put in upper case, one that nobody knows is passed on", {
  except: { node: "llhttp, the parser under `node:http`, takes the methods that it knows, in upper case, and can't be told of others" },
}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ method: "get" });
  await server.request({ method: "FOO-BAR" });
  assertEquals([(await seen.take()).method, (await seen.take()).method], ["GET", "FOO-BAR"]);
});

row("HTTP-005", "or answered 400, and the registered ones are served", {
  wire: true,
  instead: "node",
}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  for (const [method, status] of [["get", 400], ["FOO-BAR", 400], ["PATCH", 200], ["PROPFIND", 200], ["QUERY", 200]] as const) {
    assertEquals((await server.request({ method })).status, status, method);
    if (status === 200) assertEquals((await seen.take()).method, method);
  }
  assertEquals(seen.waiting, 0);
});

row("HTTP-006", "`scheme` comes from the connection, not from a header: http", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ headers: [["x-forwarded-proto", "https"], ["forwarded", "proto=https"]] });
  assertEquals((await seen.take()).scheme, "http");
});

row("HTTP-006", "https over TLS", { tool: "openssl" }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app, { tls: true });
  await server.request({ headers: [["x-forwarded-proto", "http"]] });
  assertEquals((await seen.take()).scheme, "https");
});

row("HTTP-014", "`root_path` is there, and empty unless it was set", {}, async (target) => {
  const { app, seen } = scopes();
  {
    await using server = await target.start(app);
    await server.request();
    assertEquals((await seen.take()).root_path, "");
  }
  await using server = await target.start(app, { rootPath: "/api" });
  await server.request({ target: "/x" });
  const { root_path, path } = await seen.take();
  assertEquals([root_path, path], ["/api", "/x"]);
});

row("HTTP-015", "`headers` are pairs of a lower-case name and a value as it was sent", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ headers: [["X-Mixed-CASE", "Value; Q=1"], ["ACCEPT", "*/*"], ["x-empty", ""]] });
  const { headers } = await seen.take();
  const found = new Map(headers);
  assertEquals([found.get("x-mixed-case"), found.get("accept"), found.get("x-empty")], ["Value; Q=1", "*/*", ""]);
  assertEquals(headers.filter(([name]) => name !== name.toLowerCase()), []);
  assert(headers.every((pair) => pair.length === 2));
});

row("HTTP-015", "bytes above 0x7F in a value are one code unit each", { wire: true }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ headers: [["x-a", "caf\xc3\xa9 \xff"]] });
  assertEquals(new Map((await seen.take()).headers).get("x-a"), "caf\xc3\xa9 \xff");
});

row("HTTP-016", "Several Cookie lines become one entry, joined with `; ` in order", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ headers: [["cookie", "a=1"], ["x", "y"], ["Cookie", "b=2; c=3"], ["cookie", "d=4"]] });
  assertEquals((await seen.take()).headers.filter(([name]) => name === "cookie"), [["cookie", "a=1; b=2; c=3; d=4"]]);
});

row("HTTP-017", "Repeated headers stay what they are, in wire order", { needs: ["raw-headers"] }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ headers: [["x-b", "1"], ["x-a", "2"], ["X-B", "3"]] });
  assertEquals((await seen.take()).headers.filter(([name]) => name.startsWith("x-")), [["x-b", "1"], ["x-a", "2"], ["x-b", "3"]]);
});

row("HTTP-017", "without `raw-headers` they are joined with `, `, and no value is lost", { lacks: "raw-headers" }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ headers: [["x-b", "1"], ["x-a", "2"], ["X-B", "3"]] });
  assertEquals(new Map((await seen.take()).headers).get("x-b"), "1, 3");
});

row("HTTP-018", "An underscore in a header name stays one", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ headers: [["X_Foo", "1"], ["X-Foo", "2"]] });
  const found = new Map((await seen.take()).headers);
  assertEquals([found.get("x_foo"), found.get("x-foo")], ["1", "2"]);
});

row("HTTP-019", "`client` is the address and the port of the peer, the port a number", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request();
  const [host, port] = (await seen.take()).client!;
  assertEquals([host, Number.isInteger(port), port > 0], ["127.0.0.1", true, true]);
});

row("HTTP-020", "`server` is the address that is bound", { wire: true }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request({ headers: [["host", "elsewhere:1"]] });
  assertEquals((await seen.take()).server, ["127.0.0.1", (server.address as { port: number }).port]);
});

row("HTTP-021", "`state` is a shallow copy of the lifespan state, a new one for each request", {}, async (target) => {
  const seen = new Mailbox<Record<string, unknown>>();
  const shared = { hits: 0 };
  const app = defineApp({
    async lifespan(scope, receive, send) {
      await receive();
      scope.state["shared"] = shared;
      await send({ type: "lifespan.startup.complete" });
      await receive();
      await send({ type: "lifespan.shutdown.complete" });
    },
    async http(scope, _receive, send) {
      const state = scope.state!;
      seen.put({ ...state });
      state["mine"] = true;
      (state["shared"] as typeof shared).hits++;
      await answer(send);
    },
  });
  await using server = await target.start(app, { lifespan: "auto" });
  await server.request();
  await server.request();
  assertEquals([Object.keys(await seen.take()), Object.keys(await seen.take()), shared.hits], [["shared"], ["shared"], 2]);
});

row("HTTP-021", "an empty object where the lifespan stored nothing", {}, async (target) => {
  const seen = new Mailbox<unknown>();
  const app = defineApp({
    async lifespan(_scope, receive, send) {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await receive();
      await send({ type: "lifespan.shutdown.complete" });
    },
    async http(scope, _receive, send) {
      seen.put(scope.state);
      await answer(send);
    },
  });
  await using server = await target.start(app, { lifespan: "auto" });
  await server.request();
  assertEquals(await seen.take(), {});
});

row("HTTP-022", "`extensions` is always an object", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request();
  assertEquals(Object.prototype.toString.call((await seen.take()).extensions), "[object Object]");
});

const KEYS = ["type", "pagi", "extensions", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "headers"];
const MORE_KEYS = ["client", "server", "state", "pagi.connection", "pagi.transport"];

row("HTTP-023", "The scope has the keys of the specification and no other", {}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request();
  const keys = Object.keys(await seen.take());
  assertEquals(keys.filter((key) => ![...KEYS, ...MORE_KEYS].includes(key)), []);
  assertEquals(KEYS.filter((key) => !keys.includes(key)), []);
});

row("HTTP-024", "One scope object is passed down: a clone with a key of its own leaves it as it is", {}, async (target) => {
  const seen = new Mailbox<boolean>();
  const inner = http(async (scope, _receive, send) => {
    await answer(send, String(scope["my.key"]));
  });
  await using server = await target.start(async (scope, receive, send) => {
    await inner({ ...scope, "my.key": 1 } as typeof scope, receive, send);
    seen.put("my.key" in scope);
  });
  assertEquals((await server.request()).text, "1");
  assertEquals(await seen.take(), false);
});
