import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { NOTIFY } from "../../src/exchange.ts";
import { StartupError } from "../../src/spec/errors.ts";
import { DenoServeEngine } from "../../src/engines/deno_serve.ts";
import { echoHead, RawClient, SETTINGS, start } from "./engine_peer.ts";

const TEXT = [["content-type", "text/plain"]] as const;
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("DenoServeEngine builds the head of a request", async () => {
  await using server = await start(echoHead, { rootPath: "/app" });
  using client = await RawClient.connect(server.port);
  await client.send("get /a%20b/%C3%A9?x=%31 HTTP/1.1\r\nHost: example.org:80\r\nX-Two: b\r\nX-One: a\r\n\r\n");
  await client.response();
  const { head } = server.taps[0]!;
  const { port } = client.connection.localAddr as Deno.NetAddr;
  assertEquals({ ...head, id: 0 }, {
    kind: "http",
    id: 0,
    httpVersion: "1.1",
    method: "GET",
    scheme: "http",
    rawPath: "/a%20b/%C3%A9",
    path: "/a b/é",
    query: "x=%31",
    rootPath: "/app",
    headers: [["host", "example.org:80"], ["x-one", "a"], ["x-two", "b"]],
    client: ["127.0.0.1", port],
    server: ["127.0.0.1", server.port],
    body: "none",
    capabilities: [],
  });
});

Deno.test("DenoServeEngine joins repeated headers, cookies with a semicolon", async () => {
  await using server = await start(echoHead);
  using client = await RawClient.connect(server.port);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nCookie: a=1\r\nX-A: 2\r\nCookie: b=2\r\nX-L: \xe9\r\n\r\n");
  await client.response();
  assertEquals(server.taps[0]!.head.headers, [["cookie", "a=1; b=2"], ["host", "a"], ["x-a", "1, 2"], ["x-l", "\xe9"]]);
});

Deno.test("DenoServeEngine keeps repeated headers of an answer apart", async () => {
  await using server = await start(({ out }) => out.respond(200, [["set-cookie", "a=1"], ["set-cookie", "b=2"]], "x", 0));
  using client = await RawClient.connect(server.port);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const { head } = await client.response();
  assertEquals(head.match(/set-cookie: .*/gi), ["set-cookie: a=1", "set-cookie: b=2"]);
  assert(!/content-type/i.test(head), "no content type is invented");
});

