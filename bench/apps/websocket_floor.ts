/** Sends every message back. @module */

import { readHead, serveFloor } from "./floor.ts";

serveFloor((request, info) => {
  readHead(request, info);
  const { response, socket } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
});
