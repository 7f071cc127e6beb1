/** The lifespan session, and the home that runs it. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Start } from "../../src/exchange.ts";
import { InlineHost } from "../../src/sessions/inline_host.ts";
import type { App } from "../../src/spec/app.ts";
import { EventError, StartupError, StateError } from "../../src/spec/errors.ts";
import type { LifespanSendEvent } from "../../src/spec/events.ts";
import type { HttpScope, LifespanScope, Scope } from "../../src/spec/scope.ts";
import { HandClock, head, MemoryFiles, RecordingOutbound, settle, START } from "./doubles.ts";

function home(app: App, overrides: Partial<Start> = {}) {
  const clock = new HandClock();
  const notes: string[] = [];
  const host = new InlineHost(app, {
    clock,
    files: new MemoryFiles({}),
    note: (level, text, fields) => notes.push(`${level}: ${text}${fields?.error ? ` (${String(fields.error).split("\n")[0]})` : ""}`),
  });
  return { clock, notes, host, start: () => host.start({ ...START, lifespan: "auto", ...overrides }) };
}

/** An app with a whole lifespan that records what it sees. */
function recorder(seen: string[], scopes: Scope[] = []): App {
  return async (scope, receive, send) => {
    scopes.push(scope);
    if (scope.type !== "lifespan") return;
    for (;;) {
      const event = await receive();
      seen.push(event.type);
      if (event.type === "lifespan.startup") {
        scope.state.shared = { hits: 0 };
        await send({ type: "lifespan.startup.complete" });
        scope.state.late = true;
      } else {
        await send({ type: "lifespan.shutdown.complete" });
        return;
      }
    }
  };
}

Deno.test("Lifespan runs startup and shutdown once, and scopes get shallow copies of the state", async () => {
  const seen: string[] = [];
  const scopes: Scope[] = [];
  const { host, start, notes } = home(recorder(seen, scopes), { isWorker: true, workerNum: 3 });
  await start();
  assertEquals((scopes[0] as LifespanScope).pagi, { version: "0.3", spec_version: "0.3", is_worker: 1, worker_num: 3 });
  host.open(head(), new RecordingOutbound());
  host.open(head(), new RecordingOutbound());
  const [, first, second] = scopes as [LifespanScope, HttpScope, HttpScope];
  assertEquals(Object.keys(first.state!), ["shared"]); // what came after the startup stays private
  assertEquals(first.state === second.state, false);
  assertEquals(first.state!.shared === second.state!.shared, true);
  await settle();
  await host.stop(1000);
  assertEquals(seen, ["lifespan.startup", "lifespan.shutdown"]);
  assertEquals(notes, []);
});

Deno.test("Lifespan leaves worker_num and state out where there are none", async () => {
  const scopes: Scope[] = [];
  const { host, start } = home((scope) => {
    scopes.push(scope);
    if (scope.type === "lifespan") return Promise.reject(new Error("not here"));
    return Promise.resolve();
  });
  await start();
  host.open(head(), new RecordingOutbound());
  assertEquals("worker_num" in (scopes[0] as LifespanScope).pagi, false);
  assertEquals("state" in scopes[1]!, false);
});

Deno.test("Lifespan: an app that throws or returns has declined; mode on makes that fatal, off never asks", async () => {
  const threw = home(() => Promise.reject(new Error("unsupported")));
  await threw.start();
  assertEquals(threw.notes, ["info: Lifespan is not supported (the app threw Error: unsupported); the server goes on without it"]);
  await threw.host.stop(1000);
  const returned = home(() => Promise.resolve());
  await returned.start();
  assertStringIncludes(returned.notes[0]!, "the app returned without an answer");
  const sync = home(() => {
    throw new Error("sync");
  });
  await sync.start();
  assertStringIncludes(sync.notes[0]!, "sync");
  for (const app of [() => Promise.reject(new Error("unsupported")), () => Promise.resolve()]) {
    await assertRejects(home(app, { lifespan: "on" }).start, StartupError, 'Lifespan is "on", but the app');
  }
  let asked = false;
  await home(() => Promise.resolve(void (asked = true)), { lifespan: "off" }).start();
  assertEquals(asked, false);
});

Deno.test("Lifespan: a failed startup, and one that is never answered, refuse the start", async () => {
  const failed = home(async (_scope, _receive, send) => await send({ type: "lifespan.startup.failed", message: "no database" }));
  await assertRejects(failed.start, StartupError, "Lifespan startup failed: no database");
  const stuck = home(() => new Promise(() => {}), { lifespanStartupTimeoutMs: 2500 });
  const starting = assertRejects(stuck.start, StartupError, "Lifespan startup was not answered within 2.5 s");
  stuck.clock.advance(2500);
  await starting;
  const stopped = home(() => new Promise(() => {}), { lifespanStartupTimeoutMs: 0 });
  const rejected = assertRejects(stopped.start, StartupError, "stopped during the lifespan startup");
  await stopped.host.stop(10);
  await rejected;
});

