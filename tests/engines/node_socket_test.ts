import { assert, assertEquals, assertMatch } from "@std/assert";
import { ACCEPT, BINARY, CLOSE, frame, PING, PONG, TEXT } from "../conformance/frames.ts";
import { join } from "../conformance/reply.ts";
import { until } from "../conformance/waiting.ts";
import { SocketExchange } from "../../src/engines/node_socket.ts";
import { both, closing, FramePeer, headOf, meet, over, serve, SETTINGS, TestHandshake, testWire } from "./node_socket_peer.ts";

both("SocketExchange carries text and binary both ways, and the peer's close", async (version) => {
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version);
  await peer.send(TEXT, "hé");
  assertEquals(await tap.next(), { call: "message", data: "hé" });
  await peer.send(BINARY, new Uint8Array([1, 2]));
  assertEquals(await tap.next(), { call: "message", data: new Uint8Array([1, 2]) });
  tap.do((out) => out.message("ñ"));
  tap.do((out) => out.message(new Uint8Array([3])));
  tap.do((out) => out.message(""));
  assertEquals([await peer.next(), await peer.next(), await peer.next()], ["1:80:Ã±", "2:80:\x03", "1:80:"]);
  await peer.send(CLOSE, closing(4002, "foo"));
  assertEquals(await tap.end(), { reason: null, code: 4002, text: "foo", clean: true });
  assertEquals(await peer.closed(), [4002, "foo"]);
  assertEquals(server.finished.map(({ status, bytes }) => [status, bytes]), [[version === "2" ? 200 : 101, 3]]);
  peer.drop();
  await over(server, tap);
});

Deno.test("SocketExchange.accept() answers with 101, the key of the RFC, the app's headers and the server's defaults", async () => {
  const headers = [["server", "default"], ["x-a", "default"]] as const;
  await using server = await serve(
    "1.1",
    { headers },
    ({ out }) => out.accept("b", [["X-A", "1"], ["set-cookie", "c=1"], ["set-cookie", "d=2"]]),
  );
  using peer = await FramePeer.open(server, "1.1", [["sec-websocket-protocol", "a, b"]]);
  assertEquals(peer.head.split("\r\n"), [
    "HTTP/1.1 101 Switching Protocols",
    "upgrade: websocket",
    "connection: Upgrade",
    `sec-websocket-accept: ${ACCEPT}`,
    "sec-websocket-protocol: b",
    "X-A: 1",
    "set-cookie: c=1",
    "set-cookie: d=2",
    "server: default",
  ]);
});

Deno.test("SocketExchange.accept() answers with 200 over HTTP/2, without what belongs to HTTP/1.1", async () => {
  await using server = await serve("2", {}, ({ out }) => out.accept("b", [["x-a", "1"]]));
  using peer = await FramePeer.open(server, "2", [["sec-websocket-protocol", "a,b"]]);
  const names = peer.head.split("\r\n").map((line) => line.slice(0, line.indexOf(": "))).filter((name) => name !== "date");
  assertEquals(names, [":status", "sec-websocket-protocol", "x-a"]);
  assertMatch(peer.head, /^:status: 200\r\nsec-websocket-protocol: b\r\n/);
});

both("frames in the packet of the handshake are delivered after the accept", async (version) => {
  await using server = await serve(version, {}, () => {});
  const opening = FramePeer.open(server, version, [], join([frame(TEXT, "early"), frame(TEXT, "bird")]));
  const tap = await server.tap();
  await until(() => version === "1.1" || (server.stream() as { readableLength?: number }).readableLength! > 0, "the early bytes");
  assertEquals(tap.calls, []);
  tap.do((out) => out.accept(null, []));
  assertEquals([await tap.next(), await tap.next()], [{ call: "message", data: "early" }, { call: "message", data: "bird" }]);
  using _peer = await opening;
  assertEquals(tap.brokenRules, 0);
});

