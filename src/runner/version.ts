/**
 * The version of this package.
 *
 * @module
 */

/** The same as in deno.json, which a test compares: an installed package can't read that file. */
export const VERSION = "0.1.0";
