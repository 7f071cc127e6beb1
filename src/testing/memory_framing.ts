/**
 * What a wire adds to the head of a response: length, framing, date, the fate of the connection. RFC 9110 and 9112.
 *
 * @module
 */

import type { Pairs, RequestHead } from "../exchange.ts";

/** Headers that name the fate of one HTTP/1 connection; HTTP/2 has none (RFC 9113 section 8.2.2). */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);

/** Facts that decide the framing of one response. */
export interface Framing {
  /** Body bytes where the whole body is known, else `null`. */
  readonly length: number | null;
  /** The connection is closed afterwards. */
  readonly closes: boolean;
}

/** The headers as a client gets them. */
export function frame(head: RequestHead, status: number, headers: Pairs, framing: Framing): Pairs {
  const isTwo = head.httpVersion === "2";
  const out: (readonly [string, string])[] = [];
  let declared = false;
  let dated = false;
  let connected = false;
  for (const pair of headers) {
    const name = pair[0].toLowerCase();
    if (isTwo && CONNECTION_HEADERS.has(name)) continue;
    if (name === "content-length") {
      if (status === 204) continue; // RFC 9110 section 8.6
      declared = true;
    }
    if (name === "date") dated = true;
    if (name === "connection") {
      if (framing.closes) continue;
      connected = true;
    }
    out.push(pair);
  }
  const bodiless = status === 204 || status === 304 || status < 200;
  let closes = framing.closes;
  if (!declared && !bodiless) {
    if (framing.length !== null) out.push(["content-length", String(framing.length)]);
    else if (head.httpVersion === "1.1") out.push(["transfer-encoding", "chunked"]);
    else if (head.httpVersion === "1.0") closes = true; // the body ends where the connection does
  }
  if (!dated && status >= 200) out.push(["date", new Date().toUTCString()]);
  if (closes && !isTwo && !connected) out.push(["connection", "close"]);
  return out;
}
