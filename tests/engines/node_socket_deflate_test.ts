import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { WebSocket as Peer } from "ws";
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from "../conformance/frames.ts";
import { join } from "../conformance/reply.ts";
import { agreeOnDeflate, DEFLATE_BYTES } from "../../src/engines/node_socket_deflate.ts";
import { isOlder, loadLibrary } from "../../src/engines/node_socket_library.ts";
import { both, closing, type FramePeer, meet, over, serve, SETTINGS } from "./node_socket_peer.ts";

const RSV1 = { reserved: 0x40 };
const OFFER = [["sec-websocket-extensions", "permessage-deflate"]] as const;
const TAIL = new Uint8Array([0, 0, 0xff, 0xff]);

/** A message that is compressed by itself. RFC 7692 section 7.2.1. */
function deflated(data: string | Uint8Array): Uint8Array {
  const bytes = deflateRawSync(data, { finishFlush: 2 });
  return new Uint8Array(bytes.subarray(0, bytes.length - 4));
}

/** What a message of the server holds. */
function inflated(...messages: Uint8Array[]): string {
  return inflateRawSync(join(messages.flatMap((message) => [message, TAIL])), { finishFlush: 2 }).toString();
}

Deno.test("agreeOnDeflate() takes the first offer that can be taken", async (t) => {
  const library = await loadLibrary();
  const cases: readonly (readonly [offers: string, agreed: string | null])[] = [
    ["permessage-deflate", "permessage-deflate"],
    ["permessage-deflate; client_max_window_bits", "permessage-deflate"],
    ["permessage-deflate; client_max_window_bits=10", "permessage-deflate; client_max_window_bits=10"],
    ["permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=9"],
    ['permessage-deflate; server_max_window_bits="12"', "permessage-deflate; server_max_window_bits=12"],
    [
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    ],
    ["x-webkit-deflate-frame, permessage-deflate", "permessage-deflate"],
    // zlib has no such window.
    ["permessage-deflate; server_max_window_bits=8", null],
    ["permessage-deflate; server_max_window_bits=8, permessage-deflate", "permessage-deflate"],
    // Malformed offers are declined, not failed.
    ["permessage-deflate; server_max_window_bits=16", null],
    ["permessage-deflate; server_max_window_bits", null],
    [
      "permessage-deflate; client_max_window_bits=7, permessage-deflate; client_no_context_takeover",
      "permessage-deflate; client_no_context_takeover",
    ],
    ["permessage-deflate; server_no_context_takeover=1", null],
    ["permessage-deflate; server_no_context_takeover; server_no_context_takeover", null],
    ["permessage-deflate; unknown", null],
    ["permessage-deflate;", null],
    [",", null],
    ["permessage-deflate-2", null],
    ["__proto__, constructor", null],
  ];
  for (const [offers, agreed] of cases) {
    await t.step(offers, () => assertEquals(agreeOnDeflate(library, offers, 1000)?.header ?? null, agreed));
  }
});

both("without wsDeflate no offer is taken, and a compressed frame is a violation", async (version) => {
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version, OFFER);
  assert(!peer.head.includes("sec-websocket-extensions"));
  await peer.send(TEXT, deflated("x"), RSV1);
  assertEquals((await tap.end()).code, 1002);
  peer.drop();
});

both("a peer that offers nothing gets nothing compressed", async (version) => {
  await using server = await serve(version, { wsDeflate: true });
  const [peer, tap] = await meet(server, version);
  assert(!peer.head.includes("sec-websocket-extensions"));
  tap.do((out) => out.message("x".repeat(5000)));
  assertEquals((await peer.receive())!.flags, 0x80);
  peer.drop();
});

both("messages are compressed from a size on, with what went before as their context", async (version) => {
  await using server = await serve(version, { wsDeflate: true });
  const [peer, tap] = await meet(server, version, OFFER);
  assert(peer.head.includes("sec-websocket-extensions: permessage-deflate"));
  const long = Array.from({ length: 400 }, (_, at) => `${at * 7919}`).join(" ");
  tap.do((out) => out.message("y".repeat(DEFLATE_BYTES - 1)));
  tap.do((out) => out.message(long));
  tap.do((out) => out.message(long));
  tap.do((out) => out.message(new TextEncoder().encode(long)));
  tap.do((out) => out.message("last"));
  const came = [];
  for (let count = 0; count < 5; count++) came.push((await peer.receive())!);
  assertEquals(came.map(({ opcode, flags }) => [opcode, flags]), [[TEXT, 0x80], [TEXT, 0xc0], [TEXT, 0xc0], [BINARY, 0xc0], [TEXT, 0x80]]);
  assertEquals(inflated(came[1]!.payload, came[2]!.payload, came[3]!.payload), long + long + long);
  assert(came[2]!.payload.length < came[1]!.payload.length / 10, "the second one is a reference to the first");
  assertEquals(server.finished.length, 0);
  peer.drop();
  await tap.end();
  assertEquals(server.finished[0]!.bytes, DEFLATE_BYTES - 1 + 3 * long.length + 4);
});

