/**
 * A bridge from the web's way to write a server: makes an app of any fetch handler.
 *
 * Contract section 10. A handler that answers an event stream works in an sse scope as it does in an http scope; WebSocket handshakes are
 * refused with 501, since a handler has no way to take them.
 *
 * @module
 */

import type { App, Receive, Send } from "../../spec/app.ts";
import type { HttpScope, SseScope, WebSocketScope } from "../../spec/scope.ts";
import { answer } from "../../wire/answers.ts";
import { bridgeRequest } from "./fetch_request.ts";
import { RequestBody } from "./fetch_request_body.ts";
import { sendResponse } from "./fetch_response.ts";
import { Watch } from "./fetch_watch.ts";

/** What `Deno.serve`, Hono, Oak and service workers are written against. */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

/**
 * Makes an app of a fetch handler.
 *
 * Bodies stream both ways and wait for each other. `request.signal` aborts when the client leaves, as far as the engine can know; it is
 * looked for only once the handler reads it. `new Request(request)` does not carry it on by itself: give it `{ signal: request.signal }`.
 *
 * @example
 * ```ts
 * import { fromFetch } from "@pagi/server/fetch";
 *
 * export default fromFetch(async (request) => {
 *   const { pathname } = new URL(request.url);
 *   return new Response(`${request.method} ${pathname}: ${await request.text()}\n`);
 * });
 * ```
 */
export function fromFetch(handler: FetchHandler): App {
  return async (scope, receive, send) => {
    switch (scope.type) {
      case "http":
      case "sse":
        return await run(handler, scope, receive, send);
      case "websocket":
        return await refuse(scope, send);
      default:
        throw new Error(`A fetch handler does not handle scope type "${scope.type}"`);
    }
  };
}

async function run(handler: FetchHandler, scope: HttpScope | SseScope, receive: Receive, send: Send): Promise<void> {
  const body = new RequestBody(receive);
  const watch = new Watch(scope, body);
  const request = bridgeRequest(scope, body, watch);
  if (typeof request === "number") {
    return await sendResponse(new Response(answer(request).body, { status: request }), scope, send, watch);
  }
  const response = await handler(request);
  if (!(response instanceof Response)) throw new TypeError(`The fetch handler gave ${describe(response)}: it must give a Response`);
  if (response.status < 200) throw new TypeError(`The fetch handler gave a response of status ${response.status}, which can't be sent`);
  // Nobody reads the request from here on, unless the handler has begun to.
  body.release();
  await sendResponse(response, scope, send, watch);
}

async function refuse(scope: WebSocketScope, send: Send): Promise<void> {
  if (scope.extensions["websocket.http.response"] === undefined) return await send({ type: "websocket.close" });
  const { status, headers, body } = answer(501, "This app takes no WebSocket");
  await send({ type: "websocket.http.response.start", status, headers });
  await send({ type: "websocket.http.response.body", body });
}

function describe(value: unknown): string {
  return value === null || typeof value !== "object" ? String(value) : `an object of class ${value.constructor?.name ?? "null"}`;
}
