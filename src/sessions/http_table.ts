/**
 * The rules of an http scope. Contract section 3.
 *
 * `start` is held until the first body event, so an error before it can still become a 500. `sent` means that the response was
 * accepted in full, `done` that it was delivered as far as the engine can know, `gone` that it ended abnormally.
 *
 * @module
 */

import { IGNORE, type Table } from "./table.ts";

/** No start yet. */
export const IDLE = 0;
/** The start was accepted; its head has not left. */
export const HELD = 1;
/** The head has left, the body goes on. */
export const STREAMING = 2;
/** A file body is being opened; the head is held. */
export const OPENING = 3;
/** A file body is being opened behind body bytes that have left. */
export const APPENDING = 4;
/** A file body is being sent. */
export const FILE = 5;
/** The body is complete, the promised trailers are not. */
export const TRAILING = 6;
/** Accepted in full, not yet delivered. */
export const SENT = 7;
/** Delivered. */
export const DONE = 8;
/** Ended abnormally. */
export const GONE = 9;

/** `http.response.start` */
export const START = 0;
/** `http.response.body` with `more` */
export const MORE = 1;
/** the final `http.response.body` */
export const LAST = 2;
/** the final `http.response.body` where trailers are promised */
export const LAST_PROMISED = 3;
/** `http.response.body` with `file` or `fh` */
export const OPEN = 4;
/** the file could be opened */
export const OPENED = 5;
/** the file could not be opened */
export const REFUSED = 6;
/** the last chunk of the file */
export const FILE_END = 7;
/** the last chunk of the file where trailers are promised */
export const FILE_END_PROMISED = 8;
/** `http.response.trailers` */
export const TRAILERS = 9;
/** `http.response.early_hint` */
export const HINT = 10;
/** `http.fullflush` */
export const FLUSH = 11;
/** the app's promise resolved */
export const RETURN = 12;
/** the app's promise rejected */
export const THROW = 13;
/** the engine delivered the response */
export const DELIVERED = 14;
/** the client, a limit or the server ended the exchange */
export const LOST = 15;

const NOT_STARTED = "the response has not started";
const STARTED = "the response has started";
const IN_FILE = "a file body is being sent";
const NOT_SENT = "the body is not complete";
const BODY_SENT = "the body is complete";
const COMPLETE = "the response is complete";
const NEVER = "the wire and the session disagree";

/** State × event of an http session. */
export const HTTP_TABLE: Table = {
  name: "http",
  states: ["idle", "held", "streaming", "opening", "appending", "file", "trailing", "sent", "done", "gone"],
  events: [
    "start",
    "body, more",
    "body, last",
    "body, last, trailers promised",
    "file or fh",
    "(opened)",
    "(not opened)",
    "(file sent)",
    "(file sent, trailers promised)",
    "trailers",
    "early_hint",
    "fullflush",
    "(app returns)",
    "(app throws)",
    "(delivered)",
    "(lost)",
  ],
  // deno-fmt-ignore
  rows: [
    [HELD, NOT_STARTED, NOT_STARTED, NOT_STARTED, NOT_STARTED, NEVER, NEVER, NEVER, NEVER, NOT_STARTED, IDLE, IDLE, GONE, GONE, NEVER, GONE],
    [STARTED, STREAMING, SENT, TRAILING, OPENING, NEVER, NEVER, NEVER, NEVER, NOT_SENT, STARTED, STREAMING, GONE, GONE, NEVER, GONE],
    [STARTED, STREAMING, SENT, TRAILING, APPENDING, NEVER, NEVER, NEVER, NEVER, NOT_SENT, STARTED, STREAMING, GONE, GONE, GONE, GONE],
    [STARTED, IN_FILE, IN_FILE, IN_FILE, IN_FILE, FILE, HELD, NEVER, NEVER, IN_FILE, STARTED, IN_FILE, OPENING, GONE, NEVER, GONE],
    [STARTED, IN_FILE, IN_FILE, IN_FILE, IN_FILE, FILE, STREAMING, NEVER, NEVER, IN_FILE, STARTED, IN_FILE, APPENDING, GONE, GONE, GONE],
    [STARTED, IN_FILE, IN_FILE, IN_FILE, IN_FILE, NEVER, NEVER, SENT, TRAILING, IN_FILE, STARTED, IN_FILE, FILE, GONE, GONE, GONE],
    [STARTED, BODY_SENT, BODY_SENT, BODY_SENT, BODY_SENT, NEVER, NEVER, NEVER, NEVER, SENT, STARTED, TRAILING, SENT, GONE, TRAILING, GONE],
    [COMPLETE, COMPLETE, COMPLETE, COMPLETE, COMPLETE, NEVER, NEVER, NEVER, NEVER, COMPLETE, COMPLETE, COMPLETE, SENT, SENT, DONE, GONE],
    [COMPLETE, COMPLETE, COMPLETE, COMPLETE, COMPLETE, NEVER, NEVER, NEVER, NEVER, COMPLETE, COMPLETE, COMPLETE, DONE, DONE, DONE, DONE],
    [IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, GONE, GONE, GONE, GONE],
  ],
};
