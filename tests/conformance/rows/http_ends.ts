/** Responses: where there is no body, where a body is wrong, trailers, flush, failures. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, rejection, text } from "../apps.ts";
import { elsewhere, row } from "../suite.ts";
import { Mailbox, settle } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";
import type { HttpSendEvent } from "../../../src/spec/events.ts";

const PARTS = http(async (_scope, _receive, send) => {
  await send({ type: "http.response.start", status: 200, headers: [["x-a", "1"]] });
  await send({ type: "http.response.body", body: "hello", more: 1 });
  await send({ type: "http.response.body", body: "world" });
});

row("HTTP-076", "HEAD has the status and the headers of GET, and no body", {}, async (target) => {
  await using server = await target.start(text("hello", [["x-a", "1"]]));
  const reply = await server.request({ method: "HEAD" });
  assertEquals([reply.status, reply.get("x-a"), reply.get("content-length"), reply.body.byteLength], [200, "1", "5", 0]);
});

row("HTTP-076", "the connection stays usable, also where the app sent a body in parts", { wire: true }, async (target) => {
  await using server = await target.start(PARTS);
  const connection = await server.connect();
  await connection.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals((await WireExchange.reply(connection, "HEAD")).get("x-a"), "1");
  assertEquals((await WireExchange.reply(connection)).text, "helloworld");
});

row("HTTP-077", "HEAD opens no file", {}, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["content-length", "7"]] });
    await send({ type: "http.response.body", file: "/nowhere/at/all" });
  }));
  const reply = await server.request({ method: "HEAD" });
  assertEquals([reply.status, reply.get("content-length"), reply.body.byteLength], [200, "7", 0]);
});

row("HTTP-078", "An answer of the server to HEAD has no body either", { wire: true }, async (target) => {
  await using server = await target.start(http(() => Promise.reject(new Error("oops"))));
  for (const [path, status] of [["/", 500], ["/%zz", 400]] as const) {
    const connection = await server.connect();
    await connection.send(`HEAD ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    assertEquals((await WireExchange.reply(connection, "HEAD")).status, status);
    assert(await connection.silent() || await connection.ends());
  }
});

row("HTTP-079", "204 and 304 have no body and no Transfer-Encoding, whatever the app sends", {}, async (target) => {
  await using server = await target.start(http(async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: Number(scope.path.slice(1, 4)) });
    if (scope.query_string === "parts") await send({ type: "http.response.body", body: "surprise", more: 1 });
    await send({ type: "http.response.body", body: "surprise" });
  }));
  for (const status of [204, 304]) {
    for (const query of ["", "?parts"]) {
      const reply = await server.request({ target: `/${status}${query}` });
      assertEquals([reply.status, reply.body.byteLength, reply.get("transfer-encoding"), reply.cut], [status, 0, null, false]);
    }
  }
});

row("HTTP-079", "so the connection stays in step", { wire: true }, async (target) => {
  await using server = await target.start(text("surprise", []));
  const connection = await server.connect();
  await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2));
  assertEquals([(await WireExchange.reply(connection)).text, (await WireExchange.reply(connection)).text], ["surprise", "surprise"]);
});

/** Declares 5 bytes and sends these parts; the app is told what its sends came to. */
function declaring(said: Mailbox<string>, parts: readonly string[]) {
  return http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["content-length", "5"]] });
    for (const [index, body] of parts.entries()) {
      const more = index < parts.length - 1 ? 1 : 0;
      await send({ type: "http.response.body", body, more }).then(() => said.put("sent"), (error: Error) => said.put(error.name));
    }
  });
}

row("HTTP-080", "Fewer bytes than the declared length cut the answer", {}, async (target) => {
  for (const parts of [["he", "l"], ["", "hel"]]) {
    const said = new Mailbox<string>();
    await using server = await target.start(declaring(said, parts));
    const exchange = await server.exchange();
    const outcome = await exchange.finish().then((reply) => reply.cut || reply.status === 500, () => true);
    assertEquals(outcome, true, parts.join());
  }
});

row("HTTP-080", "more bytes reject, and none of the surplus is sent", { wire: true }, async (target) => {
  for (const parts of [["hello", "world"], ["hel", "lo world"]]) {
    const said = new Mailbox<string>();
    await using server = await target.start(declaring(said, parts));
    const connection = await server.connect();
    await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert(["hel", "hello"].includes((await WireExchange.reply(connection)).text));
    assert(await connection.silent() || await connection.ends());
    assertEquals([await said.take(), await said.take()], ["sent", "EventError"]);
  }
});

const TRAILING = (events: readonly HttpSendEvent[], said: Mailbox<string>) =>
  http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, trailers: 1 });
    await send({ type: "http.response.body", body: "hello" });
    for (const event of events) await send(event).then(() => said.put("sent"), (error: Error) => said.put(error.name));
  });

const SUM: HttpSendEvent = { type: "http.response.trailers", headers: [["x-sum", "1"], ["x-end", "2"]] };