both("messages that are sent within open follow the handshake, in order, and the close comes last", async (version) => {
  await using server = await serve(version, {}, ({ out }) => {
    out.accept(null, []);
    out.message("one");
    out.message(new Uint8Array(70_000));
    out.message("three");
    out.close(4000, "end");
    out.message("too late");
    out.close(4001, "too late");
    out.accept(null, []);
  });
  using peer = await FramePeer.open(server, version);
  assertEquals(await peer.next(), "1:80:one");
  assertEquals((await peer.receive())!.payload.length, 70_000);
  assertEquals(await peer.next(), "1:80:three");
  assertEquals(await peer.closed(), [4000, "end"]);
  await peer.send(CLOSE, closing(4000));
  assertEquals(await (await server.tap()).end(), { reason: null, code: 4000, text: "", clean: true });
});

both("close codes both ways, and 1005 for a close frame without one", async (version) => {
  for (const [code, text] of [[1000, ""], [1001, "x"], [1012, ""], [4999, "ü"], [1005, ""]] as const) {
    await using server = await serve(version);
    const [ours, tap] = await meet(server, version);
    tap.do((out) => out.close(code, text));
    assertEquals(await ours.closed(), [code, text]);
    await ours.send(CLOSE, code === 1005 ? "" : closing(code, text));
    assertEquals(await tap.end(), { reason: null, code, text, clean: true });
    await ours.ended();
    await over(server, tap);

    const [theirs, other] = await meet(server, version);
    await theirs.send(CLOSE, code === 1005 ? "" : closing(code, text));
    assertEquals(await theirs.closed(), [code, text]);
    assertEquals(await other.end(), { reason: null, code, text, clean: true });
    await theirs.ended();
    await over(server, other);
  }
});

both("a peer that does not answer the close frame is told as client_timeout and loses the connection", async (version) => {
  await using server = await serve(version, { wsCloseTimeoutMs: 100 });
  const [peer, tap] = await meet(server, version);
  tap.do((out) => out.close(1000, ""));
  assertEquals(await peer.closed(), [1000, ""]);
  await peer.send(TEXT, "still here");
  assertEquals(await tap.end(), { reason: "client_timeout", code: 1006, clean: false });
  await peer.ended();
  await over(server, tap);
  assert(server.stream().destroyed);
});

both("a peer that has closed and keeps the connection loses it all the same", async (version) => {
  await using server = await serve(version, { wsCloseTimeoutMs: 100 });
  const [peer, tap] = await meet(server, version);
  await peer.send(CLOSE, closing(1000));
  assertEquals((await tap.end()).clean, true);
  await until(() => server.stream().destroyed, "the end of the stream");
  await over(server, tap);
  peer.drop();
});

both("messages of a peer that has not answered our close frame yet are delivered", async (version) => {
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version);
  tap.do((out) => out.close(1000, ""));
  await peer.send(TEXT, "crossing");
  assertEquals(await tap.next(), { call: "message", data: "crossing" });
  await peer.send(CLOSE, closing(1000));
  assertEquals((await tap.end()).clean, true);
  peer.drop();
});

both("a peer that leaves without a close frame is 1006 and client_closed", async (version) => {
  for (const leave of [(peer: FramePeer) => peer.end(), (peer: FramePeer) => peer.drop()]) {
    await using server = await serve(version);
    const [peer, tap] = await meet(server, version);
    await peer.send(TEXT, "last words");
    assertEquals(await tap.next(), { call: "message", data: "last words" });
    leave(peer);
    assertEquals(await tap.end(), { reason: "client_closed", code: 1006, clean: false });
    await over(server, tap);
    tap.out.message("nobody");
    tap.out.close(1000, "");
    tap.out.abort("server_error");
    assertEquals(tap.out.buffered, 0);
    peer.drop();
  }
});

both("a peer that leaves in the midst of a message is 1006", async (version) => {
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version);
  await peer.send(frame(TEXT, "x".repeat(1000)).subarray(0, 500));
  await peer.send(new Uint8Array());
  peer.end();
  assertEquals(await tap.end(), { reason: "client_closed", code: 1006, clean: false });
  peer.drop();
});

