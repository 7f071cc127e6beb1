/** The smallest app, with a look at the heap after a full collection; needs `--v8-flags=--expose-gc`. @module */

import type { App } from "../../mod.ts";

const { gc } = globalThis as unknown as { gc: () => void };

const app: App = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`No ${scope.type} here`);
  let body = "Hello, world\n";
  if (scope.path === "/heap") {
    gc();
    body = String(Deno.memoryUsage().heapUsed);
  }
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain; charset=utf-8"]] });
  await send({ type: "http.response.body", body });
};

export default app;
