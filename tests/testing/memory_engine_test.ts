/** The memory engine against a host that each test plays by hand: what a wire does, and the rules of the seam. */

import { assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { CLOSE, NOTIFY, type Outbound, TRAILERS } from "../../src/exchange.ts";
import { SeamError } from "../../src/testing/errors.ts";
import { settle } from "../../src/testing/waiting.ts";
import { bytes, handshake, header, RecordingPeer, request, setUp } from "./doubles.ts";

Deno.test("MemoryEngine.listen() binds nothing", async () => {
  const { addresses, engine } = await setUp();
  assertEquals(addresses, []);
  await engine.close(0);
  await engine.finished;
});

Deno.test("MemoryEngine.request() builds the head as a wire parses it", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(
    request({
      method: "POST",
      target: "/a%20b/%E2%82%AC?x=1&y=%20",
      headers: [["Host", "example.org"], ["Cookie", "a=1"], ["X-Two", "1"], ["cookie", "b=2"], ["x-two", "2"]],
      hasBody: true,
      rootPath: "/mount",
    }),
    peer,
  );
  const head = host.head!;
  assertEquals([head.kind, head.method, head.scheme, head.rootPath, head.body], ["http", "POST", "http", "/mount", "plain"]);
  assertEquals([head.rawPath, head.path, head.query], ["/a%20b/%E2%82%AC", "/a b/€", "x=1&y=%20"]);
  assertEquals(head.headers, [["host", "example.org"], ["cookie", "a=1; b=2"], ["x-two", "1"], ["x-two", "2"]]);
  engine.disconnectAll();
});

Deno.test("MemoryEngine.request() classifies by the Accept header", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request({ headers: [["host", "a"], ["accept", "text/event-stream"]] }), peer);
  assertEquals(host.head!.kind, "sse");
  engine.request(request({ headers: [["host", "a"], ["accept", "text/html"], ["Accept", "text/event-stream"]] }), peer);
  assertEquals(host.head!.kind, "sse", "in any of several headers");
  engine.disconnectAll();
});

Deno.test("MemoryEngine.request() leaves the client's address out where it has none", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request({ client: null, server: ["/run/app.sock", null] }), peer);
  assertEquals("client" in host.head!, false);
  assertEquals(host.head!.server, ["/run/app.sock", null]);
  engine.disconnectAll();
});

for (
  const [what, parts, status] of [
    ["a malformed escape", { target: "/%zz" }, 400],
    ["no Host over HTTP/1.1", { headers: [] }, 400],
    ["two Hosts", { headers: [["host", "a"], ["host", "b"]] }, 400],
    ["a Host that forges a path", { headers: [["host", "a/b"]] }, 400],
    ["a declared body over the limit", { method: "POST", hasBody: true, headers: [["host", "a"], ["content-length", "11"]] }, 413],
  ] as const
) {
  Deno.test(`MemoryEngine.request() answers ${what} with ${status} and asks no app`, async () => {
    const { engine, host, observer, peer } = await setUp({ maxBodyBytes: 10 });
    engine.request(request(parts), peer);
    assertEquals(peer.calls, [], "nothing is told before request() has returned");
    await settle();
    assertEquals(peer.calls[0], `head ${status}`);
    assertEquals(header(peer, "connection"), "close");
    assertEquals(host.head, null);
    assertEquals(observer.calls.length, 2);
    assertStringIncludes(observer.calls[1]!, ` ${status} `);
  });
}

Deno.test("MemoryEngine.handshake() answers a wrong version with 426", async () => {
  const { engine, host, peer } = await setUp();
  const headers = handshake().headers.map(([name, value]) => [name, name === "sec-websocket-version" ? "12" : value] as const);
  engine.handshake(handshake({ headers }), peer);
  await settle();
  assertEquals(peer.calls[0], "head 426");
  assertEquals(header(peer, "sec-websocket-version"), "13");
  assertEquals(host.head, null);
});

// ── answers ──

Deno.test("MemoryExchange.respond() frames a whole answer", async () => {
  const { engine, host, observer, peer } = await setUp();
  engine.request(request(), peer);
  host.call((out) => out.respond(200, [["x-a", "1"]], "héllo", 0));
  assertEquals(peer.calls, []);
  await settle();
  assertEquals(peer.calls, ["head 200", "data héllo", "end"]);
  assertEquals(header(peer, "content-length"), "6");
  assertMatch(header(peer, "date")!, /GMT$/);
  assertEquals(header(peer, "connection"), undefined);
  assertEquals(host.recorder.calls, [], "closed is left out without NOTIFY");
  assertEquals(observer.calls, ["opened /", "finished / 200 6 null"]);
});