Deno.test("Lifespan: a shutdown that fails, hangs or throws never holds the server up", async () => {
  const cases: [(send: (event: LifespanSendEvent) => Promise<void>) => Promise<void>, string][] = [
    [(send) => send({ type: "lifespan.shutdown.failed", message: "dirty" }), "error: Lifespan shutdown failed: dirty"],
    [() => Promise.reject(new Error("boom")), "error: The lifespan app failed after the startup (Error: boom)"],
    [() => new Promise(() => {}), "warn: The lifespan shutdown was not answered within 4 s"],
  ];
  for (const [act, note] of cases) {
    const { host, start, notes, clock } = home(async (_scope, receive, send) => {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await receive();
      await act(send);
    });
    await start();
    const stopping = host.stop(4000);
    await settle();
    clock.advance(4000);
    await stopping;
    assertEquals(notes, [note]);
  }
});

Deno.test("Lifespan: an app that ended after its startup gets no shutdown, and an error is logged", async () => {
  const end = Promise.withResolvers<void>();
  const { host, start, notes, clock } = home(async (_scope, _receive, send) => {
    await send({ type: "lifespan.startup.complete" });
    await end.promise;
  });
  await start();
  end.reject(new Error("boom"));
  await settle();
  assertEquals(notes, ["error: The lifespan app failed after the startup (Error: boom)"]);
  await host.stop(1000);
  assertEquals(clock.pending, 0);
});

Deno.test("Lifespan refuses unknown, malformed and repeated events", async () => {
  const errors: unknown[] = [];
  const { start } = home(async (_scope, _receive, send) => {
    for (
      const event of [{ type: "lifespan.startup.completed" }, null, { type: "lifespan.startup.failed", message: 1 }, {
        type: "lifespan.shutdown.complete",
      }]
    ) {
      await send(event as LifespanSendEvent).catch((error) => errors.push(error));
    }
    await send({ type: "lifespan.startup.complete" });
    await send({ type: "lifespan.startup.complete" }).catch((error) => errors.push(error));
  });
  await start();
  await settle();
  assertEquals(errors.map((error) => [(error as Error).constructor, (error as Error).message]), [
    [
      EventError,
      'Cannot send "lifespan.startup.completed": type is not an event of the lifespan protocol: did you mean "lifespan.startup.complete"?',
    ],
    [EventError, 'Cannot send "null": event must be an object with a type of the lifespan protocol'],
    [EventError, 'Cannot send "lifespan.startup.failed": message must be a string'],
    [StateError, 'Cannot send "lifespan.shutdown.complete": no shutdown was asked for'],
    [StateError, 'Cannot send "lifespan.startup.complete": the startup is complete'],
  ]);
});

Deno.test("InlineHost.stop() waits for apps that still run, then shuts down", async () => {
  const work = Promise.withResolvers<void>();
  const order: string[] = [];
  const { host, start } = home(async (scope, receive, send) => {
    if (scope.type === "lifespan") {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await receive();
      order.push("shutdown");
      return await send({ type: "lifespan.shutdown.complete" });
    }
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "ok" });
    await work.promise;
    order.push("background work");
  });
  await start();
  host.open(head(), new RecordingOutbound());
  await settle();
  const stopping = host.stop(1000);
  await settle();
  assertEquals(order, []);
  work.resolve();
  await stopping;
  assertEquals(order, ["background work", "shutdown"]);
});

Deno.test("InlineHost answers 500 for an app that throws synchronously or returns no promise", async () => {
  for (
    const app of [() => {
      throw new Error("boom");
    }, () => undefined as unknown as Promise<void>]
  ) {
    const { host, start } = home(app as App, { lifespan: "off" });
    await start();
    const out = new RecordingOutbound();
    host.open(head(), out);
    await settle();
    assertStringIncludes(out.take()[0]!, "respond 500");
  }
});

Deno.test("Lifespan: an app that takes the startup event and then fails is told apart from one that declines", async () => {
  const { start, notes } = home(async (_scope, receive) => {
    await receive();
    throw new Error("the database is down");
  });
  await start();
  assertEquals(notes, [
    "warn: The app failed after it had taken lifespan.startup; the server goes on without lifespan (`on` makes it fatal) (Error: the database is down)",
  ]);
});
