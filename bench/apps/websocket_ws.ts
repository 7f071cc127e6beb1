/** Sends every message back, on `npm:ws`. @module */

import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const seen = { units: 0 };

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket: Socket, request: { rawHeaders: string[] }) => {
  for (const part of request.rawHeaders) seen.units = (seen.units + part.length) | 0;
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});

server.listen(0, "127.0.0.1", () => console.error(`Listening on http://127.0.0.1:${(server.address() as { port: number }).port}/`));

/** The part of a socket of `npm:ws` that is used: the package has no types. */
interface Socket {
  on(event: "message", listener: (data: Uint8Array, isBinary: boolean) => void): void;
  send(data: Uint8Array, options: { binary: boolean }): void;
}
