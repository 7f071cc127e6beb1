/** One event to a thousand subscribers. @module */

import { compare } from "../compare.ts";
import { ClientDriver } from "../load.ts";
import { bare, ours, type Work } from "../work.ts";

/** At most 1.5 × a bare ReadableStream. */
export const sse: Work = {
  name: "sse",
  async run(settings) {
    return [
      await compare({
        title: "SSE, one event to 1,000 subscribers (per event and subscriber)",
        bound: 1.5,
        ours: ours("sse.ts"),
        floor: bare("sse_floor.ts"),
        drive: ({ url }) => ClientDriver.start("sse_subscribers.ts", url, "1000"),
      }, settings),
    ];
  },
};
