/** Messages of 1 KB, sent back. @module */

import { compare } from "../compare.ts";
import { ClientDriver } from "../load.ts";
import { bare, ours, type Work } from "../work.ts";

/** At most 1.25 × bare Deno.upgradeWebSocket. */
export const websocket: Work = {
  name: "websocket",
  async run(settings) {
    return [
      await compare({
        title: "WebSocket echo of 1 KB, 32 connections (per message)",
        bound: 1.25,
        ours: ours("websocket.ts"),
        floor: bare("websocket_floor.ts"),
        drive: ({ url }) => ClientDriver.start("websocket_echo.ts", url, "32"),
      }, settings),
    ];
  },
};
