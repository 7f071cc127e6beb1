/**
 * The test client of `@pagi/server`: an app is served in memory, by the server's own sessions, without a socket.
 *
 * Start with {@linkcode testClient}. Responses are {@linkcode TestResponse}s; {@linkcode TestExchange}, {@linkcode TestWebSocket} and
 * {@linkcode TestSse} are what streams. A {@linkcode ManualClock} makes time stand still.
 *
 * @example
 * ```ts
 * import { testClient } from "@pagi/server/testing";
 * import { defineApp } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const app = defineApp({
 *   async http(scope, _receive, send) {
 *     await send({ type: "http.response.start", status: 200 });
 *     await send({ type: "http.response.body", body: `Hello ${scope.path}` });
 *   },
 * });
 *
 * Deno.test("the app greets", async () => {
 *   await using client = await testClient(app);
 *   assertEquals((await client.get("/world")).text(), "Hello /world");
 * });
 * ```
 *
 * @module
 */

export { TestClient, testClient } from "./client.ts";
export type {
  AppLike,
  FinishedExchange,
  HostPorts,
  Note,
  OpenOptions,
  RequestOptions,
  SseOptions,
  TestClientOptions,
  TestLimits,
  WebSocketOptions,
} from "./client_options.ts";
export { ManualClock } from "./clock.ts";
export { CookieJar } from "./cookies.ts";
export { ClosedError, RefusedError, SeamError, WaitError } from "./errors.ts";
export { type ResponseHead, TestExchange } from "./http.ts";
export { type BodyOptions, type Fields } from "./request_body.ts";
export { type Hint, TestResponse } from "./response.ts";
export { TestSse } from "./sse.ts";
export type { SseEvent } from "./sse_parser.ts";
export { type SocketClose, TestWebSocket } from "./websocket.ts";
// What the options above refer to of the seam between engines and homes.
export type {
  Capability,
  Clock,
  End,
  Fields as NoteFields,
  Files,
  Host,
  Inbound,
  Level,
  Limits,
  OpenFile,
  Outbound,
  Pairs,
  RequestHead,
  SocketInbound,
  SocketOutbound,
  Start,
  Timer,
} from "../exchange.ts";
export type { TlsInfo } from "../spec/scope.ts";
