/** Rows of the checklist: what `pagi.connection` tells of a request that is served. */

import { assert, assertEquals } from "@std/assert";
import { type App, defineApp } from "../../../src/spec/app.ts";
import type { Connection } from "../../../src/spec/handles.ts";
import type { HttpScope } from "../../../src/spec/scope.ts";
import { answer } from "../apps.ts";
import { httpProbe } from "../probe.ts";
import { elsewhere, row } from "../suite.ts";
import { Gate, Mailbox, settle } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";

/** Answers "ok" and gives the handle to the test when the app is about to return. */
function serving(before: (connection: Connection) => void = () => {}) {
  const seen = new Mailbox<Connection>();
  const app = defineApp({
    http: async (scope, _receive, send) => {
      const connection = scope["pagi.connection"];
      before(connection);
      await answer(send);
      seen.put(connection);
    },
  });
  return { app, seen };
}

const at = (scope: HttpScope) => scope["pagi.connection"];

row("CONN-001", "Every http scope has a handle, websocket and sse scopes have none", {}, async (target) => {
  const seen = new Mailbox<[string, boolean]>();
  const app: App = async (scope, _receive, send) => {
    seen.put([scope.type, "pagi.connection" in scope]);
    if (scope.type === "http") await answer(send);
    if (scope.type === "sse") await send({ type: "sse.start" });
    if (scope.type === "websocket") await send({ type: "websocket.accept" });
  };
  await using server = await target.start(app);
  await server.request({ method: "POST", body: "x" });
  await server.request({ headers: [["accept", "text/event-stream"]] });
  await server.websocket();
  assertEquals([await seen.take(), await seen.take(), await seen.take()], [["http", true], ["sse", false], ["websocket", false]]);
});

row("CONN-002", "At first it is connected, without a reason, unstarted; asking consumes nothing", {}, async (target) => {
  const { app, outcome } = httpProbe(async (scope, receive, send) => {
    const look = () => [at(scope).isConnected(), at(scope).disconnectReason(), at(scope).responseStarted(), at(scope).responseComplete()];
    const looks = [look(), look()];
    const event = await receive();
    await answer(send);
    return { looks, body: event.type === "http.request" ? new TextDecoder().decode(event.body) : event.type };
  });
  await using server = await target.start(app);
  await server.request({ method: "POST", body: "all of it" });
  assertEquals(await outcome(), { looks: [[true, undefined, false, false], [true, undefined, false, false]], body: "all of it" });
});

row("CONN-008", "onComplete callbacks run once, without arguments, when the response is delivered: kept connection or not", {}, async (
  target,
) => {
  for (const headers of [[], [["connection", "close"]]] as const) {
    const calls = new Mailbox<unknown[]>();
    const { app } = serving((connection) => {
      connection.onComplete((...given: unknown[]) => calls.put(["first", ...given]));
      connection.onComplete((...given: unknown[]) => calls.put(["second", ...given]));
    });
    await using server = await target.start(app);
    assertEquals((await server.request({ headers })).text, "ok");
    assertEquals([await calls.take(), await calls.take()], [["first"], ["second"]]);
    await settle();
    assertEquals(calls.waiting, 0);
  }
});

row("CONN-009", "A completed request is not connected, has no reason, and onDisconnect is never called", {}, async (target) => {
  const done = new Gate();
  const calls: string[] = [];
  const { app, seen } = serving((connection) => {
    connection.onDisconnect((reason) => calls.push(reason));
    connection.onComplete(() => done.open());
  });
  await using server = await target.start(app);
  await server.request();
  await done.pass();
  const connection = await seen.take();
  assertEquals([connection.isConnected(), connection.disconnectReason(), connection.signal.aborted], [false, undefined, false]);
  await server.stop();
  assertEquals(calls, []);
});

row("CONN-010", "After the completion onComplete calls at once, and onDisconnect never", {}, async (target) => {
  const done = new Gate();
  const { app, seen } = serving((connection) => connection.onComplete(() => done.open()));
  await using server = await target.start(app);
  await server.request();
  await done.pass();
  const connection = await seen.take();
  const calls: string[] = [];
  connection.onComplete(() => calls.push("complete"));
  assertEquals(calls, ["complete"]);
  connection.onDisconnect((reason) => calls.push(reason));
  await server.stop();
  await settle();
  assertEquals(calls, ["complete"]);
});