Deno.test("MemoryExchange.respond() with NOTIFY is followed by closed()", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request(), peer);
  host.call((out) => out.respond(200, [], "hello", NOTIFY));
  await settle();
  assertEquals(host.recorder.calls.at(-1), "closed null");
});

Deno.test("MemoryExchange.respond() inside open() reaches the client after open() has returned", async () => {
  const { engine, host, peer } = await setUp();
  host.inOpen = (out) => {
    out.respond(200, [], "now", NOTIFY);
    assertEquals(peer.calls, []);
  };
  engine.request(request(), peer);
  await settle();
  assertEquals(peer.calls, ["head 200", "data now", "end"]);
  assertEquals(host.recorder.calls, ["drained", "closed null"]);
});

Deno.test("MemoryExchange.respond() to a HEAD sends the length and no byte", async () => {
  const { engine, host, observer, peer } = await setUp();
  engine.request(request({ method: "HEAD" }), peer);
  host.call((out) => out.respond(200, [], "hello", 0));
  await settle();
  assertEquals(peer.calls, ["head 200", "end"]);
  assertEquals(header(peer, "content-length"), "5");
  assertEquals(observer.calls.at(-1), "finished / 200 0 null");
});

for (
  const [version, name, value] of [
    ["1.1", "transfer-encoding", "chunked"],
    ["1.0", "connection", "close"],
    ["2", "transfer-encoding", undefined],
  ] as const
) {
  Deno.test(`MemoryExchange.head() frames a streamed body over HTTP/${version}`, async () => {
    const { engine, host, peer } = await setUp();
    engine.request(request({ httpVersion: version }), peer);
    host.call((out) => {
      out.head(200, [["connection", "keep-alive"], ["x-a", "1"]].slice(version === "2" ? 0 : 1) as [string, string][], NOTIFY);
      out.chunk(bytes("a"));
      out.chunk(bytes("b"));
      out.end(null);
    });
    await settle();
    assertEquals(peer.calls, ["head 200", "data a", "data b", "end"]);
    assertEquals(header(peer, name), value);
    if (version === "2") assertEquals(header(peer, "connection"), undefined, "HTTP/2 has no connection headers");
    assertEquals(host.recorder.calls.at(-1), "closed null");
  });
}

Deno.test("MemoryExchange.head() keeps a declared length, but none on a 204", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request(), peer);
  host.call((out) => out.head(200, [["content-length", "2"]], NOTIFY));
  host.call((out) => out.chunk(bytes("ab")));
  host.call((out) => out.end(null));
  await settle();
  assertEquals([header(peer, "content-length"), header(peer, "transfer-encoding")], ["2", undefined]);

  const other = new RecordingPeer();
  engine.request(request(), other);
  host.call((out) => out.head(204, [["content-length", "2"]], NOTIFY));
  host.call((out) => out.end(null));
  await settle();
  assertEquals([header(other, "content-length"), header(other, "transfer-encoding")], [undefined, undefined]);
});

Deno.test("MemoryExchange.end() hands trailers over where they were announced", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request(), peer);
  host.call((out) => {
    out.head(200, [], TRAILERS | NOTIFY);
    out.chunk(bytes("a"));
    out.end([["x-sum", "1"]]);
  });
  await settle();
  assertEquals(peer.calls.at(-1), 'end [["x-sum","1"]]');
});

for (const [httpVersion, end] of [["1.1", "end"], ["2", 'end [["x-sum","1"]]']] as const) {
  Deno.test(`MemoryExchange.end() behind a declared length over HTTP/${httpVersion} tells "${end}"`, async () => {
    const { engine, host, peer } = await setUp();
    engine.request(request({ httpVersion }), peer);
    host.call((out) => {
      out.head(200, [["content-length", "1"]], TRAILERS | NOTIFY);
      out.chunk(bytes("a"));
      out.end([["x-sum", "1"]]);
    });
    await settle();
    assertEquals(peer.calls.at(-1), end);
  });
}

