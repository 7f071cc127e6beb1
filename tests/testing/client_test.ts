/** The http side of the test client, over the real sessions. */

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Host } from "../../src/exchange.ts";
import { EventError, StartupError } from "../../src/spec/errors.ts";
import { type App, defineApp } from "../../src/spec/app.ts";
import { testClient } from "../../src/testing/client.ts";
import { ManualClock } from "../../src/testing/clock.ts";
import { ClosedError, RefusedError, SeamError, WaitError } from "../../src/testing/errors.ts";
import { settle } from "../../src/testing/waiting.ts";
import { answering, mirror, type Mirrored } from "./apps.ts";

Deno.test("TestClient.get() shows the app the target as it stands on the wire", async () => {
  await using client = await testClient(mirror);
  const seen = (await client.get("/a%2Fb/%C3%A9?x=%20&y=1#fragment")).json() as Mirrored;
  assertEquals([seen.method, seen.raw_path, seen.path, seen.query_string], ["GET", "/a%2Fb/%C3%A9", "/a/b/é", "x=%20&y=1"]);
  assertEquals([seen.http_version, seen.scheme, seen.root_path], ["1.1", "http", ""]);
  assertEquals(seen.headers, [["host", "testserver"]]);
  assertEquals([seen.client, seen.server], [["127.0.0.1", 12345], ["127.0.0.1", 80]]);
});

Deno.test("TestClient.get() percent-encodes what is not ASCII, and appends a query", async () => {
  await using client = await testClient(mirror);
  const seen = (await client.get("/é?a=1", { query: { b: ["2", "3"], c: "ü &" } })).json() as Mirrored;
  assertEquals([seen.raw_path, seen.path, seen.query_string], ["/%C3%A9", "/é", "a=1&b=2&b=3&c=%C3%BC+%26"]);
});

Deno.test("TestClient.request() refuses a target that can't stand on the wire", async () => {
  await using client = await testClient(mirror);
  await assertRejects(() => client.get("/a b"), TypeError, "percent-encode it");
  await assertRejects(() => client.get("nothing"), TypeError, 'must start with "/"');
});

Deno.test("TestClient gives a malformed escape the 400 of the server", async () => {
  await using client = await testClient(mirror);
  assertEquals((await client.get("/%zz")).status, 400);
});

for (
  const [method, call] of [["POST", "post"], ["PUT", "put"], ["PATCH", "patch"], ["DELETE", "delete"], ["OPTIONS", "options"]] as const
) {
  Deno.test(`TestClient.${call}() sends ${method}`, async () => {
    await using client = await testClient(mirror);
    const seen = (await client[call]("/")).json() as Mirrored;
    assertEquals([seen.method, seen.body], [method, ""]);
  });
}

Deno.test("TestClient.head() gets the length and no body", async () => {
  await using client = await testClient(answering(200, "hello"));
  const response = await client.head("/");
  assertEquals([response.status, response.headers.get("content-length"), response.text()], [200, "5", ""]);
});

Deno.test("TestClient.post() encodes json, form, multipart and plain bodies", async () => {
  await using client = await testClient(mirror);
  const post = async (options: Parameters<typeof client.post>[1]): Promise<[string, string | undefined, string | undefined]> => {
    const seen = (await client.post("/", options)).json() as Mirrored;
    const find = (name: string) => seen.headers.find((pair) => pair[0] === name)?.[1];
    return [seen.body, find("content-type"), find("content-length")];
  };
  assertEquals(await post({ json: { a: 1 } }), ['{"a":1}', "application/json", "7"]);
  assertEquals(await post({ json: null }), ["null", "application/json", "4"]);
  assertEquals(await post({ json: 1, headers: { "Content-Type": "application/x+json" } }), ["1", "application/x+json", "1"]);
  assertEquals(await post({ form: { a: "1 2", b: ["x", "y"] } }), ["a=1+2&b=x&b=y", "application/x-www-form-urlencoded", "13"]);
  assertEquals(await post({ body: "é" }), ["é", undefined, "2"]);
  assertEquals(await post({ body: new Uint8Array([65]) }), ["A", undefined, "1"]);
  assertEquals(await post({}), ["", undefined, "0"]);
  const data = new FormData();
  data.append("a", "1");
  const [body, type] = await post({ form: data });
  assertMatch(type!, /^multipart\/form-data; ?boundary=/);
  assertStringIncludes(body, 'name="a"');
  await assertRejects(() => client.post("/", { json: 1, body: "a" }), TypeError, "body and json are given");
});