row("CONN-013", "disconnectFuture() never settles on a completion, whenever it is asked for", {}, async (target) => {
  const done = new Gate();
  let settled = 0;
  const watch = (connection: Connection) => void connection.disconnectFuture().finally(() => settled++);
  const { app, seen } = serving((connection) => {
    watch(connection);
    connection.onComplete(() => done.open());
  });
  await using server = await target.start(app);
  await server.request();
  await done.pass();
  watch(await seen.take());
  await settle();
  await server.stop();
  await settle();
  assertEquals(settled, 0);
});

row("CONN-014", "responseStarted() is true from the accepted start on, whoever sent it, and not for a refused one", {}, async (target) => {
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["x-a", "\x01"]] }).catch(() => {});
    const looks = [at(scope).responseStarted()];
    await send({ type: "http.response.start", status: 200 });
    looks.push(at(scope).responseStarted());
    await send({ type: "http.response.body" });
    return [...looks, at(scope).responseStarted()];
  });
  // A middleware that clones the scope sees the same.
  const looks: boolean[] = [];
  const wrapped: App = async (scope, receive, send) => {
    await app({ ...scope } as typeof scope, receive, send);
    if (scope.type === "http") looks.push(at(scope).responseStarted());
  };
  await using server = await target.start(wrapped);
  await server.request();
  assertEquals(await outcome(), [false, true, true]);
  await settle();
  assertEquals(looks, [true]);
});

row("CONN-015", "Each request of a kept connection has its own handle, unstarted", { wire: true }, async (target) => {
  const handles: Connection[] = [];
  const first: boolean[] = [];
  const { app } = serving((connection) => {
    handles.push(connection);
    first.push(connection.responseStarted());
  });
  await using server = await target.start(app);
  const connection = await server.connect();
  for (let count = 0; count < 2; count++) {
    await connection.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assertEquals((await WireExchange.reply(connection)).text, "ok");
  }
  assert(handles[0] !== handles[1]);
  assertEquals(first, [false, false]);
});

row("CONN-016", "responseComplete() is true behind the last body, a file, or the trailers, and not before", {}, async (target) => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "a file");
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    const complete = () => at(scope).responseComplete();
    const looks: boolean[] = [];
    await send({ type: "http.response.start", status: 200, trailers: scope.path === "/trailers" ? 1 : 0 });
    looks.push(complete());
    if (scope.path === "/file") await send({ type: "http.response.body", file: path });
    else {
      await send({ type: "http.response.body", body: "a", more: 1 });
      looks.push(complete());
      await send({ type: "http.response.body", body: "b" });
    }
    if (scope.path === "/trailers") {
      looks.push(complete());
      // An engine without trailers has delivered everything else by then.
      await settle();
      await send({ type: "http.response.trailers", headers: [["x-t", "1"]] });
    }
    return [...looks, complete()];
  });
  await using server = await target.start(app);
  for (
    const [name, looks] of [
      ["/body", [false, false, true]],
      ["/file", [false, true]],
      ["/trailers", [false, false, false, true]],
    ] as const
  ) {
    await server.request({ target: name });
    assertEquals(await outcome(), [...looks], name);
  }
  await Deno.remove(path);
});

row("CONN-018", "A client that leaves after the last byte and before the app returns has had it all: complete, no disconnect", {}, async (
  target,
) => {
  const left = new Gate();
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    const calls: string[] = [];
    at(scope).onComplete(() => calls.push("complete"));
    at(scope).onDisconnect((reason) => calls.push(reason));
    await answer(send, "every byte");
    await left.pass();
    await settle(50);
    return { calls, reason: at(scope).disconnectReason() };
  });
  await using server = await target.start(app);
  const exchange = await server.exchange();
  assertEquals((await exchange.finish()).text, "every byte");
  exchange.leave();
  left.open();
  assertEquals(await outcome(), { calls: ["complete"], reason: undefined });
});

elsewhere("CONN-018", "The engine's report of the last byte decides, not the app's return", "tests/sessions/scenario_connection_test.ts");
