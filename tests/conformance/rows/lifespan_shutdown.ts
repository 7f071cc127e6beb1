/** Rows of the checklist: the shutdown of an app. */

import { assertEquals, assertMatch } from "@std/assert";
import { type App, defineApp, type LifespanApp } from "../../../src/spec/app.ts";
import { answer } from "../apps.ts";
import { outcomeOf } from "../probe.ts";
import { elsewhere, row } from "../suite.ts";
import { Gate, settle } from "../waiting.ts";

const ON = { lifespan: "auto" } as const;

/** Has a startup, and this shutdown. */
function shuttingDown(shutdown: (...args: Parameters<LifespanApp>) => Promise<void>): App {
  return defineApp({
    http: (_scope, _receive, send) => answer(send),
    lifespan: async (scope, receive, send) => {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await receive();
      await shutdown(scope, receive, send);
    },
  });
}

row("LIFE-016", "A stop ends what is open, then tells lifespan.shutdown and waits for the answer", {}, async (target) => {
  const order: string[] = [];
  const called = new Gate();
  const app = defineApp({
    http: async (scope, _receive, send) => {
      called.open();
      await new Promise<void>((resolve) => scope.extensions.drain!.signal.addEventListener("abort", () => resolve()));
      order.push("drain");
      await answer(send, "finished");
      order.push("answered");
    },
    lifespan: async (_scope, receive, send) => {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      order.push((await receive()).type);
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push("cleaned");
      await send({ type: "lifespan.shutdown.complete" });
    },
  });
  await using server = await target.start(app, ON);
  const pending = server.request();
  await called.pass();
  await server.stop(2000);
  assertEquals((await pending).text, "finished");
  assertEquals(order, ["drain", "answered", "lifespan.shutdown", "cleaned"]);
});

row("LIFE-017", "shutdown.failed is logged with its message, and the server stops all the same", {}, async (target) => {
  const app = shuttingDown((_scope, _receive, send) => send({ type: "lifespan.shutdown.failed", message: "still writing" }));
  await using server = await target.start(app, ON);
  await server.stop();
  const note = await server.noted(/^Lifespan shutdown failed: /);
  assertEquals([note.level, note.text], ["error", "Lifespan shutdown failed: still writing"]);
});

elsewhere(
  "LIFE-018",
  "A shutdown that is not answered is given up after its time, with a line in the log",
  "tests/sessions/lifespan_test.ts",
);

row("LIFE-019", "An app whose lifespan has ended gets no shutdown and is not waited for", {}, async (target) => {
  for (const fails of [true, false]) {
    const app = defineApp({
      http: (_scope, _receive, send) => answer(send),
      lifespan: async (_scope, receive, send) => {
        await receive();
        await send({ type: "lifespan.startup.complete" });
        if (fails) throw new Error("the lifespan broke");
      },
    });
    await using server = await target.start(app, ON);
    await server.request();
    const start = performance.now();
    await server.stop(3000);
    assertEquals([performance.now() - start < 1000, server.notes.filter(({ level }) => level === "warn")], [true, []]);
  }
});

elsewhere("LIFE-019", "A wait that ran out is logged", "tests/sessions/lifespan_test.ts");

row("LIFE-022", "A repeated answer rejects (StateError)", {}, async (target) => {
  const outcomes: string[] = [];
  const app: App = defineApp({
    http: (_scope, _receive, send) => answer(send),
    lifespan: async (_scope, receive, send) => {
      await receive();
      outcomes.push(await outcomeOf(send({ type: "lifespan.shutdown.complete" })));
      await send({ type: "lifespan.startup.complete" });
      outcomes.push(await outcomeOf(send({ type: "lifespan.startup.complete" })));
      outcomes.push(await outcomeOf(send({ type: "lifespan.startup.failed", message: "too late" })));
      await receive();
      await send({ type: "lifespan.shutdown.complete" });
      outcomes.push(await outcomeOf(send({ type: "lifespan.shutdown.complete" })));
    },
  });
  const server = await target.start(app, ON);
  assertEquals((await server.request()).text, "ok");
  await server[Symbol.asyncDispose]();
  await settle();
  assertEquals(outcomes.length, 4);
  for (const text of outcomes) assertMatch(text, /^StateError: Cannot send "lifespan\./);
});
