/** Rows of the checklist: the state that a lifespan fills. */

import { assert, assertEquals } from "@std/assert";
import { type App, defineApp } from "../../../src/spec/app.ts";
import type { HttpScope } from "../../../src/spec/scope.ts";
import { answer } from "../apps.ts";
import { row } from "../suite.ts";
import { Mailbox } from "../waiting.ts";

const ON = { lifespan: "auto" } as const;

row("LIFE-013", "In mode off the app never sees a lifespan scope, and requests have no state", {}, async (target) => {
  const calls: string[] = [];
  const app: App = async (scope, _receive, send) => {
    calls.push(scope.type);
    await answer(send, `state: ${"state" in scope}`);
  };
  const server = await target.start(app, { lifespan: "off" });
  assertEquals((await server.request()).text, "state: false");
  await server[Symbol.asyncDispose]();
  assertEquals(calls, ["http"]);
});

/** An app whose requests give their scopes away, with a lifespan that fills the state. */
function stateful(start: (state: Record<string, unknown>) => void) {
  const seen = new Mailbox<HttpScope>();
  const app = defineApp({
    http: async (scope, _receive, send) => {
      seen.put(scope);
      await answer(send);
    },
    lifespan: async ({ state }, receive, send) => {
      await receive();
      start(state);
      await send({ type: "lifespan.startup.complete" });
    },
  });
  return { app, seen };
}

row("LIFE-014", "Each scope gets a shallow copy of the state: keys are its own, values are shared", {}, async (target) => {
  const shared = { hits: 0 };
  const { app, seen } = stateful((state) => Object.assign(state, { shared, plain: 1 }));
  await using server = await target.start(app, ON);
  await server.request();
  const first = (await seen.take()).state!;
  assert(first.shared === shared);
  first.plain = 2;
  first.mine = true;
  await server.request();
  const second = (await seen.take()).state!;
  assertEquals([second === first, second.plain, "mine" in second, second.shared === shared], [false, 1, false, true]);
});

row(
  "LIFE-015",
  "What the lifespan writes at the top level of its state after the startup stays its own (the reference shows it)",
  {},
  async (
    target,
  ) => {
    const states: Record<string, unknown>[] = [];
    const { app, seen } = stateful((state) => states.push(Object.assign(state, { plain: 1 })));
    await using server = await target.start(app, ON);
    Object.assign(states[0]!, { plain: 2, late: true });
    await server.request();
    const { plain, late } = (await seen.take()).state!;
    assertEquals([plain, late], [1, undefined]);
  },
);
