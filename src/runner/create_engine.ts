/**
 * Makes an engine of settings: in the server's own process, and in each worker that listens itself.
 *
 * Engines are loaded only here, and only the one that is needed.
 *
 * @module
 */

import type { LeavingEngine } from "./listening/listener_host.ts";
import type { Settings } from "./settings.ts";

/** What engines are told. Plain data but for `trust`. */
export type EngineFacts = Pick<Settings, "listeners" | "rootPath" | "maxBodyBytes" | "limits" | "headers" | "trust" | "wire" | "wsDeflate">;

/** Makes one; nothing is opened. Rejects with `StartupError` where it can't do what is asked. */
export async function createEngine(name: "deno" | "node", facts: EngineFacts): Promise<LeavingEngine> {
  const { listeners, rootPath, maxBodyBytes, limits: { highWaterBytes, lowWaterBytes }, headers, trust, wire, wsDeflate } = facts;
  const common = { listeners, rootPath, maxBodyBytes, highWaterBytes, lowWaterBytes, headers, trust };
  if (name === "deno") {
    const { DenoServeEngine } = await import("../engines/deno_serve.ts");
    return new DenoServeEngine(common);
  }
  const { NodeEngine } = await import("../engines/node_engine.ts");
  return new NodeEngine({ ...common, limits: wire, wsDeflate });
}
