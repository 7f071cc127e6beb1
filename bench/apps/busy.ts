/** Computes for about 10 ms, always the same, and answers with the result. @module */

import type { App } from "../../mod.ts";

const N = 31;

const app: App = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`No ${scope.type} here`);
  const text = String(fibonacci(N));
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain; charset=utf-8"]] });
  await send({ type: "http.response.body", body: text });
};

// The slow way on purpose.
function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

export default app;
