/**
 * Clients that never read: `stalled.ts URL http|websocket COUNT`. They read the head of the answer, then do nothing for as long as they are
 * told.
 *
 * @module
 */

import { openWebSocket, readHead, request, serveHarness } from "./client.ts";

const [url, kind, count] = Deno.args as [string, string, string];
for (let at = 0; at < Number(count); at++) {
  if (kind === "websocket") await openWebSocket(url);
  else await readHead(await request(url, "/", []), 200);
}

await serveHarness(async (milliseconds) => {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return 1;
});