Deno.test("TestClient sends headers in order, the request's in place of the client's", async () => {
  await using client = await testClient(mirror, { headers: { "x-a": "1", "x-b": "1" } });
  const seen = (await client.get("/", { headers: [["X-B", "2"], ["x-b", "3"], ["host", "other"]] })).json() as Mirrored;
  assertEquals(seen.headers, [["x-a", "1"], ["x-b", "2"], ["x-b", "3"], ["host", "other"]]);
  await assertRejects(() => client.get("/", { headers: { "x-a": 1 } as never }), TypeError, "headers must be a record of strings");
  assertEquals((await client.get("/", { headers: new Headers({ "x-c": "4" }) })).status, 200);
});

Deno.test("TestClient shows the app what its options say of the connection", async () => {
  await using client = await testClient(mirror, {
    tls: true,
    rootPath: "/mount",
    httpVersion: "2",
    client: null,
    server: ["/run/app.sock", null],
  });
  const seen = (await client.get("/")).json() as Mirrored;
  assertEquals([seen.scheme, seen.root_path, seen.http_version, seen.server], ["https", "/mount", "2", ["/run/app.sock", null]]);
  assertEquals("client" in seen, false);
});

Deno.test("TestClient with tls gives the extension its facts", async () => {
  let tls: unknown;
  const app = defineApp({
    async http(scope, _receive, send) {
      tls = scope.extensions.tls;
      await send({ type: "http.response.start", status: 204 });
      await send({ type: "http.response.body" });
    },
  });
  await using client = await testClient(app, { tls: { client_cert_name: "CN=ada" } });
  assertEquals((await client.get("/")).status, 204);
  assertEquals((tls as { client_cert_name: string; tls_version: number }).client_cert_name, "CN=ada");
  assertEquals((tls as { client_cert_name: string; tls_version: number }).tls_version, 0x0304);
});

Deno.test("TestResponse.json() says what came instead", async () => {
  await using client = await testClient(answering(418, "<p>", [["content-type", "text/html"]]));
  const response = await client.get("/tea");
  const error = assertThrows(() => response.json(), SyntaxError);
  assertStringIncludes(error.message, "The response to GET /tea is no JSON (418, text/html)");
  assertStringIncludes(error.message, "<p>");
});

Deno.test("TestResponse keeps pairs in order and reads the charset", async () => {
  const app = defineApp({
    async http(_scope, _receive, send) {
      await send({
        type: "http.response.start",
        status: 200,
        headers: [["content-type", "text/plain; charset=iso-8859-1"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]],
      });
      await send({ type: "http.response.body", body: new Uint8Array([0xe9]) });
    },
  });
  await using client = await testClient(app);
  const response = await client.get("/");
  assertEquals(response.text(), "é");
  assertEquals(response.headers.getSetCookie(), ["a=1", "b=2"]);
  assertEquals(response.pairs.slice(0, 3).map(([name]) => name), ["content-type", "set-cookie", "set-cookie"]);
  assert(response.ok);
});

Deno.test("TestClient.fetch() speaks the platform's types", async () => {
  await using client = await testClient(mirror);
  const response = await client.fetch("/a?b=1", { method: "POST", body: "hi", headers: { "x-a": "1" } });
  assertEquals(response.status, 200);
  const seen = await response.json() as Mirrored;
  assertEquals([seen.method, seen.path, seen.query_string, seen.body], ["POST", "/a", "b=1", "hi"]);
  assertEquals(await (await client.fetch(new Request("http://other/x"))).json().then((seen: Mirrored) => seen.headers[0]), [
    "host",
    "other",
  ]);
  await using failing = await testClient(() => Promise.reject(new Error("no")), { lifespan: "off" });
  assertEquals((await failing.fetch("/")).status, 500);
});

// ── errors ──

const broken: App = defineApp({
  async http(scope, _receive, send) {
    if (scope.path === "/late") {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "half", more: true });
    }
    throw new RangeError("the app broke");
  },
});

Deno.test("TestClient gives the 500 of the server where the app throws, and keeps error and log line", async () => {
  await using client = await testClient(broken);
  const response = await client.get("/");
  assertEquals([response.status, response.headers.get("connection"), response.cut], [500, "close", null]);
  assertEquals(client.errors.length, 1);
  assert(client.errors[0] instanceof RangeError);
  const note = client.notes.find(({ level }) => level === "error")!;
  assertEquals([note.text, note.head?.path], ["The app failed", "/"]);
  assertStringIncludes(String(note.fields.error), "the app broke");
});

