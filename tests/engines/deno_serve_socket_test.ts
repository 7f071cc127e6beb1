import { assert, assertEquals } from "@std/assert";
import { WebSocket as Peer } from "ws";
import { latin1, RawClient, type Running, start, type Tap } from "./engine_peer.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

function handshake(extra = ""): string {
  return `GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n${extra}\r\n`;
}

/** A client frame, masked with zeros so that it can be read. */
function frame(opcode: number, payload: Uint8Array, { fin = true, masked = true } = {}): Uint8Array {
  const length = payload.byteLength < 126
    ? [payload.byteLength]
    : payload.byteLength < 65_536
    ? [126, payload.byteLength >> 8, payload.byteLength & 255]
    : [
      127,
      0,
      0,
      0,
      0,
      payload.byteLength >>> 24,
      (payload.byteLength >> 16) & 255,
      (payload.byteLength >> 8) & 255,
      payload.byteLength & 255,
    ];
  length[0]! |= masked ? 128 : 0;
  return new Uint8Array([(fin ? 128 : 0) | opcode, ...length, ...(masked ? [0, 0, 0, 0] : []), ...payload]);
}

const accepting = ({ out }: Tap) => out.accept(null, []);

/** A raw client whose handshake is through. */
async function connect(server: Running, extra = ""): Promise<[RawClient, Tap]> {
  const client = await RawClient.connect(server.port);
  await client.send(handshake(extra));
  const tap = await server.tap();
  await client.readUntil((text) => text.includes("\r\n\r\n"));
  return [client, tap];
}

Deno.test("SocketExchange carries text and binary both ways, and the peer's close", async () => {
  await using server = await start(accepting);
  const peer = new Peer(`ws://127.0.0.1:${server.port}/ws?x=1`);
  const got: unknown[] = [];
  peer.on("message", (data: Uint8Array, binary: boolean) => got.push(binary ? [...data] : new TextDecoder().decode(data)));
  await new Promise((resolve) => peer.on("open", resolve));
  const tap = await server.tap();
  assertEquals([tap.head.kind, tap.head.path, tap.head.query, tap.head.scheme], ["websocket", "/ws", "x=1", "http"]);
  peer.send("hé");
  assertEquals(await tap.next(), { call: "message", data: "hé" });
  peer.send(new Uint8Array([1, 2]));
  assertEquals(await tap.next(), { call: "message", data: new Uint8Array([1, 2]) });
  tap.do((out) => out.message("ñ"));
  tap.do((out) => out.message(new Uint8Array([3])));
  while (got.length < 2) await new Promise((resolve) => peer.once("message", resolve));
  assertEquals(got, ["ñ", [3]]);
  peer.close(4002, "foo");
  assertEquals(await tap.end(), { reason: null, code: 4002, text: "foo", clean: true });
  assertEquals(server.finished.map(({ status, bytes }) => [status, bytes]), [[101, 3]]);
  assertEquals(tap.brokenRules, 0);
});

Deno.test("SocketExchange.close() sends code and text; an empty close frame is 1005 on both sides", async (t) => {
  for (const [code, text] of [[4001, "bye"], [1001, ""], [1012, "x"], [1005, ""]] as const) {
    await t.step(`${code}`, async () => {
      await using server = await start(accepting);
      const peer = new Peer(`ws://127.0.0.1:${server.port}/`);
      await new Promise((resolve) => peer.on("open", resolve));
      const tap = await server.tap();
      const closed = new Promise((resolve) =>
        peer.on("close", (code: number, reason: Uint8Array) => resolve([code, new TextDecoder().decode(reason)]))
      );
      tap.do((out) => out.close(code, text));
      assertEquals(await closed, [code, text]);
      const end = await tap.end();
      assertEquals([end.reason, end.code, end.clean], [null, code, true]);
    });
  }
});

Deno.test("SocketExchange.message() before the socket is open is kept, in order", async () => {
  await using server = await start(({ out }) => {
    out.accept(null, []);
    out.message("one");
    out.message("two");
    out.close(4000, "end");
  });
  const peer = new Peer(`ws://127.0.0.1:${server.port}/`);
  const got: string[] = [];
  peer.on("message", (data: Uint8Array) => got.push(new TextDecoder().decode(data)));
  assertEquals(await new Promise((resolve) => peer.on("close", resolve)), 4000);
  assertEquals(got, ["one", "two"]);
  assertEquals((await (await server.tap()).end()).code, 4000);
});

