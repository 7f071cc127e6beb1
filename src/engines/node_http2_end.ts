/**
 * How an HTTP/2 session of Node ends: with the code that fits, and without an error that nobody hears.
 *
 * A stream that begins and breaks within one packet is destroyed with the session before it is told of, so nobody could listen to it, and
 * an error that nobody listens to ends the process. And a client that floods is told so: Node would say "internal error".
 *
 * @module
 */

import type { EventEmitter } from "node:events";
import { constants, type ServerHttp2Session } from "node:http2";
import { ofSymbol } from "./node_http2_private.ts";

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = constants;

/** What the library under Node calls PING, SETTINGS and CONTINUATION frames that come too fast. */
const FLOODED: readonly number[] = [-904, -905];

/**
 * Sees to the end of a session.
 *
 * Both calls do their work in the next turn, as of Deno 2.9.6: Node makes them when a frame was read, in the midst of the library, which then
 * goes on in memory that they have freed. A client that says GOAWAY could end the process with that (denoland/deno#36788).
 */
export function endQuietly(session: ServerHttp2Session): void {
  const close = session.close.bind(session);
  session.close = (callback) => void setImmediate(() => session.destroyed ? callback?.() : close(callback));
  const destroy = session.destroy.bind(session) as (error: unknown, code?: number) => void;
  let isEnding = false;
  session.destroy = (error, code) => {
    if (isEnding) return;
    isEnding = true;
    const wanted = isFlood(error) ? NGHTTP2_ENHANCE_YOUR_CALM : code ?? (error ? NGHTTP2_CANCEL : NGHTTP2_NO_ERROR);
    setImmediate(() => end(wanted));
  };
  // Always with a code: without one, Node fails in the midst of each open stream, and one that it still holds reaches into freed memory.
  // And "no error" would make whole answers of those that are under way.
  const end = (code: number) => {
    if (session.destroyed) return;
    const isQuiet = letGo(session);
    destroy(null, isQuiet === null || (isQuiet && code === NGHTTP2_NO_ERROR) ? NGHTTP2_CANCEL : code);
  };
  // The library has said its last word. Node would close each stream in it, which frees some of them twice.
  const handle = ofSymbol<SessionHandle>(session, "kHandle");
  if (handle === undefined) return;
  handle.onstreamclose = () => {
    isEnding = true;
    end(Math.max(handle.lastSentGoawayCode?.() ?? NGHTTP2_NO_ERROR, NGHTTP2_NO_ERROR));
  };
}

/**
 * Listens to the errors of all streams, and lets none of them reach into the library any more: with the session, all of it is freed at once.
 * Whether there are any, `null` where they can't be found.
 */
function letGo(session: ServerHttp2Session): boolean | null {
  const streams = ofSymbol<{ streams?: Streams }>(session, "state")?.streams;
  if (typeof streams?.forEach !== "function") return null;
  streams.forEach((stream) => {
    stream.on("error", () => {});
    const handle = ofSymbol<StreamHandle>(stream, "kHandle");
    if (handle === undefined) return;
    for (const name of CALLS) handle[name] = nothing;
    handle.shutdown = done;
  });
  return streams.size !== 0;
}

/** What a stream asks of the library. */
const CALLS = ["respond", "info", "trailers", "writeBuffer", "writeUtf8String", "rstStream", "readStart", "priority"] as const;

type StreamHandle = Record<typeof CALLS[number] | "shutdown", () => number>;

interface SessionHandle {
  onstreamclose: () => void;
  lastSentGoawayCode?(): number;
}

/** A map by number. */
interface Streams {
  readonly size?: number;
  forEach?(call: (stream: EventEmitter) => void): void;
}

function nothing(): number {
  return 0;
}

/** To Node: there is nothing to wait for. */
function done(): number {
  return 1;
}

function isFlood(error: unknown): boolean {
  return error instanceof Error && FLOODED.includes((error as Error & { errno?: number }).errno ?? 0);
}
