/** Drain and stop. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, text } from "../apps.ts";
import { elsewhere, row } from "../suite.ts";
import { Gate, Mailbox, settle } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";
import { type App, defineApp } from "../../../src/spec/app.ts";

const STREAM = { headers: [["accept", "text/event-stream"]] } as const;

row("SHUT-001", "A server that stops takes no new connections", { wire: true }, async (target) => {
  await using server = await target.start(text("ok"));
  assertEquals((await server.request()).status, 200);
  await server.stop();
  const refused = await server.connect().then(() => false, (error) => error instanceof Deno.errors.ConnectionRefused);
  assertEquals(refused, true);
});

elsewhere("SHUT-001", "at TERM, and the process exits with 0", "tests/runner/cli_run_test.ts");
elsewhere("SHUT-002", "A second TERM changes nothing; a second INT ends at once, with status 1", "tests/runner/cli_run_test.ts");

row("SHUT-003", "Idle connections are closed at once", { wire: true }, async (target) => {
  await using server = await target.start(text("ok"));
  const connection = await server.connect();
  await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await WireExchange.reply(connection);
  const stopped = server.stop(5000);
  assertEquals(await connection.ends(), true);
  await stopped;
});

row("SHUT-004", "A request that is under way may finish", {}, async (target) => {
  const began = new Gate();
  const gate = new Gate();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    began.open();
    await gate.pass();
    await answer(send, "done");
  }));
  const exchange = await server.exchange();
  await began.pass();
  const stopped = server.stop(5000);
  gate.open();
  assertEquals((await exchange.finish()).text, "done");
  await stopped;
});

row("SHUT-005", "What is left at the deadline is ended", {}, async (target) => {
  await using server = await target.start(http(async (_scope, receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "a", more: 1 });
    while ((await receive()).type !== "http.disconnect");
  }));
  const exchange = await server.exchange();
  await exchange.readUntil("a");
  await server.stop(50);
  assertEquals((await exchange.finish()).cut, true);
});

elsewhere("SHUT-005", "with a warning in the log", "tests/runner/serve_test.ts");

row("SHUT-006", "A connection that turns idle while the server drains is closed at once", { wire: true }, async (target) => {
  const began = new Gate();
  const gate = new Gate();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    began.open();
    await gate.pass();
    await answer(send, "done");
  }));
  const connection = await server.connect();
  await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await began.pass();
  const stopped = server.stop(5000);
  gate.open();
  const reply = await WireExchange.reply(connection);
  assertEquals([reply.text, reply.get("connection"), await connection.ends()], ["done", "close", true]);
  await stopped;
});

/** An app that tells what its WebSocket and its event stream are told, and when the drain signal comes. */
function watching(seen: Mailbox<unknown>): App {
  return defineApp({
    async websocket(scope, receive, send) {
      await receive();
      scope.extensions.drain?.signal.addEventListener("abort", () => seen.put("drain"));
      await send({ type: "websocket.accept" });
      const { code, reason } = await receive() as { code: number; reason: string };
      seen.put([code, reason]);
    },
    async sse(scope, receive, send) {
      scope.extensions.drain?.signal.addEventListener("abort", () => seen.put("drain"));
      await send({ type: "sse.start" });
      let event = await receive();
      while (event.type !== "sse.disconnect") event = await receive();
      seen.put(event.reason);
    },
  });
}

row("SHUT-007", "A WebSocket is told of the drain, and ended at the deadline with `server_shutdown`", {}, async (target) => {
  const seen = new Mailbox<unknown>();
  await using server = await target.start(watching(seen));
  const socket = await server.websocket();
  const stopped = server.stop(50);
  assertEquals(await seen.take(), "drain");
  assertEquals(((await seen.take()) as unknown[])[1], "server_shutdown");
  await socket.closed;
  await stopped;
});

row("SHUT-008", "An event stream is told of the drain, and ended at the deadline with `server_shutdown`", {}, async (target) => {
  const seen = new Mailbox<unknown>();
  await using server = await target.start(watching(seen));
  const exchange = await server.exchange(STREAM);
  await exchange.head();
  const stopped = server.stop(50);
  assertEquals([await seen.take(), await seen.take()], ["drain", "server_shutdown"]);
  await stopped;
});

row("SHUT-009", "The peer of a WebSocket gets a close frame with 1012", {}, async (target) => {
  await using server = await target.start(watching(new Mailbox()));
  const socket = await server.websocket();
  const stopped = server.stop(20);
  assertEquals((await socket.closed).code, 1012);
  await stopped;
});

row("SHUT-010", "A request that is cut is told `server_shutdown`, and a waiting `receive` gets `http.disconnect`", {}, async (target) => {
  const seen = new Mailbox<unknown>();
  const began = new Gate();
  await using server = await target.start(http(async (scope, receive) => {
    scope["pagi.connection"].onDisconnect((reason) => seen.put(reason));
    await receive();
    began.open();
    seen.put((await receive()).type);
  }));
  const exchange = await server.exchange();
  await began.pass();
  await server.stop(20);
  assertEquals([await seen.take(), await seen.take()], ["server_shutdown", "http.disconnect"]);
  const status = await exchange.finish().then((reply) => reply.status, () => 503);
  assertEquals(status, 503);
  assertEquals((await server.ended()).end.reason, "server_shutdown");
});

row("SHUT-011", "A stop asked for twice is one stop", {}, async (target) => {
  await using server = await target.start(text("ok"));
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
  assertEquals(server.notes.filter(({ level }) => level === "error"), []);
});

/** A lifespan whose shutdown does this. */
function lifespan(
  said: string[],
  shutdown: (send: (event: { type: "lifespan.shutdown.failed"; message: string }) => Promise<void>) => Promise<void>,
): App {
  return defineApp({
    async lifespan(_scope, receive, send) {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await receive();
      said.push("shutdown");
      await shutdown(send);
    },
    async http(_scope, _receive, send) {
      await settle(30);
      await answer(send, "done");
      said.push("answered");
    },
  });
}

row("SHUT-012", "A lifespan shutdown that fails does not prevent the stop, and is logged", {}, async (target) => {
  const fails = [
    lifespan([], (send) => send({ type: "lifespan.shutdown.failed", message: "no" })),
    lifespan([], () => Promise.reject(new Error("oops"))),
  ];
  for (const app of fails) {
    await using server = await target.start(app, { lifespan: "on" });
    await server.stop(100);
    assert(server.notes.some(({ level }) => level === "warn" || level === "error"));
  }
});

row("SHUT-012", "nor does one that hangs", {}, async (target) => {
  await using server = await target.start(lifespan([], () => new Promise(() => {})), { lifespan: "on" });
  await server.stop(50);
  await server.noted(/shutdown/i);
});

row("SHUT-012", "a Unix socket of the server is removed", { wire: true, unix: true }, async (target) => {
  await using server = await target.start(text("ok"), { unix: true });
  const { path } = server.address as { path: string };
  assertEquals((await Deno.lstat(path)).isSocket, true);
  await server.stop();
  assertEquals(await Deno.lstat(path).then(() => true, () => false), false);
});

row("SHUT-013", "`lifespan.shutdown` comes after the last exchange is over", {}, async (target) => {
  const said: string[] = [];
  await using server = await target.start(lifespan(said, () => Promise.resolve()), { lifespan: "on" });
  const exchange = await server.exchange();
  await settle(5);
  const stopped = server.stop(5000);
  assertEquals((await exchange.finish()).text, "done");
  await stopped;
  assertEquals(said, ["answered", "shutdown"]);
});
