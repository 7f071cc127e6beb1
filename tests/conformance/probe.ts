/**
 * Apps whose outcome the test awaits: what a handler returns or throws is handed to the test, so an assertion in an app can fail it.
 *
 * @module
 */

import { type App, defineApp, type HttpApp, type SseApp, type WebSocketApp } from "../../src/spec/app.ts";
import { Mailbox } from "./waiting.ts";

/** An app and the outcomes of its calls. */
export interface Probe<T> {
  readonly app: App;
  /** What the next call that has ended gave. @throws what it threw. */
  outcome(): Promise<T>;
}

/** A handler of one scope type that gives its test something. */
export type Handler<H extends (...args: never[]) => Promise<void>, T> = (...args: Parameters<H>) => Promise<T>;

/** Watches a handler of websocket scopes. */
export function socketProbe<T>(handler: Handler<WebSocketApp, T>): Probe<T> {
  return probe((watch) => defineApp({ websocket: (...args) => watch(() => handler(...args)) }));
}

/** Watches a handler of sse scopes. */
export function sseProbe<T>(handler: Handler<SseApp, T>): Probe<T> {
  return probe((watch) => defineApp({ sse: (...args) => watch(() => handler(...args)) }));
}

/** Watches a handler of http scopes. */
export function httpProbe<T>(handler: Handler<HttpApp, T>): Probe<T> {
  return probe((watch) => defineApp({ http: (...args) => watch(() => handler(...args)) }));
}

/** Tells what a promise rejected with, as `EventError: …`; `resolved` where it did not. */
export async function outcomeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "resolved";
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

/** A `send` that takes anything, for events that no type allows. */
export function loose<E>(send: (event: E) => Promise<void>): (event: unknown) => Promise<void> {
  return send as (event: unknown) => Promise<void>;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

function probe<T>(build: (watch: (run: () => Promise<T>) => Promise<void>) => App): Probe<T> {
  const outcomes = new Mailbox<Outcome<T>>();
  const app = build(async (run) => {
    let value: T;
    try {
      value = await run();
    } catch (error) {
      outcomes.put({ error });
      throw error;
    }
    outcomes.put({ value });
  });
  return {
    app,
    outcome: async () => {
      const outcome = await outcomes.take("the app to end");
      if ("error" in outcome) throw outcome.error;
      return outcome.value;
    },
  };
}
