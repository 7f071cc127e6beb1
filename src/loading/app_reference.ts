/**
 * Reads the app argument: what to import, and which of its exports is meant.
 *
 * | argument | means |
 * |---|---|
 * | `app.ts`, `./app.ts`, `/srv/app.ts` | the default export of a file |
 * | `app.ts:create` | its export `create` |
 * | `app.ts:create()` | what its factory `create` returns |
 * | `https://…`, `jsr:…`, `npm:…`, `file:…`, `data:…`, each with `:export` or `:export()` where wanted | the same of a URL or specifier |
 * | `@scope/name` | the same of a name from the import map |
 *
 * @module
 */

import { StartupError } from "../spec/errors.ts";

/** What the argument means. */
export interface AppReference {
  /** For messages: the argument without the export. */
  readonly label: string;
  /** What `import()` takes. */
  readonly specifier: string;
  /** The file, where it is one. */
  readonly path: string | null;
  /** The name of the export, `default` where none is given. */
  readonly exportName: string;
  /** The export is a factory to call. */
  readonly isCall: boolean;
}

const SCHEME = /^(?:https?|jsr|npm|file|data|blob|node):/;
const EXPORT = /^([\s\S]+):([A-Za-z_$][\w$]*)(\(\))?$/;

/**
 * Reads an app argument; a path is looked for from the working directory.
 *
 * @throws {StartupError} Where a path names no file.
 */
export function readReference(argument: string): AppReference {
  if (argument === "") throw new StartupError("The app is empty: give a file, a URL or module:export", { exitCode: 2 });
  if (SCHEME.test(argument)) return fromUrl(argument);
  if (isFile(argument)) return fromPath(argument, "default", false);
  const match = EXPORT.exec(argument);
  const [path, exportName, isCall] = match === null ? [argument, "default", false] : [match[1]!, match[2]!, match[3] !== undefined];
  if (match !== null && isFile(path)) return fromPath(path, exportName, isCall);
  // A name of the import map; a path that begins so can be written ./@…
  if (path.startsWith("@")) return { label: path, specifier: path, path: null, exportName, isCall };
  throw new StartupError(
    isDirectory(path)
      ? `${path} is a directory: name the file of the app in it`
      : `App not found: there is no file ${path}${path.startsWith("/") ? "" : ` in ${Deno.cwd()}`}`,
  );
}

function fromUrl(argument: string): AppReference {
  const match = argument.startsWith("data:") ? null : EXPORT.exec(argument);
  // The colon of `npm:express` is no separator.
  const isExport = match !== null && match[1]!.includes(":");
  const [url, exportName, isCall] = isExport ? [match[1]!, match[2]!, match[3] !== undefined] : [argument, "default", false];
  const path = url.startsWith("file:") ? filePath(url) : null;
  return { label: url.startsWith("data:") ? "the data: URL" : url, specifier: url, path, exportName, isCall };
}

function fromPath(path: string, exportName: string, isCall: boolean): AppReference {
  const url = pathUrl(path);
  return { label: path, specifier: url.href, path: filePath(url.href), exportName, isCall };
}

/** The file URL of a path, from the working directory. */
export function pathUrl(path: string): URL {
  const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return new URL(`file://${absolute.replace(/[%?#\\\n\r\t]/g, encodeURIComponent)}`);
}

/** The path of a file URL. */
export function filePath(url: string): string {
  return decodeURIComponent(new URL(url).pathname);
}

/** The folder that an absolute path is in. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function isFile(path: string): boolean {
  try {
    return !Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
