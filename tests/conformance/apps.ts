/**
 * Apps that many rows share.
 *
 * @module
 */

import type { App, HttpApp, Receive, Send } from "../../src/spec/app.ts";
import { defineApp } from "../../src/spec/app.ts";
import type { HttpReceiveEvent, HttpSendEvent } from "../../src/spec/events.ts";
import type { HttpScope } from "../../src/spec/scope.ts";
import type { Running, Target } from "./target.ts";
import { Mailbox } from "./waiting.ts";

/** An app of http scopes alone. */
export function http(handler: HttpApp): App {
  return defineApp({ http: handler });
}

/** Answers every request with this text. */
export function text(body: string, headers: readonly (readonly [string, string])[] = []): App {
  return http((_scope, _receive, send) => answer(send, body, headers));
}

/** Sends a whole answer. */
export async function answer(
  send: Send<HttpSendEvent>,
  body: string | Uint8Array = "ok",
  headers: readonly (readonly [string, string])[] = [],
  status = 200,
): Promise<void> {
  await send({ type: "http.response.start", status, headers });
  await send({ type: "http.response.body", body });
}

/** Answers with "ok" and gives the scopes to the test. */
export function scopes(): { app: App; seen: Mailbox<HttpScope> } {
  const seen = new Mailbox<HttpScope>();
  const app = http(async (scope, _receive, send) => {
    seen.put(scope);
    await answer(send);
  });
  return { app, seen };
}

/** The whole request body and its events. */
export async function readBody(receive: Receive<HttpReceiveEvent>): Promise<{ body: string; events: HttpReceiveEvent[] }> {
  const events: HttpReceiveEvent[] = [];
  const decoder = new TextDecoder();
  let body = "";
  for (;;) {
    const event = await receive();
    events.push(event);
    if (event.type !== "http.request") return { body, events };
    body += decoder.decode(event.body, { stream: true });
    if (!event.more) return { body, events };
  }
}

/** Answers with the request body, after it has come. */
export const echo: App = http(async (_scope, receive, send) => {
  const { body } = await readBody(receive);
  await answer(send, body);
});

/** Starts an http app whose handler can say something to the test. */
export async function saying(
  target: Target,
  handler: (send: Send<HttpSendEvent>, say: (words: unknown) => void) => Promise<void>,
): Promise<{ server: Running; said: Mailbox<unknown> }> {
  const said = new Mailbox<unknown>();
  return { server: await target.start(http((_scope, _receive, send) => handler(send, (words) => said.put(words)))), said };
}

/** What a promise rejected with; fails where it did not. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`No error was thrown, but ${Deno.inspect(error)}`);
  }
  throw new Error("It did not reject");
}
