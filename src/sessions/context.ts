/**
 * What the sessions of one home share: settings, ports, and the small helpers that every session uses.
 *
 * @module
 */

import type { Capability, Clock, Files, Limits, Outbound, RequestHead } from "../exchange.ts";
import { EventError } from "../spec/errors.ts";
import type { Flag } from "../spec/events.ts";
import type { ScopeType } from "../spec/scope.ts";
import { EVENTS } from "../wire/events.ts";
import { nearest } from "../wire/nearest.ts";
import type { DrainRegistry } from "./drain.ts";
import type { Fairness } from "./fairness.ts";

/** Everything a session knows beside its exchange. */
export interface Context {
  readonly clock: Clock;
  readonly files: Files;
  readonly limits: Limits;
  /** Check every known field of every event. */
  readonly strict: boolean;
  /** The lifespan state, `null` where lifespan is off or was declined. */
  readonly state: Readonly<Record<string, unknown>> | null;
  readonly drain: DrainRegistry;
  readonly fairness: Fairness;
}

/** What a `send` without a wait resolves with: one promise for all. */
export const RESOLVED: Promise<void> = Promise.resolve();

/** No bytes. */
export const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

const ENCODER = new TextEncoder();

/** Body data as bytes; a string is encoded as UTF-8. */
export function toBytes(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? ENCODER.encode(data) : data;
}

/** Whether a value is bytes that a wire takes: no Proxy of them, and no shared memory. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;
}

/** Bytes of body data, without encoding it where that is not needed. */
export function byteLength(data: Uint8Array | string): number {
  return typeof data === "string" ? ENCODER.encode(data).byteLength : data.byteLength;
}

/**
 * Reads a flag of an event.
 *
 * @throws {EventError} Where it is none of 0, 1, true and false.
 */
export function toFlag(value: Flag | undefined, event: string, field: string): boolean {
  if (value === undefined || value === 0 || value === false) return false;
  if (value === 1 || value === true) return true;
  throw new EventError(event, field, "must be 0, 1, true or false");
}

/**
 * Reads a body of an event.
 *
 * @throws {EventError} Where it is neither bytes nor text.
 */
export function toBody(value: unknown, event: string): Uint8Array | string {
  if (value === undefined) return EMPTY;
  if (typeof value === "string" || isBytes(value)) return value;
  throw new EventError(event, "body", "must be a Uint8Array or a string");
}

/**
 * Reads an interval or a timeout of an event.
 *
 * @returns Milliseconds.
 * @throws {EventError} Where it is not a finite number of seconds, 0 or more.
 */
export function toMs(seconds: unknown, event: string, field: string): number {
  if (typeof seconds === "number" && seconds >= 0 && seconds < Infinity) return seconds * 1000;
  throw new EventError(event, field, "must be a number of seconds, 0 or more");
}

/** Whether the wire of this exchange has a capability. */
export function can(head: RequestHead, capability: Capability): boolean {
  return head.capabilities.includes(capability);
}

/** The error for an event whose `type` is unknown in its scope. */
export function unknownEvent(event: unknown, scopeType: ScopeType): EventError {
  if (event === null || typeof event !== "object") {
    return new EventError(event === null ? "null" : typeof event, "event", `must be an object with a type of the ${scopeType} protocol`);
  }
  const type = (event as { type?: unknown }).type;
  if (typeof type !== "string") {
    return new EventError("(no type)", "type", `is missing: it must name an event of the ${scopeType} protocol`);
  }
  const types = Object.keys(EVENTS[scopeType]);
  const meant = nearest(type, types);
  const hint = meant === null ? `, which are ${types.join(", ")}` : `: did you mean "${meant}"?`;
  return new EventError(type, "type", `is not an event of the ${scopeType} protocol${hint}`);
}

/** Logs an app's failure with its stack. */
export function noteFailure(out: Outbound, text: string, error: unknown): void {
  out.note("error", text, { error: describe(error) });
}

/** An error as text for the log: the stack where there is one. */
export function describe(error: unknown): string {
  return show(() => error instanceof Error ? String(error.stack ?? `${error.name}: ${error.message}`) : String(error));
}

/** An error in one line. */
export function briefly(error: unknown): string {
  return show(() => error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}

/** An app may throw anything, even what throws when it is looked at; that must not keep the session from its end. */
function show(text: () => string): string {
  try {
    return text();
  } catch {
    return "something that can't be shown";
  }
}

/** Runs callbacks in order; one that throws is logged and does not stop the others. */
export function runCallbacks<A extends unknown[]>(callbacks: readonly ((...args: A) => void)[], out: Outbound, ...args: A): void {
  for (const callback of [...callbacks]) { // a callback may register another
    try {
      callback(...args);
    } catch (error) {
      noteFailure(out, "A callback failed", error);
    }
  }
}
