/** A client that reads on and on: `reading.ts URL http|websocket`. It counts KiB. @module */

import { openWebSocket, readHead, request, serveHarness } from "./client.ts";

const [url, kind] = Deno.args as [string, string];
const peer = kind === "websocket" ? await openWebSocket(url) : await request(url, "/", []);
if (kind !== "websocket") await readHead(peer, 200);

await serveHarness(async (milliseconds) => {
  const until = performance.now() + milliseconds;
  let bytes = 0;
  while (performance.now() < until) {
    const read = await peer.conn.read(peer.buffer);
    if (read === null) throw new Error("The server closed");
    bytes += read;
  }
  return Math.round(bytes / 1024);
});
