/** Contract section 6 as a client and an app see it, over the memory engine. */

import { assertEquals, assertRejects } from "@std/assert";
import { ManualClock, RefusedError, testClient } from "../../src/testing/mod.ts";
import { settle } from "../../src/testing/waiting.ts";
import { outcome, sse, wrong } from "./scenarios.ts";

for (
  const [accept, type] of [
    ["text/event-stream", "sse"],
    ["text/html, TEXT/Event-Stream;q=0.5", "sse"],
    ["text/event-stream;q=0", "http"],
    ["text/*", "http"],
    ["text/event-streamx", "http"],
  ] as const
) {
  Deno.test(`sse: Accept ${accept} is a scope of type ${type}`, async () => {
    let seen = "";
    await using client = await testClient((scope) => (seen = scope.type, Promise.resolve()), { lifespan: "off" });
    await client.get("/", { headers: { accept } });
    assertEquals(seen, type);
  });
}

Deno.test("sse: the scope is that of http without pagi.connection", async () => {
  let keys: string[] = [];
  const app = sse(async (scope, _receive, send) => {
    keys = Object.keys(scope);
    await send({ type: "sse.start" });
  });
  await using client = await testClient(app);
  await client.sse("/", { method: "PUT" });
  assertEquals([keys.includes("method"), keys.includes("pagi.connection"), keys.includes("pagi.transport")], [true, false, true]);
});

for (const validateEvents of [true, false]) {
  Deno.test(`sse: wrong events and orders reject (validateEvents: ${validateEvents})`, async () => {
    const seen: string[] = [];
    const app = sse(async (_scope, _receive, send) => {
      const attempt = async (event: unknown): Promise<void> => void seen.push(await outcome(send(wrong(event))));
      await attempt({ type: "sse.send", data: "early" });
      await attempt({ type: "sse.comment", comment: "early" });
      await attempt({ type: "sse.http.response.body" });
      await attempt({ type: "http.response.start", status: 200 });
      await attempt({ type: "sse.start", headers: [["a", "\n"]] });
      await attempt({ type: "sse.start", status: 600 });
      await attempt({ type: "sse.start" });
      await attempt({ type: "sse.start" });
      await attempt({ type: "sse.http.response.start", status: 200 });
      await attempt({ type: "sse.send" });
      await attempt({ type: "sse.send", data: 1 });
      await attempt({ type: "sse.send", data: "a", event: "b\nc" });
      await attempt({ type: "sse.send", data: "a", id: "b\rc" });
      await attempt({ type: "sse.send", data: "a", id: "b\0c" });
      await attempt({ type: "sse.send", data: "a", retry: -1 });
      await attempt({ type: "sse.send", data: "a", retry: 1.5 });
      await attempt({ type: "sse.comment" });
      await attempt({ type: "sse.keepalive" });
      await attempt({ type: "sse.keepalive", interval: NaN });
      await attempt({ type: "sse.send", data: "still usable", retry: 0 });
      await attempt({ type: "sse.close", reason: 1 });
      await attempt({ type: "sse.close", reason: "done" });
      await attempt({ type: "sse.close" });
      await attempt({ type: "sse.send", data: "late" });
      await attempt({ type: "sse.comment", comment: "late" });
      await attempt({ type: "sse.keepalive", interval: 1 });
    });
    await using client = await testClient(app, { validateEvents });
    const stream = await client.sse("/");
    assertEquals(await stream.receive(), { data: "still usable", retry: 0 });
    assertEquals(await stream.receive(), null);
    await settle();
    assertEquals(seen, [
      "StateError sse.send",
      "StateError sse.comment",
      "StateError sse.http.response.body",
      "EventError http.response.start type",
      "EventError sse.start headers",
      "EventError sse.start status",
      "ok",
      "StateError sse.start",
      "StateError sse.http.response.start",
      "EventError sse.send data",
      "EventError sse.send data",
      "EventError sse.send event",
      "EventError sse.send id",
      "EventError sse.send id",
      "EventError sse.send retry",
      "EventError sse.send retry",
      "EventError sse.comment comment",
      "EventError sse.keepalive interval",
      "EventError sse.keepalive interval",
      "ok",
      "EventError sse.close reason",
      "ok",
      "ok",
      "StateError sse.send",
      "StateError sse.comment",
      "StateError sse.keepalive",
    ]);
  });
}

