import { assertEquals } from "@std/assert";
import { BINARY, CLOSE, CONTINUATION, frame, type FrameOptions, PING, PONG, TEXT } from "../conformance/frames.ts";
import { join, latin1 } from "../conformance/reply.ts";
import { both, closing, meet, over, serve, SETTINGS } from "./node_socket_peer.ts";

/** A client frame by its opcode, its payload and what is wrong with it. */
type Sent = readonly [opcode: number, data?: string | Uint8Array, options?: FrameOptions];

const MORE: FrameOptions = { more: true };
const bytes = (...values: number[]) => new Uint8Array(values);

/** What comes of frames: the messages that the session got, and the close frame that the peer got. */
both("messages in fragments, with control frames between them", async (version) => {
  const cases: readonly (readonly [sent: readonly Sent[], messages: readonly (string | Uint8Array)[]])[] = [
    [[[TEXT, "a", MORE], [CONTINUATION, "b"]], ["ab"]],
    [[[TEXT, "a", MORE], [CONTINUATION, "b", MORE], [CONTINUATION, "c"], [TEXT, "d"]], ["abc", "d"]],
    [[[BINARY, "a", MORE], [PING, "p"], [CONTINUATION, "b", MORE], [PONG, "q"], [CONTINUATION, "c"]], [latin1("abc")]],
    [[[TEXT, "", MORE], [CONTINUATION, "", MORE], [CONTINUATION]], [""]],
    [[[TEXT, "", MORE], [CONTINUATION, "x", MORE], [CONTINUATION]], ["x"]],
    [[[BINARY, "", MORE], [CONTINUATION]], [bytes()]],
    // A character that is split over fragments, and over a ping.
    [[[TEXT, bytes(0xce), MORE], [PING], [CONTINUATION, bytes(0xba)]], ["κ"]],
    [[[TEXT, bytes(0xf0, 0x9f), MORE], [CONTINUATION, bytes(0x98), MORE], [CONTINUATION, bytes(0x80)]], ["😀"]],
    [[[TEXT, "\ufeffbom"]], ["\ufeffbom"]],
    [[[TEXT, "\ufffe \uffff \0"]], ["\ufffe \uffff \0"]],
  ];
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version);
  for (const [sent, messages] of cases) {
    for (const [opcode, data, options] of sent) await peer.send(opcode, data, options);
    for (const data of messages) assertEquals(await tap.next(), { call: "message", data });
    for (const [opcode, data = ""] of sent) if (opcode === PING) assertEquals(await peer.next(), `10:80:${data}`);
  }
  // All of it once more, in one packet, and byte by byte.
  const all = join(cases.flatMap(([sent]) => sent.map(([opcode, data, options]) => frame(opcode, data, options))));
  await peer.send(all);
  await peer.sendChopped(all, 1);
  for (let round = 0; round < 2; round++) {
    for (const [, messages] of cases) for (const data of messages) assertEquals(await tap.next(), { call: "message", data });
  }
  peer.drop();
  await tap.end();
  await over(server, tap);
});

both("every length of a frame, both ways, whole and in small pieces", async (version) => {
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version);
  for (const size of [0, 1, 125, 126, 127, 128, 16_384, 16_385, 65_535, 65_536, 65_537, 1_048_576]) {
    const data = new Uint8Array(size).map((_, at) => at * 7);
    await peer.send(BINARY, data);
    assertEquals(await tap.next(), { call: "message", data }, `${size} bytes`);
    tap.do((out) => out.message(data));
    const came = (await peer.receive())!;
    assertEquals([came.opcode, came.flags, came.payload.length], [BINARY, 0x80, size]);
    assertEquals(came.payload, data);
    const text = "é".repeat(size >> 1);
    await peer.sendChopped(frame(TEXT, text), Math.max(1000, size >> 4));
    assertEquals(await tap.next(), { call: "message", data: text });
    tap.do((out) => out.message(text));
    const back = (await peer.receive())!;
    assertEquals([back.opcode, back.flags, new TextDecoder().decode(back.payload) === text], [TEXT, 0x80, true]);
  }
  peer.drop();
});

