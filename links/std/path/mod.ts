/**
 * `@std/path` from npm, with the signatures of the functions that this project uses.
 *
 * @module
 */

import { basename as basenameImpl } from "deno-std/path/basename.js";
import { dirname as dirnameImpl } from "deno-std/path/dirname.js";
import { extname as extnameImpl } from "deno-std/path/extname.js";
import { fromFileUrl as fromFileUrlImpl } from "deno-std/path/from_file_url.js";
import { isAbsolute as isAbsoluteImpl } from "deno-std/path/is_absolute.js";
import { join as joinImpl } from "deno-std/path/join.js";
import { normalize as normalizeImpl } from "deno-std/path/normalize.js";
import { relative as relativeImpl } from "deno-std/path/relative.js";
import { resolve as resolveImpl } from "deno-std/path/resolve.js";
import { toFileUrl as toFileUrlImpl } from "deno-std/path/to_file_url.js";

/** The last part of a path. */
export const basename: (path: string, suffix?: string) => string = basenameImpl;
/** All but the last part. */
export const dirname: (path: string) => string = dirnameImpl;
/** The extension with its dot. */
export const extname: (path: string) => string = extnameImpl;
/** A path from a file URL. */
export const fromFileUrl: (url: string | URL) => string = fromFileUrlImpl;
/** Whether a path is absolute. */
export const isAbsolute: (path: string) => boolean = isAbsoluteImpl;
/** Joins and normalises. */
export const join: (...paths: string[]) => string = joinImpl;
/** Normalises. */
export const normalize: (path: string) => string = normalizeImpl;
/** The way from one path to another. */
export const relative: (from: string, to: string) => string = relativeImpl;
/** An absolute path. */
export const resolve: (...paths: string[]) => string = resolveImpl;
/** A file URL from a path. */
export const toFileUrl: (path: string) => URL = toFileUrlImpl;
