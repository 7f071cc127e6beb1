/**
 * The errors of the test client. What an app or a server does wrong is not among them: that has its own classes in `src/spec`.
 *
 * @module
 */

import type { TestResponse } from "./response.ts";

/**
 * A session, or a host, broke a rule of the seam of `src/exchange.ts`: it is a fault of the server, not of the app under test.
 *
 * It is thrown into the session and again by the test client, so it can't pass unseen.
 *
 * @example
 * ```ts
 * import { SeamError } from "@pagi/server/testing";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new SeamError("chunk", "the answer has ended").message, "Outbound.chunk() broke the seam: the answer has ended");
 * ```
 */
export class SeamError extends Error {
  /** The name of the class. */
  override readonly name = "SeamError";
  /** The `Outbound` call at fault. */
  readonly call: string;

  /** Builds the message `Outbound.<call>() broke the seam: <problem>`. */
  constructor(call: string, problem: string) {
    super(`Outbound.${call}() broke the seam: ${problem}`);
    this.call = call;
  }
}

/**
 * Something that the test waited for did not happen in time.
 *
 * @example
 * ```ts
 * import { testClient, WaitError } from "@pagi/server/testing";
 * import { assertRejects } from "@std/assert";
 *
 * const silent = async () => await new Promise<void>(() => {});
 * await using client = await testClient(silent, { lifespan: "off", timeoutMs: 20 });
 * await assertRejects(() => client.get("/"), WaitError, "Waited 20 ms for the response to GET /");
 * ```
 */
export class WaitError extends Error {
  /** The name of the class. */
  override readonly name = "WaitError";

  /** Builds the message `Waited <ms> ms for <what>`. */
  constructor(ms: number, what: string) {
    super(`Waited ${ms} ms for ${what}`);
  }
}

/**
 * A WebSocket handshake or an event stream was answered with an ordinary response, which it carries.
 *
 * Where the app threw, its error is the `cause`, and the message ends with it.
 *
 * @example
 * ```ts
 * import { RefusedError, testClient } from "@pagi/server/testing";
 * import { defineApp } from "@pagi/server";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const app = defineApp({
 *   async websocket(_scope, _receive, send) {
 *     await send({ type: "websocket.close" });
 *   },
 * });
 * await using client = await testClient(app);
 * const error = await assertRejects(() => client.websocket("/"), RefusedError);
 * assertEquals(error.response.status, 403);
 * ```
 */
export class RefusedError extends Error {
  /** The name of the class. */
  override readonly name = "RefusedError";
  /** The whole response. */
  readonly response: TestResponse;

  /** Creates the error from what was asked and how it was answered. */
  constructor(what: string, response: TestResponse) {
    super(`${what} was answered with status ${response.status}${threw(response.appError)}`, causedBy(response.appError));
    this.response = response;
  }
}

/**
 * The exchange ended before the thing that was waited for came.
 *
 * Where the app threw, its error is the `cause`, and the message ends with it.
 *
 * @example
 * ```ts
 * import { ClosedError } from "@pagi/server/testing";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new ClosedError("The response to GET / was cut", "server_error").message, "The response to GET / was cut: server_error");
 * ```
 */
export class ClosedError extends Error {
  /** The name of the class. */
  override readonly name = "ClosedError";
  /** A reason token; for a WebSocket the text of the close frame. */
  readonly reason: string;
  /** The close code of a WebSocket, else `null`. */
  readonly code: number | null;

  /** Builds the message `<what>: <reason>`; `appError` is what the app threw, `undefined` where it threw nothing. */
  constructor(what: string, reason: string, code: number | null = null, appError?: unknown) {
    super(`${reason === "" ? what : `${what}: ${reason}`}${threw(appError)}`, causedBy(appError));
    this.reason = reason;
    this.code = code;
  }
}

/**
 * The end of an error's message that says what the app threw; `""` where it threw nothing.
 *
 * @internal
 */
export function threw(appError: unknown): string {
  if (appError === undefined) return "";
  return `; the app threw ${appError instanceof Error ? `${appError.name}: ${appError.message}` : Deno.inspect(appError)}`;
}

function causedBy(appError: unknown): ErrorOptions {
  return appError === undefined ? {} : { cause: appError };
}