Deno.test("MemoryExchange.end() keeps the reason for the log", async () => {
  const { engine, host, peer } = await setUp();
  const ends: unknown[] = [];
  await engine.listen(host, { opened: () => {}, note: () => {}, finished: (_head, _status, _bytes, end) => void ends.push(end) });
  engine.request(request(), peer);
  host.call((out) => out.head(200, [], NOTIFY));
  host.call((out) => out.end(null, "all said"));
  await settle();
  assertEquals(ends, [{ reason: null, text: "all said" }]);
  assertEquals(host.recorder.ends, [{ reason: null }]);
});

Deno.test("MemoryExchange.inform() comes before the head", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request(), peer);
  host.call((out) => out.inform(103, [["link", "</a>; rel=preload"]]));
  host.call((out) => out.respond(200, [], "", 0));
  await settle();
  assertEquals(peer.calls, ["hint 103", "head 200", "end"]);
});

Deno.test("MemoryExchange.abort() cuts the answer and closed() follows", async () => {
  const { engine, host, observer, peer } = await setUp();
  engine.request(request(), peer);
  host.call((out) => out.head(200, [], NOTIFY));
  host.call((out) => out.chunk(bytes("a")));
  await settle();
  host.call((out) => out.abort("server_error"));
  await settle();
  assertEquals(peer.calls, ["head 200", "data a", "cut server_error"]);
  assertEquals(host.recorder.calls.at(-1), "closed server_error");
  assertEquals(observer.calls.at(-1), "finished / 200 1 server_error");
});

// ── flow control ──

Deno.test("MemoryExchange.buffered grows while the reader stalls and shrinks as it reads", async () => {
  const { engine, host, peer } = await setUp();
  const exchange = engine.request(request(), peer);
  exchange.pipe.stall();
  host.call((out) => out.head(200, [], NOTIFY));
  host.call((out) => out.chunk(bytes("0123456789")));
  await settle();
  assertEquals(peer.calls, ["head 200"], "a reader that stalls still sees the head");
  assertEquals(exchange.buffered, 10);
  assertEquals(host.recorder.calls, []);
  exchange.pipe.resume(4);
  await settle();
  assertEquals(exchange.buffered, 6);
  assertEquals(peer.calls.at(-1), "data 0123");
  assertEquals(host.recorder.calls, ["drained"]);
  exchange.pipe.resume();
  host.call((out) => out.end(null));
  await settle();
  assertEquals(peer.calls.slice(-2), ["data 456789", "end"]);
  assertEquals(host.recorder.calls, ["drained", "drained", "closed null"]);
});

Deno.test("MemoryExchange.flush() is answered when everything before was read", async () => {
  const { engine, host, peer } = await setUp();
  const exchange = engine.request(request(), peer);
  exchange.pipe.stall();
  host.call((out) => out.head(200, [], NOTIFY));
  host.call((out) => out.flush());
  await settle();
  assertEquals(host.recorder.calls, ["flushed"]);
  host.call((out) => out.chunk(bytes("ab")));
  host.call((out) => out.flush());
  await settle();
  assertEquals(host.recorder.calls, ["flushed"]);
  exchange.pipe.resume();
  await settle();
  assertEquals(host.recorder.calls, ["flushed", "drained", "flushed"]);
  engine.disconnectAll();
});

Deno.test("MemoryExchange gives an answer to a stalled reader only when it reads", async () => {
  const { engine, host, observer, peer } = await setUp();
  const exchange = engine.request(request(), peer);
  exchange.pipe.stall();
  host.call((out) => out.respond(200, [], "hello", NOTIFY));
  await settle();
  assertEquals(observer.calls, ["opened /"], "delivery is judged at the last byte read");
  exchange.pipe.resume();
  await settle();
  assertEquals(observer.calls, ["opened /", "finished / 200 5 null"]);
});

// ── the request body ──

Deno.test("MemoryExchange moves body bytes on credit alone", async () => {
  const { engine, host, peer } = await setUp();
  const exchange = engine.request(request({ method: "POST", hasBody: true }), peer);
  let written = false;
  exchange.upload.write(bytes("0123456789")).then(() => written = true);
  exchange.upload.end();
  await settle();
  assertEquals(host.recorder.calls, []);
  host.call((out) => out.pull(4));
  await settle();
  assertEquals(host.recorder.calls, ["body 0123 more"]);
  assertEquals(written, false);
  host.call((out) => out.pull(100));
  await settle();
  assertEquals(host.recorder.calls, ["body 0123 more", "body 456789 last"]);
  assertEquals(written, true);
  engine.disconnectAll();
});

