/** 1 MiB in 16 chunks. @module */

import { readHead, serveFloor } from "./floor.ts";

const CHUNKS = 16;
const chunk = new Uint8Array(65_536).fill(0x61);

serveFloor((request, info) => {
  readHead(request, info);
  let sent = 0;
  const stream = new ReadableStream({
    pull(controller) {
      controller.enqueue(chunk);
      if (++sent === CHUNKS) controller.close();
    },
  });
  return new Response(stream, { headers: { "content-type": "application/octet-stream" } });
});
