/** The file that BENCH_FILE names. @module */

import type { App } from "../../mod.ts";

const path = Deno.env.get("BENCH_FILE")!;

const app: App = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`No ${scope.type} here`);
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "application/octet-stream"]] });
  await send({ type: "http.response.body", file: path });
};

export default app;