Deno.test("MemoryExchange tells an end that comes later once the session asks", async () => {
  const { engine, host, peer } = await setUp();
  const exchange = engine.request(request({ method: "POST", hasBody: true }), peer);
  host.call((out) => out.pull(2));
  void exchange.upload.write(bytes("ab"));
  await settle();
  exchange.upload.end();
  await settle();
  assertEquals(host.recorder.calls, ["body ab more"]);
  host.call((out) => out.pull(1));
  await settle();
  assertEquals(host.recorder.calls, ["body ab more", "body  last"]);
  engine.disconnectAll();
});

Deno.test("MemoryExchange continues a request that expects it at the first pull", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request({ method: "POST", hasBody: true, headers: [["host", "a"], ["expect", "100-Continue"]] }), peer);
  assertEquals(host.head!.body, "expect");
  await settle();
  assertEquals(peer.calls, []);
  host.call((out) => out.pull(1));
  host.call((out) => out.pull(1));
  assertEquals(peer.calls, ["continued"]);
  engine.disconnectAll();
});

Deno.test("MemoryExchange answers a body that outgrows the limit with 413", async () => {
  const { engine, host, observer, peer } = await setUp({ maxBodyBytes: 10 });
  const exchange = engine.request(request({ method: "POST", hasBody: true }), peer);
  void exchange.upload.write(bytes("01234567890"));
  host.call((out) => out.pull(5));
  await settle();
  assertEquals(host.recorder.calls, ["body 01234 more"]);
  host.call((out) => out.pull(100));
  await settle();
  assertEquals(peer.calls[0], "head 413");
  assertEquals(host.recorder.calls.at(-1), "closed body_too_large");
  assertMatch(observer.calls.at(-1)!, /^finished \/ 413 \d+ body_too_large$/);
});

Deno.test("MemoryExchange cuts a started answer where the body outgrows the limit", async () => {
  const { engine, host, peer } = await setUp({ maxBodyBytes: 2 });
  const exchange = engine.request(request({ method: "POST", hasBody: true }), peer);
  void exchange.upload.write(bytes("abc"));
  host.call((out) => out.head(200, [], NOTIFY));
  await settle();
  host.call((out) => out.pull(100));
  await settle();
  assertEquals(peer.calls, ["head 200", "cut body_too_large"]);
});

// ── a client that leaves ──

Deno.test("MemoryExchange.disconnect() is told once, and later calls of the session cross it", async () => {
  const { engine, host, observer, peer } = await setUp();
  const exchange = engine.request(request(), peer);
  exchange.disconnect();
  exchange.disconnect();
  host.call((out) => out.head(200, [], NOTIFY));
  host.call((out) => out.chunk(bytes("a")));
  assertEquals(exchange.buffered, 0);
  await settle();
  assertEquals(host.recorder.calls, ["closed client_closed"]);
  assertEquals(observer.calls, ["opened /", "finished / 0 0 client_closed"]);
  assertEquals(engine.broken, []);
});

for (const after of [0, 1, 5, 9]) {
  Deno.test(`MemoryExchange: a client that leaves after ${after} bytes has got ${after} bytes`, async () => {
    const { engine, host, observer, peer } = await setUp();
    const exchange = engine.request(request(), peer);
    exchange.pipe.limit(after);
    host.call((out) => out.head(200, [], NOTIFY));
    host.call((out) => out.chunk(bytes("01234")));
    host.call((out) => out.chunk(bytes("56789")));
    host.call((out) => out.end(null));
    await settle();
    const got = peer.calls.filter((call) => call.startsWith("data ")).map((call) => call.slice(5)).join("");
    assertEquals(got, "0123456789".slice(0, after));
    assertEquals(peer.calls.at(-1), "cut client_closed");
    assertEquals(host.recorder.calls.at(-1), "closed client_closed");
    assertEquals(observer.calls.at(-1), `finished / ${after === 0 ? 200 : 200} ${after} client_closed`);
  });
}

Deno.test("MemoryExchange tells nothing after a respond without NOTIFY, though the client leaves", async () => {
  const { engine, host, observer, peer } = await setUp();
  const exchange = engine.request(request(), peer);
  exchange.pipe.stall();
  host.call((out) => out.respond(200, [], "hello", 0));
  exchange.disconnect();
  await settle();
  assertEquals(host.recorder.calls, []);
  assertEquals(observer.calls, ["opened /", "finished / 200 0 client_closed"]);
});

