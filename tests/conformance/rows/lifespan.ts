/** Rows of the checklist: the startup of an app. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type App, defineApp, type HttpApp, type LifespanApp } from "../../../src/spec/app.ts";
import { StartupError } from "../../../src/spec/errors.ts";
import type { LifespanScope } from "../../../src/spec/scope.ts";
import { answer } from "../apps.ts";
import { loose, outcomeOf } from "../probe.ts";
import { elsewhere, row } from "../suite.ts";
import { Gate, Mailbox, settle } from "../waiting.ts";

const ON = { lifespan: "auto" } as const;

const ok: HttpApp = async (_scope, receive, send) => {
  await receive();
  await answer(send);
};

/** An app that answers "ok", and has this lifespan. */
function living(lifespan: LifespanApp, http: HttpApp = ok): App {
  return defineApp({ http, lifespan });
}

/** Answers both lifespan events, and tells them. */
function answering(events: string[], started?: (scope: LifespanScope) => void): LifespanApp {
  return async (scope, receive, send) => {
    for (;;) {
      const { type } = await receive();
      events.push(type);
      if (type === "lifespan.shutdown") return await send({ type: "lifespan.shutdown.complete" });
      started?.(scope);
      await send({ type: "lifespan.startup.complete" });
    }
  };
}

row("LIFE-001", "The app is called once with a lifespan scope before any other, and gets lifespan.startup", {}, async (target) => {
  const calls: string[] = [];
  const app: App = (scope, receive, send) => {
    calls.push(scope.type);
    return living(answering(calls))(scope, receive, send);
  };
  await using server = await target.start(app, ON);
  assertEquals(calls, ["lifespan", "lifespan.startup"]);
  await server.request();
  await server.request();
  assertEquals(calls, ["lifespan", "lifespan.startup", "http", "http"]);
});

row("LIFE-002", "Lifespan and requests share one event loop: what the one holds, the other uses", {}, async (target) => {
  const waiting = new Gate();
  const app = living(
    answering([], ({ state }) => {
      state.gate = waiting;
      setTimeout(() => waiting.open(), 30);
    }),
    async (scope, _receive, send) => {
      await (scope.state!.gate as Gate).pass();
      await answer(send, "through");
    },
  );
  await using server = await target.start(app, ON);
  assertEquals((await server.request()).text, "through");
});

row("LIFE-003", "The scope has versions, a writable state, and is_worker 0 without worker_num outside a pool", {}, async (target) => {
  const scopes = new Mailbox<LifespanScope>();
  await using _server = await target.start(living(answering([], (scope) => scopes.put(scope))), ON);
  const scope = await scopes.take();
  assertEquals([scope.type, scope.pagi], ["lifespan", { version: "0.3", spec_version: "0.3", is_worker: 0 }]);
  scope.state.x = 1;
  assertEquals([scope.state.x, typeof scope.extensions], [1, "object"]);
});

row("LIFE-004", "The start waits for startup.complete", {}, async (target) => {
  const asked = new Gate();
  const go = new Gate();
  let isStarted = false;
  const starting = target.start(
    living(async (_scope, receive, send) => {
      await receive();
      asked.open();
      await go.pass();
      await send({ type: "lifespan.startup.complete" });
    }),
    ON,
  ).then((server) => (isStarted = true, server));
  await asked.pass();
  await settle();
  assertEquals(isStarted, false);
  go.open();
  await using server = await starting;
  assertEquals((await server.request()).text, "ok");
});

elsewhere("LIFE-004", "No connection is taken before the startup is complete", "tests/runner/serve_test.ts");

for (
  const [id, how, lifespan] of [
    ["LIFE-005", "throws", () => Promise.reject(new Error("no lifespan here"))],
    ["LIFE-006", "returns", () => Promise.resolve()],
  ] as const
) {
  row(id, `An app that ${how} without an answer is served without lifespan and state, with a line at info`, {}, async (target) => {
    let events = 0;
    const app = defineApp({
      lifespan: async (_scope, receive) => {
        if (how === "returns") await receive();
        events++;
        await lifespan();
      },
      http: (scope, _receive, send) => answer(send, `state: ${"state" in scope}`),
    });
    await using server = await target.start(app, ON);
    assertEquals((await server.request()).text, "state: false");
    await server.stop();
    assertEquals(events, 1, "no shutdown is told");
    const note = await server.noted(/^Lifespan is not supported/);
    assertEquals(note.level, "info");
    assertMatch(note.text, how === "throws" ? /the app threw Error: no lifespan here/ : /returned without an answer/);
    assertEquals(server.notes.filter(({ level }) => level !== "info"), []);
  });
}

