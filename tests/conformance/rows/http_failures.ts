/** Apps that fail, and what happens to their connections. */

import { assert, assertEquals } from "@std/assert";
import { answer, http } from "../apps.ts";
import { row } from "../suite.ts";
import type { Reply } from "../reply.ts";
import { Gate, Mailbox, settle } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";
import { defineApp } from "../../../src/spec/app.ts";

const SECRET = "the secret of the app";

function isServerError(reply: Reply): void {
  assertEquals([reply.status, reply.get("content-type"), reply.text], [500, "text/plain; charset=utf-8", "Internal Server Error\n"]);
}

row("HTTP-090", "An app that returns without a response: 500, and a line in the log", {}, async (target) => {
  await using server = await target.start(http(async () => {}));
  isServerError(await server.request());
  assertEquals((await server.noted(/without starting a response/)).level, "error");
});

row("HTTP-091", "An app that throws before its response: 500, and a line in the log", {}, async (target) => {
  await using server = await target.start(http(() => Promise.reject(new Error(SECRET))));
  isServerError(await server.request());
  const note = await server.noted(/The app failed/);
  assertEquals(note.level, "error");
  assert(JSON.stringify(note).includes(SECRET));
});

row("HTTP-091", "also where it throws at once, or something that is no error", {}, async (target) => {
  for (const thrown of [undefined, null, "text", 1, { toString: () => "x" }]) {
    await using server = await target.start(() => {
      throw thrown;
    });
    isServerError(await server.request());
  }
});

row("HTTP-091", "the answer says `connection: close`", { wire: true }, async (target) => {
  await using server = await target.start(http(() => Promise.reject(new Error(SECRET))));
  assertEquals((await server.request()).get("connection"), "close");
});

for (const [id, handler] of [["HTTP-090", () => Promise.resolve()], ["HTTP-091", () => Promise.reject(new Error(SECRET))]] as const) {
  row(id, "the connection is closed", {
    wire: true,
    except: { deno: "`Deno.serve` sends `connection: close` and keeps the connection; most clients close theirs" },
  }, async (target) => {
    await using server = await target.start(http(handler));
    const connection = await server.connect();
    await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals([(await WireExchange.reply(connection)).status, await connection.ends()], [500, true]);
  });
}

row("HTTP-092", "An app that throws in its response: the client sees it cut, without a second head", {}, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "hello", more: 1 });
    await settle(10);
    throw new Error(SECRET);
  }));
  const reply = await server.request();
  assertEquals([reply.status, reply.text, reply.cut], [200, "hello", true]);
  await server.noted(/after the response had left/);
  assertEquals((await server.ended()).end.reason, "server_error");
});

row("HTTP-093", "Nothing is logged as an error where the client had left before the app failed or returned", {}, async (target) => {
  const over = new Mailbox<void>();
  await using server = await target.start(http(async (scope, receive) => {
    scope["pagi.connection"].isConnected();
    while ((await receive()).type !== "http.disconnect");
    over.put();
    if (scope.path === "/throws") throw new Error(SECRET);
  }));
  for (const path of ["/throws", "/returns"]) {
    const exchange = await server.exchange({ target: path });
    await settle(10);
    exchange.leave();
    await over.take();
  }
  await server.ended(2);
  await settle();
  assertEquals(server.notes.filter(({ level }) => level === "error" || level === "warn"), []);
  assertEquals(server.finished.map(({ status, end }) => [status === 500, end.reason]), [[false, "client_closed"], [
    false,
    "client_closed",
  ]]);
});

row("HTTP-094", "Other exchanges go on, whatever an app does", {}, async (target) => {
  const gate = new Gate();
  await using server = await target.start(http(async (scope, _receive, send) => {
    if (scope.path === "/throws") throw new Error(SECRET);
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "hello", more: 1 });
    await gate.pass();
    await send({ type: "http.response.body", body: "world" });
  }));
  const exchange = await server.exchange();
  await exchange.readUntil("hello");
  for (let count = 0; count < 3; count++) assertEquals((await server.request({ target: "/throws" })).status, 500);
  gate.open();
  assertEquals(await exchange.readUntil("world"), "helloworld");
});

row("HTTP-095", "What the app's promise resolves to means nothing", {}, async (target) => {
  const app = http(async (_scope, _receive, send) => {
    await answer(send, "fine");
    return { status: 500 } as unknown as void;
  });
  await using server = await target.start(app);
  const reply = await server.request();
  assertEquals([reply.status, reply.text], [200, "fine"]);
});

row(
  "HTTP-096",
  "A scope type that the app does not handle is answered as its protocol says, and the server goes on",
  {},
  async (target) => {
    await using server = await target.start(defineApp({ http: (_scope, _receive, send) => answer(send) }), { lifespan: "auto" });
    isServerError(await server.request({ headers: [["accept", "text/event-stream"]] }));
    assertEquals((await server.request()).status, 200);
  },
);

row("HTTP-097", "A response that was started and not finished is cut, and logged", {}, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "hello", more: 1 });
    await settle(10);
  }));
  const reply = await server.request();
  assertEquals([reply.text, reply.cut], ["hello", true]);
  assertEquals((await server.noted(/before its response was complete/)).level, "error");
});

row("HTTP-097", "with the start alone it is a 500", {}, async (target) => {
  await using server = await target.start(http((_scope, _receive, send) => send({ type: "http.response.start", status: 200 })));
  isServerError(await server.request());
});

row("HTTP-097", "no next response is written into it", { wire: true }, async (target) => {
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "hello", more: 1 });
    await settle(10);
  }));
  const connection = await server.connect();
  await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals((await connection.rest()).match(/HTTP\/1\.1/g)?.length, 1);
});