Deno.test("MemoryEngine with holdsUnwatchedEnds tells an end when the session asks", async () => {
  const { engine, host, peer } = await setUp({ holdsUnwatchedEnds: true });
  const exchange = engine.request(request(), peer);
  exchange.disconnect();
  await settle();
  assertEquals(host.recorder.calls, []);
  host.call((out) => out.watch());
  await settle();
  assertEquals(host.recorder.calls, ["closed client_closed"]);

  engine.request(request(), peer).disconnect();
  host.call((out) => out.respond(200, [], "", 0));
  await settle();
  assertEquals(host.recorder.calls, ["closed client_closed"], "a respond without NOTIFY asks for nothing");
});

Deno.test('MemoryEngine without "post-disconnect" is blind for a client that leaves while its upload is handled', async () => {
  const { engine, host, peer } = await setUp({ capabilities: ["delivery"] });
  const exchange = engine.request(request({ method: "POST", hasBody: true }), peer);
  exchange.disconnect();
  host.call((out) => out.watch());
  await settle();
  assertEquals(host.recorder.calls, []);
  host.call((out) => out.head(200, [], NOTIFY));
  await settle();
  assertEquals(host.recorder.calls, ["closed client_closed"]);
});

Deno.test('MemoryEngine without "delivery" calls an answer complete when it has taken it', async () => {
  const { engine, host, observer, peer } = await setUp({ capabilities: [] });
  const exchange = engine.request(request(), peer);
  exchange.pipe.stall();
  host.call((out) => out.respond(200, [], "hello", NOTIFY));
  await settle();
  assertEquals(host.recorder.calls, ["closed null"]);
  assertEquals(observer.calls.length, 1);
  exchange.disconnect();
  await settle();
  assertEquals(host.recorder.calls, ["closed null"]);
  assertEquals(observer.calls.at(-1), "finished / 200 0 client_closed");
});

// ── drain and close ──

Deno.test("MemoryEngine.drain() refuses new exchanges and closes connections", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request(), peer);
  engine.drain();
  assertThrows(() => engine.request(request(), new RecordingPeer()), TypeError, "the engine is draining");
  host.call((out) => out.respond(200, [], "", 0));
  await settle();
  assertEquals(header(peer, "connection"), "close");
});

Deno.test("MemoryExchange.respond() with CLOSE closes the connection", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request(), peer);
  host.call((out) => out.respond(500, [], "", CLOSE));
  await settle();
  assertEquals(header(peer, "connection"), "close");
});

Deno.test("MemoryEngine.close() waits for what is open", async () => {
  const { engine, host, peer, clock } = await setUp();
  engine.request(request(), peer);
  let closed = false;
  const closing = engine.close(1000).then(() => closed = true);
  await clock.advance(999);
  assertEquals(closed, false);
  host.call((out) => out.respond(200, [], "", 0));
  await closing;
  assertEquals(clock.pending, 0, "the deadline is cancelled");
  await engine.finished;
});

Deno.test("MemoryEngine.close() ends what is left at the deadline", async () => {
  const { engine, host, peer, clock, observer } = await setUp();
  engine.request(request(), peer);
  host.call((out) => out.head(200, [], NOTIFY));
  const closing = engine.close(1000);
  await clock.advance(1000);
  await closing;
  assertEquals(peer.calls, ["head 200", "cut server_shutdown"]);
  assertEquals(host.recorder.calls, ["closed server_shutdown"]);
  assertEquals(observer.calls.at(-1), "finished / 200 0 server_shutdown");
});

Deno.test("MemoryEngine ends everything where the home is lost", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request(), peer);
  host.lose("killed by SIGKILL");
  await assertRejects(() => engine.finished, Error, "killed by SIGKILL");
  assertEquals(peer.calls, ["cut x-worker-lost"]);
});

// ── a session that breaks the seam ──

