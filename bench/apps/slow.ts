/** For clients that are slow: it reads a body to its end, streams at `/big` without an end, and is small and quick elsewhere. @module */

import type { App } from "../../mod.ts";

const SIZE = 65_536;

const app: App = async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error(`No ${scope.type} here`);
  if (scope.method === "POST") {
    for (let event = await receive(); event.type === "http.request" && event.more === 1;) event = await receive();
  }
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
  if (scope.path !== "/big") return await send({ type: "http.response.body", body: "Hello, world\n" });
  while (scope["pagi.connection"].isConnected()) await send({ type: "http.response.body", body: new Uint8Array(SIZE), more: 1 });
};

export default app;
