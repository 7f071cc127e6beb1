/**
 * The targets of the suite: engine × home. A new engine or home is added here, and no test is touched.
 *
 * @module
 */

import { InlineHost } from "../../src/sessions/inline_host.ts";
import { DENO, NODE } from "./engines.ts";
import { frontLauncher } from "./front_launch.ts";
import { type Fronts, ProcessFronts, ThreadFronts } from "./fronts.ts";
import { type HomeMaker, localLauncher } from "./launch.ts";
import { listenerLauncher } from "./listener_launch.ts";
import { memoryTarget } from "./memory_target.ts";
import type { Target } from "./target.ts";
import { wireTarget } from "./wire_target.ts";

const inline: HomeMaker = { name: "inline", create: (app, ports) => new InlineHost(app, ports) };
const thread: Fronts = new ThreadFronts();
const process: Fronts = new ProcessFronts();

/** Every target. */
export const TARGETS: readonly Target[] = [
  wireTarget(localLauncher(DENO, inline)),
  wireTarget(frontLauncher(DENO, thread)),
  wireTarget(frontLauncher(DENO, process)),
  wireTarget(localLauncher(NODE, inline)),
  wireTarget(frontLauncher(NODE, thread)),
  wireTarget(frontLauncher(NODE, process)),
  wireTarget(listenerLauncher(NODE)),
  memoryTarget(inline),
];

/** Makes what the targets need before the first test. */
export async function prepareTargets(): Promise<void> {
  await Promise.all([thread.prepare(), process.prepare()]);
}
