/**
 * Breaking a stream of HTTP/2 off, so that its client does not take what it got for the whole. RFC 9113 sections 5.4.2 and 8.1.
 *
 * Not here: which code fits, and how a session ends (`node_http2_end.ts`).
 *
 * @module
 */

import type { ServerHttp2Stream } from "node:http2";
import { ofSymbol } from "./node_http2_private.ts";

/**
 * Sends RST_STREAM with a code, past what waits, and destroys the stream; one that is destroyed is left as it is.
 *
 * As of Deno 2.9.6, `close(code)` of Node ends an answer that is under way with END_STREAM, and `destroy(error)` knows one code alone.
 */
export function reset(stream: ServerHttp2Stream, code: number): void {
  if (stream.destroyed) return;
  ofSymbol<Handle>(stream, "kHandle")?.rstStream?.(code);
  stream.destroy(new Error("The exchange was broken off"));
}

/** What Node keeps of the stream that nghttp2 knows. */
interface Handle {
  rstStream?(code: number): void;
}