for (
  const [version, headers] of [
    ["1.1", { "content-type": "text/event-stream", "cache-control": "no-cache", connection: "keep-alive", "transfer-encoding": "chunked" }],
    ["2", { "content-type": "text/event-stream", "cache-control": "no-cache", connection: null, "transfer-encoding": null }],
    ["1.0", { "content-type": "text/event-stream", "cache-control": "no-cache", connection: "close", "transfer-encoding": null }],
  ] as const
) {
  Deno.test(`sse: the head over HTTP/${version}`, async () => {
    const app = sse(async (_scope, _receive, send) => {
      await send({ type: "sse.start" });
      await send({ type: "sse.send", data: "x" });
    });
    await using client = await testClient(app, { httpVersion: version });
    const stream = await client.sse("/");
    for (const [name, value] of Object.entries(headers)) assertEquals(stream.headers.get(name), value, name);
    assertEquals(typeof stream.headers.get("date"), "string");
    assertEquals(await stream.receive(), { data: "x" });
  });
}

Deno.test("sse: headers of the app are not doubled", async () => {
  const app = sse(async (_scope, _receive, send) => {
    await send({
      type: "sse.start",
      status: 201,
      headers: [["Content-Type", "text/event-stream; charset=utf-8"], ["cache-control", "no-store"]],
    });
  });
  await using client = await testClient(app);
  const stream = await client.sse("/");
  assertEquals([stream.status, stream.headers.get("content-type"), stream.headers.get("cache-control")], [
    201,
    "text/event-stream; charset=utf-8",
    "no-store",
  ]);
});

Deno.test("sse: the text on the wire", async () => {
  const app = sse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", event: "msg", data: "a\r\nb\rc", id: "10", retry: 1000 });
    await send({ type: "sse.send", data: "" });
    await send({ type: "sse.send", data: "é", event: null, id: null, retry: null });
    await send({ type: "sse.comment", comment: "ping" });
    await send({ type: "sse.comment", comment: ":ping" });
    await send({ type: "sse.comment", comment: "a\ndata: smuggled\r\rb" });
    await send({ type: "sse.comment", comment: "" });
  });
  await using client = await testClient(app);
  const stream = await client.sse("/");
  const events = [];
  for await (const event of stream) events.push(event);
  assertEquals(stream.text.slice(0, 55), "event: msg\ndata: a\ndata: b\ndata: c\nid: 10\nretry: 1000\n\n");
  assertEquals(events, [{ event: "msg", data: "a\nb\nc", id: "10", retry: 1000 }, { data: "" }, { data: "é" }], "nothing is smuggled");
  assertEquals(stream.text.includes(":ping\n\n:ping\n\n"), true);
  assertEquals(stream.text.endsWith(":\n\n"), true);
  assertEquals(stream.text.includes("\r"), false);
});

Deno.test("sse: every event leaves at once", async () => {
  const go = Promise.withResolvers<void>();
  const app = sse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "first" });
    await go.promise;
  });
  await using client = await testClient(app);
  const stream = await client.sse("/");
  assertEquals(await stream.receive(), { data: "first" });
  go.resolve();
});

Deno.test("sse: keepalive before the start begins with it; the last one wins, 0 stops, a close stops", async () => {
  const app = sse(async (_scope, receive, send) => {
    await send({ type: "sse.keepalive", interval: 1, comment: "lost" });
    await send({ type: "sse.keepalive", interval: 10, comment: "on" });
    await send({ type: "sse.start" });
    while ((await receive()).type !== "sse.disconnect");
  });
  const clock = new ManualClock();
  await using client = await testClient(app, { clock });
  const stream = await client.sse("/");
  await clock.advance(25_000);
  assertEquals(stream.comments, ["on", "on"]);
  stream.close();
  await clock.advance(100_000);
  assertEquals([stream.comments.length, clock.pending], [2, 0]);
});

Deno.test("sse: a decline is an ordinary response; stream events after it reject; nothing is told after it", async () => {
  const seen: string[] = [];
  let told = false;
  const app = sse(async (_scope, receive, send) => {
    await receive();
    void receive().then(() => told = true);
    await send({ type: "sse.http.response.start", status: 403, headers: [["x-a", "1"]] });
    for (
      const event of [{ type: "sse.start" }, { type: "sse.send", data: "x" }, { type: "sse.comment", comment: "x" }, { type: "sse.close" }]
    ) {
      seen.push(await outcome(send(wrong(event))));
    }
    await send({ type: "sse.http.response.body", body: "no ", more: true });
    await send({ type: "sse.http.response.body", body: "stream" });
    seen.push(await outcome(send({ type: "sse.send", data: "x" })));
  });
  await using client = await testClient(app);
  const { response } = await assertRejects(() => client.sse("/"), RefusedError);
  assertEquals([response.status, response.text(), response.headers.get("x-a")], [403, "no stream", "1"]);
  await settle();
  assertEquals(seen, [
    "StateError sse.start",
    "StateError sse.send",
    "StateError sse.comment",
    "StateError sse.close",
    "StateError sse.send",
  ]);
  assertEquals(told, false);
});