Deno.test("fact 67: a Host that could stand in for a path is answered 400", async (t) => {
  await using server = await start(echoHead);
  for (const host of ["a/fake?q=", "a?q=", "a#", "u@a/b", "a b", "a\\b", "127.0.0.1:1/x"]) {
    await t.step(host, async () => {
      using client = await RawClient.connect(server.port);
      await client.send(`GET /real HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      assertEquals((await client.response()).status, 400);
    });
  }
  await t.step("after a good Host that is its beginning", async () => {
    using client = await RawClient.connect(server.port);
    await client.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals((await client.response()).body, "GET /one?");
    await client.send("GET /real HTTP/1.1\r\nHost: a/fake?q=\r\n\r\n");
    assertEquals((await client.response()).status, 400);
  });
  assertEquals(server.taps.length, 1);
  assertEquals(server.finished.length, server.opened.length);
});

Deno.test("fact 67: a target of absolute form is cut behind its own scheme, whichever that is", async () => {
  await using server = await start(echoHead);
  using client = await RawClient.connect(server.port);
  for (const scheme of ["http", "https", "ws", "h", "httpsx"]) {
    await client.send(`GET ${scheme}://good.example/b?q HTTP/1.1\r\nHost: real\r\n\r\n`);
    assertEquals((await client.response()).body, "GET /b?q", scheme);
    assertEquals(server.opened.at(-1)!.headers.find(([name]) => name === "host"), ["host", "good.example"], scheme);
  }
  await client.send("GET https:///b HTTP/1.1\r\nHost: real:99999\r\n\r\n");
  assertEquals((await client.response()).status, 400);
});

Deno.test("fact 15: targets reach the session as they were sent", async (t) => {
  await using server = await start(echoHead);
  const rows: [string, string, string][] = [
    ["GET //evil.example//x", "a", "GET //evil.example//x?"],
    ["GET /a/../b/./%2e%2e/c", "a", "GET /a/../b/./%2e%2e/c?"],
    ["GET /a#frag?x", "a", "GET /a#frag?x"],
    ["GET /a?x?y#z", "a", "GET /a?x?y#z"],
    ["GET /\\evil", "a", "GET /\\evil?"],
    ["GET http://b.example:81/p?q", "a", "GET /p?q"],
    ["GET http://b.example?q", "a", "GET /?q"],
    ["OPTIONS *", "a", "OPTIONS *?"],
    ["TRACE /t", "a", "TRACE /t?"],
    ["purge /t", "a", "PURGE /t?"],
    ["GET /empty", "", "GET /empty?"],
  ];
  for (const [line, host, body] of rows) {
    await t.step(line, async () => {
      using client = await RawClient.connect(server.port);
      await client.send(`${line} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      assertEquals((await client.response()).body, body);
    });
  }
  assertEquals(server.taps[5]!.head.headers, [["host", "b.example:81"]], "the authority of the target sets host");
});

Deno.test("DenoServeEngine answers CONNECT with 501 and a malformed escape with 400", async () => {
  await using server = await start(echoHead);
  for (const [line, status] of [["CONNECT a:443", 501], ["GET /%zz", 400]] as const) {
    using client = await RawClient.connect(server.port);
    await client.send(`${line} HTTP/1.1\r\nHost: a\r\n\r\n`);
    assertEquals((await client.response()).status, status, line);
  }
  assertEquals(server.taps.length, 0);
  assertEquals(server.finished.map(({ status }) => status), [501, 400]);
});

Deno.test("fact 15: a request without Host is served: capability missing-host is absent", async () => {
  await using server = await start(echoHead);
  using client = await RawClient.connect(server.port);
  await client.send("GET /x HTTP/1.1\r\n\r\n");
  assertEquals((await client.response()).body, "GET /x?");
  assertEquals(server.taps[0]!.head.httpVersion, "2");
});

Deno.test("Exchange.respond() writes the length and nothing that was not asked for", async (t) => {
  const rows: [string, number, [string, string][], string | Uint8Array, string, string[]][] = [
    ["GET", 200, [["content-type", "text/plain"]], "héllo", "h\xc3\xa9llo", ["content-length: 6", "content-type: text/plain"]],
    ["GET", 200, [], "x", "x", ["content-length: 1"]],
    ["GET", 200, [], bytes("x"), "x", ["content-length: 1"]],
    ["GET", 404, [["x-a", "b"], ["content-type", "a/b"]], "x", "x", ["content-length: 1", "x-a: b", "content-type: a/b"]],
    ["GET", 200, [["content-length", "3"], ["content-type", "a/b"]], "abc", "abc", ["content-length: 3", "content-type: a/b"]],
    ["GET", 200, [], "", "", ["content-length: 0"]],
    ["GET", 200, [["content-type", "a/b"]], "", "", ["content-length: 0", "content-type: a/b"]],
    ["HEAD", 200, [["content-type", "a/b"]], "abc", "", ["content-length: 3", "content-type: a/b"]],
    ["HEAD", 200, [["content-length", "42"]], "", "", ["content-length: 42"]],
    ["GET", 204, [["x-a", "b"]], "", "", ["x-a: b"]],
    ["GET", 304, [["etag", '"x"']], "", "", ['etag: "x"']],
  ];
  for (const [method, status, headers, body, wire, expected] of rows) {
    await t.step(`${method} ${status} ${JSON.stringify(headers)} ${typeof body}`, async () => {
      await using server = await start(({ out }) => out.respond(status, headers, body, 0));
      using client = await RawClient.connect(server.port);
      await client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      const answer = await client.response(method);
      assertEquals(answer.status, status);
      const lines = answer.head.toLowerCase().split("\r\n").slice(1).filter((line) => !line.startsWith("date: "));
      assertEquals(lines.sort(), expected.sort());
      assertEquals(answer.body, wire);
      assertEquals(server.finished.map(({ bytes, status }) => [status, bytes]), [[status, wire.length]]);
    });
  }
});

Deno.test("Exchange.respond() with NOTIFY is followed by one normal end, without it by none", async () => {
  await using server = await start((tap) => tap.do((out) => out.respond(200, TEXT, "x", tap.head.rawPath === "/notify" ? NOTIFY : 0)));
  using client = await RawClient.connect(server.port);
  for (const path of ["/notify", "/quiet"]) {
    await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.response();
  }
  assertEquals(server.taps.map(({ calls }) => calls), [[{ call: "closed", end: { reason: null } }], []]);
  assertEquals(server.taps.map(({ brokenRules }) => brokenRules), [0, 0]);
});

Deno.test("DenoServeEngine adds its headers except where the app has set them", async () => {
  await using server = await start(({ out }) => out.respond(200, [["X-A", "app"]], "x", 0), {
    headers: [["x-a", "server"], ["x-b", "server"]],
  });
  using client = await RawClient.connect(server.port);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const { head } = await client.response();
  assertEquals(head.match(/x-.: .*/gi), ["X-A: app", "x-b: server"]);
});

Deno.test("fact 18: a header of the settings with a control byte is refused before anything runs", () => {
  for (const value of ["a\x01b", "a\x7f", "a\r\nb: c", "a\0"]) {
    let caught: unknown;
    try {
      new DenoServeEngine({ ...SETTINGS, headers: [["x-a", value]] });
    } catch (error) {
      caught = error;
    }
    assert(caught instanceof StartupError);
    assertStringIncludes(caught.message, "x-a");
  }
});

Deno.test("fact 1: a client that leaves before it is answered is seen, over a request without body", async () => {
  await using server = await start(({ out }) => out.watch());
  using client = await RawClient.connect(server.port);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const tap = await server.tap();
  client.close();
  assertEquals(await tap.end(), { reason: "client_closed" });
  assertEquals(server.finished.map(({ status, end }) => [status, end.reason]), [[0, "client_closed"]]);
});

Deno.test("fact 70: a client that has left is seen by a late look", async () => {
  await using server = await start();
  using client = await RawClient.connect(server.port);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const tap = await server.tap();
  client.close();
  // The engine hears nothing of the leaving, so there is nothing to wait for but time.
  await new Promise((resolve) => setTimeout(resolve, 200));
  assertEquals(tap.calls, []);
  tap.do((out) => out.watch());
  assertEquals(await tap.end(), { reason: "client_closed" });
  assertEquals(tap.brokenRules, 0);
});

Deno.test("fact 2: a client that leaves while its POST is pending is seen only where head and body came in one piece", async (t) => {
  for (const pieces of [1, 2]) {
    await t.step(`${pieces}`, async () => {
      await using server = await start(({ out }) => out.watch());
      using client = await RawClient.connect(server.port);
      const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
      await client.send(pieces === 1 ? head + "ab" : head);
      const tap = await server.tap();
      if (pieces === 2) await client.send("ab");
      client.close();
      if (pieces === 1) {
        assertEquals(await tap.end(), { reason: "client_closed" });
      } else {
        // Nothing will ever tell: that is what the missing capability says.
        await new Promise((resolve) => setTimeout(resolve, 200));
        assertEquals(tap.calls, []);
        assert(!server.engine.capabilities.includes("post-disconnect"));
        tap.do((out) => out.respond(200, TEXT, "x", 0));
      }
    });
  }
});

Deno.test("fact 2: a body that breaks off is told", async () => {
  await using server = await start((tap) => tap.out.pull(65_536));
  using client = await RawClient.connect(server.port);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nab");
  const tap = await server.tap();
  assertEquals(await tap.next(), { call: "body", text: "ab", more: true });
  client.close();
  assertEquals(await tap.end(), { reason: "client_closed" });
});

Deno.test("fact 3: a client that leaves during a streamed answer is seen, with and without a request body", async (t) => {
  for (const request of ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"]) {
    await t.step(request.slice(0, 4), async () => {
      await using server = await start(({ out }) => {
        out.head(200, TEXT, 0);
        out.chunk(bytes("one"));
      });
      using client = await RawClient.connect(server.port);
      await client.send(request);
      await client.readUntil((text) => text.includes("one"));
      const tap = await server.tap();
      client.close();
      assertEquals(await tap.end(), { reason: "client_closed" });
      assertEquals(server.finished.map(({ status, bytes, end }) => [status, bytes, end.reason]), [[200, 3, "client_closed"]]);
    });
  }
});

Deno.test("fact 3: a stream that Deno cancels because it is whole is no disconnect", async (t) => {
  await t.step("a declared length that is reached before the end", async () => {
    await using server = await start(({ out }) => {
      out.head(200, [["content-length", "3"]], 0);
      out.chunk(bytes("one"));
    });
    using client = await RawClient.connect(server.port);
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals((await client.response()).body, "one");
    await new Promise((resolve) => setTimeout(resolve, 50));
    const tap = await server.tap();
    // Its buffer is empty, and that is all it was told.
    assertEquals(tap.calls, [{ call: "drained" }]);
    await tap.next();
    tap.do((out) => out.end(null));
    assertEquals(await tap.end(), { reason: null });
    assertEquals(server.finished.map(({ bytes }) => bytes), [3]);
  });
  await t.step("fact 16: HEAD of a stream", async () => {
    await using server = await start(({ out }) => {
      out.watch();
      // By then the signal is listened to, and Deno will abort it behind the answer.
      setTimeout(() => out.head(200, TEXT, 0), 40);
    });
    using client = await RawClient.connect(server.port);
    await client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    const { head } = await client.response("HEAD");
    assert(!/content-length/i.test(head), "no length is invented");
    await new Promise((resolve) => setTimeout(resolve, 50));
    const tap = await server.tap();
    assertEquals(tap.calls, []);
    tap.do((out) => out.end(null));
    assertEquals(await tap.end(), { reason: null });
  });
});

Deno.test("fact 16: HEAD of a stream keeps the app's length, 204 and 304 have none", async (t) => {
  for (
    const [method, status, headers, expected] of [["HEAD", 200, [["content-length", "42"]], "42"], ["GET", 204, [], null], [
      "GET",
      304,
      [],
      null,
    ]] as const
  ) {
    await t.step(`${method} ${status}`, async () => {
      await using server = await start(({ out }) => {
        out.head(status, headers, 0);
        out.end(null);
      });
      using client = await RawClient.connect(server.port);
      await client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      const answer = await client.response(method);
      assertEquals(answer.status, status);
      assertEquals(/content-length: (\d+)/i.exec(answer.head)?.[1] ?? null, expected);
      assertEquals(await (await server.tap()).end(), { reason: null });
      // The connection is in step: a second request is answered.
      await client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      assertEquals((await client.response(method)).status, status);
    });
  }
});

Deno.test("fact 17: a streamed answer with a content-length is not chunked", async () => {
  await using server = await start(({ out }) => {
    out.head(200, [["content-length", "6"]], 0);
    out.chunk(bytes("one"));
    out.chunk(bytes("two"));
    out.end(null);
  });
  using client = await RawClient.connect(server.port);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const { head, body } = await client.response();
  assert(!/transfer-encoding/i.test(head));
  assertEquals(body, "onetwo");
  assertEquals(await (await server.tap()).end(), { reason: null });
});

Deno.test("Exchange.chunk() reaches the client at once", async () => {
  await using server = await start(({ out }) => out.head(200, TEXT, 0));
  using client = await RawClient.connect(server.port);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await client.readUntil((text) => text.includes("\r\n\r\n"));
  const tap = await server.tap();
  for (const text of ["one", "two", "three"]) {
    tap.do((out) => out.chunk(bytes(text)));
    assertStringIncludes(await client.readUntil((all) => all.includes(text)), text);
    assertEquals(tap.out.buffered, 0);
  }
  tap.do((out) => out.end(null));
  assertEquals(await tap.end(), { reason: null });
  assertEquals(tap.brokenRules, 0);
});

Deno.test("Exchange.abort() cuts a streamed answer, so that it does not look whole", async () => {
  await using server = await start(({ out }) => {
    out.head(200, TEXT, 0);
    out.chunk(bytes("one"));
  });
  using client = await RawClient.connect(server.port);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await client.readUntil((text) => text.includes("one"));
  const tap = await server.tap();
  tap.do((out) => out.abort("server_error"));
  assert(!(await client.rest()).includes("\r\n0\r\n"));
  assert(client.ended);
  assertEquals(await tap.end(), { reason: "server_error" });
  assertEquals(tap.brokenRules, 0);
  assertEquals(server.notes, []);
});

Deno.test("fact 68: the buffer of a client that does not read grows, drains when it reads, and an abort ends the exchange", async () => {
  await using server = await start(({ out }) => out.head(200, TEXT, 0));
  using client = await RawClient.connect(server.port);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const tap = await server.tap();
  const chunk = new Uint8Array(30_000);
  const step = () => new Promise((resolve) => setTimeout(resolve, 5));
  for (let count = 0; tap.out.buffered < 1_000_000; count++) {
    assert(count < 1000);
    tap.do((out) => out.chunk(chunk));
    await step();
  }
  // As long as the kernel took all, the buffer was empty again and again; from then on it is silent.
  for (let left = tap.calls.length; left > 0; left--) assertEquals(await tap.next(), { call: "drained" });
  const reading = client.readUntil(() => tap.out.buffered === 0);
  assertEquals(await tap.next(), { call: "drained" });
  assert(tap.out.buffered < SETTINGS.lowWaterBytes);
  await reading;
  while (tap.out.buffered < 1_000_000) tap.do((out) => out.chunk(chunk));
  tap.do((out) => out.abort("queue_overflow"));
  assertEquals(tap.out.buffered, 0);
  assertEquals(await tap.end(), { reason: "queue_overflow" });
  assertEquals(tap.brokenRules, 0);
});

Deno.test("fact 69: chunks are sent as they are, and the app's buffer stays whole", async () => {
  const buffer = bytes("xyz");
  await using server = await start(({ out }) => {
    out.head(200, TEXT, 0);
    out.chunk(buffer);
    out.chunk(buffer);
    out.end(null);
  });
  using client = await RawClient.connect(server.port);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertStringIncludes((await client.response()).body.replace(/\r\n[0-9a-f]+\r\n/g, ""), "xyzxyz");
  assertEquals(buffer, bytes("xyz"));
});

Deno.test("fact 12: after an unread or a half read body no byte of it is taken for a request", async (t) => {
  const size = 300_000;
  for (const credit of [0, 1]) {
    await t.step(credit === 0 ? "unread" : "half read", async () => {
      await using server = await start(async (tap) => {
        if (tap.head.method === "GET") return echoHead(tap);
        if (credit > 0) {
          tap.out.pull(credit);
          await tap.next();
        }
        tap.out.respond(200, TEXT, "early", 0);
      });
      using client = await RawClient.connect(server.port);
      const sending = client.send(
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n` + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n".padEnd(size, "x"),
      );
      assertEquals((await client.response()).body, "early");
      await sending;
      // Deno closes the connection behind a body that nobody looked at.
      await client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n").catch(() => {});
      assertEquals((await client.response()).body, credit === 0 ? "" : "GET /next?");
      assertEquals(client.ended, credit === 0);
      assertEquals(server.taps.length, credit === 0 ? 1 : 2, "no byte of the body is read as a request");
    });
  }
});

Deno.test("RequestBody is read only as far as there is credit", async () => {
  await using server = await start();
  using client = await RawClient.connect(server.port);
  const size = 8_000_000;
  let sent = false;
  const sending = client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n` + "x".repeat(size)).then(() => sent = true);
  const tap = await server.tap();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert(!sent, "the client is slowed down");
  assertEquals(tap.calls, []);
  let received = 0;
  for (;;) {
    tap.do((out) => out.pull(65_536));
    const call = await tap.next();
    assert(call.call === "body");
    received += call.text.length;
    if (!call.more) break;
  }
  assertEquals(received, size);
  await sending;
  tap.do((out) => out.respond(200, TEXT, "x", 0));
  assertEquals((await client.response()).status, 200);
  assertEquals(tap.brokenRules, 0);
});

Deno.test("RequestBody comes in the pieces in which it arrives, chunked or not", async (t) => {
  for (const chunked of [false, true]) {
    await t.step(chunked ? "chunked" : "content-length", async () => {
      await using server = await start((tap) => tap.out.pull(65_536));
      using client = await RawClient.connect(server.port);
      await client.send(
        `POST / HTTP/1.1\r\nHost: a\r\n${chunked ? "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n" : "Content-Length: 6\r\n\r\none"}`,
      );
      const tap = await server.tap();
      assertEquals(await tap.next(), { call: "body", text: "one", more: true });
      await client.send(chunked ? "3;ext=1\r\ntwo\r\n0\r\nx-trailer: 1\r\n\r\n" : "two");
      assertEquals(await tap.next(), { call: "body", text: "two", more: !chunked ? false : true });
      if (chunked) assertEquals(await tap.next(), { call: "body", text: "", more: false });
      tap.do((out) => out.respond(200, TEXT, "x", 0));
      assertEquals((await client.response()).status, 200);
      await client.send("POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
      assertEquals((await server.tap()).head.body, "none");
    });
  }
});

Deno.test("DenoServeEngine answers pipelined requests in order", async () => {
  await using server = await start(echoHead);
  using client = await RawClient.connect(server.port);
  await client.send([1, 2, 3].map((n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""));
  for (const n of [1, 2, 3]) assertEquals((await client.response()).body, `GET /${n}?`);
});

Deno.test("DenoServeEngine takes a head that comes byte by byte", async () => {
  await using server = await start(echoHead);
  using client = await RawClient.connect(server.port);
  for (const byte of "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n") await client.send(byte);
  assertEquals((await client.response()).body, "GET /slow?");
});

Deno.test("fact 12: a body that is declared too large is answered 413 and the app never hears of it", async () => {
  await using server = await start(echoHead, { maxBodyBytes: 10 });
  using client = await RawClient.connect(server.port);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  assertEquals((await client.response()).status, 413);
  assertEquals(server.taps.length, 0);
  assertEquals(server.finished.map(({ status, end }) => [status, end.reason]), [[413, "body_too_large"]]);
});

Deno.test("fact 12: a body that turns out too large is answered 413 by counting", async () => {
  await using server = await start((tap) => tap.out.pull(65_536), { maxBodyBytes: 10 });
  using client = await RawClient.connect(server.port);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n");
  assertEquals((await client.response()).status, 413);
  assertEquals(await server.taps[0]!.end(), { reason: "body_too_large" });
});

Deno.test("fact 12: after a 413 the rest of the body is not swallowed", async (t) => {
  for (const framing of ["Content-Length: 50000000", "Transfer-Encoding: chunked"]) {
    await t.step(framing, async () => {
      await using server = await start((tap) => tap.out.pull(65_536), { maxBodyBytes: 1000 });
      using client = await RawClient.connect(server.port);
      const chunked = framing.startsWith("T");
      await client.send(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
      const piece = new Uint8Array(65_536).fill(120);
      let sent = 0;
      try {
        while (sent < 50_000_000) {
          if (chunked) await client.send("10000\r\n");
          await client.sendBytes(piece);
          if (chunked) await client.send("\r\n");
          sent += piece.byteLength;
        }
      } catch {
        // The server has closed: that is what we want.
      }
      const { status } = await client.response();
      assertEquals(status, 413);
      assert(sent < 20_000_000, `${sent} bytes were taken`);
    });
  }
});

Deno.test("Exchange loses nothing and calls nobody early where setTimeout runs microtasks inside a handler", async () => {
  // Deno 2.9.6 does so; an app or a session may set timers as it likes, the engine itself must not.
  let early = false;
  await using server = await start(({ out }) => {
    queueMicrotask(() => early = true);
    out.watch();
    assert(!early, "watch() runs no microtask");
    out.pull(65_536);
    clearTimeout(setTimeout(() => {}, 0));
  });
  using client = await RawClient.connect(server.port);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
  const tap = await server.tap();
  assertEquals(await tap.next(), { call: "body", text: "ab", more: false });
  tap.do((out) => out.respond(200, TEXT, "x", 0));
  assertEquals((await client.response()).body, "x");
});
