/** Clients of HTTP/2 that send too much of no use, or take nothing: RFC 9113 section 10.5, and the memory that they cost. */

import { assert, assertEquals } from "@std/assert";
import { FLAG, FRAME, frame, GET, literal, PREFACE } from "../conformance/h2_frames.ts";
import { join } from "../conformance/reply.ts";
import { settle, until } from "../conformance/waiting.ts";
import { RawClient, startNode, type Tap } from "./engine_peer.ts";

const WHOLE = FLAG.endStream | FLAG.endHeaders;
const ENHANCE_YOUR_CALM = 11;
const GOAWAY_HEAD = "\x00\x00\x08\x07\x00\x00\x00\x00\x00";
/** `POST /`, http, authority `test`. */
const POST = new Uint8Array([0x83, ...GET.subarray(1)]);
const CANCEL = new Uint8Array([0, 0, 0, 8]);

/** What a client says first, with settings as pairs of a number and a value. */
function hello(...settings: readonly (readonly [id: number, value: number])[]): Uint8Array {
  const payload = new DataView(new ArrayBuffer(6 * settings.length));
  for (const [index, [id, value]] of settings.entries()) {
    payload.setUint16(6 * index, id);
    payload.setUint32(6 * index + 2, value);
  }
  return join([new TextEncoder().encode(PREFACE), frame(FRAME.settings, 0, 0, new Uint8Array(payload.buffer))]);
}

function many(count: number, one: (index: number) => Uint8Array): Uint8Array {
  return join(Array.from({ length: count }, (_, index) => one(index)));
}

/** Frames of no use, by what they are. */
const FLOODS: readonly [what: string, frames: Uint8Array][] = [
  ["PING", many(5000, () => frame(FRAME.ping, 0, 0, new Uint8Array(8)))],
  ["SETTINGS", many(5000, () => frame(FRAME.settings, 0, 0))],
  ["PRIORITY", many(5000, (index) => frame(2, 0, 2 * index + 1, new Uint8Array([0, 0, 0, 0, 1])))],
  ["WINDOW_UPDATE", many(5000, () => frame(FRAME.window, 0, 0, new Uint8Array([0, 0, 0, 1])))],
  ["unknown", many(5000, () => frame(99, 0, 0))],
  ["empty DATA", join([frame(FRAME.headers, FLAG.endHeaders, 1, POST), many(5000, () => frame(FRAME.data, 0, 1))])],
  ["CONTINUATION", join([frame(FRAME.headers, 0, 1, GET), many(5000, () => frame(FRAME.continuation, 0, 1, literal("x-a", "b")))])],
  [
    "request and RST_STREAM",
    many(1000, (index) => {
      const stream = 2 * index + 1;
      return join([frame(FRAME.headers, WHOLE, stream, GET), frame(FRAME.reset, 0, stream, CANCEL)]);
    }),
  ],
];

for (const [what, frames] of FLOODS) {
  Deno.test(`NodeEngine tells a client that floods it with ${what} frames to be calm, and ends the connection`, async () => {
    await using server = await startNode();
    const client = await RawClient.connect(server.port);
    await client.sendBytes(join([hello(), frames])).catch(() => {});
    const text = await client.rest();
    const at = text.lastIndexOf(GOAWAY_HEAD);
    assert(at >= 0, "no GOAWAY");
    assertEquals(text.charCodeAt(at + GOAWAY_HEAD.length + 7), ENHANCE_YOUR_CALM);
    client.close();
    // A part of the packet may have been let in before the measure was full.
    assert(server.opened.length < 300, `${server.opened.length}`);
  });
}

Deno.test("NodeEngine lets a client that works send any number of small frames", async () => {
  await using server = await startNode(({ out }) => out.respond(200, [], "ok", 0));
  const client = await RawClient.connect(server.port);
  await client.sendBytes(hello());
  for (let round = 0; round < 40; round++) {
    // Many clients answer each frame with two updates of their windows.
    const useful = (index: number) => {
      const stream = 2 * (100 * round + index) + 1;
      const update = new Uint8Array([0, 0, 0, 2]);
      return join([frame(FRAME.headers, WHOLE, stream, GET), frame(FRAME.window, 0, stream, update), frame(FRAME.window, 0, 0, update)]);
    };
    await client.sendBytes(many(100, useful));
    await until(() => server.finished.length === 100 * (round + 1), "all answers");
  }
  assertEquals(server.notes, []);
  client.close();
});

Deno.test("NodeEngine takes no more of a streamed answer over HTTP/2 than the socket of its client takes, whatever the windows", async () => {
  const piece = new Uint8Array(65_536);
  let given = 0;
  const fill = ({ out }: Tap) => {
    while (out.buffered < 65_536 && given < 1_000_000_000) {
      given += piece.byteLength;
      out.chunk(piece);
    }
  };
  await using server = await startNode(
    (tap) => {
      tap.drained = () => fill(tap);
      tap.out.head(200, [], 0);
      fill(tap);
    },
    {},
    { writeTimeoutMs: 300 },
  );
  const client = await RawClient.connect(server.port);
  const window = new Uint8Array([0x7f, 0xff, 0, 0]);
  await client.sendBytes(join([hello([4, 0x7fff_ffff]), frame(FRAME.window, 0, 0, window), frame(FRAME.headers, WHOLE, 1, GET)]));
  const finished = await until(() => server.finished[0], "the end of the exchange");
  assertEquals(finished.end.reason, "write_timeout");
  assert(given < 20_000_000, `${given}`); // the system's buffers on both sides hold some megabytes
  client.close();
});

Deno.test("NodeEngine takes no more of a request body over HTTP/2 than its window, where the app does not read", async () => {
  await using server = await startNode();
  const client = await RawClient.connect(server.port);
  await client.sendBytes(join([hello(), frame(FRAME.settings, FLAG.ack, 0), frame(FRAME.headers, FLAG.endHeaders, 1, POST)]));
  const { out } = await server.tap();
  await client.sendBytes(many(20, () => frame(FRAME.data, 0, 1, new Uint8Array(16_000)))).catch(() => {});
  // More than the window is a fault of flow control, which ends the stream.
  await until(() => server.finished.length === 1, "the end of the exchange");
  assertEquals(out.buffered, 0);
  client.close();
});

Deno.test("NodeEngine closes an HTTP/2 connection without a request, though its client does not", async () => {
  await using server = await startNode(() => {}, {}, { keepAliveTimeoutMs: 100 });
  const client = await RawClient.connect(server.port);
  await client.sendBytes(hello());
  const text = await client.rest();
  assert(text.includes(GOAWAY_HEAD));
  assert(client.ended);
  client.close();
});

Deno.test("NodeEngine lives through the end of an HTTP/2 connection that said GOAWAY and whose answers are under way", async () => {
  await using server = await startNode(({ out }) => {
    out.head(200, [], 0);
    out.chunk(new Uint8Array(1000));
  });
  for (let round = 0; round < 20; round++) {
    const client = await RawClient.connect(server.port);
    const requests = many(10, (index) => frame(FRAME.headers, WHOLE, 2 * index + 1, GET));
    await client.sendBytes(join([hello(), requests]));
    await until(() => server.opened.length === 10 * (round + 1), "the requests");
    await client.sendBytes(frame(FRAME.goaway, 0, 0, new Uint8Array(8)));
    client.close();
    await until(() => server.finished.length === 10 * (round + 1), "the end of the exchanges");
  }
  await settle();
  assert(server.finished.every(({ end }) => end.reason !== null));
});