for (
  const [what, path] of [
    ["returns without a start", "/return"],
    ["throws", "/throw"],
    ["closes before a start", "/close"],
    ["declines by half and returns", "/half"],
  ] as const
) {
  Deno.test(`sse: an app that ${what} gives a 500, logged`, async () => {
    const app = sse(async (scope, _receive, send) => {
      if (scope.path === "/throw") throw new Error("no");
      if (scope.path === "/close") await send({ type: "sse.close" });
      if (scope.path === "/half") await send({ type: "sse.http.response.start", status: 204 });
    });
    await using client = await testClient(app);
    assertEquals((await assertRejects(() => client.sse(path), RefusedError)).response.status, 500);
    assertEquals(client.notes.filter(({ level }) => level === "error").length, 1);
  });
}

Deno.test("sse: the reason of a close stays on the server", async () => {
  const seen: unknown[] = [];
  const app = sse(async (_scope, receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.close", reason: "all said" });
    seen.push(await receive());
  });
  await using client = await testClient(app);
  const stream = await client.sse("/");
  assertEquals([await stream.receive(), stream.text, await stream.closed], [null, "", null]);
  await settle();
  assertEquals(seen, [{ type: "sse.disconnect", reason: "all said" }]);
  assertEquals(client.finished.at(-1)!.end, { reason: null, text: "all said" });
});

for (
  const [reason, cause] of [["client_closed", "the client leaves"], ["server_shutdown", "the server stops"], ["idle_timeout", "it idles"], [
    "write_error",
    "a write fails",
  ]] as const
) {
  Deno.test(`sse: when ${cause}, the disconnect says ${reason}, and sends resolve`, async () => {
    const seen: unknown[] = [];
    const app = sse(async (_scope, receive, send) => {
      await send({ type: "sse.start" });
      for (let i = 0; i < 3; i++) {
        const event = await receive();
        if (event.type === "sse.disconnect") seen.push(event.reason);
      }
      seen.push(await outcome(send({ type: "sse.send", data: "x" })), await outcome(send({ type: "sse.close" })));
    });
    const clock = new ManualClock();
    await using client = await testClient(app, { clock, limits: { sseIdleTimeoutMs: 1000 } });
    const stream = await client.sse("/");
    if (reason === "client_closed") stream.close();
    else if (reason === "server_shutdown") await client.shutdown();
    else if (reason === "idle_timeout") await clock.advance(1000);
    else stream.exchange.disconnect("write_error");
    await settle();
    assertEquals(seen, [reason, reason, "ok", "ok"]);
  });
}

Deno.test("sse: an app that fails after the client has gone is no error in the log", async () => {
  const app = sse(async (_scope, receive, send) => {
    await send({ type: "sse.start" });
    await receive();
    await receive();
    throw new Error("for nobody");
  });
  await using client = await testClient(app);
  (await client.sse("/")).close();
  await settle();
  assertEquals([client.errors.length, client.notes.filter(({ level }) => level === "error")], [1, []]);
});

Deno.test("sse: a HEAD gets the head and no event", async () => {
  const app = sse(async (_scope, _receive, send) => {
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "x" });
  });
  await using client = await testClient(app);
  const response = await client.head("/", { headers: { accept: "text/event-stream" } });
  assertEquals([response.status, response.text(), response.cut], [200, "", null]);
  assertEquals(client.errors, []);
});

Deno.test("sse: the request body comes as sse.request", async () => {
  const parts: [string, number][] = [];
  const app = sse(async (_scope, receive, send) => {
    for (let event = await receive(); event.type === "sse.request"; event = await receive()) {
      parts.push([new TextDecoder().decode(event.body), event.more]);
      if (event.more === 0) break;
    }
    await send({ type: "sse.start" });
  });
  await using client = await testClient(app);
  await client.sse("/", { method: "POST", body: "hello" });
  assertEquals(parts, [["hello", 0]]);
});
