/** Contract section 4, `pagi.connection`, as a client and an app see it, over the memory engine. */

import { assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import type { Connection } from "../../src/spec/handles.ts";
import { ManualClock, testClient } from "../../src/testing/mod.ts";
import { settle } from "../../src/testing/waiting.ts";
import { http, OK } from "./scenarios.ts";

Deno.test("connection: it is fresh for every request", async () => {
  const seen: unknown[] = [];
  const app = http(async (scope, _receive, send) => {
    const connection = scope["pagi.connection"];
    seen.push([connection.isConnected(), connection.disconnectReason(), connection.responseStarted(), connection.responseComplete()]);
    for (const event of OK) await send(event);
  });
  await using client = await testClient(app);
  await client.get("/");
  await client.get("/");
  assertEquals(seen, Array(2).fill([true, undefined, false, false]));
});

Deno.test("connection: an abnormal end is told in the order of the contract", async () => {
  const log: string[] = [];
  const app = http(async (scope, receive) => {
    const connection = scope["pagi.connection"];
    connection.signal.addEventListener("abort", () => log.push(`abort ${connection.isConnected()} ${connection.disconnectReason()}`));
    connection.disconnectFuture().then((reason) => log.push(`future ${reason}`));
    connection.onDisconnect((reason) => log.push(`first ${reason} ${connection.signal.aborted}`));
    connection.onDisconnect(() => {
      throw new Error("a callback that throws");
    });
    connection.onDisconnect((reason) => log.push(`second ${reason}`));
    connection.onComplete(() => log.push("complete"));
    await receive();
    const { type } = await receive();
    log.push(`${type} ${connection.isConnected()}`);
    connection.onDisconnect((reason) => log.push(`late ${reason}`));
    connection.onComplete(() => log.push("complete"));
    assertStringIncludes(String(connection.signal.reason), "client_closed");
  });
  await using client = await testClient(app);
  const exchange = await client.open("GET", "/");
  await settle();
  exchange.disconnect();
  await settle();
  assertEquals(log.filter((line) => !line.startsWith("future")), [
    "abort false client_closed",
    "first client_closed true",
    "second client_closed",
    "http.disconnect false",
    "late client_closed",
  ]);
  assertEquals(log.includes("future client_closed"), true);
  assertEquals(log.indexOf("future client_closed") < log.indexOf("http.disconnect false"), true);
  assertEquals(client.errors, []);
  assertEquals(client.notes.filter(({ level }) => level === "error").length, 1, "the callback that threw is logged");
});

for (
  const [what, path] of [["a whole answer", "/"], ["a streamed one", "/streamed"], ["one whose body was awaited", "/receiving"]] as const
) {
  Deno.test(`connection: the delivery of ${what} is told once, with no disconnect`, async () => {
    const log: string[] = [];
    let kept: Connection | null = null;
    const app = http(async (scope, receive, send) => {
      const connection = kept = scope["pagi.connection"];
      connection.onComplete(() => log.push(`complete ${connection.responseComplete()} ${connection.isConnected()}`));
      connection.onDisconnect((reason) => log.push(`disconnect ${reason}`));
      connection.disconnectFuture().then(() => log.push("future"));
      await receive();
      if (scope.path === "/receiving") void receive();
      await send(OK[0]);
      log.push(`started ${connection.responseStarted()}`);
      if (scope.path === "/streamed") await send({ type: "http.response.body", body: "o", more: true });
      await send(OK[1]);
    });
    await using client = await testClient(app);
    await client.get(path);
    await settle();
    assertEquals(log, ["started true", "complete true false"]);
    kept!.onComplete(() => log.push("late"));
    kept!.onDisconnect(() => log.push("never"));
    void kept!.disconnectFuture().then(() => log.push("never"));
    await settle();
    assertEquals(log.slice(2), ["late"]);
    assertEquals([kept!.disconnectReason(), kept!.signal.aborted], [undefined, false]);
  });
}

Deno.test("connection: it may be asked between the last send and the delivery", async () => {
  const log: string[] = [];
  const app = http(async (scope, _receive, send) => {
    const connection = scope["pagi.connection"];
    await send(OK[0]);
    await send({ type: "http.response.body", body: "o", more: true });
    await send({ type: "http.response.body", body: "k" });
    log.push(`complete ${connection.responseComplete()}`);
    connection.onComplete(() => log.push("delivered"));
    connection.onDisconnect((reason) => log.push(reason));
  });
  await using client = await testClient(app);
  const exchange = await client.open("GET", "/", { stalled: true });
  await settle();
  assertEquals(log, ["complete true"]);
  exchange.resume();
  await exchange.finish();
  await settle();
  assertEquals(log, ["complete true", "delivered"]);
});

Deno.test("connection: it may be asked after a whole answer, before its delivery", async () => {
  const log: string[] = [];
  const app = http(async (scope, receive, send) => {
    await receive();
    void receive().then(({ type }) => log.push(type));
    for (const event of OK) await send(event);
    scope["pagi.connection"].onComplete(() => log.push("delivered"));
  });
  await using client = await testClient(app);
  await client.get("/");
  await settle();
  assertEquals(log.sort(), ["delivered", "http.disconnect"]);
});

Deno.test("connection: a client that leaves before the last byte makes it an abnormal end", async () => {
  const log: string[] = [];
  const app = http(async (scope, _receive, send) => {
    scope["pagi.connection"].onComplete(() => log.push("complete"));
    scope["pagi.connection"].onDisconnect((reason) => log.push(reason));
    for (const event of OK) await send(event);
  });
  await using client = await testClient(app);
  const exchange = await client.open("GET", "/", { stalled: true });
  await exchange.response;
  exchange.disconnect();
  await settle();
  assertEquals(log, ["client_closed"]);
});

Deno.test("connection: completion is judged at the last byte, not at the app's return", async () => {
  const log: string[] = [];
  const go = Promise.withResolvers<void>();
  const app = http(async (scope, _receive, send) => {
    scope["pagi.connection"].onComplete(() => log.push("complete"));
    scope["pagi.connection"].onDisconnect((reason) => log.push(reason));
    for (const event of OK) await send(event);
    await go.promise;
    log.push("returns");
  });
  await using client = await testClient(app);
  const exchange = await client.open("GET", "/");
  await exchange.finish();
  await settle();
  exchange.disconnect();
  go.resolve();
  await settle();
  assertEquals(log, ["complete", "returns"]);
});

for (const [what, path] of [["throws", "/throws"], ["returns without a response", "/returns"]] as const) {
  Deno.test(`connection: an app that ${what} ends it with server_error, the response started`, async () => {
    let kept: Connection | null = null;
    const log: string[] = [];
    const app = http((scope) => {
      kept = scope["pagi.connection"];
      kept.onDisconnect((reason) => log.push(`${reason} ${kept!.responseStarted()}`));
      kept.onComplete(() => log.push("complete"));
      return scope.path === "/throws" ? Promise.reject(new Error("no")) : Promise.resolve();
    });
    await using client = await testClient(app);
    assertEquals((await client.get(path)).status, 500);
    await settle();
    assertEquals(log, ["server_error true"]);
  });
}

for (
  const [reason, cause] of [
    ["body_too_large", "a body over the limit"],
    ["client_timeout", "the request timeout"],
    ["server_shutdown", "the shutdown"],
    ["write_error", "a failed write"],
  ] as const
) {
  Deno.test(`connection: ${cause} is told as ${reason}`, async () => {
    const log: string[] = [];
    const app = http(async (scope, receive) => {
      scope["pagi.connection"].onDisconnect((token) => log.push(token));
      while ((await receive()).type !== "http.disconnect");
      log.push("http.disconnect");
    });
    const clock = new ManualClock();
    await using client = await testClient(app, { clock, limits: { maxBodyBytes: 4, requestTimeoutMs: 1000 } });
    const exchange = await client.open("POST", "/", { streams: true });
    await settle();
    if (reason === "body_too_large") {
      await exchange.write("12345");
      assertEquals((await exchange.finish()).status, 413);
    } else if (reason === "client_timeout") {
      await clock.advance(1000);
      assertEquals((await exchange.finish()).status, 504);
    } else if (reason === "server_shutdown") await client.shutdown();
    else exchange.disconnect("write_error");
    await settle();
    assertEquals(log, [reason, "http.disconnect"]);
  });
}

Deno.test("connection: one future, one signal", async () => {
  const app = http(async (scope, _receive, send) => {
    const connection = scope["pagi.connection"];
    assertStrictEquals(connection.disconnectFuture(), connection.disconnectFuture());
    assertStrictEquals(connection.signal, connection.signal);
    for (const event of OK) await send(event);
  });
  await using client = await testClient(app, { raiseAppErrors: true });
  await client.get("/");
});

Deno.test("connection: a middleware's clone of the scope has it too", async () => {
  const inner = http(async (scope, _receive, send) => {
    assertEquals([scope["my.key"], scope["pagi.connection"].isConnected()], [1, true]);
    for (const event of OK) await send(event);
  });
  await using client = await testClient((scope, receive, send) => inner({ ...scope, "my.key": 1 } as typeof scope, receive, send), {
    raiseAppErrors: true,
  });
  assertEquals((await client.get("/")).text(), "ok");
});