Deno.test("TestClient shows what the app threw in the errors that come of a 500", async () => {
  const app = () => Promise.reject(new RangeError("boom"));
  await using client = await testClient(app, { lifespan: "off" });
  for (const call of [() => client.sse("/"), () => client.websocket("/")]) {
    const error = await assertRejects(call, RefusedError);
    assertMatch(error.message, / was answered with status 500; the app threw RangeError: boom$/);
    assertStrictEquals(error.cause, client.errors.at(-1));
    assertStrictEquals(error.response.appError, error.cause);
  }
  const response = await client.get("/");
  assertStrictEquals(response.appError, client.errors.at(-1));
  const error = assertThrows(() => response.json(), SyntaxError);
  assertMatch(error.message, /\(500, text\/plain.*; the app threw RangeError: boom$/s);
  assertStrictEquals(error.cause, response.appError);
});

Deno.test("TestClient shows what the app threw in the errors that come of a cut", async () => {
  const app = defineApp({
    async http(_scope, _receive, send) {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "half", more: true });
      throw { code: 7 };
    },
    async sse(_scope, _receive, send) {
      await send({ type: "sse.start" });
      throw new RangeError("boom");
    },
    async websocket(_scope, _receive, send) {
      await send({ type: "websocket.accept" });
      throw new RangeError("boom");
    },
  });
  await using client = await testClient(app);
  const exchange = await client.open("GET", "/");
  assertEquals(await exchange.readText(), "half");
  const cut = await assertRejects(() => exchange.read(), ClosedError);
  assertEquals([cut.message, cut.cause], ["The response to GET / was cut: server_error; the app threw { code: 7 }", { code: 7 }]);
  const stream = await client.sse("/");
  assertMatch((await assertRejects(() => stream.receive(), ClosedError)).message, /; the app threw RangeError: boom$/);
  const socket = await client.websocket("/");
  const closed = await assertRejects(() => socket.receive(), ClosedError);
  assertMatch(closed.message, /was closed with 1011.*; the app threw RangeError: boom$/);
  assertStrictEquals(closed.cause, client.errors.at(-1));
});

Deno.test("TestClient keeps the error of one exchange out of another one", async () => {
  const app = defineApp({
    async http(_scope, receive) {
      await receive();
      throw new RangeError("boom");
    },
    async websocket(_scope, _receive, send) {
      await send({ type: "websocket.close" });
    },
  });
  await using client = await testClient(app);
  assertEquals((await client.get("/")).status, 500);
  const error = await assertRejects(() => client.websocket("/"), RefusedError);
  assertEquals([error.message, error.cause], ["WebSocket / was answered with status 403", undefined]);
});

Deno.test("TestClient shows a response that the app's error cuts", async () => {
  await using client = await testClient(broken);
  const response = await client.get("/late");
  assertEquals([response.status, response.text(), response.cut], [200, "half", "server_error"]);
  assertEquals(client.finished.at(-1)!.end.reason, "server_error");
});

Deno.test("TestClient with raiseAppErrors throws what the app threw", async () => {
  await using client = await testClient(broken, { raiseAppErrors: true });
  await assertRejects(() => client.get("/"), RangeError, "the app broke");
  await assertRejects(() => client.get("/late"), RangeError, "the app broke");
});

Deno.test("TestClient with raiseAppErrors throws at its end what no call could throw", async () => {
  const app = defineApp({
    async http(_scope, _receive, send) {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body" });
      await new Promise((resolve) => setTimeout(resolve, 0));
      throw new RangeError("too late");
    },
  });
  const client = await testClient(app, { raiseAppErrors: true });
  assertEquals((await client.get("/")).status, 200);
  await assertRejects(() => client[Symbol.asyncDispose](), RangeError, "too late");
});

Deno.test("TestClient validates events by default", async () => {
  const app = defineApp({
    async http(_scope, _receive, send) {
      await send({ type: "http.response.start", status: 200, headers: [["x-a", 1 as never]] });
    },
  });
  await using client = await testClient(app, { raiseAppErrors: true });
  await assertRejects(() => client.get("/"), EventError);
});

Deno.test("TestClient names what it waited for in vain", async () => {
  const app = async () => await new Promise<void>(() => {});
  await using client = await testClient(app, { lifespan: "off", timeoutMs: 20 });
  await assertRejects(() => client.get("/never"), WaitError, "Waited 20 ms for the response to GET /never");
});

Deno.test("TestClient takes what has toApp()", async () => {
  await using client = await testClient({ toApp: () => answering(200, "made") });
  assertEquals((await client.get("/")).text(), "made");
});

Deno.test("TestClient takes a fetch handler, and refuses what is no app", async () => {
  await using client = await testClient({ fetch: (request) => new Response(`${request.method} ${new URL(request.url).pathname}`) });
  assertEquals((await client.post("/a")).text(), "POST /a");
  await assertRejects(() => testClient(5 as never), StartupError, "an app is a function");
});

