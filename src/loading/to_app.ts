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

const RIGHT = "an app is a function (scope, receive, send), an object with toApp(), or one with fetch(request)";

/**
 * Calls a factory.
 *
 * @throws {StartupError} Where it is no function, or throws.
 */
export async function callFactory(factory: unknown, label: string, args: Readonly<Record<string, string>>): Promise<unknown> {
  if (typeof factory !== "function" || isClass(factory)) {
    throw new StartupError(
      `${capitalised(label)} is ${kindOf(factory)}, not a factory: arguments reach an exported function (options) => app`,
    );
  }
  try {
    return await factory({ ...args });
  } catch (error) {
    throw new StartupError(`The factory failed, ${label}: ${moduleProblem(error)}`, { cause: error });
  }
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
