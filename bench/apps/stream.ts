/** 1 MiB in 16 chunks. @module */

import type { App } from "../../mod.ts";

const CHUNKS = 16;
const chunk = new Uint8Array(65_536).fill(0x61);

const app: App = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`No ${scope.type} here`);
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "application/octet-stream"]] });
  for (let at = 1; at <= CHUNKS; at++) await send({ type: "http.response.body", body: chunk, more: at < CHUNKS });
};

export default app;
