/** The smallest app: one answer for every path. */
import type { App } from "@pagi/server";

const app: App = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`Unsupported scope type: ${scope.type}`);
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
  await send({ type: "http.response.body", body: "Hello from PAGI" });
};

export default app;
