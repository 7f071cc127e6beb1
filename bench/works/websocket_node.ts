/** Messages of 1 KB, sent back by the node engine. @module */

import { compare } from "../compare.ts";
import { ClientDriver } from "../load.ts";
import { bare, ours, type Work } from "../work.ts";

/** At most 1.2 × bare npm:ws. */
export const websocketNode: Work = {
  name: "websocket-node",
  run: async (settings) => [
    await compare({
      title: "WebSocket echo of 1 KB, engine node (floor: npm:ws in Deno)",
      bound: 1.2,
      ours: ours("websocket.ts", ["--engine", "node"]),
      floor: bare("websocket_ws.ts"),
      drive: ({ url }) => ClientDriver.start("websocket_echo.ts", url, "32"),
    }, settings),
  ],
};
