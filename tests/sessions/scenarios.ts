/**
 * Helpers of the scenario tests: apps that write down how each of their calls ended.
 *
 * @module
 */

import { type App, defineApp, type HttpApp, type SseApp, type WebSocketApp } from "../../src/spec/app.ts";
import { EventError, StateError } from "../../src/spec/errors.ts";

/** How a call ended: `ok`, or the class and what it names. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    if (error instanceof EventError) return `EventError ${error.event} ${error.field}`;
    if (error instanceof StateError) return `StateError ${error.event}`;
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

/** An app of one http function. */
export function http(part: HttpApp): App {
  return defineApp({ http: part });
}

/** An app of one websocket function. */
export function websocket(part: WebSocketApp): App {
  return defineApp({ websocket: part });
}

/** An app of one sse function. */
export function sse(part: SseApp): App {
  return defineApp({ sse: part });
}

/** A whole small answer, for apps that are about something else. */
export const OK = [{ type: "http.response.start", status: 200 }, { type: "http.response.body", body: "ok" }] as const;

/** An event that TypeScript would not let through. */
export function wrong(event: unknown): never {
  return event as never;
}
