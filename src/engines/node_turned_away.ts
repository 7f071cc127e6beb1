/**
 * The answer to a connection too many, and the bounded wait until its client has read it.
 *
 * Not here: how many connections are enough (`node_gate.ts`).
 *
 * @module
 */

import type { Socket } from "node:net";
import type { Placed } from "./open_list.ts";

/** A client has so long to read it and to close. */
const LINGER_MS = 1000;

const BODY = "The server has too many connections: try again soon\n";
const ANSWER = [
  "HTTP/1.1 503 Service Unavailable",
  "content-type: text/plain; charset=utf-8",
  `content-length: ${BODY.length}`,
  "retry-after: 5",
  "connection: close",
  "",
  BODY,
].join("\r\n");

/** A connection that was told to come again. */
export class TurnedAway implements Placed {
  place = -1;
  readonly socket: Socket;
  /** Its socket is to be destroyed from then on. */
  readonly deadline: number;

  /** Answers, on a socket without TLS; `over` when the socket is closed. */
  constructor(socket: Socket, now: number, over: () => void) {
    this.socket = socket;
    this.deadline = now + LINGER_MS;
    socket.on("error", ignore);
    socket.on("close", over);
    socket.end(ANSWER);
    // What the client sends is read and dropped: bytes that nobody reads would turn the end into a reset, and the answer would be lost.
    socket.resume();
  }
}

function ignore(): void {}
