/** A plain request with seven headers. @module */

import { compare } from "../compare.ts";
import { wrkDriver } from "../load.ts";
import { bare, ours, type Work } from "../work.ts";

/** At most 1.25 × the floor. */
export const hello: Work = {
  name: "hello",
  async run(settings) {
    return [
      await compare({
        title: "hello, 7 request headers, production, no access log",
        bound: 1.25,
        ours: ours("hello.ts"),
        floor: bare("hello_floor.ts"),
        drive: ({ url }) => wrkDriver(url),
      }, settings),
    ];
  },
};
