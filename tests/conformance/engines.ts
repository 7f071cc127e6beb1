/**
 * The engines of the suite, by name: a front in another process makes the same ones.
 *
 * @module
 */

import { DENO_SERVE_CAPABILITIES, DenoServeEngine } from "../../src/engines/deno_serve.ts";
import type { ListenerSettings } from "../../src/engines/listener_settings.ts";
import { NODE_CAPABILITIES, NodeEngine } from "../../src/engines/node_engine.ts";
import type { WireLimits } from "../../src/engines/node_settings.ts";
import type { Capability, Engine, Pairs } from "../../src/exchange.ts";

/** What every engine is told. Plain data: it is sent to fronts. */
export interface EngineSettings {
  readonly listeners: readonly ListenerSettings[];
  readonly rootPath: string;
  readonly maxBodyBytes: number;
  readonly highWaterBytes: number;
  readonly lowWaterBytes: number;
  readonly headers: Pairs;
  /** For an engine that has them. */
  readonly limits: WireLimits;
  readonly wsDeflate: boolean;
}

/** An engine under test. */
export interface EngineMaker {
  readonly name: string;
  readonly capabilities: readonly Capability[];
  create(settings: EngineSettings): Engine;
}

/** `Deno.serve`. */
export const DENO: EngineMaker = {
  name: "deno",
  capabilities: DENO_SERVE_CAPABILITIES,
  create: (settings) => new DenoServeEngine(settings),
};

/** Node's modules. */
export const NODE: EngineMaker = {
  name: "node",
  capabilities: NODE_CAPABILITIES,
  create: (settings) => new NodeEngine({ ...settings, trust: null }),
};

/** All of them. */
export const ENGINES: readonly EngineMaker[] = [DENO, NODE];
