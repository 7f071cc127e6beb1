/** Rows of the checklist: what `pagi.connection` tells of a request that ends early, and why it ended. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Connection } from "../../../src/spec/handles.ts";
import type { HttpScope } from "../../../src/spec/scope.ts";
import { answer } from "../apps.ts";
import { httpProbe } from "../probe.ts";
import { elsewhere, row } from "../suite.ts";
import type { Target } from "../target.ts";
import { Gate, settle, until, within } from "../waiting.ts";

const at = (scope: HttpScope): Connection => scope["pagi.connection"];

/** Opens a GET, waits until the app has prepared, lets the client leave, and gives what the app made of it. */
async function left<T>(target: Target, prepare: (connection: Connection) => () => T | Promise<T>): Promise<T> {
  const ready = new Gate();
  const { app, outcome } = httpProbe(async (scope, receive) => {
    const result = prepare(at(scope));
    await receive();
    ready.open();
    await receive();
    return await result();
  });
  await using server = await target.start(app);
  const exchange = await server.exchange();
  await ready.pass();
  exchange.leave();
  return await outcome();
}

row("CONN-003", "On an abnormal end: not connected, a reason, the promise and the signal, the callbacks, then http.disconnect", {}, async (
  target,
) => {
  const ready = new Gate();
  const { app, outcome } = httpProbe(async (scope, receive) => {
    const connection = at(scope);
    const order: unknown[] = [];
    const look = () => [connection.isConnected(), connection.disconnectReason(), connection.signal.aborted];
    connection.disconnectFuture().then((reason) => order.push(["promise", reason]));
    connection.signal.addEventListener("abort", () => order.push(["signal", ...look()]));
    connection.onDisconnect(() => order.push(["first", ...look()]));
    connection.onDisconnect(() => order.push(["second", ...look()]));
    await receive();
    ready.open();
    const { type } = await receive();
    order.push(type);
    await settle();
    return { order, look: look(), reason: String(connection.signal.reason) };
  });
  await using server = await target.start(app);
  const exchange = await server.exchange();
  await ready.pass();
  exchange.leave();
  const { order, look, reason } = await outcome();
  const told = [false, "client_closed", true];
  assertEquals(order.filter((entry) => !Array.isArray(entry) || entry[0] !== "promise"), [
    ["signal", ...told],
    ["first", ...told],
    ["second", ...told],
    "http.disconnect",
  ]);
  assert(order.some((entry) => Array.isArray(entry) && entry[0] === "promise" && entry[1] === "client_closed"));
  assertEquals<unknown>(look, told, "it never goes back");
  assert(reason.includes("client_closed"), reason);
});

row("CONN-004", "The first reason stays, and callbacks run once", {}, async (target) => {
  const ready = new Gate();
  const { app, outcome } = httpProbe(async (scope, receive) => {
    const calls: string[] = [];
    at(scope).onDisconnect((reason) => calls.push(reason));
    await receive();
    ready.open();
    await receive();
    await settle(100);
    return [...calls, at(scope).disconnectReason()];
  });
  await using server = await target.start(app);
  const exchange = await server.exchange();
  await ready.pass();
  exchange.leave();
  await settle(30);
  await server.stop(0);
  assertEquals(await outcome(), ["client_closed", "client_closed"]);
});

row("CONN-005", "Callbacks get the reason, in the order of their registration", {}, async (target) => {
  const calls: string[] = [];
  await left(target, (connection) => {
    for (const name of ["a", "b", "c"]) connection.onDisconnect((reason) => calls.push(`${name} ${reason}`));
    return () => {};
  });
  assertEquals(calls, ["a client_closed", "b client_closed", "c client_closed"]);
});

row("CONN-006", "A callback that is registered after the end is called at once", {}, async (target) => {
  const calls = await left(target, (connection) => {
    connection.isConnected();
    return () => {
      const calls: string[] = [];
      connection.onDisconnect((reason) => calls.push(reason));
      return calls;
    };
  });
  assertEquals(calls, ["client_closed"]);
});

