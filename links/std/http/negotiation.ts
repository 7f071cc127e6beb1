/**
 * `@std/http/negotiation` from npm, with the signatures that this project uses.
 *
 * @module
 */

import { accepts as acceptsImpl } from "deno-std/http/negotiation.js";

/** The best of the offered media types. */
export const accepts: (request: { headers: Headers }, ...types: string[]) => string | undefined = acceptsImpl;
