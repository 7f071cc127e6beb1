/** Interim responses, and the extensions that tell of them: 100 Continue over HTTP/2, 103 Early Hints. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, readBody, rejection } from "../apps.ts";
import { H2Peer } from "../h2_peer.ts";
import { row } from "../suite.ts";
import { Gate, Mailbox, settle } from "../waiting.ts";

const LINK = ["link", "</a.css>; rel=preload"] as const;

row("HTTP-022", "`http.response.early_hint`: a 103 comes before the response", { needs: ["early-hints"] }, async (target) => {
  const seen = new Mailbox<unknown>();
  await using server = await target.start(http(async (scope, _receive, send) => {
    seen.put(scope.extensions["http.response.early_hint"]);
    await send({ type: "http.response.early_hint", headers: [LINK] });
    await send({ type: "http.response.early_hint", headers: [["x-hint", "2"]] });
    await answer(send, "after");
  }));
  const reply = await server.request();
  assertEquals(reply.hints.map((hint) => [hint.status, hint.get("link"), hint.get("x-hint")]), [[103, LINK[1], null], [103, null, "2"]]);
  assertEquals([reply.status, reply.text, reply.get("link"), await seen.take()], [200, "after", null, {}]);
});

row("HTTP-022", "it leaves at once, and rejects behind the start", { needs: ["early-hints"], wire: true }, async (target) => {
  const gate = new Gate();
  const seen = new Mailbox<string>();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.early_hint", headers: [LINK] });
    await gate.pass();
    await answer(send);
    seen.put((await rejection(send({ type: "http.response.early_hint", headers: [LINK] }))).name);
  }));
  const connection = await server.connect();
  await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals((await connection.head())?.status, 103);
  gate.open();
  assertEquals((await connection.head())?.status, 200);
  assertEquals(await seen.take(), "StateError");
});

row("HTTP-022", "an HTTP/1.0 client is offered none, and gets none", { needs: ["early-hints", "http-version"] }, async (target) => {
  const seen = new Mailbox<unknown>();
  await using server = await target.start(http(async (scope, _receive, send) => {
    seen.put("http.response.early_hint" in scope.extensions);
    seen.put((await rejection(send({ type: "http.response.early_hint", headers: [LINK] }))).name);
    await answer(send);
  }));
  const reply = await server.request({ httpVersion: "1.0" });
  assertEquals([reply.status, reply.hints.length, await seen.take(), await seen.take()], [200, 0, false, "StateError"]);
});

row("HTTP-022", "over HTTP/2 it is an interim header block", { needs: ["early-hints"], wire: true }, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.early_hint", headers: [LINK] });
    await answer(send, "after");
  }));
  await using peer = await H2Peer.connect(server);
  const stream = peer.open();
  assertEquals((await stream.finish()).text, "after");
  assertEquals(stream.hints.map((hint) => [String(hint[":status"]), hint.link]), [["103", LINK[1]]]);
});

row("HTTP-022", "where it is not offered the event rejects", { lacks: "early-hints" }, async (target) => {
  const seen = new Mailbox<unknown>();
  await using server = await target.start(http(async (scope, _receive, send) => {
    seen.put("http.response.early_hint" in scope.extensions);
    seen.put((await rejection(send({ type: "http.response.early_hint", headers: [LINK] }))).name);
    await answer(send);
  }));
  assertEquals([(await server.request()).status, await seen.take(), await seen.take()], [200, false, "StateError"]);
});

row("HTTP-049", "also over HTTP/2, once, and not before the app reads", { needs: ["continue"], wire: true }, async (target) => {
  const gate = new Gate();
  await using server = await target.start(http(async (_scope, receive, send) => {
    await gate.pass();
    await answer(send, (await readBody(receive)).body);
  }));
  await using peer = await H2Peer.connect(server);
  const stream = peer.open({ method: "POST", streams: true, headers: { expect: "100-continue" } });
  await settle();
  assertEquals(stream.continues, 0);
  gate.open();
  await stream.continued();
  stream.write("hello");
  stream.end();
  assertEquals([(await stream.finish()).text, stream.continues], ["hello", 1]);
});

row("HTTP-050", "and the connection ends, as nobody knows whether the body comes", { needs: ["continue"], wire: true }, async (target) => {
  await using server = await target.start(http((_scope, _receive, send) => answer(send, "no", [], 403)));
  const connection = await server.connect();
  await connection.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  const got = await connection.rest();
  assert(/^HTTP\/1\.1 403 [\s\S]*connection: close\r\n[\s\S]*no$/i.test(got), got);
});

row("HTTP-050", "the expectation may be written in any case; without a body, and over HTTP/1.0, it means nothing", {
  needs: ["continue"],
  wire: true,
}, async (target) => {
  await using server = await target.start(http(async (_scope, receive, send) => answer(send, (await readBody(receive)).body)));
  for (
    const [request, interim] of [
      ["POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n", 100],
      ["POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", 200],
      ["POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", 200],
    ] as const
  ) {
    const connection = await server.connect();
    await connection.send(request);
    assertEquals((await connection.head())?.status, interim, request);
  }
});
