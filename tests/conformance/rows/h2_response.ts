/** HTTP/2: responses, and what an app is told of its stream. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, rejection, text } from "../apps.ts";
import { H2Peer } from "../h2_peer.ts";
import { row } from "../suite.ts";
import { Gate, Mailbox } from "../waiting.ts";

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

row("H2-022", "Trailers follow the body", { wire: true, needs: ["trailers"] }, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, trailers: 1 });
    await send({ type: "http.response.body", body: "ok" });
    await send({ type: "http.response.trailers", headers: [["x-sum", "1"]] });
  }));
  await using peer = await H2Peer.connect(server);
  const { text, trailers } = await peer.request();
  assertEquals([text, trailers?.["x-sum"]], ["ok", "1"]);
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
