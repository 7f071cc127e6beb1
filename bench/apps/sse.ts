/** Subscribers of one event stream; `/publish` sends an event to all. @module */

import type { App, SseStreamEvent } from "../../mod.ts";

type Subscriber = (event: SseStreamEvent) => Promise<void>;

const subscribers = new Set<Subscriber>();

const app: App = async (scope, receive, send) => {
  if (scope.type === "sse") {
    await send({ type: "sse.start" });
    const subscriber = send as Subscriber;
    subscribers.add(subscriber);
    while ((await receive()).type !== "sse.disconnect");
    subscribers.delete(subscriber);
    return;
  }
  if (scope.type !== "http") throw new Error(`No ${scope.type} here`);
  const event = { type: "sse.send", data: `{"time":${Date.now()},"text":"${"x".repeat(64)}!"}` } as const;
  await Promise.all(Array.from(subscribers, (subscriber) => subscriber(event)));
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: `${subscribers.size}` });
};

export default app;
