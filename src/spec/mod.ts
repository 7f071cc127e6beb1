/**
 * The contract as types: application, scopes, events, handles, reasons and errors.
 *
 * This is everything that an app needs to be written against, and it imports nothing.
 *
 * @module
 */

export * from "./app.ts";
export * from "./errors.ts";
export * from "./events.ts";
export * from "./handles.ts";
export * from "./reasons.ts";
export * from "./scope.ts";
