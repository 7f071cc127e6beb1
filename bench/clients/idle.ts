/**
 * Connections that have asked once and are idle then: `idle.ts URL COUNT`. It works for as long as it is told by doing nothing, and says
 * how many are still open.
 *
 * @module
 */

import { readHead, request, serveHarness } from "./client.ts";

/** So many connect at once: the system keeps only so many that are not accepted. */
const AT_ONCE = 100;

const [url, count] = Deno.args as [string, string];
const open = { count: 0 };
for (let at = 0; at < Number(count); at += AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, Number(count) - at) }, connect));
}

await serveHarness(async (milliseconds) => {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return open.count;
});

async function connect(): Promise<void> {
  const peer = await request(url, "/", []);
  await readHead(peer, 200);
  const [conn, buffer] = [peer.conn, new Uint8Array(64)];
  open.count++;
  // The body is read, and then the end is waited for.
  (async () => {
    while (await conn.read(buffer).catch(() => null) !== null);
    open.count--;
  })();
}
