/** A streamed answer of 1 MiB. @module */

import { compare } from "../compare.ts";
import { wrkDriver } from "../load.ts";
import { bare, ours, type Work } from "../work.ts";

/** At most 1.15 × the same chunks from a bare ReadableStream. */
export const stream: Work = {
  name: "stream",
  async run(settings) {
    return [
      await compare({
        title: "1 MiB streamed in chunks of 64 KiB",
        bound: 1.15,
        ours: ours("stream.ts"),
        floor: bare("stream_floor.ts"),
        drive: ({ url }) => wrkDriver(url),
      }, settings),
    ];
  },
};
