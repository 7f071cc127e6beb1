/** The plain request on the node engine: HTTP/1.1, and HTTP/2 with ten streams on each connection. @module */

import { compare } from "../compare.ts";
import { h2loadDriver, wrkDriver } from "../load.ts";
import { bare, ours, type Work } from "../work.ts";

const H2_CONNECTIONS = 8;
const H2_STREAMS = 10;

/** At most 1.25 × node:http in Deno. */
export const helloNode: Work = {
  name: "hello-node",
  run: async (settings) => [
    await compare({
      title: "hello, engine node (floor: node:http in Deno)",
      bound: 1.25,
      ours: ours("hello.ts", ["--engine", "node"]),
      floor: bare("hello_node.mjs"),
      drive: ({ url }) => wrkDriver(url),
    }, settings),
  ],
};

/** At most 1.25 × the streams of node:http2 in Deno. The deno engine's row has no bound. */
export const helloH2: Work = {
  name: "hello-h2",
  run: async (settings) => [
    await compare({
      title: "hello on HTTP/2, 10 streams, engine node (floor: streams of node:http2 in Deno)",
      bound: 1.25,
      ours: ours("hello.ts", ["--engine", "node"]),
      floor: bare("hello_http2.mjs"),
      drive: ({ url }) => h2loadDriver(url, H2_CONNECTIONS, H2_STREAMS),
    }, settings),
    await compare({
      title: "the same, engine deno (floor: bare Deno.serve)",
      ours: ours("hello.ts", ["--engine", "deno"]),
      floor: bare("hello_floor.ts"),
      drive: ({ url }) => h2loadDriver(url, H2_CONNECTIONS, H2_STREAMS),
    }, settings),
  ],
};
