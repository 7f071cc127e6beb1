/** The plain request where two processes listen on one port, each with an engine of its own. @module */

import { compare } from "../compare.ts";
import { wrkDriver } from "../load.ts";
import { bare, ours, type Work } from "../work.ts";

const BOUND = 1.3;

/** At most 1.3 × the bare server of each engine, per request. */
export const helloListener: Work = {
  name: "hello-listener",
  run: async (settings) => [
    await compare({
      title: "hello, two listener workers, engine node (floor: node:http in Deno, one process)",
      bound: BOUND,
      ours: ours("hello.ts", [...LISTENERS, "--engine", "node"]),
      floor: bare("hello_node.mjs"),
      drive: ({ url }) => wrkDriver(url),
    }, settings),
    await compare({
      title: "hello, two listener workers, engine deno (floor: bare Deno.serve, one process)",
      bound: BOUND,
      // Processes share a port only where it is named; a later --port wins over the first.
      ours: ours("hello.ts", [...LISTENERS, "--engine", "deno", "--port", String(freePort())]),
      floor: bare("hello_floor.ts"),
      drive: ({ url }) => wrkDriver(url),
    }, settings),
  ],
};

const LISTENERS = ["--workers", "2", "--worker-type", "listener"];

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
