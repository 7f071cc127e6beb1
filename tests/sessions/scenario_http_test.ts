/** Contract section 3 as a client and an app see it, over the memory engine. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { testClient } from "../../src/testing/mod.ts";
import { settle } from "../../src/testing/waiting.ts";
import { http, OK, outcome, wrong } from "./scenarios.ts";

for (const validateEvents of [true, false]) {
  Deno.test(`http: wrong events and orders reject with the event and the field (validateEvents: ${validateEvents})`, async () => {
    const seen: string[] = [];
    const app = http(async (_scope, _receive, send) => {
      const attempt = async (event: unknown): Promise<void> => void seen.push(await outcome(send(wrong(event))));
      await attempt({ type: "http.response.body", body: "early" });
      await attempt({ type: "http.response.trailers" });
      await attempt({ type: "websocket.send", text: "a" });
      await attempt({ type: "http.response.start" });
      await attempt({ type: "http.response.start", status: "200" });
      await attempt({ type: "http.response.start", status: 99 });
      await attempt({ type: "http.response.start", status: NaN });
      await attempt({ type: "http.response.start", status: 200, headers: "x" });
      await attempt({ type: "http.response.start", status: 200, headers: [["a"]] });
      await attempt({ type: "http.response.start", status: 200, headers: [["a", 1]] });
      await attempt({ type: "http.response.start", status: 200, headers: [["a", "b\r\nc: d"]] });
      await attempt({ type: "http.response.start", status: 200, headers: [["a", "\u0100"]] });
      await attempt({ type: "http.response.start", status: 200, headers: [["a b", "c"]] });
      await attempt({ type: "http.response.start", status: 200, headers: [["a", "tab\tis fine"]], extra: 1 });
      await attempt({ type: "http.response.start", status: 200 });
      await attempt({ type: "http.response.body", body: 1 });
      await attempt({ type: "http.response.body", body: "a", file: "/x" });
      await attempt({ type: "http.response.body", body: "a", more: 2 });
      await attempt({ type: "http.response.body", file: "relative" });
      await attempt({ type: "http.response.body", file: "/x", offset: -1 });
      await attempt({ type: "http.response.body", file: "/x", length: 1.5 });
      await attempt({ type: "http.response.body", body: "done" });
      await attempt({ type: "http.response.body", body: "again" });
      await attempt({ type: "http.response.start", status: 200 });
      await attempt(null);
      await attempt({});
    });
    await using client = await testClient(app, { validateEvents });
    assertEquals((await client.get("/")).text(), "done");
    await settle();
    assertEquals(seen.map((line) => line.replace(/ (headers|body|file)$/, " $1")), [
      "StateError http.response.body",
      "StateError http.response.trailers",
      "EventError websocket.send type",
      "EventError http.response.start status",
      "EventError http.response.start status",
      "EventError http.response.start status",
      "EventError http.response.start status",
      ...Array.from({ length: 6 }, () => "EventError http.response.start headers"),
      "ok",
      "StateError http.response.start",
      "EventError http.response.body body",
      "EventError http.response.body body",
      "EventError http.response.body more",
      "EventError http.response.body file",
      "EventError http.response.body offset",
      "EventError http.response.body length",
      "ok",
      "StateError http.response.body",
      "StateError http.response.start",
      "EventError null event",
      "EventError (no type) type",
    ]);
  });
}

Deno.test("http: a request without a body gives one empty event, then waits for the disconnect", async () => {
  const seen: unknown[] = [];
  const app = http(async (_scope, receive, send) => {
    seen.push(await receive());
    const next = receive();
    for (const event of OK) await send(event);
    seen.push(await next, await receive());
  });
  await using client = await testClient(app);
  await client.get("/");
  await settle();
  assertEquals(seen, [{ type: "http.request", body: new Uint8Array(0), more: 0 }, { type: "http.disconnect" }, {
    type: "http.disconnect",
  }]);
});

Deno.test("http: a receive after the response is complete gives the disconnect, though the body is unread", async () => {
  const seen: unknown[] = [];
  const app = http(async (_scope, receive, send) => {
    for (const event of OK) await send(event);
    seen.push(await receive());
  });
  await using client = await testClient(app);
  await client.post("/", { body: "unread" });
  await settle();
  assertEquals(seen, [{ type: "http.disconnect" }]);
});

Deno.test("http: body events add up to the body, and only the last has more: 0", async () => {
  const parts: [string, number][] = [];
  const app = http(async (_scope, receive, send) => {
    for (let event = await receive(); event.type === "http.request"; event = await receive()) {
      parts.push([new TextDecoder().decode(event.body), event.more]);
      if (event.more === 0) break;
    }
    for (const event of OK) await send(event);
  });
  await using client = await testClient(app);
  const exchange = await client.open("POST", "/", { streams: true });
  await exchange.write("one");
  await exchange.write("two");
  exchange.end();
  await exchange.finish();
  assertEquals(parts.map(([text]) => text).join(""), "onetwo");
  assertEquals(parts.map(([, more]) => more).lastIndexOf(1), parts.length - 2);
});

Deno.test("http: two receives that wait get their events in order", async () => {
  const seen: string[] = [];
  const app = http(async (_scope, receive, send) => {
    const [one, two] = await Promise.all([receive(), receive()]);
    for (const event of [one, two]) seen.push(event.type === "http.request" ? new TextDecoder().decode(event.body) : event.type);
    for (const event of OK) await send(event);
  });
  await using client = await testClient(app);
  const exchange = await client.open("POST", "/", { streams: true });
  await exchange.write("a");
  await exchange.write("b");
  await exchange.finish();
  assertEquals(seen, ["a", "b"]);
});

Deno.test("http: the start is held, so an error before the body is still a 500", async () => {
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    throw new Error("changed my mind");
  });
  await using client = await testClient(app);
  const response = await client.get("/");
  assertEquals([response.status, response.headers.get("content-type")], [500, "text/plain; charset=utf-8"]);
});

for (
  const [what, play] of [
    ["nothing", []],
    ["a start alone", [{ type: "http.response.start", status: 201 }]],
  ] as const
) {
  Deno.test(`http: an app that returns after ${what} gives a 500 that closes, and a log line`, async () => {
    const app = http(async (_scope, _receive, send) => {
      for (const event of play) await send(event);
    });
    await using client = await testClient(app);
    const response = await client.get("/");
    assertEquals([response.status, response.headers.get("connection")], [500, "close"]);
    assertEquals(client.notes.filter(({ level }) => level === "error").length, 1);
  });
}

Deno.test("http: an app that returns inside its body cuts the response", async () => {
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "half", more: 1 });
  });
  await using client = await testClient(app);
  const response = await client.get("/");
  assertEquals([response.text(), response.cut], ["half", "server_error"]);
});

Deno.test("http: what the app's promise resolves to means nothing", async () => {
  const app = http(async (_scope, _receive, send) => {
    for (const event of OK) await send(event);
    return { status: 500 } as never;
  });
  await using client = await testClient(app);
  assertEquals((await client.get("/")).status, 200);
});

for (const [what, method, status] of [["HEAD", "HEAD", 200], ["204", "GET", 204], ["304", "GET", 304], ["205", "GET", 205]] as const) {
  for (const shape of ["one event", "parts", "a file"] as const) {
    Deno.test(`http: ${what} sends no body byte, whatever the app sends (${shape})`, async () => {
      const path = await Deno.makeTempFile();
      await Deno.writeTextFile(path, "file");
      const app = http(async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status, headers: [["etag", '"1"']] });
        if (shape === "one event") await send({ type: "http.response.body", body: "hello" });
        else if (shape === "a file") await send({ type: "http.response.body", file: path });
        else {
          await send({ type: "http.response.body", body: "hel", more: true });
          await send({ type: "http.response.body", body: "lo" });
        }
      });
      try {
        await using client = await testClient(app);
        const response = await client.request(method, "/");
        assertEquals([response.status, response.text(), response.cut, response.headers.get("etag")], [status, "", null, '"1"']);
        assertEquals(client.errors, []);
        if (shape === "one event") assertEquals(response.headers.get("content-length"), method === "HEAD" ? "5" : null);
      } finally {
        await Deno.remove(path);
      }
    });
  }
}

Deno.test("http: HEAD with the app's content-length keeps it", async () => {
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["content-length", "1000"]] });
    await send({ type: "http.response.body" });
  });
  await using client = await testClient(app);
  assertEquals((await client.head("/")).headers.get("content-length"), "1000");
});

Deno.test("http: HEAD does not open a file", async () => {
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", file: "/does/not/exist" });
  });
  await using client = await testClient(app);
  assertEquals((await client.head("/")).status, 200);
});

Deno.test("http: a body longer than its content-length rejects, and no surplus byte leaves", async () => {
  const seen: string[] = [];
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["content-length", "3"]] });
    await send({ type: "http.response.body", body: "ab", more: true });
    seen.push(await outcome(send({ type: "http.response.body", body: "cd", more: true })));
    await send({ type: "http.response.body", body: "c" });
  });
  await using client = await testClient(app);
  const response = await client.get("/");
  assertEquals([seen, response.text(), response.cut], [["EventError http.response.body body"], "abc", null]);
});

Deno.test("http: a body shorter than its content-length is cut", async () => {
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, headers: [["content-length", "3"]] });
    await send({ type: "http.response.body", body: "ab", more: true });
    await send({ type: "http.response.body" });
  });
  await using client = await testClient(app);
  const response = await client.get("/");
  assertEquals([response.text(), response.cut], ["ab", "server_error"]);
});

Deno.test("http: framing is the server's: transfer-encoding is dropped, headers keep order and duplicates", async () => {
  const app = http(async (_scope, _receive, send) => {
    const headers: [string, string][] = [["x-b", "1"], ["transfer-encoding", "chunked"], ["set-cookie", "a=1"], ["x-b", "2"], [
      "date",
      "Thu, 01 Jan 1970 00:00:00 GMT",
    ]];
    await send({ type: "http.response.start", status: 200, headers });
    await send({ type: "http.response.body", body: "é" });
  });
  await using client = await testClient(app);
  const response = await client.get("/");
  assertEquals(response.pairs, [
    ["x-b", "1"],
    ["set-cookie", "a=1"],
    ["x-b", "2"],
    ["date", "Thu, 01 Jan 1970 00:00:00 GMT"],
    ["content-length", "2"],
  ]);
});

Deno.test("http: the same bytes may be sent again", async () => {
  const bytes = new TextEncoder().encode("x");
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    for (let i = 0; i < 3; i++) await send({ type: "http.response.body", body: bytes, more: true });
    await send({ type: "http.response.body", body: bytes });
  });
  await using client = await testClient(app);
  assertEquals((await client.get("/")).text(), "xxxx");
});

// ── trailers, hints, flush ──

for (
  const [what, options, expected] of [
    ["a client that can get them", {}, "1"],
    ["an HTTP/1.0 client", { httpVersion: "1.0" }, undefined],
    ["an engine without trailers", { without: ["trailers"] }, undefined],
  ] as const
) {
  Deno.test(`http: trailers reach ${what} or are dropped`, async () => {
    const app = http(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200, trailers: 1 });
      await send({ type: "http.response.body", body: "a" });
      await send({ type: "http.response.trailers", headers: [["x-sum", "1"]] });
    });
    await using client = await testClient(app, options);
    const response = await client.get("/");
    assertEquals([response.text(), response.trailers?.get("x-sum"), response.cut], ["a", expected, null]);
    assertEquals(client.errors, []);
  });
}

Deno.test("http: trailers that were not promised reject; promised ones that don't come end the response all the same", async () => {
  const seen: string[] = [];
  const app = http(async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, trailers: scope.path === "/promised" });
    await send({ type: "http.response.body", body: "a" });
    if (scope.path !== "/promised") seen.push(await outcome(send({ type: "http.response.trailers" })));
  });
  await using client = await testClient(app);
  assertEquals((await client.get("/promised")).cut, null);
  assertEquals((await client.get("/")).cut, null);
  await settle();
  assertEquals(seen, ["StateError http.response.trailers"]);
});

Deno.test("http: trailers on a HEAD are dropped", async () => {
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, trailers: 1 });
    await send({ type: "http.response.body", body: "a" });
    await send({ type: "http.response.trailers", headers: [["x-sum", "1"]] });
  });
  await using client = await testClient(app);
  const response = await client.head("/");
  assertEquals([response.status, response.cut], [200, null]);
  assertEquals(client.errors, []);
});

Deno.test("http: trailers behind a file", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "file");
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, trailers: 1 });
    await send({ type: "http.response.body", file: path });
    await send({ type: "http.response.trailers", headers: [["x-sum", "1"]] });
  });
  try {
    await using client = await testClient(app);
    const response = await client.get("/");
    assertEquals([response.text(), response.trailers?.get("x-sum")], ["file", "1"]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("http: early hints come before the start only, and only where they are offered", async () => {
  const seen: string[] = [];
  const app = http(async (_scope, _receive, send) => {
    const hint = { type: "http.response.early_hint", headers: [["link", "</a>"]] } as const;
    seen.push(await outcome(send(hint)));
    seen.push(await outcome(send(hint)));
    await send({ type: "http.response.start", status: 200 });
    seen.push(await outcome(send(hint)));
    await send({ type: "http.response.body" });
  });
  {
    await using client = await testClient(app);
    assertEquals((await client.get("/")).hints.length, 2);
  }
  {
    await using client = await testClient(app, { without: ["early-hints"] });
    assertEquals((await client.get("/")).hints.length, 0);
  }
  assertEquals(seen, ["ok", "ok", "StateError http.response.early_hint", ...Array(3).fill("StateError http.response.early_hint")]);
});

Deno.test("http: fullflush rejects where it is not offered", async () => {
  const seen: string[] = [];
  const app = http(async (_scope, _receive, send) => {
    seen.push(await outcome(send({ type: "http.fullflush" })));
    for (const event of OK) await send(event);
  });
  await using client = await testClient(app, { without: ["flush"] });
  await client.get("/");
  assertEquals(seen, ["StateError http.fullflush"]);
});

Deno.test("http: fullflush before the body sends the head", async () => {
  const go = Promise.withResolvers<void>();
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 202 });
    await send({ type: "http.fullflush" });
    await go.promise;
    await send({ type: "http.response.body", body: "later" });
  });
  await using client = await testClient(app);
  const exchange = await client.open("GET", "/");
  assertEquals((await exchange.response).status, 202);
  go.resolve();
  assertEquals((await exchange.finish()).text(), "later");
});

// ── files ──

async function withFile(text: string, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, text);
  try {
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

for (
  const [range, expected] of [
    [{}, "0123456789"],
    [{ offset: 3 }, "3456789"],
    [{ length: 4 }, "0123"],
    [{ offset: 8, length: 4 }, "89"],
    [{ offset: 10 }, ""],
    [{ offset: 99 }, ""],
    [{ length: 0 }, ""],
  ] as [{ offset?: number; length?: number }, string][]
) {
  Deno.test(`http: a file and a handle send the range ${JSON.stringify(range)}`, async () => {
    await withFile("0123456789", async (path) => {
      const app = http(async (scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        if (scope.path === "/file") await send({ type: "http.response.body", file: path, ...range });
        else {
          using fh = await Deno.open(path);
          await send({ type: "http.response.body", fh, ...range });
        }
      });
      await using client = await testClient(app);
      const file = await client.get("/file");
      assertEquals([file.text(), file.headers.get("content-length"), file.cut], [expected, String(expected.length), null]);
      const handle = await client.get("/handle");
      assertEquals([handle.text(), handle.cut], [expected, null]);
    });
  });
}

Deno.test("http: a file behind body parts, and a big one", async () => {
  const big = "x".repeat(200_000);
  await withFile(big, async (path) => {
    const app = http(async (scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      if (scope.path === "/parts") await send({ type: "http.response.body", body: "head ", more: true });
      await send({ type: "http.response.body", file: path, more: true });
    });
    await using client = await testClient(app);
    assertEquals((await client.get("/")).text(), big);
    assertEquals((await client.get("/parts")).text(), `head ${big}`);
  });
});

Deno.test("http: a file that can't be opened rejects the send, and another body may follow", async () => {
  const seen: string[] = [];
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    seen.push(await outcome(send({ type: "http.response.body", file: "/does/not/exist" })));
    seen.push(await outcome(send({ type: "http.response.body", file: "/" })));
    await send({ type: "http.response.body", body: "instead" });
  });
  await using client = await testClient(app);
  assertEquals((await client.get("/")).text(), "instead");
  assertMatch(seen[0]!, /^NotFound/);
  assertEquals(seen[1] === "ok", false);
});

Deno.test("http: a client that leaves a file stops its reading, and the file is closed", async () => {
  let opened = 0;
  let closed = 0;
  const files = {
    open: () =>
      Promise.resolve({
        size: 10_000_000,
        read: (into: Uint8Array) => (opened++, Promise.resolve(into.byteLength)),
        close: () => void closed++,
      }),
  };
  const app = http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", file: "/big" });
  });
  await using client = await testClient(app, { files });
  const exchange = await client.open("GET", "/", { stalled: true });
  await exchange.response;
  await settle();
  const before = opened;
  assertEquals(before < 10, true, `${before} chunks were read for a client that does not read`);
  exchange.disconnect();
  await settle();
  assertEquals([closed, opened <= before + 1], [1, true]);
});

// ── a client that is gone ──

Deno.test("http: after the client has gone, sends resolve and do nothing; no 500 and no error in the log", async () => {
  const seen: string[] = [];
  const app = http(async (scope, receive, send) => {
    while ((await receive()).type !== "http.disconnect");
    for (const event of OK) seen.push(await outcome(send(event)));
    seen.push(await outcome(send({ type: "http.response.body", body: "more" })));
    if (scope.path === "/throws") throw new Error("for nobody");
  });
  await using client = await testClient(app);
  for (const path of ["/", "/throws"]) {
    const exchange = await client.open("GET", path);
    exchange.disconnect();
    await settle();
  }
  assertEquals(seen, Array(6).fill("ok"));
  assertEquals(client.notes.filter(({ level }) => level === "error"), []);
});

Deno.test("http: a shape check may still fail after the client has gone", async () => {
  const seen: string[] = [];
  const app = http(async (_scope, receive, send) => {
    while ((await receive()).type !== "http.disconnect");
    seen.push(await outcome(send(wrong({ type: "nonsense" }))));
  });
  await using client = await testClient(app);
  (await client.open("GET", "/")).disconnect();
  await settle();
  assertEquals(seen, ["EventError nonsense type"]);
});

Deno.test("http: the server goes on after any failure of an app", async () => {
  const app = http((scope) => {
    if (scope.path === "/sync") throw new Error("not even a promise");
    return scope.path === "/string" ? Promise.reject("a string") : Promise.reject(undefined);
  });
  await using client = await testClient(app);
  for (const path of ["/sync", "/string", "/undefined"]) assertEquals((await client.get(path)).status, 500);
  assertStringIncludes(JSON.stringify(client.notes), "not even a promise");
});
