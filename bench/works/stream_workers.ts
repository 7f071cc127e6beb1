/** A streamed answer of 1 MiB through a link. @module */

import { compare } from "../compare.ts";
import { wrkDriver } from "../load.ts";
import { inWorkers, ours, type Work } from "../work.ts";

/** At most 2.2 × inline. */
export const streamProcess: Work = {
  name: "stream-process",
  run: async (settings) => [
    await compare({
      title: "1 MiB streamed, one process worker (floor: ours inline)",
      bound: 2.2,
      ours: ours("stream.ts", inWorkers("process")),
      floor: ours("stream.ts"),
      drive: ({ url }) => wrkDriver(url),
    }, settings),
  ],
};