// ── lifespan, state, clock, drain ──

function living(log: string[]): App {
  return defineApp({
    async lifespan(scope, receive, send) {
      for (;;) {
        const { type } = await receive();
        log.push(type);
        if (type === "lifespan.startup") {
          scope.state.counter = { count: 0 };
          await send({ type: "lifespan.startup.complete" });
        } else return await send({ type: "lifespan.shutdown.complete" });
      }
    },
    async http(scope, _receive, send) {
      const counter = scope.state!.counter as { count: number };
      counter.count++;
      scope.state!.lost = true;
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: `${counter.count} ${Object.keys(scope.state!)}` });
    },
  });
}

Deno.test("testClient() runs the lifespan around the test, and scopes get copies of the state", async () => {
  const log: string[] = [];
  {
    await using client = await testClient(living(log));
    assertEquals(log, ["lifespan.startup"]);
    assertEquals((await client.get("/")).text(), "1 counter,lost");
    assertEquals((await client.get("/")).text(), "2 counter,lost");
    assertEquals(client.state, { counter: { count: 2 } });
  }
  assertEquals(log, ["lifespan.startup", "lifespan.shutdown"]);
});

Deno.test("testClient() with lifespan off never calls the app with it", async () => {
  const log: string[] = [];
  await using client = await testClient(living(log), { lifespan: "off" });
  assertEquals([log, client.state], [[], null]);
});

Deno.test("testClient() rejects like the server where the startup fails", async () => {
  const app = defineApp({
    async lifespan(_scope, receive, send) {
      await receive();
      await send({ type: "lifespan.startup.failed", message: "no database" });
    },
  });
  await assertRejects(() => testClient(app), Error, "no database");
  await assertRejects(() => testClient(answering(200, ""), { lifespan: "on" }), Error);
});

Deno.test("testClient() with a manual clock does not hang on a startup that never answers", async () => {
  const app = defineApp({ lifespan: async () => await new Promise<void>(() => {}) });
  await assertRejects(() => testClient(app, { clock: new ManualClock(), timeoutMs: 20 }), WaitError, "the lifespan startup");
});

Deno.test("TestClient.drain() aborts the drain signal and refuses new requests", async () => {
  const app = defineApp({
    async http(scope, _receive, send) {
      const { signal } = scope.extensions.drain!;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: String((signal.reason as Error).message) });
    },
  });
  await using client = await testClient(app);
  const exchange = await client.open("GET", "/");
  client.drain("deploy", 5);
  const response = await exchange.finish();
  assertStringIncludes(response.text(), "deploy");
  assertEquals(response.headers.get("connection"), "close");
  await assertRejects(() => client.get("/"), TypeError, "draining");
});

Deno.test("TestClient.shutdown() ends what is left with server_shutdown at the deadline of the clock", async () => {
  let reason: string | undefined;
  const app = defineApp({
    async http(scope) {
      reason = await scope["pagi.connection"].disconnectFuture();
    },
  });
  const clock = new ManualClock();
  await using client = await testClient(app, { clock });
  const exchange = await client.open("GET", "/");
  const stopping = client.shutdown(1000);
  await clock.advance(999);
  assertEquals(client.openExchanges, 1);
  await clock.advance(1);
  await stopping;
  assertEquals(await exchange.closed, "server_shutdown");
  assertEquals(reason, "server_shutdown");
});

Deno.test("TestClient at its end disconnects what is open, and the app sees it", async () => {
  let reason: string | undefined;
  const app = defineApp({
    async http(scope) {
      reason = await scope["pagi.connection"].disconnectFuture();
    },
  });
  {
    await using client = await testClient(app);
    await client.open("GET", "/");
  }
  assertEquals(reason, "client_closed");
});

Deno.test("TestClient runs the server's timeouts on the injected clock", async () => {
  const app = defineApp({
    async http(_scope, receive) {
      while ((await receive()).type !== "http.disconnect");
    },
  });
  const clock = new ManualClock();
  await using client = await testClient(app, { clock, limits: { requestTimeoutMs: 30_000 } });
  const exchange = await client.open("GET", "/");
  await clock.advance(29_999);
  assertEquals(client.openExchanges, 1);
  await clock.advance(1);
  assertEquals((await exchange.finish()).status, 504);
});

// ── cookies ──

