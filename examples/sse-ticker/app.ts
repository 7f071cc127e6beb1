/** A ticker: one value that moves every second, sent to every open page as server-sent events. */
import type { App, HttpScope, Receive, Send, SseScope } from "@pagi/server";
import { Ticker } from "./ticker.ts";

const PAGE = await Deno.readFile(new URL("page.html", import.meta.url));

const app: App = async (scope, receive, send) => {
  switch (scope.type) {
    case "lifespan":
      return await lifespan(scope.state, receive, send);
    case "http":
      return await servePage(scope, send);
    case "sse":
      return await stream(scope, receive, send);
    default:
      throw new Error(`Unsupported scope type: ${scope.type}`);
  }
};

export default app;

/** The ticker runs as long as the server does. */
async function lifespan(state: Record<string, unknown>, receive: Receive, send: Send): Promise<void> {
  await receive();
  const ticker = new Ticker();
  state.ticker = ticker;
  await send({ type: "lifespan.startup.complete" });
  await receive();
  ticker.stop();
  await send({ type: "lifespan.shutdown.complete" });
}

async function stream(scope: SseScope, receive: Receive, send: Send): Promise<void> {
  const ticker = scope.state?.ticker;
  if (scope.path !== "/ticks" || !(ticker instanceof Ticker)) {
    const text = scope.path === "/ticks" ? "The ticker needs --lifespan auto or on\n" : "Not Found\n";
    await send({ type: "sse.http.response.start", status: scope.path === "/ticks" ? 503 : 404, headers: [["content-type", "text/plain"]] });
    return await send({ type: "sse.http.response.body", body: text });
  }
  const left = new AbortController();
  untilGone(receive).then(() => left.abort());
  const over = AbortSignal.any([left.signal, ...(scope.extensions.drain ? [scope.extensions.drain.signal] : [])]);

  await send({ type: "sse.start" });
  await send({ type: "sse.keepalive", interval: 15 });
  // A browser that comes back names the last tick that it saw; what it has missed comes first.
  let last = Number(scope.headers.find(([name]) => name === "last-event-id")?.[1] ?? NaN);
  using _ = ticker.watched();
  while (!over.aborted) {
    // Whoever is slow waits in send and then gets what the ticker still remembers.
    for (const tick of ticker.since(last)) {
      await send({
        type: "sse.send",
        event: "tick",
        id: String(tick.number),
        data: JSON.stringify({ ...tick, watchers: ticker.watchers }),
        retry: 1000,
      });
      last = tick.number;
    }
    await ticker.next(over);
  }
}

async function untilGone(receive: Receive): Promise<void> {
  while ((await receive()).type !== "sse.disconnect");
}

async function servePage(scope: HttpScope, send: Send): Promise<void> {
  const found = scope.path === "/";
  await send({
    type: "http.response.start",
    status: found ? 200 : 404,
    headers: [["content-type", found ? "text/html; charset=utf-8" : "text/plain"]],
  });
  await send({ type: "http.response.body", body: found ? PAGE : "Not Found\n" });
}
