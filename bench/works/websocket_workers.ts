/** Messages of 1 KB, sent back through a link. @module */

import { compare } from "../compare.ts";
import { ClientDriver } from "../load.ts";
import { inWorkers, ours, type Work } from "../work.ts";

/** At most 2.5 × inline. */
export const websocketProcess: Work = {
  name: "websocket-process",
  run: async (settings) => [
    await compare({
      title: "WebSocket echo of 1 KB, one process worker (floor: ours inline)",
      bound: 2.5,
      ours: ours("websocket.ts", inWorkers("process")),
      floor: ours("websocket.ts"),
      drive: ({ url }) => ClientDriver.start("websocket_echo.ts", url, "32"),
    }, settings),
  ],
};
