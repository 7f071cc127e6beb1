import { assert, assertEquals, assertMatch } from "@std/assert";
import { WebSocket as Peer } from "ws";
import { ACCEPT, BINARY, CLOSE, CONTINUATION, frame, PING, PONG, TEXT } from "../conformance/frames.ts";
import { join } from "../conformance/reply.ts";
import { until } from "../conformance/waiting.ts";
import { closing, FramePeer, serve, type Server, SETTINGS, type SocketTap } from "./node_socket_peer.ts";

/** Over both protocols the same. */
function both(name: string, test: (version: "1.1" | "2") => Promise<void>): void {
  for (const version of ["1.1", "2"] as const) Deno.test(`${name}, over HTTP/${version}`, () => test(version));
}

/** A session, and the peer that began it. */
async function meet(server: Server, version: "1.1" | "2"): Promise<[FramePeer, SocketTap]> {
  const peer = await FramePeer.open(server, version);
  return [peer, await server.tap()];
}

/** Nothing is open, and every session was told its end. */
async function assertOver(server: Server, tap: SocketTap): Promise<void> {
  await until(() => server.wire.open.size === 0, "the exchange to be over");
  assertEquals(tap.brokenRules, 0, "calls into the session that came too early");
  assertEquals(tap.calls.filter(({ call }) => call === "closed").length, 1);
  assertEquals(tap.calls.at(-1)!.call, "closed");
}

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
  await assertOver(server, tap);
});
