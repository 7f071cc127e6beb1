/** The file that BENCH_FILE names, read in chunks of 64 KiB by a bare stream. @module */

import { readHead, serveFloor } from "./floor.ts";

const path = Deno.env.get("BENCH_FILE")!;

serveFloor(async (request, info) => {
  readHead(request, info);
  const file = await Deno.open(path);
  const { size } = await file.stat();
  const stream = new ReadableStream({
    async pull(controller) {
      // A buffer that is queued must not change: each chunk has its own.
      const buffer = new Uint8Array(65_536);
      const count = await file.read(buffer);
      if (count !== null) controller.enqueue(buffer.subarray(0, count));
      else {
        file.close();
        controller.close();
      }
    },
  });
  return new Response(stream, { headers: { "content-type": "application/octet-stream", "content-length": String(size) } });
});