Deno.test("fact 30: a subprotocol is chosen from a list with bare commas", async (t) => {
  for (const list of ["a,b", "a, b", "b", "a ,\tb"]) {
    await t.step(list, async () => {
      await using server = await start(({ out }) => out.accept("b", [["x-a", "1"], ["set-cookie", "c=1"], ["set-cookie", "d=2"]]));
      const [client, tap] = await connect(server, `Sec-WebSocket-Protocol: ${list}\r\n`);
      const head = await client.readUntil(() => true);
      assertEquals(head.match(/sec-websocket-protocol: .*/gi), ["sec-websocket-protocol: b"]);
      assertEquals(head.match(/set-cookie: .*/gi), ["set-cookie: c=1", "set-cookie: d=2"]);
      client.close();
      assertEquals((await tap.end()).code, 1006);
    });
  }
});

Deno.test("DenoServeEngine answers a malformed handshake itself", async (t) => {
  await using server = await start((tap) => tap.head.kind === "websocket" ? accepting(tap) : tap.out.respond(200, [], "plain", 0));
  for (
    const [from, to, status] of [["Version: 13", "Version: 8", 426], [KEY, "short", 400], ["GET", "POST", 400], [
      "websocket",
      "h2c",
      200,
    ]] as const
  ) {
    await t.step(`${from} ${to}`, async () => {
      using client = await RawClient.connect(server.port);
      await client.send(handshake().replace(from, to));
      assertEquals((await client.response()).status, status);
    });
  }
  assertEquals(server.opened.length, server.finished.length);
});

Deno.test("SocketExchange refuses a handshake with a whole or a streamed response", async () => {
  await using server = await start(({ head, out }) => {
    if (head.path === "/whole") return out.respond(403, [["x-a", "b"]], "no", 0);
    out.head(401, [["x-a", "c"]], 0);
    out.chunk(latin1("go "));
    out.chunk(latin1("away"));
    out.end(null);
  });
  for (const [path, status, body] of [["/whole", 403, "no"], ["/stream", 401, "go away"]] as const) {
    using client = await RawClient.connect(server.port);
    await client.send(handshake().replace("/ws", path));
    const answer = await client.response();
    assertEquals(answer.status, status);
    assert(answer.body.includes(body));
  }
  assertEquals(server.finished.map(({ status }) => status), [403, 401]);
});

Deno.test("fact 31: a client that leaves while its handshake waits is seen", async () => {
  await using server = await start(({ out }) => out.watch());
  using client = await RawClient.connect(server.port);
  await client.send(handshake());
  const tap = await server.tap();
  client.close();
  assertEquals(await tap.end(), { reason: "client_closed" });
  // Too late: nothing happens.
  tap.do((out) => out.accept(null, []));
  assertEquals(server.finished.length, 1);
});

Deno.test("a handshake whose client is watched for a while is accepted: the upgrade's own abort of the signal is no leaving", async () => {
  await using server = await start(({ out }) => out.watch());
  using client = await RawClient.connect(server.port);
  await client.send(handshake());
  const tap = await server.tap();
  // Longer than the engine waits before it looks at the signal.
  await new Promise((resolve) => setTimeout(resolve, 60));
  tap.do((out) => out.accept(null, []));
  assert((await client.readUntil((text) => text.includes("\r\n\r\n"))).startsWith("HTTP/1.1 101 "));
  tap.do((out) => out.message("still there"));
  assert((await client.readUntil((text) => text.includes("still there"))).includes("still there"));
  client.close();
  assertEquals(await tap.end(), { reason: "client_closed", code: 1006, clean: false });
});

Deno.test("facts 32 and 33: a lost connection is 1006, whoever is at fault: capability ws-close-codes is absent", async (t) => {
  const rows: [string, Uint8Array | null][] = [
    ["FIN", null],
    ["invalid UTF-8", frame(1, new Uint8Array([0xc3, 0x28]))],
    ["reserved bits", latin1("\xf1\x80\0\0\0\0")],
    ["an unknown opcode", frame(3, new Uint8Array())],
    ["a close code out of range", frame(8, new Uint8Array([0, 1]))],
    ["a fragmented ping", frame(9, new Uint8Array(), { fin: false })],
    ["a continuation of nothing", frame(0, latin1("x"))],
  ];
  for (const [name, bytes] of rows) {
    await t.step(name, async () => {
      await using server = await start(accepting);
      const [client, tap] = await connect(server);
      if (bytes === null) client.close();
      else await client.sendBytes(bytes);
      assertEquals(await tap.end(), { reason: "client_closed", code: 1006, clean: false });
      client.close();
      assertEquals(server.finished.length, 1);
    });
  }
});

Deno.test("fact 33: an empty close frame of the peer is 1005", async () => {
  await using server = await start(accepting);
  const [client, tap] = await connect(server);
  await client.sendBytes(frame(8, new Uint8Array()));
  assertEquals(await tap.end(), { reason: null, code: 1005, text: "", clean: true });
  client.close();
});

