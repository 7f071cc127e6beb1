/** Fetch handlers as apps, over real sockets with raw bytes, fetch and curl as clients. Contract section 10. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Scope } from "../../../src/spec/scope.ts";
import { type FetchHandler, fromFetch } from "../../../src/toolkit/bridge/from_fetch.ts";
import { get, parts, raw, readUntil, type Served, served, write } from "../serving.ts";
import { needs } from "../../tools.ts";

function test(name: string, handler: FetchHandler, body: (server: Served) => Promise<void>, tools: readonly string[] = []): void {
  Deno.test(needs(tools, `fromFetch() ${name}`), async () => {
    await using server = await served(fromFetch(handler));
    await body(server);
  });
}

const describe: FetchHandler = async (request) =>
  Response.json({ method: request.method, url: request.url, headers: [...request.headers], body: await request.text() });

test("gives the handler method, URL, headers and body", describe, async ({ url, port }) => {
  const response = await fetch(`${url}/a%20b/%C3%A9?x=1&y=%20`, { method: "PATCH", headers: { "x-a": "née" }, body: "the body €" });
  assertEquals(response.headers.get("content-type"), "application/json");
  const seen = await response.json();
  assertEquals([seen.method, seen.url, seen.body], ["PATCH", `http://127.0.0.1:${port}/a%20b/%C3%A9?x=1&y=%20`, "the body €"]);
  assert(seen.headers.some(([name, value]: [string, string]) => name === "x-a" && value === "née"));
});

test("keeps the target as it was sent", describe, async ({ port }) => {
  const ask = async (target: string) => JSON.parse(parts(await raw(port, get(target))).body).url;
  assertEquals(await ask("/%2Fa%2fb?%zz=[1]"), "http://x/%2Fa%2fb?%zz=[1]");
  assertEquals(await ask("/"), "http://x/");
  assertEquals(await ask("/x??a"), "http://x/x??a");
  assertEquals(await ask("/x#y?z"), "http://x/x%23y?z");
  assertEquals(await ask("/a\\b"), "http://x/a%5Cb");
  assertEquals(await ask("//other/path"), "http://x//other/path");
});

test("sends a whole body with its length and a stream in chunks", (request) => {
  if (request.url.endsWith("/text")) return new Response("héllo", { status: 201, headers: { "x-b": "c" } });
  if (request.url.endsWith("/bytes")) return new Response(new Uint8Array([1, 2, 3]));
  if (request.url.endsWith("/empty")) return new Response("");
  if (request.url.endsWith("/null")) return new Response(null, { status: 204 });
  return new Response(ReadableStream.from([new Uint8Array([65]), new Uint8Array([66])]));
}, async ({ port }) => {
  const text = parts(await raw(port, get("/text")));
  assertEquals([text.status, text.body], [201, "h\xc3\xa9llo"]);
  assertStringIncludes(text.headers, "content-length: 6\r\n");
  assertStringIncludes(text.headers, "x-b: c\r\n");
  assertStringIncludes(parts(await raw(port, get("/bytes"))).headers, "content-length: 3\r\n");
  assertStringIncludes(parts(await raw(port, get("/empty"))).headers, "content-length: 0\r\n");
  assertEquals(parts(await raw(port, get("/null"))).status, 204);
  assertEquals(await (await fetch(`http://127.0.0.1:${port}/stream`)).text(), "AB");
});

test("keeps several set-cookie apart", () => {
  const headers = new Headers({ "x-a": "1" });
  headers.append("set-cookie", "a=1; Path=/");
  headers.append("set-cookie", "b=2, with a comma");
  return new Response("ok", { headers });
}, async ({ port, url }) => {
  const { headers } = parts(await raw(port, get("/")));
  assertStringIncludes(headers, "set-cookie: a=1; path=/\r\n");
  assertStringIncludes(headers, "set-cookie: b=2, with a comma");
  const response = await fetch(url);
  await response.text();
  assertEquals(response.headers.getSetCookie(), ["a=1; Path=/", "b=2, with a comma"]);
});

test("answers HEAD without a body, and cancels a stream that nobody will read", (request) => {
  if (request.url.endsWith("/text")) return new Response("hello");
  if (request.url.endsWith("/known")) return new Response(null, { headers: { "content-length": "42" } });
  return new Response(
    new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(10)), cancel: () => void cancelled.resolve() }),
  );
}, async ({ port }) => {
  const head = async (target: string) => parts(await raw(port, get(target).replace("GET", "HEAD")));
  assertEquals((await head("/text")).body, "");
  assertStringIncludes((await head("/text")).headers, "content-length: 5");
  assertStringIncludes((await head("/known")).headers, "content-length: 42");
  assertEquals((await head("/endless")).body, "");
  await cancelled.promise;
});
const cancelled = Promise.withResolvers<void>();

test("streams both ways: each part of the answer comes before the next part of the request", (request) => {
  const decoder = new TextDecoder();
  return new Response(
    request.body!.pipeThrough(
      new TransformStream({
        transform: (chunk, controller) => controller.enqueue(new TextEncoder().encode(decoder.decode(chunk).toUpperCase())),
      }),
    ),
  );
}, async ({ port }) => {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await write(connection, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const part of ["one", "two", "three"]) {
    await write(connection, `${part.length}\r\n${part}\r\n`);
    assertStringIncludes(await readUntil(connection, part.toUpperCase()), part.toUpperCase());
  }
  await write(connection, "0\r\n\r\n");
  await readUntil(connection, "0\r\n\r\n");
});

test("takes a big body through unharmed", async (request) => {
  const digest = await crypto.subtle.digest("SHA-256", await request.bytes());
  return new Response(new Uint8Array(digest).toHex());
}, async ({ url }) => {
  const body = new Uint8Array(3_000_000).map((_, at) => (at * 31) & 0xff);
  const want = new Uint8Array(await crypto.subtle.digest("SHA-256", body)).toHex();
  assertEquals(await (await fetch(url, { method: "POST", body })).text(), want);
});

test("answers where the body is not read", () => new Response("no, thanks", { status: 403 }), async ({ url }) => {
  const response = await fetch(url, { method: "PUT", body: new Uint8Array(500_000) });
  assertEquals([response.status, await response.text()], [403, "no, thanks"]);
});

for (const [label, accept] of [["http", ""], ["sse", "Accept: text/event-stream\r\n"]] as const) {
  const aborted = Promise.withResolvers<unknown>();
  const streamCancelled = Promise.withResolvers<unknown>();

  test(`aborts the signal when the client leaves before the answer (${label} scope)`, (request) => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    request.signal.addEventListener("abort", () => {
      aborted.resolve(request.signal.reason);
      resolve(new Response("too late"));
    });
    started.get(label)!.resolve();
    return promise;
  }, async ({ port, log }) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await write(connection, get("/", accept));
    await started.get(label)!.promise;
    connection.close();
    assert(await aborted.promise instanceof Error);
    assertEquals(log.filter((line) => line.startsWith("error")), []);
  });

  test(`cancels the answer's stream when the client leaves, even while it is silent (${label} scope)`, () => {
    const first = new TextEncoder().encode("data: 1\n\n");
    return new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(first), cancel: (reason) => streamCancelled.resolve(reason) }),
      { headers: { "content-type": "text/event-stream" } },
    );
  }, async ({ port }) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await write(connection, get("/", accept));
    const head = await readUntil(connection, "data: 1\n\n");
    assertStringIncludes(head.toLowerCase(), "content-type: text/event-stream\r\n");
    connection.close();
    assertEquals(await streamCancelled.promise, "The client has left");
  });
}
const started = new Map(["http", "sse"].map((label) => [label, Promise.withResolvers<void>()]));

test("sends the head of a stream before its first chunk", () => new Response(new ReadableStream()), async ({ port }) => {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await write(connection, get("/"));
  assertStringIncludes(await readUntil(connection, "\r\n\r\n"), "HTTP/1.1 200 OK");
});

test("waits for a client that does not read", () => {
  return new Response(
    new ReadableStream({
      pull(controller) {
        pulled += 65_536;
        controller.enqueue(new Uint8Array(65_536));
        if (pulled > 64_000_000) controller.close();
      },
    }),
  );
}, async ({ port, log }) => {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await write(connection, get("/"));
  await readUntil(connection, "\r\n\r\n");
  // The system's socket buffers fill, and then nothing moves any more: no event says so, so it is looked at until it holds still.
  for (let before = -1; before !== pulled;) {
    before = pulled;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert(pulled < 12_000_000, `${pulled} bytes were made for a client that reads none`);
  assertEquals(log.filter((line) => line.startsWith("warn")), [], "the server did not have to cut it");
});
let pulled = 0;

test("answers 500 where the handler fails", (request) => {
  if (request.url.endsWith("/throw")) throw new Error("in the handler");
  if (request.url.endsWith("/value")) return "text" as unknown as Response;
  if (request.url.endsWith("/error")) return Response.error();
  return new Response(ReadableStream.from((async function* () {
    await Promise.reject(new Error("in the stream"));
    yield new Uint8Array();
  })()));
}, async ({ port, log }) => {
  for (const target of ["/throw", "/value", "/error"]) assertEquals(parts(await raw(port, get(target))).status, 500, target);
  assertStringIncludes(log.join("\n"), "in the handler");
  assertStringIncludes(log.join("\n"), "The fetch handler gave text: it must give a Response");
  assertEquals(parts(await raw(port, get("/stream"))).status, 500);
  assertStringIncludes(log.join("\n"), "in the stream");
});

test("cuts an answer whose stream fails half way", () => {
  let count = 0;
  return new Response(
    new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (++count > 2) controller.error(new Error("half way"));
        else controller.enqueue(new Uint8Array([64 + count]));
      },
    }),
  );
}, async ({ port, url, log }) => {
  await assertRejects(async () => await (await fetch(url)).text());
  const answer = await raw(port, get("/"));
  assert(answer.startsWith("HTTP/1.1 200"), answer);
  assert(!answer.endsWith("0\r\n\r\n"), "no end of the body");
  assertStringIncludes(log.join("\n"), "half way");
});

test("refuses a WebSocket with 501 and TRACE too", () => new Response("ok"), async ({ port }) => {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  await write(connection, `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${key}\r\n\r\n`);
  assertStringIncludes(await readUntil(connection, "takes no WebSocket"), "HTTP/1.1 501 ");
  assertEquals(parts(await raw(port, get("/").replace("GET", "TRACE"))).status, 501);
});

test("keeps the signal in a clone, and where a request is the init of another", async (request) => {
  const copies = [request.clone(), new Request("http://other/", { method: request.method, signal: request.signal })];
  assertEquals(copies[0]!.signal, request.signal);
  assert(copies.every((copy) => copy.signal.aborted === false));
  return new Response(await copies[0]!.text());
}, async ({ url }) => {
  assertEquals(await (await fetch(url, { method: "POST", body: "cloned" })).text(), "cloned");
});

test("answers an event stream to a browser's Accept, over HTTP/2 too", () => {
  return new Response(ReadableStream.from([new TextEncoder().encode("data: a\n\n"), new TextEncoder().encode("data: b\n\n")]), {
    headers: { "content-type": "text/event-stream" },
  });
}, async ({ url }) => {
  for (const version of ["--http1.1", "--http2-prior-knowledge"]) {
    const { stdout } = await new Deno.Command("curl", {
      args: ["-sN", "--max-time", "10", version, "-H", "accept: text/event-stream", url],
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "data: a\n\ndata: b\n\n");
  }
}, ["curl"]);

Deno.test("fromFetch() throws on a lifespan scope, so that the server goes on without one", async () => {
  const never = () => Promise.reject(new Error("not asked"));
  await assertRejects(() => fromFetch(() => new Response())({ type: "lifespan" } as Scope, never, never), Error, 'scope type "lifespan"');
});
