/**
 * The targets of the suite: engine × home. A new engine or home is added here, and no test is touched.
 *
 * @module
 */

import { DENO_SERVE_CAPABILITIES, DenoServeEngine } from "../../src/engines/deno_serve.ts";
import { InlineHost } from "../../src/sessions/inline_host.ts";
import { memoryTarget } from "./memory_target.ts";
import type { Target } from "./target.ts";
import { type EngineMaker, type HomeMaker, wireTarget } from "./wire_target.ts";

const deno: EngineMaker = {
  name: "deno",
  capabilities: DENO_SERVE_CAPABILITIES,
  create: (settings) => new DenoServeEngine(settings),
};

const inline: HomeMaker = { name: "inline", create: (app, ports) => new InlineHost(app, ports) };

/** Every target. */
export const TARGETS: readonly Target[] = [wireTarget(deno, inline), memoryTarget(inline)];
