/**
 * Makes an app of what a module exports, or says what it got and what would be right.
 *
 * An app is a function of (scope, receive, send). Taken too: an object with `toApp()`, and one with `fetch(request)`. A function is
 * taken for an app unless it is called as a factory: that happens only where `key=value` arguments are given, or the name is
 * written with `()`; nothing is guessed from the number of parameters.
 *
 * @module
 */

import type { App } from "../spec/app.ts";
import { StartupError } from "../spec/errors.ts";
import { moduleProblem } from "./module_problem.ts";

/**
 * What can be served: an app, an object whose `toApp()` gives one, or one with a `fetch(request)` as Hono has it, which is bridged by
 * `fromFetch` of `@pagi/server/fetch`.
 *
 * @example
 * ```ts
 * import { type Servable, serve } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const site: Servable = { fetch: (request) => new Response(new URL(request.url).pathname) };
 * await using server = await serve(site, { port: 0, quiet: true });
 * const response = await fetch(`${server.url}hello`);
 * assertEquals(await response.text(), "/hello");
 * ```
 */
export type Servable =
  | App
  | {
    /** Gives the app. */
    toApp(): App | Promise<App>;
  }
  | {
    /** Answers a request. */
    fetch(request: Request): Response | Promise<Response>;
  };

const RIGHT = "an app is a function (scope, receive, send), an object with toApp(), or one with fetch(request)";

/**
 * Calls a factory, and makes an app of what it gives.
 *
 * @throws {StartupError} Where it is no function, throws, or gives something else.
 */
export async function appOfFactory(factory: unknown, label: string, args: Readonly<Record<string, string>>): Promise<App> {
  if (typeof factory !== "function" || isClass(factory)) {
    throw new StartupError(
      `${capitalised(label)} is ${kindOf(factory)}, not a factory: arguments reach an exported function (options) => app`,
    );
  }
  const call = Object.keys(args).length > 0 ? "key=value arguments" : "()";
  const hint = `leave the ${call} out`;
  // A factory takes one parameter, an app three.
  const isAppLike = factory.length > 1;
  let made: unknown;
  try {
    made = await factory({ ...args });
  } catch (error) {
    const problem = moduleProblem(error);
    throw new StartupError(
      isAppLike
        ? `${capitalised(label)} looks like an app, not a factory: ${hint} (called as a factory, ${problem})`
        : `The factory failed, ${label}: ${problem}`,
      { cause: error },
    );
  }
  if (made === undefined) {
    throw new StartupError(
      isAppLike
        ? `${capitalised(label)} looks like an app, not a factory: ${hint} (called as a factory, it gave nothing)`
        : `The factory gave nothing, ${label}: it must return an app; where it is an app itself, ${hint}`,
    );
  }
  return await toApp(made, `what the factory gave, ${label},`);
}

/**
 * Makes an app of a value.
 *
 * @throws {StartupError} Where it is none of what an app can be.
 */
export async function toApp(value: unknown, label: string): Promise<App> {
  if (hasMethod(value, "toApp")) {
    let made: unknown;
    try {
      made = await value.toApp();
    } catch (error) {
      throw new StartupError(`toApp() of ${label} failed: ${moduleProblem(error)}`, { cause: error });
    }
    if (typeof made === "function" && !isClass(made)) return made as App;
    throw new StartupError(`toApp() of ${label} gave ${kindOf(made)}: it must give a function (scope, receive, send)`);
  }
  if (typeof value === "function" && !isClass(value)) return value as App;
  if (hasMethod(value, "fetch")) {
    const { fromFetch } = await import("../toolkit/bridge/from_fetch.ts");
    return fromFetch((request) => value.fetch(request) as Response | Promise<Response>);
  }
  throw new StartupError(`${capitalised(label)} is ${kindOf(value)}: ${RIGHT}`);
}

/** What a value is, in words. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "function") return isClass(value) ? `the class ${value.name}` : "a function";
  if (typeof value === "object") {
    if (value instanceof Promise) return "a promise";
    const keys = Object.keys(value);
    return keys.length === 0 ? "an object without app" : `an object with ${keys.slice(0, 5).join(", ")}${keys.length > 5 ? ", …" : ""}`;
  }
  return `a ${typeof value}`;
}

function capitalised(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}

function hasMethod<M extends string>(value: unknown, method: M): value is Record<M, (...args: unknown[]) => unknown> {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  return typeof (value as Record<string, unknown>)[method] === "function";
}

function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}
