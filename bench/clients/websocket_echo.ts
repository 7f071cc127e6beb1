/** WebSockets that send a message of 1 KB, wait for its echo, and send the next: `websocket_echo.ts URL CONNECTIONS`. @module */

import { openWebSocket, type Peer, serveHarness, write } from "./client.ts";

const SIZE = 1024;
/** A server's frame of that size has a head of 4 bytes. */
const ECHO_BYTES = SIZE + 4;

const [url, connections] = Deno.args as [string, string];
const frame = maskedText("m".repeat(SIZE));
const peers = await Promise.all(Array.from({ length: Number(connections) }, () => openWebSocket(url)));

await serveHarness(async (milliseconds) => {
  const until = performance.now() + milliseconds;
  const counts = await Promise.all(peers.map((peer) => echo(peer, until)));
  return counts.reduce((total, count) => total + count);
});

async function echo({ conn, buffer }: Peer, until: number): Promise<number> {
  let count = 0;
  while (performance.now() < until) {
    await write(conn, frame);
    for (let bytes = 0; bytes < ECHO_BYTES;) {
      const read = await conn.read(buffer);
      if (read === null) throw new Error("The server closed");
      if (bytes === 0 && (buffer[0] !== 0x81 || buffer[1] !== 126)) throw new Error("Not the echo of a text message");
      bytes += read;
      if (bytes > ECHO_BYTES) throw new Error("More than the echo came");
    }
    count++;
  }
  return count;
}

/** One frame of RFC 6455: final, text, masked, with a length of 16 bits. */
function maskedText(text: string): Uint8Array {
  const mask = [0x12, 0x34, 0x56, 0x78];
  const payload = new TextEncoder().encode(text).map((byte, at) => byte ^ mask[at % 4]!);
  return new Uint8Array([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff, ...mask, ...payload]);
}
