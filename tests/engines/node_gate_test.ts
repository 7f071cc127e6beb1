/**
 * The gate of the `node` engine: listeners, sniffing, limits, stopping. TLS and the PROXY protocol have files of their own.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { StartupError } from "../../src/spec/errors.ts";
import { until, within } from "../conformance/waiting.ts";
import { EchoGate, hear, listener, say, trust } from "./gate_keeper.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

Deno.test("hands a connection over with its addresses, and all that was read of it", async () => {
  await using echo = await EchoGate.open([listener()]);
  using client = await echo.connect();
  await say(client, "GET / HTTP/1.1\r\n");
  const { protocol, client: peer, server, tls, socket } = await echo.connections.take();
  assertEquals([protocol, tls], ["http1", null]);
  assertEquals(peer, ["127.0.0.1", (client.localAddr as Deno.NetAddr).port]);
  assertEquals(server, ["127.0.0.1", echo.port()]);
  assertEquals(await hear(client, 16), "GET / HTTP/1.1\r\n");
  assertEquals(socket.bytesRead, 16);
  assertEquals(echo.gate.open, 1);
});

Deno.test("knows HTTP/2 by its preface, in one piece or in many", async () => {
  await using echo = await EchoGate.open([listener()]);
  for (const pieces of [[PREFACE + "more"], ["P", PREFACE.slice(1, 20), PREFACE.slice(20)]]) {
    using client = await echo.connect();
    await client.setNoDelay(true);
    for (const piece of pieces) {
      await say(client, piece);
      // So that the pieces are not joined: the gate has read this one.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertEquals((await echo.connections.take()).protocol, "http2");
    assertEquals(await hear(client, pieces.join("").length), pieces.join(""));
  }
});

Deno.test("what begins like the preface and goes on otherwise is HTTP/1", async () => {
  await using echo = await EchoGate.open([listener()]);
  for (const text of ["POST / HTTP/1.1\r\n", "PRI * HTTP/1.1\r\n", "\r\nGET", "\x16\x03\x01"]) {
    using client = await echo.connect();
    await say(client, text);
    assertEquals((await echo.connections.take()).protocol, "http1");
    assertEquals(await hear(client, text.length), text);
  }
});

Deno.test("ends a client that is silent, or that begins a preface and goes silent, without a word", async () => {
  await using echo = await EchoGate.open([listener()], { headerTimeoutMs: 100 });
  for (const text of ["", "PRI * HT"]) {
    using client = await echo.connect();
    await say(client, text);
    assertEquals(await within(hear(client), "the end"), "");
    await echo.opens(0);
  }
  assertEquals(echo.taken, 0);
});

Deno.test("lets go of a client that leaves before it has said anything", async () => {
  await using echo = await EchoGate.open([listener()], { headerTimeoutMs: 0 });
  const client = await echo.connect();
  await echo.opens(1);
  client.close();
  await echo.opens(0);
});

Deno.test("a client may end its side and read on", async () => {
  await using echo = await EchoGate.open([listener()]);
  using client = await echo.connect();
  await say(client, "x");
  await client.closeWrite();
  assertEquals(await hear(client), "x");
  await echo.opens(0);
});

Deno.test("listens on a Unix socket with its mode, clears a stale file and removes its own", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/s`;
  // Left behind: the file of a listener stays when its descriptor is closed by the end of its process.
  await new Deno.Command("python3", { args: ["-c", `import socket; socket.socket(socket.AF_UNIX).bind("${path}")`] }).output();
  assert((await Deno.lstat(path)).isSocket);
  {
    await using echo = await EchoGate.open([listener({ at: { kind: "unix", path, mode: 0o640 } })]);
    assertEquals(echo.addresses, [{ transport: "unix", path }]);
    assertEquals((await Deno.lstat(path)).mode! & 0o777, 0o640);
    using client = await Deno.connect({ transport: "unix", path });
    await say(client, "x");
    const connection = await echo.connections.take();
    assertEquals([connection.client, connection.server], [null, [path, null]]);
    assertEquals(await hear(client, 1), "x");
    await assertRejects(
      () => EchoGate.open([listener({ at: { kind: "unix", path, mode: 0o600 } })]),
      StartupError,
      `Another server listens on ${path}`,
    );
  }
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("says in one line why it can't listen, and leaves no listener open", async () => {
  await using echo = await EchoGate.open([listener()]);
  const first = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = first.addr;
  first.close();
  const cases: readonly [Parameters<typeof listener>[0] & object, string][] = [
    [{ at: { kind: "tcp", host: "127.0.0.1", port: echo.port() } }, `127.0.0.1:${echo.port()} is in use`],
    [{ at: { kind: "tcp", host: "192.0.2.1", port: 0 } }, "192.0.2.1:0 is not an address of this machine"],
    [{ at: { kind: "unix", path: "/nowhere/s", mode: 0o600 } }, "The folder of /nowhere/s does not exist"],
    [{ at: { kind: "unix", path: "/proc/self/stat", mode: 0o600 } }, "exists and is not a socket"],
  ];
  for (const [changes, text] of cases) {
    const both = [listener({ at: { kind: "tcp", host: "127.0.0.1", port } }), listener(changes)];
    await assertRejects(() => EchoGate.open(both), StartupError, text);
    await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
  }
});

Deno.test("a connection too many gets 503 and an end, and is not counted", async () => {
  await using echo = await EchoGate.open([listener()], { maxConnections: 1 });
  using first = await echo.connect();
  await say(first, "x");
  await echo.connections.take();
  for (let round = 0; round < 2; round++) {
    using second = await echo.connect();
    await say(second, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    const answer = await within(hear(second), "the answer");
    assertMatch(answer, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
    assertMatch(answer, /\r\nretry-after: 5\r\n/);
    assertMatch(answer, /\r\nconnection: close\r\n/);
    assertEquals(answer.split("\r\n\r\n")[1]!.length, Number(/content-length: (\d+)/.exec(answer)![1]));
  }
  assertEquals(echo.gate.open, 1);
  // One line a second.
  const turnedAway = echo.notes.filter(({ text }) => text.startsWith("Connection turned away: 1 are open"));
  assertEquals(turnedAway.map(({ fields }) => "leftOut" in fields), [false]);
  first.close();
  await echo.opens(0);
  using third = await echo.connect();
  await say(third, "y");
  assertEquals(await hear(third, 1), "y");
});

Deno.test("a client that takes no end is cut off", async () => {
  await using echo = await EchoGate.open([listener()], { maxConnections: 1 });
  using first = await echo.connect();
  await echo.opens(1);
  using second = await echo.connect();
  await hear(second);
  // It has read the answer and stays: a reset ends it after a second at the latest.
  const reset = async () => {
    for (;;) {
      await say(second, "x");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await within(assertRejects(reset), "the reset", 3000);
  first.close();
});

Deno.test("closes connections of an address that has enough", async () => {
  await using echo = await EchoGate.open([listener()], { maxConnectionsPerAddress: 2 });
  using one = await echo.connect();
  using two = await echo.connect();
  await echo.opens(2);
  using three = await echo.connect();
  assertEquals(await within(hear(three), "the end"), "");
  assertMatch((await echo.noted(/closed/)).text, /^Connection of 127\.0\.0\.1 closed: it has 2 already/);
  one.close();
  await echo.opens(1);
  using four = await echo.connect();
  await say(four, "x");
  assertEquals(await hear(four, 1), "x");
  two.close();
});

Deno.test("accepts no more once stopped, closes what is on its way in, and leaves what is in alone", async () => {
  await using echo = await EchoGate.open([listener()]);
  using inside = await echo.connect();
  await say(inside, "x");
  await hear(inside, 1);
  using outside = await echo.connect();
  await echo.opens(2);
  echo.gate.stop();
  await within(echo.gate.finished, "the end of the gate");
  assertEquals(await hear(outside), "");
  await say(inside, "y");
  assertEquals(await hear(inside, 1), "y");
  await assertRejects(() => echo.connect(), Deno.errors.ConnectionRefused);
  assertEquals(echo.gate.open, 1);
});

Deno.test("two gates share a port where both are told to", async () => {
  await using one = await EchoGate.open([listener({ reusePort: true })]);
  await using two = await EchoGate.open([listener({ at: { kind: "tcp", host: "127.0.0.1", port: one.port() }, reusePort: true })]);
  const clients: Deno.TcpConn[] = [];
  for (let at = 0; at < 100; at++) clients.push(await one.connect());
  await until(() => one.gate.open + two.gate.open === 100 && one.gate.open > 0 && two.gate.open > 0, "connections at both");
  for (const client of clients) client.close();
});

Deno.test("the PROXY protocol needs somebody who is trusted", () => {
  assertThrows(() => new EchoGate([listener({ proxyProtocol: true })]), StartupError, "The PROXY protocol needs");
  new EchoGate([listener({ proxyProtocol: true })], {}, trust("127.0.0.1"));
});