both("a violation is answered with its code, and told as protocol_error", async (version) => {
  const long = new Uint8Array(126);
  const cases: readonly (readonly [name: string, code: number, ...sent: Sent[]])[] = [
    ["RSV1 without an extension", 1002, [TEXT, "x", { reserved: 0x40 }]],
    ["RSV2", 1002, [TEXT, "x", { reserved: 0x20 }]],
    ["RSV3 of a ping", 1002, [PING, "", { reserved: 0x10 }]],
    ["all of them on a close frame", 1002, [CLOSE, closing(1000), { reserved: 0x70 }]],
    ["opcode 3", 1002, [3]],
    ["opcode 7", 1002, [7, "x"]],
    ["opcode 11", 1002, [11]],
    ["opcode 15", 1002, [15, "x"]],
    ["a frame without a mask", 1002, [TEXT, "x", { unmasked: true }]],
    ["a ping without a mask", 1002, [PING, "", { unmasked: true }]],
    ["a ping of 126 bytes", 1002, [PING, long]],
    ["a close frame of 126 bytes", 1002, [CLOSE, long]],
    ["a ping in fragments", 1002, [PING, "a", MORE]],
    ["a close frame in fragments", 1002, [CLOSE, closing(1000), MORE]],
    ["a continuation of nothing", 1002, [CONTINUATION, "x"]],
    ["a continuation of a whole message", 1002, [TEXT, "whole"], [CONTINUATION, "x"]],
    ["a text within a text", 1002, [TEXT, "a", MORE], [TEXT, "b"]],
    ["a binary within a text", 1002, [TEXT, "a", MORE], [BINARY, "b"]],
    ["a close frame of one byte", 1002, [CLOSE, bytes(3)]],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map((code) =>
      [`close code ${code}`, 1002, [CLOSE, closing(code)]] as const
    ),
    ["a close text that is no UTF-8", 1007, [CLOSE, closing(1000, bytes(0xce, 0xba, 0xff))]],
    ["a text that is no UTF-8", 1007, [TEXT, bytes(0xff)]],
    ["a truncated character", 1007, [TEXT, bytes(0x61, 0xe2, 0x82)]],
    ["an overlong slash", 1007, [TEXT, bytes(0xc0, 0xaf)]],
    ["a surrogate", 1007, [TEXT, bytes(0xed, 0xa0, 0x80)]],
    ["a code point beyond U+10FFFF", 1007, [TEXT, bytes(0xf4, 0x90, 0x80, 0x80)]],
    ["a long text with one bad byte", 1007, [TEXT, join([new Uint8Array(5000).fill(0x61), bytes(0xc3)])]],
    ["bad UTF-8 over fragments", 1007, [TEXT, bytes(0xce), MORE], [CONTINUATION, bytes(0x61)]],
  ];
  await using server = await serve(version);
  for (const [name, code, ...sent] of cases) {
    const [peer, tap] = await meet(server, version);
    for (const [opcode, data, options] of sent) await peer.send(opcode, data, options);
    await peer.send(TEXT, "behind it");
    assertEquals(await tap.end(), { reason: "protocol_error", code, clean: false }, name);
    assertEquals(await peer.closed(), [code, ""], name);
    assertEquals(tap.calls.filter(({ call }) => call === "message").length, sent[0]![1] === "whole" ? 1 : 0, name);
    await peer.send(CLOSE, closing(code));
    await peer.ended();
    await over(server, tap);
  }
});

both("close codes that may be sent are taken", async (version) => {
  await using server = await serve(version);
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]) {
    const [peer, tap] = await meet(server, version);
    await peer.send(CLOSE, closing(code, "x".repeat(123)));
    assertEquals(await tap.end(), { reason: null, code, text: "x".repeat(123), clean: true });
    assertEquals(await peer.closed(), [code, "x".repeat(123)]);
    peer.drop();
  }
});

