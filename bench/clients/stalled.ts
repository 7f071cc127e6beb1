/**
 * A client that never reads: `stalled.ts URL http|websocket`. It reads the head of the answer, then does nothing for as long as it is told.
 *
 * @module
 */

import { openWebSocket, readHead, request, serveHarness } from "./client.ts";

const [url, kind] = Deno.args as [string, string];
if (kind === "websocket") await openWebSocket(url);
else await readHead(await request(url, "/", []), 200);

await serveHarness(async (milliseconds) => {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return 1;
});
