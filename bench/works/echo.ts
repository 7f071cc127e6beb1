/** A JSON document of 1 KB, parsed and sent back. @module */

import { compare } from "../compare.ts";
import { wrkDriver } from "../load.ts";
import { bare, ours, type Work } from "../work.ts";

/** At most 1.35 × the same on bare Deno.serve. */
export const echo: Work = {
  name: "echo",
  async run(settings) {
    return [
      await compare({
        title: "1 KB JSON echo (POST)",
        bound: 1.35,
        ours: ours("echo.ts"),
        floor: bare("echo_floor.ts"),
        drive: ({ url }) => wrkDriver(url, { script: "post_json.lua" }),
      }, settings),
    ];
  },
};