both("an oversized message is stopped before it is whole: 1009 and body_too_large", async (version) => {
  const { limits } = SETTINGS;
  const cases: readonly (readonly [name: string, ...sent: (Sent | Uint8Array)[]])[] = [
    ["one frame", [BINARY, new Uint8Array(1001)]],
    ["fragments", [BINARY, new Uint8Array(600), MORE], [CONTINUATION, new Uint8Array(401), MORE]],
    ["a length of 2^63 - 1", bytes(0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)],
    ["a length that is announced only", bytes(0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0)],
  ];
  await using server = await serve(version, { limits: { ...limits, maxMessageBytes: 1000 } });
  for (const [name, ...sent] of cases) {
    const [peer, tap] = await meet(server, version);
    await peer.send(BINARY, new Uint8Array(1000));
    assertEquals((await tap.next()).call, "message");
    for (const each of sent) await (each instanceof Uint8Array ? peer.send(each) : peer.send(...each));
    assertEquals(await tap.end(), { reason: "body_too_large", code: 1009, clean: false }, name);
    assertEquals(await peer.closed(), [1009, ""]);
    peer.drop();
    await over(server, tap);
  }
});

Deno.test("a message in far too many fragments, or reads, is stopped with 1008", async () => {
  const { limits } = SETTINGS;
  await using server = await serve("1.1", { limits: { ...limits, maxMessageBytes: 1000 } });
  const [peer, tap] = await meet(server, "1.1");
  const parts = (count: number) => Array.from({ length: count }, () => frame(CONTINUATION, "x", MORE));
  await peer.send(join([frame(TEXT, "x", MORE), ...parts(126), frame(CONTINUATION, "x")]));
  assertEquals(await tap.next(), { call: "message", data: "x".repeat(128) });
  await peer.send(join([frame(TEXT, "", MORE), ...parts(128)]));
  assertEquals(await tap.end(), { reason: "protocol_error", code: 1008, clean: false });
  assertEquals(await peer.closed(), [1008, ""]);
  peer.drop();
  await over(server, tap);
});

both("a ping is answered with its payload, one by one", async (version) => {
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version);
  const payloads = ["", "x", "\0\xff".repeat(62), "y".repeat(125)];
  for (const payload of payloads) await peer.send(PING, latin1(payload));
  for (const payload of payloads) assertEquals(await peer.next(), `10:80:${payload}`);
  await peer.send(join(Array.from({ length: 500 }, (_, at) => frame(PING, `${at}`))));
  for (let at = 0; at < 500; at++) assertEquals(await peer.next(), `10:80:${at}`);
  assertEquals(tap.calls, []);
  peer.drop();
});

both("nothing is told of what comes behind a close frame", async (version) => {
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version);
  await peer.send(join([frame(CLOSE, closing(1000)), frame(TEXT, "late"), frame(PING, "late"), frame(7)]));
  assertEquals(await tap.end(), { reason: null, code: 1000, text: "", clean: true });
  assertEquals(await peer.closed(), [1000, ""]);
  await peer.ended();
  await over(server, tap);
});

both("a text may be kept and its bytes given away without harm to what follows", async (version) => {
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version);
  const parts = [new Uint8Array(100).fill(1), new Uint8Array(3000).fill(2), new Uint8Array(5000).fill(3)];
  const packet = join([...parts.map((part) => frame(BINARY, part)), ...parts.map((part) => frame(BINARY, part))]);
  await peer.send(packet.subarray(0, packet.length - 1000));
  for (let at = 0; at < 5; at++) {
    const call = await tap.next() as { data: Uint8Array<ArrayBuffer> };
    assertEquals(call.data, parts[at % 3]);
    // The buffer is the message's own; an app that hands it to a worker takes nothing else along.
    if (call.data.byteLength > 14) assertEquals(call.data.buffer.byteLength - call.data.byteLength <= 14, true);
    structuredClone(call.data.buffer, { transfer: [call.data.buffer] });
  }
  await peer.send(packet.subarray(packet.length - 1000));
  assertEquals(await tap.next(), { call: "message", data: parts[2]! });
  peer.drop();
});
