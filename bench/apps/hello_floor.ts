/** The smallest handler. @module */

import { readHead, serveFloor } from "./floor.ts";

serveFloor((request, info) => {
  readHead(request, info);
  return new Response("Hello, world\n", { headers: { "content-type": "text/plain; charset=utf-8" } });
});
