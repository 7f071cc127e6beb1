/**
 * Makes the `Response` objects, each in the shape that costs `Deno.serve` least.
 *
 * A string body with `content-type` as the only header takes its fastest path. A string without a content type would be given one, so
 * it goes as bytes.
 *
 * @module
 */

import type { Pairs } from "../exchange.ts";
import { hasNoBody } from "../wire/answers.ts";
import { withDefaults } from "../wire/headers.ts";

const ENCODER = new TextEncoder();
const SCRATCH = new Uint8Array(16_384);

/** The error that breaks a stream on purpose. Deno.serve hands it to `onError`, where it is no news. */
export class StreamCut extends Error {
  override readonly name = "StreamCut";
}

/** A whole answer. `content-length` is written by `Deno.serve`, except that a HEAD answer keeps what the app said. */
export function fullResponse(status: number, headers: Pairs, body: Uint8Array | string, isHead: boolean): Response {
  if (hasNoBody(status)) return new Response(null, { status, headers: init(headers) });
  // Over HTTP/2 Deno.serve would send the body to HEAD too.
  if (isHead) return new Response(null, { status, headers: init(withDefaults(headers, [["content-length", `${payloadBytes(body)}`]])) });
  if (headers.length === 1) {
    const { 0: name, 1: value } = headers[0]!;
    if (name === "content-type") {
      return new Response(body.length === 0 ? null : body as BodyInit, { status, headers: { "content-type": value } });
    }
  }
  let typed = false;
  let sized = false;
  for (const { 0: name } of headers) {
    if (name.length === 12) typed ||= name.toLowerCase() === "content-type";
    else if (name.length === 14) sized ||= name.toLowerCase() === "content-length";
  }
  if (sized) {
    return fullResponse(status, headers.filter(([name]) => name.toLowerCase() !== "content-length"), body, false);
  }
  if (body.length === 0) return new Response(null, { status, headers: init(headers) });
  if (!typed && typeof body === "string") body = new TextEncoder().encode(body);
  return new Response(body as BodyInit, { status, headers: init(headers) });
}

/** An answer whose body comes from a stream. */
export function streamedResponse(status: number, headers: Pairs, stream: ReadableStream): Response {
  return new Response(stream, { status, headers: init(headers) });
}

/** The head alone: for HEAD and for a status without body. */
export function bodylessResponse(status: number, headers: Pairs): Response {
  if (hasNoBody(status) || contentLength(headers) !== -1) return new Response(null, { status, headers: init(headers) });
  // Deno.serve would give no body the length 0, which isn't what GET would have been answered. A stream has none; over HTTP/2 it must
  // end, or the answer would not.
  const empty = new ReadableStream({
    start(controller) {
      controller.close();
    },
  });
  return new Response(empty, { status, headers: init(headers) });
}

/** An answer that breaks off at once, so that the connection ends. */
export function cutResponse(status: number): Response {
  const stream = new ReadableStream({
    pull(controller) {
      controller.error(new StreamCut());
    },
  }, { highWaterMark: 0 });
  return new Response(stream, { status });
}

/**
 * An answer to a request whose body is not wanted, so long that `Deno.serve` should not swallow the rest.
 *
 * It closes the connection behind a streamed answer where the body was looked at and never read. Where it was read in part and
 * cancelled, only a stream that breaks ends the connection; the client then gets the whole text, but not the mark of its end.
 */
export function closingResponse(status: number, headers: Pairs, body: string, request: Request, wasRead: boolean): Response {
  if (!wasRead) void request.body;
  let sent = false;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (!sent) controller.enqueue(new TextEncoder().encode(body));
      else if (wasRead) controller.error(new StreamCut());
      else controller.close();
      sent = true;
    },
  }, { highWaterMark: 0 });
  return streamedResponse(status, headers, stream);
}

/** The `content-length` of an answer's headers, -1 where there is none. */
export function contentLength(headers: Pairs): number {
  for (const { 0: name, 1: value } of headers) {
    if (name.length === 14 && name.toLowerCase() === "content-length") return Number(value);
  }
  return -1;
}

/** The length of a body on the wire. */
export function payloadBytes(body: Uint8Array | string): number {
  if (typeof body !== "string") return body.byteLength;
  // Encoding into a buffer that nobody looks at is the fastest way to count.
  let bytes = 0;
  for (let rest = body; rest !== "";) {
    const { read, written } = ENCODER.encodeInto(rest, SCRATCH);
    bytes += written;
    rest = rest.slice(read);
  }
  return bytes;
}

// `Headers` takes any sequence of pairs and changes none; only its type asks for mutable ones.
function init(headers: Pairs): [string, string][] {
  return headers as unknown as [string, string][];
}
