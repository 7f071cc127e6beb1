/** Request bodies and `receive`. */

import { assert, assertEquals } from "@std/assert";
import { answer, echo, http, readBody, scopes } from "../apps.ts";
import { row } from "../suite.ts";
import { Gate, Mailbox, settle } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";
import type { HttpReceiveEvent } from "../../../src/spec/events.ts";

/** An app that reads the whole body and gives the events to the test. */
function reader() {
  const seen = new Mailbox<{ body: string; events: HttpReceiveEvent[] }>();
  const app = http(async (_scope, receive, send) => {
    seen.put(await readBody(receive));
    await answer(send);
  });
  return { app, seen };
}

row("HTTP-035", "A request without a body gives one empty event with `more: 0`, whatever the method", {}, async (target) => {
  const { app, seen } = reader();
  await using server = await target.start(app);
  for (const method of ["GET", "POST", "DELETE", "PROPFIND"]) {
    await server.request({ method });
    const { events } = await seen.take();
    assertEquals(events, [{ type: "http.request", body: new Uint8Array(), more: 0 }], method);
  }
});

row("HTTP-036", "A body with a length comes in one or more events that join to it; the last alone has `more: 0`", {}, async (target) => {
  const { app, seen } = reader();
  await using server = await target.start(app);
  for (const body of ["hello", "x".repeat(1_000_000)]) {
    await server.request({ method: "POST", body });
    const got = await seen.take();
    assertEquals(got.body === body, true);
    const flags: unknown[] = got.events.map((event) => event.type === "http.request" && event.more);
    assertEquals(flags, [...flags.slice(1).map(() => 1), 0]);
  }
});

row("HTTP-037", "A chunked body comes without its framing", {}, async (target) => {
  await using server = await target.start(echo);
  const exchange = await server.exchange({ method: "POST", streams: true });
  await exchange.write("hello ");
  await exchange.write("world");
  await exchange.end();
  assertEquals((await exchange.finish()).text, "hello world");
});

row("HTTP-037", "sizes are in hex of either case, extensions are left out", { wire: true }, async (target) => {
  await using server = await target.start(echo);
  const connection = await server.connect();
  await connection.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  await connection.send(`A;ext=1\r\n0123456789\r\n00b\r\n0123456789a\r\n0\r\n\r\n`);
  assertEquals((await WireExchange.reply(connection)).text, "01234567890123456789a");
});

row(
  "HTTP-038",
  "A malformed chunk size ends the connection, and is never taken for the end of the body",
  { wire: true },
  async (target) => {
    const seen = new Mailbox<string>();
    const app = http(async (_scope, receive, send) => {
      const { body, events } = await readBody(receive);
      seen.put(`${body} ${events.at(-1)!.type}`);
      await answer(send);
    });
    await using server = await target.start(app);
    for (const size of ["garbage", "-5", "xyz5", "", "0x5"]) {
      const connection = await server.connect();
      await connection.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
      await settle(5);
      await connection.send(`${size}\r\nhello\r\n0\r\n\r\n`);
      const got = await connection.rest();
      assert(!got.includes(" 200 "), `${JSON.stringify(size)}: ${JSON.stringify(got)}`);
      assertEquals(await seen.take(), "hello http.disconnect");
    }
  },
);

row("HTTP-039", "Parts of a body reach the app as they come", {}, async (target) => {
  const seen = new Mailbox<string>();
  const app = http(async (_scope, receive, send) => {
    for (;;) {
      const event = await receive();
      if (event.type !== "http.request") return;
      if (event.body.byteLength > 0) seen.put(new TextDecoder().decode(event.body));
      if (!event.more) return await answer(send);
    }
  });
  await using server = await target.start(app);
  const exchange = await server.exchange({ method: "POST", streams: true });
  for (const part of ["one", "two", "three"]) {
    await exchange.write(part);
    assertEquals(await seen.take(), part);
  }
  await exchange.end();
  assertEquals((await exchange.finish()).status, 200);
});

row("HTTP-040", "Request trailers belong to their request", { wire: true }, async (target) => {
  await using server = await target.start(echo);
  const connection = await server.connect();
  const chunks = "5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n";
  await connection.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
  assertEquals((await WireExchange.reply(connection)).text, "hello");
  await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals((await WireExchange.reply(connection)).status, 200);
});

