/** Responses: heads, headers, framing. */

import { assert, assertEquals } from "@std/assert";
import { answer, http, rejection, saying } from "../apps.ts";
import { row } from "../suite.ts";
import { Gate, Mailbox } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";
import type { HttpSendEvent } from "../../../src/spec/events.ts";

/** Whatever its type says: an app in JavaScript may send it. */
function malformed(event: unknown): HttpSendEvent {
  return event as HttpSendEvent;
}

row("HTTP-058", "The status line has the status that the app gave", { wire: true }, async (target) => {
  await using server = await target.start(http((scope, _receive, send) => answer(send, "", [], Number(scope.path.slice(1)))));
  for (const status of [200, 201, 206, 301, 404, 418, 429, 451, 500, 503, 599]) {
    const reply = await server.request({ target: `/${status}` });
    assertEquals([reply.version, reply.status], ["HTTP/1.1", status]);
  }
});

row("HTTP-059", "A start without a status rejects", {}, async (target) => {
  const { server, said } = await saying(target, async (send, say) => {
    say((await rejection(send(malformed({ type: "http.response.start", headers: [] })))).message);
    await answer(send);
  });
  await using _ = server;
  assertEquals((await server.request()).status, 200);
  const message = String(await said.take());
  assert(message.includes("http.response.start") && message.includes("status"), message);
});

row(
  "HTTP-063",
  "A body in one piece has its length, one in parts is chunked, one with a declared length is sent as it is",
  { wire: true },
  async (target) => {
    await using server = await target.start(http(async (scope, _receive, send) => {
      const headers = scope.path === "/declared" ? [["content-length", "10"]] as const : [];
      await send({ type: "http.response.start", status: 200, headers });
      if (scope.path !== "/whole") await send({ type: "http.response.body", body: "hello", more: 1 });
      await send({ type: "http.response.body", body: "world" });
    }));
    const seen = [];
    for (const path of ["/whole", "/parts", "/declared"]) {
      const reply = await server.request({ target: path });
      seen.push([reply.text, reply.get("content-length"), reply.get("transfer-encoding")]);
    }
    assertEquals(seen, [["world", "5", null], ["helloworld", null, "chunked"], ["helloworld", "10", null]]);
  },
);

row("HTTP-065", "The head is held back until the first body event, so that a failure before it is a 500", {}, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["x-a", "1"]] });
    throw new Error("oops");
  }));
  const reply = await server.request();
  assertEquals([reply.status, reply.get("x-a")], [500, null]);
});

row("HTTP-070", "A second start rejects, and the first one stands", {}, async (target) => {
  const { server, said } = await saying(target, async (send, say) => {
    await send({ type: "http.response.start", status: 201 });
    say((await rejection(send({ type: "http.response.start", status: 202 }))).name);
    await send({ type: "http.response.body", body: "ok" });
  });
  await using _ = server;
  assertEquals((await server.request()).status, 201);
  assertEquals(await said.take(), "StateError");
});

row("HTTP-071", "A body before the start rejects", {}, async (target) => {
  const { server, said } = await saying(target, async (send, say) => {
    say((await rejection(send({ type: "http.response.body", body: "early" }))).name);
    await answer(send, "ok");
  });
  await using _ = server;
  assertEquals((await server.request()).text, "ok");
  assertEquals(await said.take(), "StateError");
});

row("HTTP-072", "A body behind the last one rejects, and adds nothing", {}, async (target) => {
  const { server, said } = await saying(target, async (send, say) => {
    await answer(send, "ok");
    say((await rejection(send({ type: "http.response.body", body: "late" }))).name);
  });
  await using _ = server;
  assertEquals((await server.request()).text, "ok");
  assertEquals(await said.take(), "StateError");
});

row("HTTP-073", "`more` is 0 and `body` is empty where they are left out", {}, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body" });
  }));
  const reply = await server.request();
  assertEquals([reply.status, reply.text, reply.cut], [200, "", false]);
});

