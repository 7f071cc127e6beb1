/** Subscribers of one event stream; `/publish` sends an event to all. @module */

import { readHead, serveFloor } from "./floor.ts";

const subscribers = new Set<ReadableStreamDefaultController<Uint8Array>>();
const headers = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", "x-accel-buffering": "no" };

serveFloor((request, info) => {
  readHead(request, info);
  if (request.headers.get("accept") === "text/event-stream") {
    let subscriber: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream({
      start(controller) {
        subscriber = controller;
        subscribers.add(controller);
      },
      cancel() {
        subscribers.delete(subscriber);
      },
    });
    return new Response(stream, { headers });
  }
  const bytes = new TextEncoder().encode(`data: {"time":${Date.now()},"text":"${"x".repeat(64)}!"}\n\n`);
  for (const subscriber of subscribers) subscriber.enqueue(bytes);
  return new Response(`${subscribers.size}`);
});
