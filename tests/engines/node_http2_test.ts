/** HTTP/2 of the node engine in raw frames: how a connection is said goodbye to. */

import { assertEquals } from "@std/assert";
import { fromLatin1, latin1, RawClient, startNode } from "./engine_peer.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const [DATA, HEADERS, SETTINGS, GOAWAY] = [0, 1, 4, 7];
/** GET http://a/ */
const GET = "\x82\x84\x86\x41\x01a";

function frame(type: number, flags: number, stream: number, payload = ""): string {
  const head = [payload.length >> 16, payload.length >> 8, payload.length, type, flags, stream >> 24, stream >> 16, stream >> 8, stream];
  return fromLatin1(Uint8Array.from(head)) + payload;
}

/** Frames, as `[type, stream, first number of the payload]`; the last one may not be whole. */
function framesOf(text: string): [type: number, stream: number, first: number][] {
  const bytes = latin1(text);
  const view = new DataView(bytes.buffer);
  const found: [number, number, number][] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const size = view.getUint32(at) >> 8;
    if (at + 9 + size > bytes.length) break;
    found.push([bytes[at + 3]!, view.getUint32(at + 5), size >= 4 ? view.getUint32(at + 9) : 0]);
    at += 9 + size;
  }
  return found;
}

Deno.test("NodeEngine.drain() announces the end to an HTTP/2 client, serves what crosses it, and then names the last stream", async () => {
  await using server = await startNode(({ out }) => out.respond(200, [], "hello", 0));
  using client = await RawClient.connect(server.port);
  const ends = (stream: number) => (text: string) => framesOf(text).some(([type, id]) => type === DATA && id === stream);
  await client.send(PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, 5, 1, GET));
  await client.readUntil(ends(1));
  server.engine.drain();
  await client.readUntil((text) => framesOf(text).some(([type]) => type === GOAWAY));
  await client.send(frame(HEADERS, 5, 3, GET));
  await client.readUntil(ends(3));
  const goodbyes = framesOf(await client.rest()).filter(([type]) => type === GOAWAY);
  assertEquals(goodbyes.map(([, , last]) => last), [2 ** 31 - 1, 3]);
  assertEquals(server.finished.map(({ status, end }) => [status, end.reason]), [[200, null], [200, null]]);
});
