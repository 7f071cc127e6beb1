/** Contract section 7 as a server and an app see it, over the memory engine. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type App, defineApp, type LifespanApp } from "../../src/spec/app.ts";
import { StartupError } from "../../src/spec/errors.ts";
import { ManualClock, testClient } from "../../src/testing/mod.ts";
import { settle } from "../../src/testing/waiting.ts";
import { OK, outcome, wrong } from "./scenarios.ts";

function living(lifespan: LifespanApp): App {
  return defineApp({
    lifespan,
    async http(scope, _receive, send) {
      await send(OK[0]);
      await send({ type: "http.response.body", body: JSON.stringify(scope.state ?? null) });
    },
  });
}

Deno.test("lifespan: the scope", async () => {
  let seen: unknown;
  await using _client = await testClient(living((scope) => {
    seen = structuredClone(scope);
    return Promise.resolve();
  }));
  assertEquals(seen, { type: "lifespan", pagi: { version: "0.3", spec_version: "0.3", is_worker: 0 }, extensions: {}, state: {} });
});

for (const [what, lifespan] of [["throws", () => Promise.reject(new Error("what?"))], ["returns", () => Promise.resolve()]] as const) {
  Deno.test(`lifespan: an app that ${what} does not support it: no state, an info line, no shutdown`, async () => {
    await using client = await testClient(living(lifespan));
    assertEquals((await client.get("/")).json(), null);
    assertEquals(client.notes.map(({ level }) => level), ["info"]);
  });

  Deno.test(`lifespan: with mode on, an app that ${what} does not start`, async () => {
    const error = await assertRejects(() => testClient(living(lifespan), { lifespan: "on" }), StartupError);
    assertEquals(error.exitCode, 3);
  });
}

Deno.test("lifespan: a startup that fails aborts the start with its message", async () => {
  const app = living(async (_scope, receive, send) => {
    await receive();
    await send({ type: "lifespan.startup.failed", message: "no database" });
  });
  await assertRejects(() => testClient(app), StartupError, "no database");
});

Deno.test("lifespan: a startup that never answers is aborted by the clock", async () => {
  const clock = new ManualClock();
  const starting = testClient(living(() => new Promise(() => {})), { clock, timeoutMs: 1000 });
  const failed = assertRejects(() => starting, StartupError, "1 s");
  await clock.advance(1000);
  await failed;
});

Deno.test("lifespan: wrong events and orders reject", async () => {
  const seen: string[] = [];
  const app = living(async (_scope, receive, send) => {
    const attempt = async (event: unknown): Promise<void> => void seen.push(await outcome(send(wrong(event))));
    await attempt({ type: "lifespan.shutdown.complete" });
    await attempt({ type: "http.response.start", status: 200 });
    await attempt({ type: "lifespan.startup.failed", message: 1 });
    await attempt({ type: "lifespan.startup.complete" });
    await attempt({ type: "lifespan.startup.complete" });
    await receive();
    await receive();
    await attempt({ type: "lifespan.shutdown.failed", message: "sorry" });
    await attempt({ type: "lifespan.shutdown.complete" });
  });
  const client = await testClient(app);
  await client[Symbol.asyncDispose]();
  await settle();
  assertEquals(seen, [
    "StateError lifespan.shutdown.complete",
    "EventError http.response.start type",
    "EventError lifespan.startup.failed message",
    "ok",
    "StateError lifespan.startup.complete",
    "ok",
    "StateError lifespan.shutdown.complete",
  ]);
  assertStringIncludes(JSON.stringify(client.notes), "sorry");
});

Deno.test("lifespan: scopes get copies: values are shared, top-level keys are not, later writes of the app stay its own", async () => {
  const seen: unknown[] = [];
  const app = defineApp({
    async lifespan(scope, receive, send) {
      await receive();
      scope.state.shared = { n: 0 };
      await send({ type: "lifespan.startup.complete" });
      scope.state.late = true;
      await receive();
      await send({ type: "lifespan.shutdown.complete" });
    },
    async http(scope, _receive, send) {
      (scope.state!.shared as { n: number }).n++;
      seen.push(structuredClone(scope.state));
      scope.state!.own = true;
      for (const event of OK) await send(event);
    },
  });
  await using client = await testClient(app);
  await client.get("/");
  await client.get("/");
  assertEquals(seen, [{ shared: { n: 1 } }, { shared: { n: 2 } }]);
});

Deno.test("lifespan: an app that fails after the startup is logged, and the server goes on", async () => {
  const app = living(async (_scope, receive, send) => {
    await receive();
    await send({ type: "lifespan.startup.complete" });
    throw new Error("later");
  });
  await using client = await testClient(app);
  await settle();
  assertEquals((await client.get("/")).status, 200);
  assertEquals(client.notes.filter(({ level }) => level === "error").length, 1);
});

Deno.test("lifespan: the shutdown comes after the last exchange", async () => {
  const log: string[] = [];
  const app = defineApp({
    async lifespan(_scope, receive, send) {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      log.push((await receive()).type);
      await send({ type: "lifespan.shutdown.complete" });
    },
    async http(scope, _receive, send) {
      await new Promise((resolve) => scope.extensions.drain!.signal.addEventListener("abort", resolve));
      for (const event of OK) await send(event);
      log.push("answered");
    },
  });
  const clock = new ManualClock();
  await using client = await testClient(app, { clock });
  const exchange = await client.open("GET", "/");
  await client.shutdown(1000);
  assertEquals([(await exchange.finish()).text(), log], ["ok", ["answered", "lifespan.shutdown"]]);
});

Deno.test("lifespan: a shutdown that is not answered is given up at the deadline, with a line in the log", async () => {
  const app = living(async (_scope, receive, send) => {
    await receive();
    await send({ type: "lifespan.startup.complete" });
    await new Promise(() => {});
  });
  const clock = new ManualClock();
  const client = await testClient(app, { clock });
  const stopping = client.shutdown(5000);
  await settle();
  await clock.advance(5000);
  await stopping;
  assertEquals(client.notes.filter(({ level }) => level === "warn").length, 1);
});

Deno.test("lifespan: an app that has returned after its startup does not hold the shutdown up", async () => {
  const app = living(async (_scope, receive, send) => {
    await receive();
    await send({ type: "lifespan.startup.complete" });
  });
  const clock = new ManualClock();
  const client = await testClient(app, { clock });
  await settle();
  await client.shutdown(5000);
  assertEquals(client.notes, []);
});
