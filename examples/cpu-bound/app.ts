/** Computes a Fibonacci number the slow way: what an app that keeps a core busy does to everybody else, and what workers do about it. */
import type { App, HttpScope, LifespanScope, Receive, Send } from "@pagi/server";

/** One more makes it about 1.6 times as slow; this one takes some seconds. */
const MAX = 44;

const app: App = async (scope, receive, send) => {
  switch (scope.type) {
    case "lifespan":
      return await lifespan(scope, receive, send);
    case "http":
      return await compute(scope, send);
    default:
      throw new Error(`Unsupported scope type: ${scope.type}`);
  }
};

export default app;

/** Runs once in each worker, which so learns its number. */
async function lifespan(scope: LifespanScope, receive: Receive, send: Send): Promise<void> {
  await receive();
  scope.state.worker = scope.pagi.is_worker ? scope.pagi.worker_num : null;
  await send({ type: "lifespan.startup.complete" });
  await receive();
  await send({ type: "lifespan.shutdown.complete" });
}

async function compute(scope: HttpScope, send: Send): Promise<void> {
  const text = new URLSearchParams(scope.query_string).get("n") ?? "40";
  const n = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  if (!(n <= MAX)) return await answer(send, 400, { error: `n is a number from 0 to ${MAX}` });
  const started = performance.now();
  const value = fibonacci(n);
  const milliseconds = Math.round(performance.now() - started);
  await answer(send, 200, { n, value, milliseconds, worker: scope.state?.worker ?? null, pid: Deno.pid });
}

async function answer(send: Send, status: number, value: unknown): Promise<void> {
  await send({ type: "http.response.start", status, headers: [["content-type", "application/json"]] });
  await send({ type: "http.response.body", body: `${JSON.stringify(value)}\n` });
}

/** No `await`, so nothing else runs in this thread before it is done. */
function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
