/** A fast stream of readings that skips readings for a slow client, so that what it gets is never old. */
import type { App, Receive } from "@pagi/server";

const INTERVAL_MS = 20;
const REPORT_EVERY = 50;
const PADDING = "x".repeat(2000);

const app: App = async (scope, receive, send) => {
  if (scope.type !== "sse") throw new Error(`Unsupported scope type: ${scope.type}`);
  const transport = scope["pagi.transport"];
  const limit = transport.highWaterMark() / 2;
  const left = new AbortController();
  untilGone(receive).then(() => left.abort());
  // A server that is about to stop says so: an endless stream ends itself then.
  const over = AbortSignal.any([left.signal, ...(scope.extensions.drain ? [scope.extensions.drain.signal] : [])]);
  await send({ type: "sse.start" });

  let skipped = 0;
  for (let round = 1; !over.aborted; round++) {
    // What waits in the buffer is already old. While much waits, a newer reading takes the place of this one.
    if (transport.bufferedAmount() > limit) skipped++;
    else {
      await send({ type: "sse.send", event: "reading", id: String(round), data: JSON.stringify({ round, skipped, padding: PADDING }) });
      skipped = 0;
    }
    if (round % REPORT_EVERY === 0) {
      console.error(
        `round ${round}: ${skipped === 0 ? "healthy" : `conflating, ${skipped} skipped`}, ${transport.bufferedAmount()} bytes wait`,
      );
    }
    await pause(INTERVAL_MS, over);
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