row("CONN-007", "A callback that throws is logged and the next ones run, late ones too", {}, async (target) => {
  const ready = new Gate();
  const broken = () => {
    throw new Error("the callback broke");
  };
  const { app, outcome } = httpProbe(async (scope, receive) => {
    const calls: string[] = [];
    at(scope).onDisconnect(broken);
    at(scope).onDisconnect(() => calls.push("next"));
    await receive();
    ready.open();
    await receive();
    at(scope).onDisconnect(broken);
    at(scope).onDisconnect(() => calls.push("late"));
    return calls;
  });
  await using server = await target.start(app);
  const exchange = await server.exchange();
  await ready.pass();
  exchange.leave();
  assertEquals(await outcome(), ["next", "late"]);
  const notes = server.notes.filter(({ text }) => text === "A callback failed");
  assertEquals(notes.length, 2);
  assert(notes.every(({ level, fields }) => level === "error" && String(fields.error).includes("the callback broke")));
});

row("CONN-010", "After an abnormal end onComplete is never called", {}, async (target) => {
  const calls: string[] = [];
  await left(target, (connection) => {
    connection.onComplete(() => calls.push("early"));
    return () => connection.onComplete(() => calls.push("late"));
  });
  await settle();
  assertEquals(calls, []);
});

row("CONN-011", "A request has one terminal signal, whichever comes first", {}, async (target) => {
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    const calls: string[] = [];
    at(scope).onComplete(() => calls.push("complete"));
    at(scope).onDisconnect(() => calls.push("disconnect"));
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "part", more: 1 });
    await until(() => calls.length > 0, "an end");
    await send({ type: "http.response.body", body: "rest" });
    await settle();
    return calls;
  });
  await using server = await target.start(app);
  const exchange = await server.exchange();
  await exchange.readUntil("part");
  exchange.leave();
  assertEquals(await outcome(), ["disconnect"]);
});

row("CONN-012", "disconnectFuture() is one promise: of the reason, and settled where it is asked for late", {}, async (target) => {
  const [first, second, late] = await left(target, (connection) => {
    const first = connection.disconnectFuture();
    assertStrictEquals(connection.disconnectFuture(), first);
    return async () => {
      const late = connection.disconnectFuture();
      return [await first, late === first, await within(late, "the reason")];
    };
  });
  assertEquals([first, second, late], ["client_closed", true, "client_closed"]);
  const asked = await left(target, (connection) => {
    connection.isConnected();
    return () => within(connection.disconnectFuture(), "the reason");
  });
  assertEquals(asked, "client_closed", "first asked for after the end");
});

row("CONN-017", "A 500 of the server's ends it with server_error, the response started", {}, async (target) => {
  for (const fails of [true, false]) {
    const calls: unknown[] = [];
    let connection: Connection | undefined;
    const { app } = httpProbe((scope) => {
      connection = at(scope);
      connection.onDisconnect((reason) => calls.push([reason, connection!.responseStarted()]));
      connection.onComplete(() => calls.push("complete"));
      return fails ? Promise.reject(new Error("the app broke")) : Promise.resolve();
    });
    await using server = await target.start(app);
    assertEquals((await server.request()).status, 500);
    await settle();
    assertEquals([calls, connection!.disconnectReason()], [[["server_error", true]], "server_error"]);
  }
});

row("CONN-026", "The state changes although the app never receives", {}, async (target) => {
  const ready = new Gate();
  const { app, outcome } = httpProbe(async (scope) => {
    const before = at(scope).isConnected();
    ready.open();
    await until(() => !at(scope).isConnected(), "the end");
    return [before, at(scope).disconnectReason()];
  });
  await using server = await target.start(app);
  const exchange = await server.exchange();
  await ready.pass();
  exchange.leave();
  assertEquals(await outcome(), [true, "client_closed"]);
});

elsewhere("CONN-019", "The tokens of a limit, a timeout, the shutdown and a failed write", "tests/sessions/scenario_connection_test.ts");

elsewhere("CONN-024", "A failed write is write_error, a failed read is read_error", "tests/sessions/scenario_connection_test.ts");

row(
  "CONN-025",
  "A client that leaves during a drain is client_closed: a reason is what happened (the reference says server_shutdown)",
  {},
  async (
    target,
  ) => {
    const ready = new Gate();
    const { app, outcome } = httpProbe(async (scope, receive, send) => {
      await receive();
      at(scope).isConnected();
      ready.open();
      await receive();
      await answer(send);
      return at(scope).disconnectReason();
    });
    await using server = await target.start(app);
    const exchange = await server.exchange();
    await ready.pass();
    const stopping = server.stop(2000);
    exchange.leave();
    assertEquals(await outcome(), "client_closed");
    await stopping;
  },
);
