/**
 * What a WebSocket is before it is accepted, as a type: an exchange of HTTP that can still leave HTTP.
 *
 * Not here: what it becomes (`node_socket.ts`), nor who does it (`node_exchange.ts`). RFC 6455 section 4; RFC 8441.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import type { Fields, Inbound, Level, Outbound, Pairs, RequestHead } from "../exchange.ts";
import type { OpenNodeExchange } from "./node_settings.ts";

/** The stream of a connection that has left HTTP. */
export interface Upgraded {
  /** Frames travel on it. Nothing else reads from it or writes to it any more, nor destroys it, nor listens to its errors. */
  readonly stream: Duplex;
  /** What was read beyond the head. */
  readonly rest: Uint8Array;
}

/** An exchange of HTTP that asks for a WebSocket. */
export interface Handshake extends Outbound, OpenNodeExchange {
  /** Its head; `head` is a call of `Outbound`. */
  readonly request: RequestHead;
  /** Nothing was answered, and the client is still there. */
  readonly pending: boolean;
  /** The session is there. */
  run(inbound: Inbound): void;
  /** A line for the server's log. */
  note(level: Level, text: string, fields?: Fields): void;
  /**
   * Leaves HTTP: writes 101, over HTTP/2 200, with exactly these headers; `connection` and `upgrade` are among them where they belong.
   *
   * Nothing more is reported by the handshake. To be called while it is `pending`.
   */
  upgrade(headers: Pairs): Upgraded;
}