const VIOLATIONS: [what: string, play: (out: Outbound) => void, message: string, method?: string][] = [
  ["respond twice", (out) => (out.respond(200, [], "", 0), out.respond(200, [], "", 0)), "made its last call"],
  ["chunk after respond", (out) => (out.respond(200, [], "", 0), out.chunk(bytes("a"))), "made its last call"],
  ["chunk after end", (out) => (out.head(200, [], 0), out.end(null), out.chunk(bytes("a"))), "made its last call"],
  ["watch after end", (out) => (out.head(200, [], 0), out.end(null), out.watch()), "made its last call"],
  ["abort after abort", (out) => (out.abort("x-a"), out.abort("x-a")), "made its last call"],
  ["chunk before head", (out) => out.chunk(bytes("a")), "no head has left"],
  ["end before head", (out) => out.end(null), "no head has left"],
  ["head twice", (out) => (out.head(200, [], 0), out.head(200, [], 0)), "an answer has begun"],
  ["respond after head", (out) => (out.head(200, [], 0), out.respond(200, [], "", 0)), "an answer has begun"],
  ["inform after head", (out) => (out.head(200, [], 0), out.inform(103, [])), "the head has left"],
  ["inform with a final status", (out) => out.inform(200, []), "no interim status"],
  ["head with an interim status", (out) => out.head(101, [], 0), "no final status"],
  ["a body on a HEAD", (out) => (out.head(200, [], 0), out.chunk(bytes("a"))), "has no body", "HEAD"],
  ["a body on a 204", (out) => (out.head(204, [], 0), out.chunk(bytes("a"))), "has no body"],
  ["a body in a 304 answer", (out) => out.respond(304, [], "a", 0), "a 304 has no body"],
  [
    "more than declared",
    (out) => (out.head(200, [["content-length", "1"]], 0), out.chunk(bytes("ab"))),
    "more than the content-length of 1",
  ],
  ["less than declared", (out) => (out.head(200, [["content-length", "1"]], 0), out.end(null)), "fewer than the content-length of 1"],
  ["content-length in respond", (out) => out.respond(200, [["content-length", "1"]], "a", 0), "content-length is the wire's"],
  ["transfer-encoding", (out) => out.head(200, [["transfer-encoding", "chunked"]], 0), "transfer-encoding is the wire's"],
  ["a control byte", (out) => out.head(200, [["x-a", "a\nb"]], 0), "x-a"],
  ["trailers without TRAILERS", (out) => (out.head(200, [], 0), out.end([["a", "b"]])), "not announced"],
  ["TRAILERS in respond", (out) => out.respond(200, [], "", TRAILERS), "flags"],
  ["credit of nothing", (out) => out.pull(0), "no number of bytes"],
  ["credit without a body", (out) => out.pull(10), "has no body"],
];

for (const [what, play, message, method = "GET"] of VIOLATIONS) {
  Deno.test(`MemoryExchange fails loudly on ${what}`, async () => {
    const { engine, host, peer } = await setUp();
    engine.request(request({ method }), peer);
    assertThrows(() => host.call(play), SeamError, message);
    assertEquals(engine.broken.length, 1);
    await settle();
    assertStringIncludes(peer.calls.find((call) => call.startsWith("broken "))!, message);
  });
}

for (
  const [capability, play] of [
    ["trailers", (out) => out.head(200, [], TRAILERS)],
    ["early-hints", (out) => out.inform(103, [])],
    ["flush", (out) => out.flush()],
  ] as [string, (out: Outbound) => void][]
) {
  Deno.test(`MemoryExchange fails loudly on a use of "${capability}" where the wire lacks it`, async () => {
    const { engine, host, peer } = await setUp({ capabilities: [] });
    engine.request(request(), peer);
    assertThrows(() => host.call(play), SeamError, `lacks the capability "${capability}"`);
  });
}

Deno.test("MemoryEngine offers no trailers and hints to HTTP/1.0", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request({ httpVersion: "1.0" }), peer);
  assertEquals(host.head!.capabilities.includes("trailers"), false);
  assertEquals(host.head!.capabilities.includes("early-hints"), false);
  assertEquals(host.head!.capabilities.includes("delivery"), true);
  engine.disconnectAll();
});

Deno.test("MemoryExchange fails loudly on a call after closed()", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request(), peer).disconnect();
  await settle();
  assertThrows(() => host.call((out) => out.head(200, [], 0)), SeamError, "closed() was called");
  host.call((out) => out.note("info", "a note is always fine"));
});

Deno.test("MemoryExchange fails loudly on a session that throws", async () => {
  const { engine, host, peer } = await setUp();
  engine.request(request(), peer);
  host.recorder.flushed = () => {
    throw new Error("oops");
  };
  host.call((out) => out.flush());
  await settle();
  assertStringIncludes(engine.broken[0]!.message, "the session threw in Inbound.flushed(): oops");
  assertEquals(peer.calls.at(-1), "cut server_error");
});
