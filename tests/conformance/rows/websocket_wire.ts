/** Rows of the checklist: what an engine can do that sees the frames of a WebSocket: compression, limits inside a message, holding back. */

import { assert, assertEquals } from "@std/assert";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { WebSocketReceiveEvent } from "../../../src/spec/events.ts";
import { BINARY, CLOSE, closing, CONTINUATION, FramePeer, TEXT } from "../frames.ts";
import { socketProbe } from "../probe.ts";
import { join } from "../reply.ts";
import { row } from "../suite.ts";

const OFFER = [["sec-websocket-extensions", "permessage-deflate"]] as const;
const DEFLATE = { wire: true, needs: ["ws-deflate"] } as const;

/** The first reserved bit: the message is compressed. RFC 7692 section 6. */
const COMPRESSED = 0x40;

/** Accepts, echoes, and tells everything that came, the disconnect last. */
function echo() {
  return socketProbe(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await receive();
    const events: WebSocketReceiveEvent[] = [];
    for (;;) {
      const event = await receive();
      events.push(event);
      if (event.type === "websocket.disconnect") return events;
      if (event.type !== "websocket.receive") continue;
      if (event.text !== undefined) await send({ type: "websocket.send", text: event.text });
      else await send({ type: "websocket.send", bytes: event.bytes });
    }
  });
}

/** Compresses a message as RFC 7692 section 7.2.1 has it: without the four bytes of the empty block at its end. */
function compress(text: string): Uint8Array {
  const bytes = new Uint8Array(deflateRawSync(text, { finishFlush: 2 }));
  assertEquals([...bytes.subarray(-4)], [0, 0, 255, 255]);
  return bytes.subarray(0, -4);
}

function inflate(bytes: Uint8Array): string {
  return new TextDecoder().decode(inflateRawSync(join([bytes, new Uint8Array([0, 0, 255, 255])]), { finishFlush: 2 }));
}

row("WS-073", "An offer of permessage-deflate is ignored, unless it is turned on", DEFLATE, async (target) => {
  const { app } = echo();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server, OFFER);
  assertEquals(peer.answer.get("sec-websocket-extensions"), null);
  await peer.send(TEXT, compress("a"), { reserved: COMPRESSED });
  assertEquals((await peer.closed())?.code, 1002);
});

row("WS-073", "turned on, messages are compressed both ways, where they are worth it", DEFLATE, async (target) => {
  const { app, outcome } = echo();
  await using server = await target.start(app, { wsDeflate: true });
  const peer = await FramePeer.open(server, OFFER);
  assert(peer.answer.get("sec-websocket-extensions")?.startsWith("permessage-deflate"));
  const long = "hello ".repeat(1000);
  await peer.send(TEXT, compress(long), { reserved: COMPRESSED });
  const back = (await peer.receive())!;
  assertEquals([back.opcode, back.flags, inflate(back.payload) === long], [TEXT, 0x80 | COMPRESSED, true]);
  assert(back.payload.byteLength < 500, `${back.payload.byteLength}`);
  await peer.send(TEXT, "short");
  const short = (await peer.receive())!;
  assertEquals([short.flags, new TextDecoder().decode(short.payload)], [0x80, "short"]);
  await peer.send(CLOSE, closing(1000));
  assertEquals((await outcome()).map((event) => event.type === "websocket.receive" ? event.text!.length : event.type), [
    long.length,
    5,
    "websocket.disconnect",
  ]);
});

row("WS-073", "a client that offers none gets none", DEFLATE, async (target) => {
  const { app } = echo();
  await using server = await target.start(app, { wsDeflate: true });
  const peer = await FramePeer.open(server);
  assertEquals(peer.answer.get("sec-websocket-extensions"), null);
  await peer.send(TEXT, "hello ".repeat(1000));
  assertEquals((await peer.receive())!.flags, 0x80);
});

row("WS-073", "the limit of a message holds for what it inflates to", DEFLATE, async (target) => {
  const { app, outcome } = echo();
  await using server = await target.start(app, { wsDeflate: true, limits: { maxMessageBytes: 10_000 } });
  const peer = await FramePeer.open(server, OFFER);
  await peer.send(TEXT, compress("x".repeat(5_000_000)), { reserved: COMPRESSED });
  assertEquals((await peer.closed())?.code, 1009);
  assertEquals((await outcome()).at(-1)?.type, "websocket.disconnect");
});

row("WS-047", "A message that outgrows it is stopped before it is whole: 1009", {
  wire: true,
  needs: ["ws-frame-limit"],
}, async (target) => {
  const { app, outcome } = echo();
  await using server = await target.start(app, { limits: { maxMessageBytes: 1000 } });
  const fragments = await FramePeer.open(server);
  for (let count = 0; count < 2; count++) {
    await fragments.send(count === 0 ? BINARY : CONTINUATION, new Uint8Array(600), { more: true });
  }
  assertEquals((await fragments.closed())?.code, 1009);
  assertEquals((await outcome()).at(-1), { type: "websocket.disconnect", code: 1009, reason: "body_too_large" });
  // The head of a frame says how long it will be.
  const frame = await FramePeer.open(server);
  await frame.connection.send(new Uint8Array([0x82, 0xfe, 1001 >> 8, 1001 & 255, 1, 2, 3, 4]));
  assertEquals((await frame.closed())?.code, 1009);
  assertEquals((await outcome()).at(-1), { type: "websocket.disconnect", code: 1009, reason: "body_too_large" });
});

row("WS-047", "fragments without end or content are limited too", { wire: true, needs: ["ws-frame-limit"] }, async (target) => {
  const { app, outcome } = echo();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  const flood = async () => {
    await peer.send(BINARY, "", { more: true });
    for (let count = 0; count < 200_000; count++) await peer.send(CONTINUATION, "", { more: true });
  };
  const sending = flood().catch(() => {});
  const closed = await peer.closed();
  assert(closed === null || [1002, 1008, 1009].includes(closed.code), JSON.stringify(closed));
  peer.connection.close();
  await sending;
  assertEquals((await outcome()).at(-1)?.type, "websocket.disconnect");
});

row("WS-036", "a masked frame of the server does not exist", { wire: true }, async (target) => {
  const { app } = echo();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  for (const size of [0, 125, 126, 70_000]) {
    await peer.send(BINARY, new Uint8Array(size).fill(7));
    const back = (await peer.receive())!;
    assertEquals([back.masked, back.flags, back.payload.byteLength], [false, 0x80, size]);
  }
});

row("WS-040", "Messages behind the peer's close frame are not read", { wire: true, needs: ["ws-close-codes"] }, async (target) => {
  const { app, outcome } = echo();
  await using server = await target.start(app);
  const peer = await FramePeer.open(server);
  await peer.send(CLOSE, closing(4000, "done"));
  await peer.send(TEXT, "late").catch(() => {});
  assertEquals(await peer.closed(), { code: 4000, reason: "done" });
  assertEquals(await peer.receive(), null);
  assertEquals(await outcome(), [{ type: "websocket.disconnect", code: 4000, reason: "done" }]);
});