const cookies: App = defineApp({
  async http(scope, _receive, send) {
    const sent = scope.headers.find(([name]) => name === "cookie")?.[1] ?? "none";
    const set: Record<string, string> = {
      "/login": "session=abc; Path=/; HttpOnly",
      "/logout": "session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      "/admin/enter": "role=admin",
      "/secure": "s=1; Path=/; Secure",
    };
    const cookie = set[scope.path];
    await send({ type: "http.response.start", status: 200, headers: cookie === undefined ? [] : [["set-cookie", cookie]] });
    await send({ type: "http.response.body", body: sent });
  },
});

Deno.test("TestClient with cookies keeps, sends, scopes by path and deletes them", async () => {
  await using client = await testClient(cookies, { cookies: true });
  await client.get("/login");
  await client.get("/admin/enter");
  await client.get("/secure");
  assertEquals((await client.get("/")).text(), "session=abc");
  assertEquals((await client.get("/admin/x")).text(), "role=admin; session=abc");
  assertEquals((await client.get("/administrator")).text(), "session=abc");
  assertEquals(client.cookies.get("role"), "admin");
  await client.get("/logout");
  assertEquals((await client.get("/")).text(), "none");
  client.cookies.set("own", "1");
  assertEquals((await client.get("/")).text(), "own=1");
});

Deno.test("TestClient keeps no cookies by default", async () => {
  await using client = await testClient(cookies);
  await client.get("/login");
  assertEquals((await client.get("/")).text(), "none");
});

// ── what a lesser engine can't do ──

Deno.test("TestClient without a capability tries the app as on a lesser engine", async () => {
  const seen: string[][] = [];
  const app = defineApp({
    async http(scope, _receive, send) {
      seen.push(Object.keys(scope.extensions).sort());
      await send({ type: "http.response.start", status: 204 });
      await send({ type: "http.response.body" });
    },
  });
  {
    await using client = await testClient(app);
    await client.get("/");
    await client.get("/", { httpVersion: "1.0" });
  }
  {
    await using client = await testClient(app, { without: ["trailers", "early-hints", "flush"] });
    await client.get("/");
  }
  assertEquals(seen, [
    ["drain", "fullflush", "http.response.early_hint", "http.response.trailers"],
    ["drain", "fullflush"],
    ["drain"],
  ]);
});

Deno.test("TestClient.finished tells what the access log would", async () => {
  await using client = await testClient(answering(200, "hello"));
  await client.get("/a");
  await client.post("/b", { body: "x".repeat(20) });
  assertEquals(client.finished.map(({ head, status, bytes, end }) => [head.method, head.path, status, bytes, end.reason]), [
    ["GET", "/a", 200, 5, null],
    ["POST", "/b", 200, 5, null],
  ]);
});

Deno.test("TestClient with another host serves the app from there", async () => {
  const { InlineHost } = await import("../../src/sessions/inline_host.ts");
  let made: unknown = null;
  await using client = await testClient(answering(200, "elsewhere"), { host: (app, ports) => made = new InlineHost(app, ports) });
  assert(made instanceof InlineHost);
  assertEquals((await client.get("/")).text(), "elsewhere");
});

Deno.test("TestClient throws ClosedError where the exchange ends without a response", async () => {
  const app = defineApp({ http: async (scope) => void await scope["pagi.connection"].disconnectFuture() });
  await using client = await testClient(app);
  const exchange = await client.open("GET", "/");
  exchange.disconnect("write_error");
  const error = await assertRejects(() => exchange.finish(), ClosedError, "The response to GET / was cut: write_error");
  assertStrictEquals(error.reason, "write_error");
});

// ── a server that breaks the seam ──

function faultyHost(): Host {
  const inbound = { body() {}, drained() {}, flushed() {}, closed() {}, message() {}, pong() {} };
  return {
    lost: new Promise(() => {}),
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    drain() {},
    open(head, out) {
      if (head.path === "/late") out.respond(200, [], "fine", 0);
      queueMicrotask(() => {
        try {
          out.chunk(new Uint8Array(1));
        } catch {
          // The session swallows it; the test must fail all the same.
        }
      });
      return inbound;
    },
    openSocket: () => inbound,
  };
}

Deno.test("TestClient throws a SeamError from the call that waits", async () => {
  await using client = await testClient(answering(200, ""), { host: faultyHost });
  await assertRejects(() => client.get("/"), SeamError, "Outbound.chunk() broke the seam: no head has left (GET /)");
});

Deno.test("TestClient throws a SeamError at its end where no call could", async () => {
  const client = await testClient(answering(200, ""), { host: faultyHost });
  await client.open("GET", "/late");
  await settle();
  await assertRejects(() => client[Symbol.asyncDispose](), SeamError, "made its last call");
});
