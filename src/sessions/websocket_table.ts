/**
 * The rules of a websocket scope. Contract section 5.
 *
 * Sends after either side's close are no-ops, because closes cross on the wire.
 *
 * @module
 */

import { IGNORE, type Table } from "./table.ts";

/** The handshake waits for the app. */
export const CONNECTING = 0;
/** A denial response has started. */
export const DENYING = 1;
/** The handshake was refused: 403, a denial response or a 500. */
export const REFUSED = 2;
/** Accepted. */
export const OPEN = 3;
/** The app's close frame was sent. */
export const CLOSING = 4;
/** The connection is over. */
export const GONE = 5;

/** `websocket.accept` */
export const ACCEPT = 0;
/** `websocket.send` */
export const SEND = 1;
/** `websocket.keepalive` */
export const KEEPALIVE = 2;
/** `websocket.close` */
export const CLOSE = 3;
/** `websocket.http.response.start` */
export const DENY_START = 4;
/** `websocket.http.response.body` with `more` */
export const DENY_MORE = 5;
/** the final `websocket.http.response.body` */
export const DENY_LAST = 6;
/** the app's promise resolved */
export const RETURN = 7;
/** the app's promise rejected */
export const THROW = 8;
/** the peer closed, or the connection was lost */
export const LOST = 9;

const NOT_ACCEPTED = "the connection is not accepted";
const ACCEPTED = "the connection is accepted";
const DENIAL_IDLE = "the denial response has not started";
const DENIAL_STARTED = "the denial response has started";
const WAS_REFUSED = "the handshake was refused";

/** State × event of a websocket session. */
export const WEBSOCKET_TABLE: Table = {
  name: "websocket",
  states: ["connecting", "denying", "refused", "open", "closing", "gone"],
  events: [
    "accept",
    "send",
    "keepalive",
    "close",
    "denial start",
    "denial body, more",
    "denial body, last",
    "(app returns)",
    "(app throws)",
    "(lost)",
  ],
  // deno-fmt-ignore
  rows: [
    [OPEN, NOT_ACCEPTED, NOT_ACCEPTED, REFUSED, DENYING, DENIAL_IDLE, DENIAL_IDLE, REFUSED, REFUSED, GONE],
    [DENIAL_STARTED, DENIAL_STARTED, DENIAL_STARTED, DENIAL_STARTED, DENIAL_STARTED, DENYING, REFUSED, REFUSED, REFUSED, GONE],
    [WAS_REFUSED, IGNORE, IGNORE, IGNORE, WAS_REFUSED, WAS_REFUSED, WAS_REFUSED, REFUSED, REFUSED, REFUSED],
    [ACCEPTED, OPEN, OPEN, CLOSING, IGNORE, IGNORE, IGNORE, CLOSING, CLOSING, GONE],
    [ACCEPTED, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, CLOSING, CLOSING, GONE],
    [IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, GONE, GONE, GONE],
  ],
};