Deno.test("a peer that has left while it was accepted is 1006", async () => {
  for (const leave of ["destroy", "end"] as const) {
    await using server = await serve("1.1", {}, () => {});
    const opening = FramePeer.open(server, "1.1").catch(() => null);
    const tap = await server.tap();
    const stream = server.stream();
    if (leave === "destroy") stream.destroy();
    else stream.end().push(null);
    stream.resume();
    await until(() => stream.closed || stream.readableEnded, "the end of the stream");
    tap.do((out) => out.accept(null, []));
    assertEquals(await tap.end(), { reason: "client_closed", code: 1006, clean: false });
    await over(server, tap);
    (await opening)?.drop();
  }
});

Deno.test({ name: "a close frame that is read from a connection that is gone starts no timer", sanitizeOps: true }, async () => {
  await using server = await serve("1.1", { wsCloseTimeoutMs: 60_000 }, () => {});
  const opening = FramePeer.open(server, "1.1").catch(() => null);
  const tap = await server.tap();
  const stream = server.stream();
  stream.unshift(frame(CLOSE, closing(1000)));
  stream.destroy();
  tap.do((out) => out.accept(null, []));
  assertEquals(await tap.end(), { reason: "client_closed", code: 1006, clean: false });
  await until(() => stream.closed, "the end of the stream");
  await over(server, tap);
  await opening;
});

both("shutdown() closes with 1012 and tells server_shutdown", async (version) => {
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version);
  for (const exchange of server.wire.open) exchange.shutdown();
  assertEquals(await tap.end(), { reason: "server_shutdown", code: 1012, clean: false });
  assertEquals(await peer.closed(), [1012, ""]);
  await peer.send(CLOSE, closing(1012));
  await peer.ended();
  await over(server, tap);
});

both("abort() sends 1011 where that can reach the peer, and tells its reason", async (version) => {
  for (
    const [reason, code] of [["x-worker-lost", 1011], ["idle_timeout", 1011], ["keepalive_timeout", null], [
      "queue_overflow",
      null,
    ]] as const
  ) {
    await using server = await serve(version);
    const [peer, tap] = await meet(server, version);
    tap.do((out) => out.abort(reason));
    assertEquals(await tap.end(), { reason, code: 1006, clean: false });
    assertEquals(await peer.closed(), code === null ? null : [code, ""]);
    await over(server, tap);
    peer.drop();
  }
});

both("ping(token) is answered by pong(token); pongs that nobody asked for say nothing", async (version) => {
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version);
  for (const unasked of ["", "0", "x", "00", "1e0", "9".repeat(125)]) await peer.send(PONG, unasked);
  await peer.send(TEXT, "go");
  await tap.next();
  tap.do((out) => out.ping(0));
  tap.do((out) => out.ping(1));
  const first = (await peer.receive())!;
  const second = (await peer.receive())!;
  assertEquals([first.opcode, first.flags, second.opcode], [PING, 0x80, PING]);
  for (const unasked of ["2", "-1", "0.5", "00"]) await peer.send(PONG, unasked);
  await peer.send(PONG, second.payload);
  await peer.send(PONG, first.payload);
  await peer.send(PONG, second.payload);
  await peer.send(TEXT, "done");
  await tap.next();
  assertEquals(tap.pongs, [1]);
  tap.do((out) => out.ping(2));
  await peer.send(PONG, (await peer.receive())!.payload);
  await until(() => tap.pongs.length === 2, "the pong");
  assertEquals(tap.pongs, [1, 2]);
  peer.drop();
});

Deno.test("before the accept the calls of a session go to the handshake", () => {
  const handshake = new TestHandshake(headOf("1.1", "/", []), () => {
    throw new Error("It was not accepted");
  });
  const socket = new SocketExchange(testWire(SETTINGS, []), handshake);
  socket.watch();
  socket.inform(103, []);
  socket.head(403, [], 0);
  socket.chunk(new Uint8Array(1));
  socket.flush();
  socket.end(null);
  socket.respond(403, [], "", 0);
  socket.abort("server_error");
  socket.note("warn", "n");
  socket.shutdown();
  socket.message("nowhere");
  socket.ping(0);
  socket.check(0);
  assertEquals(handshake.calls, ["watch", "inform", "head", "chunk", "flush", "end", "respond", "abort", "note n", "shutdown"]);
  handshake.pending = false;
  socket.accept(null, []);
});
