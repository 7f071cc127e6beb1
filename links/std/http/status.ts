/**
 * `@std/http/status` from npm.
 *
 * @module
 */

import { STATUS_TEXT as impl } from "deno-std/http/status.js";

/** Reason phrases by status. */
export const STATUS_TEXT: Readonly<Record<number, string>> = impl;