both("server_no_context_takeover: each message stands alone", async (version) => {
  await using server = await serve(version, { wsDeflate: true });
  const [peer, tap] = await meet(server, version, [["sec-websocket-extensions", "permessage-deflate; server_no_context_takeover"]]);
  const long = Array.from({ length: 400 }, (_, at) => `${at * 7919}`).join(" ");
  for (let count = 0; count < 3; count++) {
    tap.do((out) => out.message(long));
    const came = (await peer.receive())!;
    assertEquals([came.flags, inflated(came.payload)], [0xc0, long]);
  }
  peer.drop();
});

both("compressed messages of the peer: in fragments, beside others, with a context and without", async (version) => {
  await using server = await serve(version, { wsDeflate: true });
  for (const takeover of ["", "; client_no_context_takeover"]) {
    const [peer, tap] = await meet(server, version, [["sec-websocket-extensions", `permessage-deflate${takeover}`]]);
    const text = "Grüße ".repeat(500);
    const whole = deflated(text);
    await peer.send(TEXT, whole, RSV1);
    await peer.send(TEXT, whole.subarray(0, 7), { ...RSV1, more: true });
    await peer.send(PING, "between");
    await peer.send(CONTINUATION, whole.subarray(7, 9), { more: true });
    await peer.send(CONTINUATION, "", { more: true });
    await peer.send(CONTINUATION, whole.subarray(9));
    await peer.send(TEXT, "plain");
    await peer.send(BINARY, deflated(new Uint8Array(3000)), RSV1);
    await peer.send(TEXT, new Uint8Array([0]), RSV1); // an empty one, RFC 7692 section 7.2.3.6
    for (const data of [text, text, "plain", new Uint8Array(3000), ""]) assertEquals(await tap.next(), { call: "message", data });
    assertEquals(await peer.next(), "10:80:between");
    await peer.send(CLOSE, closing(1000));
    assertEquals((await tap.end()).clean, true);
    peer.drop();
    await over(server, tap);
  }
});

both("what is wrong with a compressed message", async (version) => {
  const limits = { ...SETTINGS.limits, maxMessageBytes: 10_000 };
  await using server = await serve(version, { wsDeflate: true, limits });
  const bomb = deflated(new Uint8Array(10_000_000));
  const good = deflated("good");
  const cases: readonly (readonly [name: string, code: number, ...sent: Parameters<FramePeer["send"]>[]])[] = [
    ["RSV1 on a ping", 1002, [PING, "", RSV1]],
    ["RSV1 on a pong", 1002, [PONG, "", RSV1]],
    ["RSV1 on a close frame", 1002, [CLOSE, closing(1000), RSV1]],
    ["RSV1 on a continuation", 1002, [TEXT, good.subarray(0, 2), { ...RSV1, more: true }], [CONTINUATION, good.subarray(2), RSV1]],
    ["RSV2 beside it", 1002, [TEXT, good, { reserved: 0x60 }]],
    ["no deflate data", 1007, [TEXT, new Uint8Array([0xff, 0xff, 0xff, 0xff]), RSV1]],
    ["bad UTF-8 within", 1007, [TEXT, deflated(new Uint8Array([0x61, 0xff])), RSV1]],
    ["one byte too many", 1009, [BINARY, deflated(new Uint8Array(10_001)), RSV1]],
    ["a bomb", 1009, [BINARY, bomb.subarray(0, 9999), RSV1]],
    ["a bomb in fragments", 1009, [BINARY, bomb.subarray(0, 20), { ...RSV1, more: true }], [CONTINUATION, bomb.subarray(20, 5000), {
      more: true,
    }]],
  ];
  for (const [name, code, ...sent] of cases) {
    const [peer, tap] = await meet(server, version, OFFER);
    await peer.send(BINARY, deflated(new Uint8Array(10_000)), RSV1);
    assertEquals((await tap.next()).call, "message");
    for (const each of sent) await peer.send(...each);
    assertEquals(await tap.end(), { reason: code === 1009 ? "body_too_large" : "protocol_error", code, clean: false }, name);
    assertEquals(await peer.closed(), [code, ""], name);
    peer.drop();
    await over(server, tap);
  }
});

