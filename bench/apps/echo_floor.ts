/** Parses a JSON body and answers with it. @module */

import { readHead, serveFloor } from "./floor.ts";

serveFloor(async (request, info) => {
  readHead(request, info);
  return Response.json(await request.json());
});
