import { assert, assertEquals } from "@std/assert";
import { BINARY, CLOSE, CONTINUATION, PING, TEXT } from "../conformance/frames.ts";
import { until } from "../conformance/waiting.ts";
import { both, closing, type FramePeer, meet, over, serve, SETTINGS } from "./node_socket_peer.ts";

const KILOBYTE = 1024;
const MEGABYTE = 1024 * KILOBYTE;

/** Messages of 100 KB until the system takes no more, and so many on top; their number. */
function fill(send: (data: Uint8Array) => void, buffered: () => number, more: number): number {
  const data = new Uint8Array(100 * KILOBYTE);
  let count = 0;
  while (buffered() < more) {
    send(data);
    count++;
  }
  return count;
}

/** Reads messages of binary data until so many bytes have come; their sizes. */
async function readAll(peer: FramePeer, bytes: number): Promise<number[]> {
  const sizes: number[] = [];
  for (let left = bytes; left > 0;) {
    const came = (await peer.receive())!;
    assert(came.opcode === BINARY || came.opcode === CONTINUATION);
    if (came.opcode === BINARY) sizes.push(0);
    sizes[sizes.length - 1]! += came.payload.length;
    left -= came.payload.length;
  }
  return sizes;
}

both("buffered says what waits, and drained comes when it has shrunk", async (version) => {
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version);
  assertEquals(tap.out.buffered, 0);
  tap.do((out) => out.message("small"));
  await until(() => tap.out.buffered === 0, "the small message to leave");
  const count = fill((data) => tap.do((out) => out.message(data)), () => tap.out.buffered, 8 * MEGABYTE);
  const high = tap.out.buffered;
  assert(high >= 8 * MEGABYTE && high < 8 * MEGABYTE + 100 * KILOBYTE + 14 * count, `${high}`);
  assertEquals(tap.calls, []);
  assertEquals(await peer.next(), "1:80:small");
  assertEquals(await readAll(peer, count * 100 * KILOBYTE), new Array(count).fill(100 * KILOBYTE));
  assertEquals(await tap.next(), { call: "drained" });
  assert(tap.out.buffered < SETTINGS.lowWaterBytes);
  await until(() => tap.out.buffered === 0, "the rest to leave");
  assertEquals(tap.calls.length, 1, "it is told once");
  peer.drop();
  await over(server, tap);
});

both("a long message goes out in parts, with control frames between them, and others wait behind it", async (version) => {
  await using server = await serve(version, { wsCloseTimeoutMs: 5000 });
  const [peer, tap] = await meet(server, version);
  const bytes = new Uint8Array(5 * MEGABYTE + 1).map((_, at) => at * 7);
  const text = "é".repeat(MEGABYTE) + "e";
  tap.do((out) => out.message(bytes));
  tap.do((out) => out.message(text));
  tap.do((out) => out.message("short"));
  tap.do((out) => out.ping(0));
  await peer.send(PING, "p");
  tap.do((out) => out.close(1000, "done"));
  const messages: [opcode: number, payload: Uint8Array][] = [];
  const controls: number[] = [];
  let parts: Uint8Array[] = [];
  let kind = 0;
  for (;;) {
    const came = (await peer.receive())!;
    if (came.opcode >= CLOSE) controls.push(came.opcode);
    else {
      assertEquals(came.opcode === CONTINUATION, parts.length > 0);
      if (parts.length === 0) kind = came.opcode;
      parts.push(came.payload);
      if ((came.flags & 0x80) !== 0) {
        messages.push([kind, new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer())]);
        parts = [];
      }
    }
    if (came.opcode === CLOSE) break;
  }
  assertEquals(messages.map(([opcode, { length }]) => [opcode, length]), [[BINARY, bytes.length], [TEXT, 2 * MEGABYTE + 1], [TEXT, 5]]);
  assertEquals(messages[0]![1], bytes);
  assertEquals(new TextDecoder().decode(messages[1]![1]) === text, true);
  assertEquals([controls.includes(PING), controls.at(-1)], [true, CLOSE]);
  await peer.send(CLOSE, closing(1000));
  assertEquals((await tap.end()).clean, true);
  assertEquals(server.finished[0]!.bytes, bytes.length + 2 * MEGABYTE + 1 + 5);
  await over(server, tap);
  peer.drop();
});