row("HTTP-074", "A body that is neither bytes nor text rejects, and the server lives on; text is sent as UTF-8", {}, async (target) => {
  const { server, said } = await saying(target, async (send, say) => {
    await send({ type: "http.response.start", status: 200 });
    for (const body of [1, {}, [1, 2], true]) say((await rejection(send(malformed({ type: "http.response.body", body })))).name);
    await send({ type: "http.response.body", body: "日本😀" });
  });
  await using _ = server;
  assertEquals((await server.request()).text, "日本😀");
  for (let count = 0; count < 4; count++) assertEquals(await said.take(), "EventError");
});

row("HTTP-075", "Parts reach the client as they are sent, in order; empty ones add nothing but let the head go", {}, async (target) => {
  const gate = new Gate();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["x-a", "1"]] });
    await send({ type: "http.response.body", body: "", more: 1 });
    await gate.pass();
    for (let count = 0; count < 100; count++) {
      await send({ type: "http.response.body", body: `${count},`, more: 1 });
      await send({ type: "http.response.body", more: 1 });
    }
    await send({ type: "http.response.body" });
  }));
  const exchange = await server.exchange();
  assertEquals((await exchange.head()).get("x-a"), "1");
  gate.open();
  assertEquals((await exchange.finish()).text, Array.from({ length: 100 }, (_, count) => `${count},`).join(""));
});

row("HTTP-107", "Small parts are sent at once, not gathered", { wire: true }, async (target) => {
  const gates = Array.from({ length: 20 }, () => new Gate());
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    for (const [index, gate] of gates.entries()) {
      await gate.pass();
      await send({ type: "http.response.body", body: `<${index}>`, more: 1 });
    }
    await send({ type: "http.response.body" });
  }));
  const exchange = await server.exchange();
  const begin = performance.now();
  for (const [index, gate] of gates.entries()) {
    gate.open();
    await exchange.readUntil(`<${index}>`);
  }
  // With Nagle's algorithm and a delayed acknowledgement each would take 40 ms.
  assert(performance.now() - begin < 400, `${performance.now() - begin} ms`);
});

row("HTTP-106", "Nothing of a request is left in the next one on its connection", { wire: true }, async (target) => {
  const seen = new Mailbox<unknown>();
  await using server = await target.start(http(async (scope, _receive, send) => {
    const connection = scope["pagi.connection"];
    seen.put([connection.responseStarted(), connection.isConnected(), scope["pagi.transport"].bufferedAmount()]);
    await answer(send, scope.path, [], scope.path === "/a" ? 201 : 200);
  }));
  const connection = await server.connect();
  for (const path of ["/a", "/b"]) {
    await connection.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const reply = await WireExchange.reply(connection);
    assertEquals([reply.status, reply.text], [path === "/a" ? 201 : 200, path]);
    assertEquals(await seen.take(), [false, true, 0]);
  }
  assertEquals([(await server.ended(1)).status, (await server.ended(2)).status], [201, 200]);
});

row("HTTP-058", "a phrase for every status that has one", {
  wire: true,
  except: { deno: "`Deno.serve` writes its own phrase, or none for a status that it does not know; no client needs it" },
}, async (target) => {
  await using server = await target.start(http((scope, _receive, send) => answer(send, "", [], Number(scope.path.slice(1)))));
  const seen = [];
  for (const status of [200, 206, 404, 414, 418, 425, 429, 431, 451, 505, 511]) {
    seen.push((await server.request({ target: `/${status}` })).phrase);
  }
  assertEquals(seen, [
    ...["OK", "Partial Content", "Not Found", "URI Too Long", "I'm a Teapot", "Too Early", "Too Many Requests"],
    ...[
      "Request Header Fields Too Large",
      "Unavailable For Legal Reasons",
      "HTTP Version Not Supported",
      "Network Authentication Required",
    ],
  ]);
});
