/**
 * The application: one function, called once for each scope; and {@linkcode defineApp}, which builds one from a function for each
 * scope type.
 *
 * Contract section 1.
 *
 * @module
 */

import type {
  HttpReceiveEvent,
  HttpSendEvent,
  LifespanReceiveEvent,
  LifespanSendEvent,
  ReceiveEvent,
  SendEvent,
  SseReceiveEvent,
  SseStreamEvent,
  WebSocketReceiveEvent,
  WebSocketSendEvent,
} from "./events.ts";
import type { HttpScope, LifespanScope, Scope, SseScope, WebSocketScope } from "./scope.ts";

/** Waits for the next event from the server. `E` is what may come. */
export type Receive<E extends ReceiveEvent = ReceiveEvent> = () => Promise<E>;

/**
 * Hands an event to the server. `E` is what may be sent.
 *
 * It rejects with `EventError` for a malformed event and with `StateError` for one at the wrong time. It waits while the outbound
 * buffer is over its high mark, and resolves without effect once the client is gone.
 */
export type Send<E extends SendEvent = SendEvent> = (event: E) => Promise<void>;

/**
 * An application. Its promise stands for the completion of the scope; what it resolves to means nothing. It must throw on a
 * `scope.type` that it does not handle.
 *
 * TypeScript can't narrow two parameters by a property of a third, so `receive` and `send` take the events of every scope
 * type here. {@linkcode HttpApp} and its siblings, or {@linkcode defineApp}, give the narrow types.
 *
 * @example
 * ```ts
 * import type { App } from "@pagi/server";
 *
 * const app: App = async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new Error(`Unsupported scope type: ${scope.type}`);
 *   await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
 *   await send({ type: "http.response.body", body: "Hello from PAGI" });
 * };
 * export default app;
 * ```
 */
export type App = (scope: Scope, receive: Receive, send: Send) => Promise<void>;

/** An application of http scopes alone. */
export type HttpApp = (
  scope: HttpScope,
  receive: Receive<HttpReceiveEvent>,
  send: Send<HttpSendEvent>,
) => Promise<void>;

/** An application of websocket scopes alone. */
export type WebSocketApp = (
  scope: WebSocketScope,
  receive: Receive<WebSocketReceiveEvent>,
  send: Send<WebSocketSendEvent>,
) => Promise<void>;

/** An application of sse scopes alone. */
export type SseApp = (
  scope: SseScope,
  receive: Receive<SseReceiveEvent>,
  send: Send<SseStreamEvent>,
) => Promise<void>;

/** An application of the lifespan scope alone. */
export type LifespanApp = (
  scope: LifespanScope,
  receive: Receive<LifespanReceiveEvent>,
  send: Send<LifespanSendEvent>,
) => Promise<void>;

/** One function for each scope type that an app handles. */
export interface AppParts {
  /** Takes http scopes. */
  http?: HttpApp;
  /** Takes websocket scopes. */
  websocket?: WebSocketApp;
  /** Takes sse scopes. */
  sse?: SseApp;
  /** Takes the lifespan scope. */
  lifespan?: LifespanApp;
}

/**
 * Builds an app from one function for each scope type, so that the type of the scope narrows what `receive` gives and what `send`
 * takes. The app throws on a scope type that has no function.
 *
 * @example
 * ```ts
 * import { defineApp } from "@pagi/server";
 *
 * export default defineApp({
 *   async http(scope, _receive, send) {
 *     await send({ type: "http.response.start", status: 200 });
 *     await send({ type: "http.response.body", body: `You asked for ${scope.path}` });
 *   },
 *   async sse(_scope, _receive, send) {
 *     await send({ type: "sse.start" });
 *     await send({ type: "sse.send", data: "hello" });
 *   },
 * });
 * ```
 */
export function defineApp(parts: AppParts): App {
  return (scope, receive, send) => {
    const part = parts[scope.type] as App | undefined;
    if (part === undefined) return Promise.reject(new Error(`This app does not handle scope type "${scope.type}"`));
    return part(scope, receive, send);
  };
}
