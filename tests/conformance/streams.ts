/**
 * What the rows of event streams share: a request for one, and apps that start one.
 *
 * @module
 */

import type { Pairs } from "../../src/exchange.ts";
import type { SseApp } from "../../src/spec/app.ts";
import { type Probe, sseProbe } from "./probe.ts";
import type { Ask, Exchange, Running } from "./target.ts";

/** The header that asks for an event stream. */
export const STREAM: Pairs = [["accept", "text/event-stream"]];

/** Asks for an event stream, and reads it piece by piece. */
export function stream(server: Running, ask: Ask = {}): Promise<Exchange> {
  return server.exchange({ ...ask, headers: [...STREAM, ...(ask.headers ?? [])] });
}

/** What a handler of an sse scope gets. */
export type SseArgs = Parameters<SseApp>;

/** Watches a handler whose stream has started. */
export function started<T>(handler: (send: SseArgs[2], receive: SseArgs[1], scope: SseArgs[0]) => Promise<T>): Probe<T> {
  return sseProbe(async (scope, receive, send) => {
    await send({ type: "sse.start" });
    return await handler(send, receive, scope);
  });
}
