/** Sends two ticks and a farewell as server-sent events, a second before each. */
import type { App, Receive } from "@pagi/server";

const PAUSE_MS = 1000;
const EVENTS = [
  { event: "tick", data: "1" },
  { event: "tick", data: "2" },
  { event: "done", data: "finished" },
];

const app: App = async (scope, receive, send) => {
  if (scope.type !== "sse") throw new Error(`Unsupported scope type: ${scope.type}`);
  await send({ type: "sse.start" });

  const left = new AbortController();
  untilGone(receive).then(() => left.abort());

  for (const event of EVENTS) {
    await pause(PAUSE_MS, left.signal);
    if (left.signal.aborted) return console.error("The client left");
    await send({ type: "sse.send", ...event });
  }
};

export default app;

async function untilGone(receive: Receive): Promise<void> {
  while ((await receive()).type !== "sse.disconnect");
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