row("HTTP-081", "Trailers that were promised follow the body", { needs: ["trailers"] }, async (target) => {
  await using server = await target.start(TRAILING([SUM], new Mailbox()));
  const reply = await server.request();
  assertEquals([reply.text, [...reply.trailers ?? []].sort()], ["hello", [["x-end", "2"], ["x-sum", "1"]]]);
});

row("HTTP-081", "without the capability they are taken and dropped, and the answer is whole", { lacks: "trailers" }, async (target) => {
  const said = new Mailbox<string>();
  await using server = await target.start(TRAILING([SUM], said));
  const reply = await server.request();
  assertEquals([reply.text, reply.cut, reply.trailers, await said.take()], ["hello", false, null, "sent"]);
});

row("HTTP-082", "The answer ends with the trailers, not with the last body event", { needs: ["trailers"] }, async (target) => {
  const seen = new Mailbox<boolean>();
  await using server = await target.start(http(async (scope, _receive, send) => {
    const connection = scope["pagi.connection"];
    await send({ type: "http.response.start", status: 200, trailers: 1 });
    await send({ type: "http.response.body", body: "hello" });
    seen.put(connection.responseComplete());
    await send(SUM);
    seen.put(connection.responseComplete());
  }));
  await server.request();
  assertEquals([await seen.take(), await seen.take()], [false, true]);
});

row("HTTP-083", "Trailers that were not promised reject", {}, async (target) => {
  const said = new Mailbox<string>();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    said.put((await rejection(send(SUM))).name);
    await answer(send, "ok");
    said.put((await rejection(send(SUM))).name);
  }));
  assertEquals((await server.request()).text, "ok");
  assertEquals([await said.take(), await said.take()], ["StateError", "StateError"]);
});

row("HTTP-084", "Trailers that were promised and never come leave a whole answer", {}, async (target) => {
  await using server = await target.start(TRAILING([], new Mailbox()));
  const reply = await server.request();
  assertEquals([reply.text, reply.cut], ["hello", false]);
});

row("HTTP-085", "Trailers sent twice reject, and write nothing", {}, async (target) => {
  const said = new Mailbox<string>();
  await using server = await target.start(TRAILING([SUM, { type: "http.response.trailers", headers: [["x-late", "1"]] }], said));
  const reply = await server.request();
  assertEquals([reply.text, reply.trailers?.some(([name]) => name === "x-late") ?? false], ["hello", false]);
  assertEquals([await said.take(), await said.take()], ["sent", "StateError"]);
});

row("HTTP-086", "CR, LF and NUL in trailers reject", {}, async (target) => {
  const said = new Mailbox<string>();
  const bad = ["\r", "\n", "\0", "\x01"].map((byte): HttpSendEvent => ({
    type: "http.response.trailers",
    headers: [["x-a", `a${byte}b: c`]],
  }));
  await using server = await target.start(TRAILING([...bad, SUM], said));
  assertEquals((await server.request()).text, "hello");
  for (const _ of bad) assertEquals(await said.take(), "EventError");
  assertEquals(await said.take(), "sent");
});

row("HTTP-087", "`fullflush` is advertised where the engine can flush, and only there", {}, async (target) => {
  const seen = new Mailbox<boolean>();
  await using server = await target.start(http(async (scope, _receive, send) => {
    seen.put("fullflush" in scope.extensions);
    await answer(send);
  }));
  await server.request();
  assertEquals(await seen.take(), target.capabilities.includes("flush"));
});

row("HTTP-088", "`http.fullflush` that is not advertised rejects and names the extension", { lacks: "flush" }, async (target) => {
  const said = new Mailbox<string>();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    said.put((await rejection(send({ type: "http.fullflush" }))).message);
    await answer(send);
  }));
  await server.request();
  assert((await said.take()).includes("fullflush"));
});

row("HTTP-089", "`http.fullflush` resolves where it is advertised, and everything arrives", { needs: ["flush"] }, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    for (const body of ["a", "b"]) {
      await send({ type: "http.response.body", body, more: 1 });
      await send({ type: "http.fullflush" });
    }
    await send({ type: "http.response.body", body: "c" });
  }));
  assertEquals((await server.request()).text, "abc");
});

row("HTTP-108", "A send after the client has left resolves, and nothing comes of it", {}, async (target) => {
  const said = new Mailbox<string>();
  await using server = await target.start(http(async (scope, receive, send) => {
    scope["pagi.connection"].isConnected();
    while ((await receive()).type !== "http.disconnect");
    await answer(send, "too late").then(() => said.put("resolved"), (error: Error) => said.put(error.message));
    said.put(String(scope["pagi.connection"].responseStarted()));
  }));
  const exchange = await server.exchange();
  await settle(10);
  exchange.leave();
  assertEquals([await said.take(), await said.take()], ["resolved", "false"]);
});

elsewhere("HTTP-075", "random parts over raw sockets", "tests/engines/deno_serve_http_test.ts");
