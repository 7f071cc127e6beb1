/**
 * `@std/http/etag` from npm, with the signatures that this project uses.
 *
 * @module
 */

import { eTag as eTagImpl, ifMatch as ifMatchImpl, ifNoneMatch as ifNoneMatchImpl } from "deno-std/http/etag.js";

/** What of a file goes into its tag. */
export interface FileInfo {
  mtime: Date | null;
  size: number;
}

/** The entity tag of an entity. */
export const eTag: (entity: string | Uint8Array | FileInfo, options?: { weak?: boolean }) => Promise<string | undefined> = eTagImpl;
/** Whether If-Match holds. */
export const ifMatch: (value: string | null, etag: string | undefined) => boolean = ifMatchImpl;
/** Whether If-None-Match holds. */
export const ifNoneMatch: (value: string | null, etag: string | undefined) => boolean = ifNoneMatchImpl;
