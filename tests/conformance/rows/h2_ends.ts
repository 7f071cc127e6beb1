/** HTTP/2: how streams end, and what an app is told of it. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, rejection, text } from "../apps.ts";
import { H2Peer } from "../h2_peer.ts";
import { row } from "../suite.ts";
import { Gate, Mailbox, settle } from "../waiting.ts";

const WIRE = { wire: true };

row("H2-020", "An app that throws or returns without a response: 500, and other streams go on", WIRE, async (target) => {
  await using server = await target.start(http(async (scope, _receive, send) => {
    if (scope.path === "/throws") throw new Error("oops");
    if (scope.path === "/ok") await answer(send);
  }));
  await using peer = await H2Peer.connect(server);
  const replies = await Promise.all(["/throws", "/returns", "/ok"].map((path) => peer.request({ target: path })));
  assertEquals(replies.map(({ status, text }) => [status, text]), [[500, "Internal Server Error\n"], [500, "Internal Server Error\n"], [
    200,
    "ok",
  ]]);
  await server.ended(3);
  assertEquals(server.notes.filter(({ level }) => level === "error").length, 2);
});

row("H2-020", "one that throws in its response: the stream is reset", WIRE, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "hello", more: 1 });
    await settle(10);
    throw new Error("oops");
  }));
  await using peer = await H2Peer.connect(server);
  const error = await rejection(peer.request());
  assert(/reset/.test(error.message), error.message);
});

row("H2-021", "Nothing is answered or logged as an error where the client has reset the stream", WIRE, async (target) => {
  const over = new Mailbox<void>();
  await using server = await target.start(http(async (scope, receive) => {
    scope["pagi.connection"].isConnected();
    while ((await receive()).type !== "http.disconnect");
    over.put();
    throw new Error("too late");
  }));
  await using peer = await H2Peer.connect(server);
  const stream = peer.open();
  await settle();
  stream.reset();
  await over.take();
  assertEquals((await server.ended()).end.reason, "client_closed");
  assertEquals(server.notes.filter(({ level }) => level === "error"), []);
});

row("H2-025", "Each stream has its own `pagi.connection`", WIRE, async (target) => {
  const seen = new Mailbox<boolean>();
  const gate = new Gate();
  await using server = await target.start(http(async (scope, _receive, send) => {
    if (scope.path === "/first") {
      await answer(send);
      return gate.open();
    }
    await gate.pass();
    seen.put(scope["pagi.connection"].responseStarted());
    await answer(send);
    seen.put(scope["pagi.connection"].responseStarted());
  }));
  await using peer = await H2Peer.connect(server);
  await Promise.all([peer.request({ target: "/second" }), peer.request({ target: "/first" })]);
  assertEquals([await seen.take(), await seen.take()], [false, true]);
});

row("H2-026", "A response that is whole is told by `onComplete`, a client that leaves by `onDisconnect`", WIRE, async (target) => {
  const seen = new Mailbox<string>();
  await using server = await target.start(http(async (scope, receive, send) => {
    const connection = scope["pagi.connection"];
    connection.onComplete(() => seen.put("complete"));
    connection.onDisconnect((reason) => seen.put(reason));
    if (scope.path === "/whole") return await answer(send);
    while ((await receive()).type !== "http.disconnect");
  }));
  const peer = await H2Peer.connect(server);
  await peer.request({ target: "/whole" });
  assertEquals(await seen.take(), "complete");
  peer.open({ target: "/left" });
  await settle();
  await peer[Symbol.asyncDispose]();
  assertEquals(await seen.take(), "client_closed");
});

row("H2-037", "A send after the connection has closed resolves", WIRE, async (target) => {
  const seen = new Mailbox<string>();
  await using server = await target.start(http(async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "hello", more: 1 });
    await scope["pagi.connection"].disconnectFuture();
    await send({ type: "http.response.body", body: "late" }).then(() => seen.put("resolved"), (error: Error) => seen.put(error.message));
  }));
  const peer = await H2Peer.connect(server);
  await peer.open().readUntil("hello");
  await peer[Symbol.asyncDispose]();
  assertEquals(await seen.take(), "resolved");
});

row("H2-044", "Nothing is kept of a stream that has ended", WIRE, async (target) => {
  await using server = await target.start(text("ok"));
  await using peer = await H2Peer.connect(server);
  for (let count = 1; count <= 30; count++) {
    await peer.request();
    await server.ended(count);
  }
  assertEquals(server.finished.length, 30);
  assertEquals(new Set(server.finished.map(({ head }) => head.id)).size, 30);
});

row("H2-046", "Streams that are under way may finish when the server stops", { wire: true, tool: "curl" }, async (target) => {
  const began = new Gate();
  const gate = new Gate();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "a", more: 1 });
    began.open();
    await gate.pass();
    await send({ type: "http.response.body", body: "b" });
  }));
  const { port } = server.address as { port: number };
  // The client libraries end their streams at GOAWAY; curl reads on.
  const reading = new Deno.Command("curl", { args: ["-s", "--http2-prior-knowledge", `http://127.0.0.1:${port}/`] }).output();
  await began.pass();
  const stopped = server.stop(5000);
  await settle();
  gate.open();
  assertEquals(new TextDecoder().decode((await reading).stdout), "ab");
  await stopped;
});