row("HTTP-051", "`receive` after the answer gives `http.disconnect`, also where the body was not read", {}, async (target) => {
  const seen = new Mailbox<string>();
  await using server = await target.start(http(async (_scope, receive, send) => {
    await answer(send);
    seen.put((await receive()).type);
    seen.put((await receive()).type);
  }));
  for (const ask of [{}, { method: "POST", body: "unread" }]) {
    await server.request(ask);
    assertEquals([await seen.take(), await seen.take()], ["http.disconnect", "http.disconnect"]);
  }
});

row("HTTP-052", "Behind the body `receive` waits for the end, and gives it again and again", {}, async (target) => {
  const seen = new Mailbox<string>();
  await using server = await target.start(http(async (_scope, receive) => {
    await readBody(receive);
    seen.put("body");
    for (let count = 0; count < 3; count++) seen.put((await receive()).type);
  }));
  const exchange = await server.exchange();
  assertEquals(await seen.take(), "body");
  await settle();
  assertEquals(seen.waiting, 0);
  exchange.leave();
  for (let count = 0; count < 3; count++) assertEquals(await seen.take(), "http.disconnect");
});

row(
  "HTTP-053",
  "A client that leaves in the midst of its body ends a waiting `receive`; the state is changed before",
  {},
  async (target) => {
    const seen = new Mailbox<unknown[]>();
    const began = new Gate();
    await using server = await target.start(http(async (scope, receive) => {
      const connection = scope["pagi.connection"];
      const first = await receive();
      began.open();
      const { events } = await readBody(receive);
      seen.put([first.type, events.at(-1)!.type, connection.isConnected(), connection.disconnectReason()]);
    }));
    const exchange = await server.exchange({ method: "POST", streams: true });
    await exchange.write("part");
    await began.pass();
    exchange.leave();
    assertEquals(await seen.take(), ["http.request", "http.disconnect", false, "client_closed"]);
  },
);

row("HTTP-054", "Bytes of the next request are no disconnect", { wire: true }, async (target) => {
  const gate = new Gate();
  const seen = new Mailbox<string>();
  await using server = await target.start(http(async (scope, receive, send) => {
    await receive();
    if (scope.path === "/a") {
      const ended = receive().then(({ type }) => seen.put(type));
      await gate.pass();
      seen.put(String(scope["pagi.connection"].isConnected()));
      await answer(send, "a");
      await ended;
    } else await answer(send, "b");
  }));
  const connection = await server.connect();
  await connection.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
  await settle();
  assertEquals(seen.waiting, 0);
  gate.open();
  assertEquals([(await WireExchange.reply(connection)).text, (await WireExchange.reply(connection)).text], ["a", "b"]);
  assertEquals([await seen.take(), await seen.take()], ["true", "http.disconnect"]);
});

row("HTTP-055", "A body that nobody read is never taken for the next request", { wire: true }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const body = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
  const framings = [
    `Content-Length: ${body.length}\r\n\r\n${body}`,
    `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  ];
  for (const framing of framings) {
    for (const method of ["POST", "GET", "DELETE"]) {
      const connection = await server.connect();
      await connection.send(`${method} /first HTTP/1.1\r\nHost: a\r\n${framing}GET /second HTTP/1.1\r\nHost: a\r\n\r\n`);
      assertEquals((await WireExchange.reply(connection)).status, 200);
      const rest = await connection.until("\r\n\r\nok");
      const paths = [(await seen.take()).path, ...(rest === "" ? [] : [(await seen.take()).path])];
      assertEquals(paths, rest === "" ? ["/first"] : ["/first", "/second"], `${method} ${framing}`);
      connection.close();
    }
  }
  await settle();
  assertEquals(seen.waiting, 0);
});

row("HTTP-056", "A client that closes its side of the connection has left", { wire: true }, async (target) => {
  const seen = new Mailbox<unknown>();
  await using server = await target.start(http(async (scope, receive) => {
    await receive();
    scope["pagi.connection"].isConnected();
    seen.put((await receive()).type);
    seen.put(scope["pagi.connection"].disconnectReason());
  }));
  const connection = await server.connect();
  await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await settle();
  await connection.closeWrite();
  assertEquals([await seen.take(), await seen.take()], ["http.disconnect", "client_closed"]);
  assertEquals(await connection.ends(), true);
});
