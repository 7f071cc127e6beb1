/**
 * The rules of an sse scope. Contract section 6.
 *
 * The first send wins: a stream can't be declined, a declined request can't become a stream.
 *
 * @module
 */

import { IGNORE, type Table } from "./table.ts";

/** No start and no decline yet. */
export const IDLE = 0;
/** The stream is open. */
export const OPEN = 1;
/** A decline has started. */
export const DECLINING = 2;
/** The decline is complete. */
export const DECLINED = 3;
/** The app closed the stream, or returned. */
export const CLOSED = 4;
/** Ended abnormally, or by the client. */
export const GONE = 5;

/** `sse.start` */
export const START = 0;
/** `sse.send` */
export const SEND = 1;
/** `sse.comment` */
export const COMMENT = 2;
/** `sse.keepalive` */
export const KEEPALIVE = 3;
/** `sse.close` */
export const CLOSE = 4;
/** `sse.http.response.start` */
export const DECLINE_START = 5;
/** `sse.http.response.body` with `more` */
export const DECLINE_MORE = 6;
/** the final `sse.http.response.body` */
export const DECLINE_LAST = 7;
/** `http.fullflush` */
export const FLUSH = 8;
/** the app's promise resolved */
export const RETURN = 9;
/** the app's promise rejected */
export const THROW = 10;
/** the client, a limit or the server ended the exchange */
export const LOST = 11;

const NOT_STARTED = "the stream has not started";
const STARTED = "the stream has started";
const IN_DECLINE = "the stream is being declined";
const DECLINE_IDLE = "the decline has not started";
const WAS_DECLINED = "the stream is declined";
const WAS_CLOSED = "the stream is closed";

/** State × event of an sse session. */
export const SSE_TABLE: Table = {
  name: "sse",
  states: ["idle", "open", "declining", "declined", "closed", "gone"],
  events: [
    "start",
    "send",
    "comment",
    "keepalive",
    "close",
    "decline start",
    "decline body, more",
    "decline body, last",
    "fullflush",
    "(app returns)",
    "(app throws)",
    "(lost)",
  ],
  // deno-fmt-ignore
  rows: [
    [OPEN, NOT_STARTED, NOT_STARTED, IDLE, CLOSED, DECLINING, DECLINE_IDLE, DECLINE_IDLE, IDLE, CLOSED, CLOSED, GONE],
    [STARTED, OPEN, OPEN, OPEN, CLOSED, STARTED, STARTED, STARTED, OPEN, CLOSED, GONE, GONE],
    [IN_DECLINE, IN_DECLINE, IN_DECLINE, IN_DECLINE, IN_DECLINE, IN_DECLINE, DECLINING, DECLINED, DECLINING, DECLINED, DECLINED, GONE],
    [WAS_DECLINED, WAS_DECLINED, WAS_DECLINED, WAS_DECLINED, WAS_DECLINED, WAS_DECLINED, WAS_DECLINED, WAS_DECLINED, WAS_DECLINED, DECLINED, DECLINED, DECLINED],
    [WAS_CLOSED, WAS_CLOSED, WAS_CLOSED, WAS_CLOSED, IGNORE, WAS_CLOSED, WAS_CLOSED, WAS_CLOSED, WAS_CLOSED, CLOSED, CLOSED, CLOSED],
    [IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, GONE, GONE, GONE],
  ],
};
