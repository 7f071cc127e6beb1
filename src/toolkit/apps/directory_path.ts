/**
 * From a request path to a file below one folder, and to no file elsewhere.
 *
 * @module
 */

import { isAbsolute, join, relative } from "@std/path";
import { decodePath } from "../../wire/target.ts";

/** A file or folder that exists below the root. */
export interface Found {
  /** The real path: no symbolic link in it. */
  readonly path: string;
  /** What the system says of it. */
  readonly info: Deno.FileInfo;
}

/** Separators of either system, NUL, and what Windows reads as a drive or a stream. */
const FORBIDDEN = Deno.build.os === "windows" ? /[\0/\\:]/ : /[\0/\\]/;

/**
 * Splits a path as sent into decoded names.
 *
 * It works on the raw path, so that an encoded slash can't become a separator.
 *
 * @returns `null` where a name is hidden, is empty, goes up or holds a character that no name here may have.
 */
export function splitNames(rawPath: string): string[] | null {
  if (!rawPath.startsWith("/")) return null;
  const parts = rawPath.slice(1).split("/");
  if (parts.at(-1) === "") parts.pop();
  const names = parts.map(decodePath);
  return names.every((name) => name !== "" && !isHidden(name) && !FORBIDDEN.test(name)) ? names : null;
}

/** Whether a name begins with a dot; `.` and `..` do too. */
export function isHidden(name: string): boolean {
  return name.startsWith(".");
}

/**
 * Finds what names mean below a real folder.
 *
 * @returns 404 where nothing is there, 403 where it leads out of the folder, to a hidden name, or may not be read.
 */
export async function locate(root: string, names: readonly string[]): Promise<Found | 403 | 404> {
  try {
    const path = await Deno.realPath(join(root, ...names));
    if (!isInside(root, path)) return 403;
    const info = await Deno.stat(path);
    return info.isFile || info.isDirectory ? { path, info } : 404;
  } catch (error) {
    return isDenied(error) ? 403 : isMissing(error) ? 404 : fail(error);
  }
}

/** A link may lead to another place below the root, but not out of it and not to what is hidden. */
function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return !isAbsolute(way) && way.split(/[/\\]/).every((name) => !isHidden(name));
}

function isDenied(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.FilesystemLoop ||
    (error as { code?: unknown }).code === "ENAMETOOLONG";
}

function fail(error: unknown): never {
  throw error;
}
