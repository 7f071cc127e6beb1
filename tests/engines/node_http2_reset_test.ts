/** How streams of HTTP/2 are broken off, as a client of raw frames sees it. */

import { assert, assertEquals } from "@std/assert";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { reset } from "../../src/engines/node_http2_reset.ts";
import { CONNECT, FLAG, FRAME, type Frame, FrameConnection, GET } from "../conformance/h2_frames.ts";
import { WireConnection } from "../conformance/wire_connection.ts";
import { until } from "../conformance/waiting.ts";
import { serve, SETTINGS, type SocketTap } from "./node_socket_peer.ts";

const CANCEL = 8;

/** A client of raw frames that asks for one thing on stream 1. */
async function ask(port: number, flags: number, head: Uint8Array): Promise<FrameConnection & Disposable> {
  const connect = async () => new WireConnection(await Deno.connect({ hostname: "127.0.0.1", port }));
  const client = await FrameConnection.connect({ connect });
  await client.send(FRAME.headers, flags, 1, head);
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

/** How stream 1 ends: the bytes of data before, and the code of the reset, or the type of the frame that ended it without one. */
async function ending(client: FrameConnection): Promise<[bytes: number, end: number | string]> {
  let bytes = 0;
  const last = await client.until(({ type, flags, stream, payload }: Frame) => {
    if (stream !== 1) return false;
    if (type === FRAME.data) bytes += payload.byteLength;
    return type === FRAME.reset || ((type === FRAME.data || type === FRAME.headers) && (flags & FLAG.endStream) !== 0);
  });
  if (last === null) return [bytes, "nothing"];
  return [bytes, last.type === FRAME.reset ? new DataView(last.payload.slice().buffer).getUint32(0) : `END_STREAM of type ${last.type}`];
}

Deno.test("reset() breaks an answer that is under way off, with the code", async (t) => {
  let wanted = 0;
  let body = 0;
  const broken = Promise.withResolvers<ServerHttp2Stream>();
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    stream.respond({ ":status": 200 });
    stream.write(new Uint8Array(body), () => {
      if (body > 0 && body <= 1000) reset(stream, wanted);
    });
    // What the client takes nothing of is never written.
    if (body > 1000) setImmediate(() => reset(stream, wanted));
    broken.resolve(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as AddressInfo;
  for (const code of [1, 2, CANCEL]) {
    for (const bytes of [5, 1_000_000]) {
      await t.step(`code ${code}, ${bytes} bytes`, async () => {
        [wanted, body] = [code, bytes];
        using client = await ask(port, FLAG.endHeaders | FLAG.endStream, GET);
        const [came, end] = await ending(client);
        assertEquals(end, code);
        assert(bytes > 1000 ? came < bytes : came === bytes, `${came} of ${bytes} bytes`);
        // The connection goes on.
        await client.send(FRAME.ping, 0, 0, new Uint8Array(8));
        assert(await client.until(({ type, flags }) => type === FRAME.ping && flags === FLAG.ack) !== null);
      });
    }
  }
  // A second time is nothing.
  const stream = await broken.promise;
  await until(() => stream.destroyed, "the end of the stream");
  reset(stream, CANCEL);
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("a WebSocket that is cut is reset with CANCEL, never ended", async (t) => {
  const ways: readonly (readonly [name: string, cut: (tap: SocketTap) => void])[] = [
    ["queue_overflow", ({ out }) => out.abort("queue_overflow")],
    ["a keepalive that is not answered", ({ out }) => out.abort("keepalive_timeout")],
    ["a close frame that is not answered", ({ out }) => out.close(1000, "")],
  ];
  for (const [name, cut] of ways) {
    for (const waiting of [0, 1_000_000]) {
      await t.step(`${name}, ${waiting} bytes wait`, async () => {
        await using server = await serve("2", { ...SETTINGS, wsCloseTimeoutMs: 50 });
        using client = await ask(server.port, FLAG.endHeaders, CONNECT);
        const tap = await server.tap();
        if (waiting > 0) tap.do((out) => out.message(new Uint8Array(waiting)));
        tap.do(() => cut(tap));
        const [bytes, end] = await ending(client);
        assertEquals(end, CANCEL);
        // Not more than the client has opened its window for.
        assert(bytes <= 65_535);
        assertEquals((await tap.end()).clean, false);
      });
    }
  }
});
