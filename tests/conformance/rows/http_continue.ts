/** Requests that expect 100 Continue. */

import { assertEquals } from "@std/assert";
import { answer, echo, http, readBody, scopes } from "../apps.ts";
import { row } from "../suite.ts";
import { Gate, settle } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";

const EXPECT = { method: "POST", headers: [["expect", "100-continue"]], body: "hello" } as const;

row("HTTP-049", "A client that expects 100 Continue gets it once, and its body is delivered", {}, async (target) => {
  await using server = await target.start(echo);
  const exchange = await server.exchange(EXPECT);
  await exchange.continued;
  assertEquals((await exchange.finish()).text, "hello");
});

row("HTTP-049", "not before the app reads", { needs: ["continue"] }, async (target) => {
  const gate = new Gate();
  await using server = await target.start(http(async (_scope, receive, send) => {
    await gate.pass();
    await answer(send, (await readBody(receive)).body);
  }));
  const exchange = await server.exchange(EXPECT);
  let continued = false;
  const asked = exchange.continued.then(() => continued = true);
  await settle();
  assertEquals(continued, false);
  gate.open();
  await asked;
  assertEquals((await exchange.finish()).text, "hello");
});

row("HTTP-050", "An app that answers without reading sends no 100 Continue", { needs: ["continue"] }, async (target) => {
  await using server = await target.start(http((_scope, _receive, send) => answer(send, "no", [], 403)));
  const exchange = await server.exchange(EXPECT);
  let continued = false;
  exchange.continued.then(() => continued = true, () => {});
  assertEquals((await exchange.finish()).status, 403);
  assertEquals(continued, false);
});

row("HTTP-050", "other expectations are ignored", { wire: true, lacks: "continue" }, async (target) => {
  await using server = await target.start(echo);
  assertEquals((await server.request({ method: "POST", headers: [["expect", "more"]], body: "x" })).text, "x");
});

row("HTTP-050", "other expectations can't be met: 417, as RFC 9110 section 10.1.1 allows", {
  wire: true,
  needs: ["continue"],
}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const connection = await server.connect();
  await connection.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: more\r\nContent-Length: 1\r\n\r\nx");
  const reply = await WireExchange.reply(connection);
  assertEquals([reply.status, reply.phrase, seen.waiting], [417, "Expectation Failed", 0]);
});