row("LIFE-005", "So is one that takes the startup event and then throws", {}, async (target) => {
  const app = living(async (_scope, receive) => {
    await receive();
    throw new Error("the startup broke");
  });
  await using server = await target.start(app, ON);
  assertEquals((await server.request()).text, "ok");
  await server.noted(/the server goes on without/);
});

row("LIFE-007", "startup.failed refuses the start with its message, empty by default", {}, async (target) => {
  for (
    const [fields, text] of [[{ message: "no database" }, "Lifespan startup failed: no database"], [
      {},
      "Lifespan startup failed: ",
    ]] as const
  ) {
    const app = living(async (_scope, receive, send) => {
      await receive();
      await send({ type: "lifespan.startup.failed", ...fields });
    });
    for (const lifespan of ["auto", "on"] as const) {
      const error = await assertRejects(() => target.start(app, { lifespan }), StartupError);
      assertEquals(error.message, text);
    }
  }
});

row("LIFE-008", "A lifespan that would fail is not asked in mode off", {}, async (target) => {
  await using server = await target.start(living(() => Promise.reject(new Error("asked"))), { lifespan: "off" });
  assertEquals([(await server.request()).text, server.notes], ["ok", []]);
});

elsewhere("LIFE-009", "A failed startup is exit status 3", "tests/runner/cli_errors_test.ts");

row("LIFE-010", "An app that fails after its startup is logged at error and the server goes on; one that returns is no error", {}, async (
  target,
) => {
  for (const fails of [true, false]) {
    const failing = new Gate();
    const app = living(async (_scope, receive, send) => {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await failing.pass();
      if (fails) throw new Error("the lifespan broke");
    });
    await using server = await target.start(app, ON);
    failing.open();
    if (fails) {
      const note = await server.noted(/^The lifespan app failed after the startup$/);
      assert(note.level === "error" && String(note.fields.error).includes("the lifespan broke"));
    } else {
      await settle();
      assertEquals(server.notes, []);
    }
    assertEquals((await server.request()).text, "ok");
  }
});

row("LIFE-011", "A startup that is not answered in time refuses the start", {}, async (target) => {
  const app = living(async (_scope, receive) => {
    await receive();
    await receive();
  });
  const error = await assertRejects(() => target.start(app, { ...ON, lifespanStartupTimeoutMs: 30 }), StartupError);
  assertEquals(error.message, "Lifespan startup was not answered within 0.03 s");
});

row("LIFE-012", "In mode on an app that declines refuses the start", {}, async (target) => {
  const start = (lifespan: LifespanApp) => target.start(living(lifespan), { lifespan: "on" });
  const threw = await assertRejects(() => start(() => Promise.reject(new Error("none here"))), StartupError);
  assertEquals(threw.message, 'Lifespan is "on", but the app threw Error: none here');
  const returned = await assertRejects(() => start(() => Promise.resolve()), StartupError);
  assertEquals(returned.message, 'Lifespan is "on", but the app returned without an answer');
  await using server = await target.start(living(answering([])), { lifespan: "on" });
  assertEquals((await server.request()).text, "ok");
});

elsewhere("LIFE-012", "Any other mode is refused by the name of the option", "tests/runner/cli_errors_test.ts");

row("LIFE-021", "startup.complete may be sent before any receive", {}, async (target) => {
  const app = living(async (_scope, receive, send) => {
    await send({ type: "lifespan.startup.complete" });
    await receive();
    await receive();
    await send({ type: "lifespan.shutdown.complete" });
  });
  await using server = await target.start(app, ON);
  assertEquals((await server.request()).text, "ok");
});

row("LIFE-020", "Unknown and malformed events reject (EventError), and the startup may still be answered", {}, async (target) => {
  for (const validateEvents of [true, false]) {
    const outcomes: string[] = [];
    const app = living(async (_scope, receive, send) => {
      await receive();
      for (const event of [{ type: "lifespan.startup.done" }, { type: "http.response.start" }, {}, null, "lifespan.startup.complete"]) {
        outcomes.push(await outcomeOf(loose(send)(event)));
      }
      outcomes.push(await outcomeOf(loose(send)({ type: "lifespan.startup.failed", message: 5 })));
      await send({ type: "lifespan.startup.complete" });
    });
    await using server = await target.start(app, { ...ON, validateEvents });
    assertEquals((await server.request()).text, "ok");
    assertEquals(outcomes.length, 6);
    for (const text of outcomes) assertMatch(text, /^EventError: Cannot send /);
  }
});

elsewhere("LIFE-023", "Each worker runs its own startup and shutdown", "tests/runner/workers_test.ts");
