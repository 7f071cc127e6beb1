/** A response in three parts, one second apart, with a trailer; it stops where the client leaves. */
import type { App, Receive } from "@pagi/server";

const CHUNKS = 3;
const PAUSE_MS = 1000;

const app: App = async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error(`Unsupported scope type: ${scope.type}`);
  await drain(receive);
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]], trailers: 1 });

  // One pending receive is enough to learn that the client has left: behind the body there is nothing else to come.
  const left = new AbortController();
  receive().then(() => left.abort());

  for (let chunk = 1; chunk <= CHUNKS; chunk++) {
    if (chunk > 1) await pause(PAUSE_MS, left.signal);
    if (left.signal.aborted) return console.error(`The client left before chunk ${chunk}`);
    await send({ type: "http.response.body", body: `Chunk ${chunk}\n`, more: chunk < CHUNKS });
  }
  await send({ type: "http.response.trailers", headers: [["x-stream-complete", "1"]] });
};

export default app;

async function drain(receive: Receive): Promise<void> {
  for (;;) {
    const event = await receive();
    if (event.type !== "http.request" || !event.more) return;
  }
}

/** Resolves after a time, or at once when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
