/**
 * The responses that the server makes itself: short, plain text, without a word about the inside.
 *
 * Contract section 3, last item.
 *
 * @module
 */

import type { Pairs } from "../exchange.ts";

/** A whole response. */
export interface Answer {
  /** HTTP status. */
  readonly status: number;
  /** At least content-type; the engine adds length and date. */
  readonly headers: Pairs;
  /** One line of text. */
  readonly body: string;
}

const TEXTS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  413: "Content Too Large",
  414: "URI Too Long",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** Seconds that a client is asked to wait after a 503. */
const RETRY_SECONDS = "5";

/** The response for a status; `text` replaces the reason phrase in the body. */
export function answer(status: number, text?: string): Answer {
  const headers: [string, string][] = [["content-type", "text/plain; charset=utf-8"]];
  if (status === 503) headers.push(["retry-after", RETRY_SECONDS]);
  return { status, headers, body: `${text ?? TEXTS[status] ?? `Status ${status}`}\n` };
}

/** Whether a response of this status has no body. RFC 9110 sections 15.2, 15.3.5, 15.3.6 and 15.4.5. */
export function hasNoBody(status: number): boolean {
  return status < 200 || status === 204 || status === 205 || status === 304;
}
