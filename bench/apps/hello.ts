/** The smallest app. @module */

import type { App } from "../../mod.ts";

const app: App = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`No ${scope.type} here`);
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain; charset=utf-8"]] });
  await send({ type: "http.response.body", body: "Hello, world\n" });
};

export default app;