Deno.test("fact 32: a message of many fragments comes whole: capability ws-frame-limit is absent", async () => {
  await using server = await start(accepting);
  const [client, tap] = await connect(server);
  const part = new Uint8Array(1_000_000).fill(97);
  await client.sendBytes(frame(1, part, { fin: false }));
  for (let count = 0; count < 3; count++) await client.sendBytes(frame(0, part, { fin: count === 2 }));
  const call = await tap.next();
  assert(call.call === "message" && call.data.length === 4_000_000);
  tap.do((out) => out.close(1009, "Message too big"));
  assert((await client.readUntil((text) => text.includes("Message too big"))).includes("\x03\xf1Message too big"));
  client.close();
  await tap.end();
});

Deno.test("fact 30: unmasked frames are accepted: capability ws-strict-frames is absent", async () => {
  await using server = await start(accepting);
  const [client, tap] = await connect(server);
  await client.sendBytes(frame(1, latin1("bare"), { masked: false }));
  assertEquals(await tap.next(), { call: "message", data: "bare" });
  client.close();
  await tap.end();
});

Deno.test("fact 29: a peer that answers no ping ends once, as 1006 keepalive_timeout", async () => {
  await using server = await start(accepting, { wsPingTimeoutSeconds: 1 });
  const [client, tap] = await connect(server);
  assertEquals(await tap.end(), { reason: "keepalive_timeout", code: 1006, clean: false });
  // The second close event comes right behind.
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(tap.calls.length, 1);
  assertEquals(server.finished.length, 1);
  client.close();
});

Deno.test("facts 34 and 68: the buffer of a peer that does not read is counted and drains; an abort ends it at once", async () => {
  await using server = await start(accepting);
  const [client, tap] = await connect(server);
  const message = new Uint8Array(30_000);
  for (let count = 0; tap.out.buffered < 2_000_000; count++) {
    assert(count < 10_000);
    tap.do((out) => out.message(message));
  }
  const reading = client.readUntil(() => tap.calls.length > 0, 20_000);
  assertEquals(await tap.next(), { call: "drained" });
  await reading;
  assert(tap.out.buffered < 16_384);
  while (tap.out.buffered < 10_000_000) tap.do((out) => out.message(message));
  tap.do((out) => out.abort("queue_overflow"));
  assertEquals(tap.out.buffered, 0, "what Deno says after a close is not trusted, and nothing is added");
  assertEquals(await tap.end(), { reason: "queue_overflow", code: 1006, clean: false });
  assertEquals(tap.brokenRules, 0);
  const started = performance.now();
  await server.engine.close(0);
  assert(performance.now() - started < 3000, "the engine closes in bounded time");
  client.close();
});

Deno.test("DenoServeEngine.close() ends WebSockets with 1012", async () => {
  const server = await start(accepting);
  const peer = new Peer(`ws://127.0.0.1:${server.port}/`);
  await new Promise((resolve) => peer.on("open", resolve));
  const tap = await server.tap();
  const closed = new Promise((resolve) => peer.on("close", resolve));
  await server.engine.close(0);
  assertEquals(await closed, 1012);
  assertEquals(await tap.end(), { reason: "server_shutdown", code: 1012, clean: false });
});

Deno.test("DenoServeEngine.drain() keeps WebSockets and answers new requests with 503 until the last one is gone", async () => {
  const server = await start(accepting);
  const [client, tap] = await connect(server);
  server.engine.drain();
  using late = await RawClient.connect(server.port);
  await late.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const answer = await late.response();
  assertEquals(answer.status, 503);
  assert(/retry-after: \d/.test(answer.head) && /connection: close/.test(answer.head));
  tap.do((out) => out.message("still there"));
  assert((await client.readUntil((text) => text.includes("still there"))).length > 0);
  await client.sendBytes(frame(8, new Uint8Array([3, 232])));
  assertEquals((await tap.end()).code, 1000);
  await server.engine.close(1000);
  client.close();
  let refused = false;
  await Deno.connect({ hostname: "127.0.0.1", port: server.port }).then((connection) => connection.close(), () => refused = true);
  assert(refused);
});

Deno.test("fact 4: a WebSocket that is accepted late, while its client is watched, is not taken for one whose client has left", async () => {
  await using server = await start((tap) => {
    tap.out.watch();
    // By then the signal is listened to; the upgrade aborts it.
    setTimeout(() => tap.do(accepting.bind(null, tap)), 40);
  });
  const [client, tap] = await connect(server);
  tap.do((out) => out.message("hello"));
  await client.readUntil((text) => text.includes("hello"));
  assertEquals(tap.calls, []);
  await client.sendBytes(frame(8, new Uint8Array([3, 232])));
  assertEquals((await tap.end()).code, 1000);
  client.close();
});