both("long messages, pings and the close keep their order behind what is being compressed", async (version) => {
  await using server = await serve(version, { wsDeflate: true, wsCloseTimeoutMs: 5000 });
  const [peer, tap] = await meet(server, version, OFFER);
  const long = new Uint8Array(3_000_000).map((_, at) => (at * at) >> 7);
  tap.do((out) => out.message(long));
  tap.do((out) => out.message("short"));
  tap.do((out) => out.message("z".repeat(2000)));
  tap.do((out) => out.close(1000, "end"));
  assert(tap.out.buffered >= 3_000_000);
  const came: [number, number][] = [];
  const parts: Uint8Array[] = [];
  for (;;) {
    const next = (await peer.receive())!;
    came.push([next.opcode, next.flags]);
    if ((next.opcode === BINARY || next.opcode === CONTINUATION) && next.payload.length > 0) parts.push(next.payload);
    if (next.opcode === CLOSE) break;
  }
  assertEquals(came, [[BINARY, 0x40], [CONTINUATION, 0], [CONTINUATION, 0x80], [TEXT, 0x80], [TEXT, 0xc0], [CLOSE, 0x80]]);
  assertEquals(new Uint8Array(inflateRawSync(join([...parts, TAIL]), { finishFlush: 2 })), long);
  await peer.send(CLOSE, closing(1000));
  assertEquals((await tap.end()).clean, true);
  peer.drop();
  await over(server, tap);
});

Deno.test("a peer that leaves while its messages are compressed and inflated does no harm", async () => {
  await using server = await serve("1.1", { wsDeflate: true });
  for (let round = 0; round < 20; round++) {
    const [peer, tap] = await meet(server, "1.1", OFFER);
    tap.do((out) => {
      for (let count = 0; count < 10; count++) out.message("x".repeat(20_000));
    });
    for (let count = 0; count < 5; count++) await peer.send(TEXT, deflated("y".repeat(50_000)), RSV1);
    if (round % 2 === 0) peer.drop();
    else tap.do((out) => out.abort("queue_overflow"));
    assertNotEquals((await tap.end()).reason, null);
    peer.drop();
    await over(server, tap);
  }
});

Deno.test("the client of ws gets what it sends, compressed in every way that it can offer", async () => {
  const ways = [
    {},
    { serverNoContextTakeover: true },
    { clientNoContextTakeover: true },
    { serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
    { serverMaxWindowBits: 12, serverNoContextTakeover: true, clientNoContextTakeover: true },
  ];
  for (const way of ways) {
    await using server = await serve("1.1", { wsDeflate: true });
    const peer = new Peer(`ws://127.0.0.1:${server.port}/`, { perMessageDeflate: { threshold: 0, ...way } });
    await new Promise((resolve) => peer.on("open", resolve));
    assert(peer.extensions.includes("permessage-deflate"));
    const tap = await server.tap();
    const got: string[] = [];
    peer.on("message", (data: Uint8Array) => got.push(new TextDecoder().decode(data)));
    for (const size of [0, 1, 1000, 1024, 70_000, 900_000]) {
      const text = Array.from({ length: size }, (_, at) => String.fromCharCode(97 + (at * at >> 3) % 26)).join("");
      peer.send(text);
      assertEquals(await tap.next(), { call: "message", data: text });
      const answer = new Promise((resolve) => peer.once("message", resolve));
      tap.do((out) => out.message(text));
      await answer;
      assertEquals(got.pop() === text, true, `${size} bytes, ${JSON.stringify(way)}`);
    }
    peer.close(4001);
    assertEquals((await tap.end()).code, 4001);
  }
});

Deno.test("isOlder() compares versions by their numbers", () => {
  const cases = [["8.21.0", true], ["8.21.1", false], ["8.9.9", true], ["8.100.0", false], ["9.0.0", false], ["7.99.99", true], [
    "8.x",
    true,
  ]] as const;
  for (const [version, expected] of cases) assertEquals(isOlder(version, [8, 21, 1]), expected, version);
});
