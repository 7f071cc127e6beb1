/** Frames: golden bytes, any split, any garbage. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { FrameReader } from "../../src/links/frame_reader.ts";
import { MAX_BYTES, MAX_TEXT } from "../../src/links/packets.ts";
import { SocketPipe } from "../../src/links/socket_pipe.ts";
import { WorkerError } from "../../src/spec/errors.ts";
import { generator, join } from "./doubles.ts";

/** A batch, `[22,1,200,[],3,0,null]` and the bytes "abc": two lengths, little-endian, text, bytes. Written by hand. */
// deno-fmt-ignore
const GOLDEN = new Uint8Array([
  0x16, 0, 0, 0, 0x03, 0, 0, 0,
  0x5b, 0x32, 0x32, 0x2c, 0x31, 0x2c, 0x32, 0x30, 0x30, 0x2c, 0x5b, 0x5d, 0x2c, 0x33, 0x2c, 0x30, 0x2c, 0x6e, 0x75, 0x6c, 0x6c, 0x5d,
  0x61, 0x62, 0x63,
]);
/** `["é€"]`: lengths are bytes, not characters. */
// deno-fmt-ignore
const WIDE = new Uint8Array([0x09, 0, 0, 0, 0, 0, 0, 0, 0x5b, 0x22, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0x22, 0x5d]);

/** Reads bytes in pieces of sizes that `size` gives. */
function read(bytes: Uint8Array, size: (left: number) => number): [string, string][] {
  const batches: [string, string][] = [];
  const reader = new FrameReader((text, data) => void batches.push([text, new TextDecoder().decode(data)]));
  for (let at = 0; at < bytes.byteLength;) {
    const { target } = reader;
    assert(target.byteLength > 0, "there is room");
    const count = Math.min(target.byteLength, bytes.byteLength - at, Math.max(1, size(bytes.byteLength - at)));
    target.set(bytes.subarray(at, at + count));
    at += count;
    reader.advance(count);
  }
  return batches;
}

/** A frame that is no work of the code under test. */
function frame(text: string, bytes: Uint8Array): Uint8Array {
  const encoded = new TextEncoder().encode(text);
  const head = new Uint8Array(8);
  [encoded.byteLength, bytes.byteLength].forEach((length, index) => {
    for (let byte = 0; byte < 4; byte++) head[index * 4 + byte] = length >>> byte * 8 & 0xff;
  });
  return join([head, encoded, bytes]);
}

/** Two ends of a Unix socket. */
async function socketPair(): Promise<[Deno.Conn, Deno.Conn]> {
  const folder = await Deno.makeTempDir();
  const listener = Deno.listen({ transport: "unix", path: `${folder}/s` });
  const [near, far] = await Promise.all([Deno.connect({ transport: "unix", path: `${folder}/s` }), listener.accept()]);
  listener.close();
  await Deno.remove(folder, { recursive: true });
  return [near, far];
}

Deno.test("FrameReader reads golden bytes, also one by one", () => {
  const both = join([GOLDEN, WIDE]);
  const batches: [string, string][] = [["[22,1,200,[],3,0,null]", "abc"], ['["é€"]', ""]];
  assertEquals(read(both, (left) => left), batches);
  assertEquals(read(both, () => 1), batches);
});

Deno.test("SocketPipe writes golden bytes, and reads them", async () => {
  const [near, far] = await socketPair();
  const pipe = new SocketPipe(near);
  await pipe.send("[22,1,200,[],3,0,null]", [new Uint8Array([0x61]), new Uint8Array([0x62, 0x63])]);
  await pipe.send('["é€"]', []);
  const written = new Uint8Array(GOLDEN.byteLength + WIDE.byteLength);
  for (let at = 0; at < written.byteLength;) at += (await far.read(written.subarray(at)))!;
  assertEquals(written, join([GOLDEN, WIDE]));
  const read = new Promise<[string, Uint8Array]>((resolve) => pipe.start((text, bytes) => resolve([text, bytes])));
  await far.write(GOLDEN);
  assertEquals(await read, ["[22,1,200,[],3,0,null]", new Uint8Array([0x61, 0x62, 0x63])]);
  far.close();
  assertEquals(await pipe.closed, "");
});

Deno.test("FrameReader gives the same batches however the bytes are split", () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = generator(seed);
    const frames: Uint8Array[] = [];
    const batches: [string, string][] = [];
    for (let count = 0; count < 1 + random(12); count++) {
      const text = JSON.stringify("aé€\u{1f600}\u0000".repeat(random(random(4) === 0 ? 20_000 : 40)));
      const bytes = new Uint8Array(random(random(4) === 0 ? 300_000 : 60)).fill(97 + count);
      frames.push(frame(text, bytes));
      batches.push([text, new TextDecoder().decode(bytes)]);
    }
    for (const most of [7, 5_000, 100_000]) assertEquals(read(join(frames), () => random(most)), batches, `seed ${seed}`);
  }
});

Deno.test("FrameReader refuses lengths over the limits before it takes room for them", () => {
  for (const lengths of [[MAX_TEXT + 1, 0], [0xff_ff_ff_ff, 0], [2, MAX_BYTES + 1], [2, 0xff_ff_ff_ff]]) {
    const head = new Uint8Array(8);
    const view = new DataView(head.buffer);
    lengths.forEach((length, index) => view.setUint32(index * 4, length, true));
    assertThrows(() => read(head, () => 8), WorkerError, "over the limit");
  }
});

Deno.test("FrameReader refuses a text that is not UTF-8", () => {
  for (const byte of [0x80, 0xff, 0xc0]) {
    assertThrows(() => read(new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, byte]), () => 9), WorkerError, "UTF-8");
  }
});

Deno.test("FrameReader ends with batches or a WorkerError, and bounded room, whatever comes", () => {
  const random = generator(1);
  for (let round = 0; round < 3000; round++) {
    const bytes = round % 2 === 0
      ? new Uint8Array(1 + random(200)).map(() => random(256))
      : join([GOLDEN, WIDE, GOLDEN]).map((byte) => random(20) === 0 ? byte ^ 1 << random(8) : byte);
    try {
      read(bytes, () => 1 + random(30));
    } catch (error) {
      assert(error instanceof WorkerError, String(error));
    }
  }
});

Deno.test("SocketPipe closes with the cause where the bytes are no frames", async () => {
  const [near, far] = await socketPair();
  const pipe = new SocketPipe(near);
  pipe.start(() => {});
  await far.write(new Uint8Array(8).fill(0xff));
  assert((await pipe.closed).includes("over the limit"));
  far.close();
});

Deno.test("SocketPipe.send() settles where the other end is gone, and closed says why", async () => {
  const [near, far] = await socketPair();
  const pipe = new SocketPipe(near);
  far.close();
  await pipe.send("[]", [new Uint8Array(1_000_000)]);
  assert((await pipe.closed).startsWith("the link can't be written"));
  await pipe.send("[]", []);
});
