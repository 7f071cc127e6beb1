/**
 * The app that is served where none is named: a folder, read only, with its files and a listing.
 *
 * GET and HEAD, conditional requests and single byte ranges; names that begin with a dot are not there; nothing outside the folder is
 * reachable. Files leave as `file` bodies, so the server reads them. Contract section 3; RFC 9110 sections 13 and 14.
 *
 * @module
 */

import { eTag, ifNoneMatch } from "@std/http/etag";
import { contentType } from "@std/media-types";
import { extname } from "@std/path";
import type { App, Send } from "../../spec/app.ts";
import { StartupError } from "../../spec/errors.ts";
import type { Headers } from "../../spec/events.ts";
import type { HttpScope } from "../../spec/scope.ts";
import { answer } from "../../wire/answers.ts";
import { parseRange, type Range } from "./byte_range.ts";
import { listingPage, readListing } from "./directory_listing.ts";
import { type Found, locate, splitNames } from "./directory_path.ts";

const INDEX = "index.html";

/** What the media type registry says of these is older than the language: `.ts` would be a video. */
const OWN_TYPES: Readonly<Record<string, string>> = {
  ".ts": "text/plain; charset=utf-8",
  ".mts": "text/plain; charset=utf-8",
  ".cts": "text/plain; charset=utf-8",
  ".tsx": "text/plain; charset=utf-8",
};

const NO_SNIFF = ["x-content-type-options", "nosniff"] as const;
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * Makes an app that serves a folder, read only.
 *
 * @param root The folder; a relative one is meant from the working directory.
 * @throws {StartupError} Where it is no folder or may not be read.
 *
 * @example
 * ```ts
 * import { directoryApp } from "@pagi/server/directory";
 *
 * export default directoryApp(".");
 * ```
 */
export function directoryApp(root: string): App {
  const folder = openRoot(root);
  return async (scope, _receive, send) => {
    switch (scope.type) {
      case "http":
        return await serve(folder, scope, send);
      case "sse":
        return await decline(send);
      case "websocket":
        return await send({ type: "websocket.close" });
      default:
        throw new Error(`A directory does not handle scope type "${scope.type}"`);
    }
  };
}

function openRoot(root: string): string {
  let folder: string;
  try {
    folder = Deno.realPathSync(root);
    if (Deno.statSync(folder).isDirectory) return folder;
  } catch (error) {
    throw new StartupError(`Cannot serve the directory ${root}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  throw new StartupError(`Cannot serve ${root}: it is a file, and a directory is needed`);
}

/** A folder has no events. */
async function decline(send: Send): Promise<void> {
  const { status, headers, body } = answer(406);
  await send({ type: "sse.http.response.start", status, headers });
  await send({ type: "sse.http.response.body", body });
}

async function serve(root: string, scope: HttpScope, send: Send): Promise<void> {
  if (scope.method !== "GET" && scope.method !== "HEAD") return await refuse(send, 405, [["allow", "GET, HEAD"]]);
  const names = splitNames(scope.raw_path);
  if (names === null) return await refuse(send, 404);
  const found = await locate(root, names);
  if (typeof found === "number") return await refuse(send, found);
  const isFolderPath = scope.raw_path.endsWith("/");
  if (!found.info.isDirectory) return isFolderPath ? await refuse(send, 404) : await sendFile(scope, found, send);
  // Relative links of a page are meant from its folder, so its path must end with a slash.
  if (!isFolderPath) return await redirect(scope, names, send);
  const index = await locate(root, [...names, INDEX]);
  if (typeof index !== "number" && index.info.isFile) return await sendFile(scope, index, send);
  await sendListing(root, found, names, send);
}

async function sendFile(scope: HttpScope, { path, info }: Found, send: Send): Promise<void> {
  const { size, mtime } = info;
  const type = OWN_TYPES[extname(path).toLowerCase()] ?? contentType(extname(path)) ?? "application/octet-stream";
  const tag = await eTag(info);
  const modified = mtime?.toUTCString();
  const validators: Headers = [...pair("etag", tag), ...pair("last-modified", modified)];
  if (isNotModified(scope, tag, mtime)) {
    await send({ type: "http.response.start", status: 304, headers: validators });
    return await send({ type: "http.response.body" });
  }
  // RFC 9110 section 14.2: a range is for GET only; section 13.1.5: an If-Range that does not match means the whole file.
  const asked = scope.method === "GET" && mayBeRange(scope, modified) ? parseRange(header(scope, "range"), size) : null;
  if (asked === "unsatisfiable") return await refuse(send, 416, [["content-range", `bytes */${size}`], ["accept-ranges", "bytes"]]);
  const { offset, length }: Range = asked ?? { offset: 0, length: size };
  await send({
    type: "http.response.start",
    status: asked ? 206 : 200,
    headers: [
      ["content-type", type],
      ["content-length", String(length)],
      ...(asked ? [["content-range", `bytes ${offset}-${offset + length - 1}/${size}`] as const] : []),
      ["accept-ranges", "bytes"],
      ...validators,
      NO_SNIFF,
    ],
  });
  // The length is part of the event, so that a file that grows meanwhile keeps its promise.
  if (scope.method === "HEAD" || length === 0) return await send({ type: "http.response.body" });
  await send({ type: "http.response.body", file: path, offset, length });
}

async function sendListing(root: string, { path }: Found, names: readonly string[], send: Send): Promise<void> {
  let body: string;
  try {
    body = listingPage(names, await readListing(root, path));
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return await refuse(send, 403);
    throw error;
  }
  await send({
    type: "http.response.start",
    status: 200,
    headers: [
      ["content-type", "text/html; charset=utf-8"],
      ["cache-control", "no-cache"],
      ["content-security-policy", PAGE_POLICY],
      NO_SNIFF,
    ],
  });
  await send({ type: "http.response.body", body });
}

/** The location is relative to the request's own: it holds behind any mount point, and can't lead to another host. */
async function redirect(scope: HttpScope, names: readonly string[], send: Send): Promise<void> {
  const query = /^[\x21-\x7e]+$/.test(scope.query_string) ? `?${scope.query_string}` : "";
  await refuse(send, 308, [["location", `./${encodeURIComponent(names.at(-1)!)}/${query}`]], "Permanent Redirect");
}

async function refuse(send: Send, status: number, extra: Headers = [], text?: string): Promise<void> {
  const { headers, body } = answer(status, text);
  await send({ type: "http.response.start", status, headers: [...headers, ...extra] });
  await send({ type: "http.response.body", body });
}

/** RFC 9110 section 13.2.2: If-None-Match counts before If-Modified-Since. */
function isNotModified(scope: HttpScope, tag: string | undefined, mtime: Date | null): boolean {
  const tags = header(scope, "if-none-match");
  if (tags !== null) return !ifNoneMatch(tags, tag);
  const since = Date.parse(header(scope, "if-modified-since") ?? "");
  // A date in a header has no fractions of a second.
  return mtime !== null && Math.floor(mtime.getTime() / 1000) * 1000 <= since;
}

/** The tags here are weak, which If-Range can't use; a date must be the very same one. */
function mayBeRange(scope: HttpScope, modified: string | undefined): boolean {
  const condition = header(scope, "if-range");
  return condition === null || condition === modified;
}

function header(scope: HttpScope, name: string): string | null {
  let value: string | null = null;
  for (const [key, part] of scope.headers) if (key === name) value = value === null ? part : `${value}, ${part}`;
  return value;
}

function pair(name: string, value: string | undefined): Headers {
  return value === undefined ? [] : [[name, value]];
}
