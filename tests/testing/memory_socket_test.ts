/** WebSockets of the memory engine against a host that each test plays by hand. */

import { assertEquals, assertThrows } from "@std/assert";
import type { SocketOutbound } from "../../src/exchange.ts";
import { SeamError } from "../../src/testing/errors.ts";
import { settle } from "../../src/testing/waiting.ts";
import { bytes, handshake, header, request, setUp } from "./doubles.ts";

async function accepted() {
  const all = await setUp();
  const socket = all.engine.handshake(handshake(), all.peer);
  all.host.socket!.accept("two", [["x-a", "1"]]);
  await settle();
  return { ...all, socket, out: all.host.socket! };
}

Deno.test("MemorySocket.accept() completes the handshake with 101", async () => {
  const { engine, peer } = await accepted();
  assertEquals(peer.calls, ["accepted two 101"]);
  assertEquals([header(peer, "sec-websocket-protocol"), header(peer, "x-a"), header(peer, "upgrade")], ["two", "1", "websocket"]);
  engine.disconnectAll();
});

Deno.test("MemorySocket.accept() over HTTP/2 is a 200 without upgrade headers", async () => {
  const { engine, host, peer } = await setUp();
  engine.handshake(request({ method: "CONNECT", httpVersion: "2", isExtendedConnect: true }), peer);
  assertEquals(host.head!.kind, "websocket");
  host.socket!.accept(null, []);
  await settle();
  assertEquals(peer.calls, ["accepted null 200"]);
  assertEquals(header(peer, "upgrade"), undefined);
  engine.disconnectAll();
});

Deno.test("MemorySocket carries messages both ways, in order", async () => {
  const { engine, host, peer, socket, out } = await accepted();
  out.message("one");
  out.message(new Uint8Array([1, 2]));
  socket.peerMessage("three");
  socket.peerMessage(new Uint8Array([4]));
  assertEquals([peer.calls.length, host.recorder.calls.length], [1, 0]);
  await settle();
  assertEquals(peer.calls.slice(1), ["message one", "message [1,2]"]);
  assertEquals(host.recorder.calls.filter((call) => call !== "drained"), ["message three", "message [4]"]);
  engine.disconnectAll();
});

Deno.test("MemorySocket.ping() is answered by the client", async () => {
  const { engine, host, peer, socket, out } = await accepted();
  out.ping(7);
  await settle();
  assertEquals(peer.calls.at(-1), "ping 7");
  socket.peerPong(7);
  await settle();
  assertEquals(host.recorder.calls, ["pong 7"]);
  engine.disconnectAll();
});

Deno.test("MemorySocket.close() comes behind the messages and ends clean", async () => {
  const { host, observer, peer, out } = await accepted();
  out.message("last");
  out.close(4000, "bye");
  await settle();
  assertEquals(peer.calls.slice(1), ["message last", "close 4000 bye"]);
  assertEquals(host.recorder.ends, [{ reason: null, code: 4000, text: "bye", clean: true }]);
  assertEquals(observer.calls.at(-1), "finished / 101 4 null");
});

Deno.test("MemorySocket.close() waits for a client that does not read", async () => {
  const { host, peer, socket, out } = await accepted();
  socket.pipe.stall();
  out.close(1000, "");
  await settle();
  assertEquals([peer.calls.length, host.recorder.calls], [1, []]);
  out.abort("client_timeout");
  await settle();
  assertEquals(peer.calls.at(-1), "cut client_timeout");
  assertEquals(host.recorder.calls, ["closed client_timeout"]);
});

Deno.test("MemorySocket.peerClose() tells code and text", async () => {
  const { host, peer, socket, out } = await accepted();
  socket.peerMessage("before");
  socket.peerClose(1001, "away");
  out.message("crossing");
  await settle();
  assertEquals(host.recorder.calls, ["message before", "closed null"]);
  assertEquals(host.recorder.ends, [{ reason: null, code: 1001, text: "away", clean: true }]);
  assertEquals(peer.calls.at(-1), "close 1001 away");
});

Deno.test("MemorySocket.disconnect() is a loss without a close frame", async () => {
  const { host, socket } = await accepted();
  socket.disconnect();
  await settle();
  assertEquals(host.recorder.ends, [{ reason: "client_closed" }]);
});

Deno.test("MemorySocket.peerBreaks() fails the connection with its code", async () => {
  const { host, peer, socket } = await accepted();
  socket.peerBreaks(1007);
  await settle();
  assertEquals(host.recorder.ends, [{ reason: "protocol_error", code: 1007, clean: false }]);
  assertEquals(peer.calls.at(-1), "close 1007 ");
});

Deno.test("MemorySocket: the buffer of a client that stalls grows by whole messages", async () => {
  const { engine, host, peer, socket, out } = await accepted();
  socket.pipe.stall();
  out.message("aaaa");
  out.message("bb");
  await settle();
  assertEquals([socket.buffered, peer.calls.length], [6, 1]);
  socket.pipe.resume(1);
  await settle();
  assertEquals([socket.buffered, peer.calls.at(-1)], [2, "message aaaa"]);
  assertEquals(host.recorder.calls, ["drained"]);
  engine.disconnectAll();
});

Deno.test("MemorySocket is denied by an ordinary answer", async () => {
  const { engine, host, observer, peer } = await setUp();
  engine.handshake(handshake(), peer);
  host.call((out) => out.respond(403, [], "no", 0));
  await settle();
  assertEquals(peer.calls, ["head 403", "data no", "end"]);
  assertEquals(observer.calls.at(-1), "finished / 403 2 null");
});

Deno.test("MemoryEngine.close() ends WebSockets with 1012", async () => {
  const { engine, host, peer } = await accepted();
  await engine.close(0);
  await settle();
  assertEquals(peer.calls.at(-1), "close 1012 ");
  assertEquals(host.recorder.ends, [{ reason: "server_shutdown", code: 1012 }]);
});

const VIOLATIONS: [what: string, play: (out: SocketOutbound) => void, message: string][] = [
  ["a message before the accept", (out) => out.message("a"), "not accepted"],
  ["a ping before the accept", (out) => out.ping(1), "not accepted"],
  ["a close before the accept", (out) => out.close(1000, ""), "not accepted"],
  ["two accepts", (out) => (out.accept(null, []), out.accept(null, [])), "was answered"],
  ["a protocol that was not offered", (out) => out.accept("three", []), 'did not offer the protocol "three"'],
  ["a response after the accept", (out) => (out.accept(null, []), out.respond(200, [], "", 0)), "an answer has begun"],
  ["a chunk after the accept", (out) => (out.accept(null, []), out.chunk(bytes("a"))), "no head has left"],
  ["a message after the close", (out) => (out.accept(null, []), out.close(1000, ""), out.message("a")), "a close frame was sent"],
  ["the close code 1006", (out) => (out.accept(null, []), out.close(1006, "")), "1006 cannot stand in a close frame"],
  ["a close text of 124 bytes", (out) => (out.accept(null, []), out.close(1000, "x".repeat(124))), "broke the seam"],
];

for (const [what, play, message] of VIOLATIONS) {
  Deno.test(`MemorySocket fails loudly on ${what}`, async () => {
    const { engine, host, peer } = await setUp();
    engine.handshake(handshake(), peer);
    assertThrows(() => play(host.socket!), SeamError, message);
    assertEquals(engine.broken.length, 1);
  });
}
