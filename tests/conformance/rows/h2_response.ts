/** HTTP/2: responses, and what an app is told of its stream. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, rejection, text } from "../apps.ts";
import { H2Peer } from "../h2_peer.ts";
import { row } from "../suite.ts";
import { Gate, Mailbox, settle } from "../waiting.ts";

const WIRE = { wire: true };

row("H2-012", "HTTP/2 is spoken over TLS, and in cleartext by prior knowledge", WIRE, async (target) => {
  for (const tls of [true, false]) {
    await using server = await target.start(text("ok"), { tls });
    await using peer = await H2Peer.connect(server);
    assertEquals((await peer.request()).text, "ok");
  }
});

row("H2-013", "A response has its status, its headers and its body, and the stream ends", WIRE, async (target) => {
  await using server = await target.start(
    http((_scope, _receive, send) => answer(send, "hello", [["x-a", "1"], ["set-cookie", "a"], ["set-cookie", "b"]], 201)),
  );
  await using peer = await H2Peer.connect(server);
  const { status, headers, text } = await peer.request();
  assertEquals([status, headers["x-a"], headers["set-cookie"], text], [201, "1", ["a", "b"], "hello"]);
});

row("H2-014", "Parts reach the client as they are sent", WIRE, async (target) => {
  const gates = [new Gate(), new Gate()];
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    for (const [index, gate] of gates.entries()) {
      await send({ type: "http.response.body", body: `<${index}>`, more: 1 });
      await gate.pass();
    }
    await send({ type: "http.response.body", body: "end" });
  }));
  await using peer = await H2Peer.connect(server);
  const stream = peer.open();
  for (const [index, gate] of gates.entries()) {
    await stream.readUntil(`<${index}>`);
    gate.open();
  }
  assertEquals((await stream.finish()).text, "<0><1>end");
});

row("H2-015", "A response in parts ends with an empty one, also across many windows", WIRE, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    for (let count = 0; count < 50; count++) await send({ type: "http.response.body", body: new Uint8Array(8192).fill(count), more: 1 });
    await send({ type: "http.response.body" });
  }));
  await using peer = await H2Peer.connect(server);
  const { body } = await peer.request();
  assertEquals(body.byteLength, 50 * 8192);
  assertEquals(body.every((byte, index) => byte === Math.floor(index / 8192)), true);
});

row("H2-016", "There is no Transfer-Encoding, and no chunk", WIRE, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["transfer-encoding", "chunked"]] });
    await send({ type: "http.response.body", body: "a", more: 1 });
    await send({ type: "http.response.body", body: "b" });
  }));
  await using peer = await H2Peer.connect(server);
  const { headers, text } = await peer.request();
  assertEquals([headers["transfer-encoding"], headers["connection"], text], [undefined, undefined, "ab"]);
});

row("H2-017", "A Date is added where the app gave none, and the app's own is the only one", WIRE, async (target) => {
  const date = "Thu, 01 Jan 1970 00:00:00 GMT";
  await using server = await target.start(http((scope, _receive, send) => answer(send, "", scope.path === "/own" ? [["date", date]] : [])));
  await using peer = await H2Peer.connect(server);
  assert(/ GMT$/.test(String((await peer.request()).headers.date)));
  assertEquals((await peer.request({ target: "/own" })).headers.date, date);
});

row("H2-018", "No Server header is added", WIRE, async (target) => {
  await using server = await target.start(text("ok"));
  await using peer = await H2Peer.connect(server);
  assertEquals((await peer.request()).headers["server"], undefined);
});

row("H2-019", "Bad header bytes reject, as over HTTP/1.1; a second start and a body without one reject too", WIRE, async (target) => {
  const errors = new Mailbox<string>();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    errors.put((await rejection(send({ type: "http.response.body", body: "x" }))).name);
    for (const bad of ["\r", "\n", "\0", "\x01"]) {
      errors.put((await rejection(send({ type: "http.response.start", status: 200, headers: [["x-a", bad]] }))).name);
    }
    await send({ type: "http.response.start", status: 200 });
    errors.put((await rejection(send({ type: "http.response.start", status: 201 }))).name);
    await send({ type: "http.response.body", body: "ok" });
  }));
  await using peer = await H2Peer.connect(server);
  const { status, text } = await peer.request();
  assertEquals([status, text], [200, "ok"]);
  const names = [];
  while (errors.waiting > 0) names.push(await errors.take());
  assertEquals(names, ["StateError", "EventError", "EventError", "EventError", "EventError", "StateError"]);
});

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

row("H2-022", "Trailers follow the body", { wire: true, needs: ["trailers"] }, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, trailers: 1 });
    await send({ type: "http.response.body", body: "ok" });
    await send({ type: "http.response.trailers", headers: [["x-sum", "1"]] });
  }));
  await using peer = await H2Peer.connect(server);
  assertEquals((await peer.request()).text, "ok");
});

row("H2-023", "Files and handles are sent", WIRE, async (target) => {
  const path = await Deno.makeTempFile();
  try {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => index & 255);
    await Deno.writeFile(path, bytes);
    await using server = await target.start(http(async (scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      if (scope.path === "/file") return await send({ type: "http.response.body", file: path, offset: 256 });
      using fh = await Deno.open(path);
      await send({ type: "http.response.body", fh, length: 1000 });
    }));
    await using peer = await H2Peer.connect(server);
    assertEquals((await peer.request({ target: "/file" })).body.every((byte, index) => byte === (index & 255)), true);
    assertEquals((await peer.request({ target: "/fh" })).body.byteLength, 1000);
  } finally {
    await Deno.remove(path);
  }
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

row("H2-046", "Streams that are under way may finish when the server stops", WIRE, async (target) => {
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
