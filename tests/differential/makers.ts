/**
 * The two engines of the corpus, with the same limits where both have them.
 *
 * @module
 */

import { DenoServeEngine } from "../../src/engines/deno_serve.ts";
import type { ListenerSettings } from "../../src/engines/listener_settings.ts";
import { NodeEngine } from "../../src/engines/node_engine.ts";
import { DEFAULT_WIRE_LIMITS } from "../../src/engines/node_settings.ts";
import { LIMIT_BYTES, type Maker } from "./lane.ts";

const LISTENER: ListenerSettings = { at: { kind: "tcp", host: "127.0.0.1", port: 0 }, tls: null, proxyProtocol: false };
const SHARED = {
  listeners: [LISTENER],
  rootPath: "",
  maxBodyBytes: LIMIT_BYTES,
  highWaterBytes: 65_536,
  lowWaterBytes: 16_384,
  headers: [],
};

/** On `Deno.serve`. */
export const DENO: Maker = { name: "deno", create: () => new DenoServeEngine(SHARED) };

/** On Node's modules, with its default limits. */
export const NODE: Maker = {
  name: "node",
  create: () =>
    new NodeEngine({ ...SHARED, trust: null, wsDeflate: false, limits: { ...DEFAULT_WIRE_LIMITS, maxMessageBytes: LIMIT_BYTES } }),
};