both("a peer that reads nothing is cut with write_timeout, and the system holds nothing for it", async (version) => {
  await using server = await serve(version, { limits: { ...SETTINGS.limits, writeTimeoutMs: 1000 } });
  const [peer, tap] = await meet(server, version);
  for (const exchange of server.wire.open) exchange.check(0);
  const count = fill((data) => tap.out.message(data), () => tap.out.buffered, 4 * MEGABYTE);
  const [exchange] = server.wire.open;
  exchange!.check(5000);
  exchange!.check(5999);
  assertEquals(server.wire.open.size, 1);
  // What it reads starts the time anew.
  await readAll(peer, (count >> 1) * 100 * KILOBYTE);
  await until(() => tap.out.buffered < 3 * MEGABYTE, "some of it to leave");
  exchange!.check(6000);
  exchange!.check(6999);
  assertEquals(server.wire.open.size, 1);
  // The system may have taken all of it.
  fill((data) => tap.out.message(data), () => tap.out.buffered, 4 * MEGABYTE);
  exchange!.check(20_000);
  exchange!.check(21_000);
  assertEquals(await tap.end(), { reason: "write_timeout", code: 1006, clean: false });
  await until(() => server.stream().destroyed, "the end of the stream");
  if (version === "1.1") assertEquals(await sendQueue(server.port), "");
  await over(server, tap);
  peer.drop();
});

Deno.test("check() cuts nothing where nothing waits, or without a limit", async () => {
  for (const writeTimeoutMs of [100, 0]) {
    await using server = await serve("1.1", { limits: { ...SETTINGS.limits, writeTimeoutMs } });
    const [peer, tap] = await meet(server, "1.1");
    if (writeTimeoutMs === 0) fill((data) => tap.out.message(data), () => tap.out.buffered, MEGABYTE);
    for (const exchange of server.wire.open) for (const now of [0, 1000, 1e9]) exchange.check(now);
    assertEquals(server.wire.open.size, 1);
    peer.drop();
  }
});

both("what waits for a peer that reads nothing ends with the close timeout", async (version) => {
  await using server = await serve(version, { wsCloseTimeoutMs: 100 });
  const [peer, tap] = await meet(server, version);
  fill((data) => tap.out.message(data), () => tap.out.buffered, 4 * MEGABYTE);
  tap.do((out) => out.close(1000, ""));
  assertEquals(await tap.end(), { reason: "client_timeout", code: 1006, clean: false });
  await until(() => server.stream().destroyed, "the end of the stream");
  peer.drop();
  await over(server, tap);
});

both("shutdown() drops what waits in favour of the close frame", async (version) => {
  await using server = await serve(version);
  const [peer, tap] = await meet(server, version);
  const count = fill((data) => tap.out.message(data), () => tap.out.buffered, 8 * MEGABYTE);
  for (const exchange of server.wire.open) exchange.shutdown();
  assertEquals(await tap.end(), { reason: "server_shutdown", code: 1012, clean: false });
  assertEquals(tap.out.buffered, 0);
  let seen = 0;
  for (;;) {
    const came = (await peer.receive())!;
    if (came.opcode === CLOSE) {
      assertEquals([...came.payload], [1012 >> 8, 1012 & 255]);
      break;
    }
    seen++;
  }
  assert(seen < count, `${seen} of ${count}`);
  peer.drop();
});

Deno.test("a peer that pings and reads nothing does not make pongs pile up", async () => {
  await using server = await serve("1.1");
  const [peer, tap] = await meet(server, "1.1");
  const pings = new Uint8Array(1000 * 131);
  for (let at = 0; at < pings.length; at += 131) pings.set([0x89, 0x80 | 125, 0, 0, 0, 0], at);
  let isOver = false;
  const ending = tap.end().then((end) => {
    isOver = true;
    return end;
  });
  while (!isOver) await Promise.race([peer.send(pings).catch(() => {}), ending]);
  assertEquals(await ending, { reason: "client_closed", code: 1006, clean: false });
  peer.drop();
  await over(server, tap);
});

/** Lines of connections of the system that still have something to send from a port. */
async function sendQueue(port: number): Promise<string> {
  const text = await Deno.readTextFile("/proc/net/tcp");
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return text.split("\n").filter((line) => line.trim().split(/\s+/)[1]?.endsWith(`:${hex}`) === true)
    .filter((line) => !line.trim().split(/\s+/)[4]!.startsWith("00000000:")).join("\n");
}
