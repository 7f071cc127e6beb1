/**
 * One connection of HTTP/1: its requests one after the other, and how long it may be silent.
 *
 * Not here: what becomes of a request (`node_http1.ts`).
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { MAX_UNREAD_BYTES, type NodeExchange } from "./node_exchange.ts";
import type { GateConnection, WireLimits } from "./node_settings.ts";
import type { Placed } from "./open_list.ts";

/** A request that has come. */
export interface Arrived {
  readonly message: IncomingMessage;
  /** `null` where Node has let go of the connection: for an upgrade and for CONNECT. */
  readonly response: ServerResponse | null;
  /** What was read behind the head of such a request. */
  readonly rest: Uint8Array;
}

/** What a connection asks of its layer. */
export interface Http1Owner {
  /** Handles a request. */
  start(connection: Http1Connection, arrived: Arrived): void;
  /** Answers what is no request. */
  refuse(connection: Http1Connection, status: 400 | 408): void;
}

/** More requests that came at once are not read on. */
const MAX_WAITING = 16;

/** A client has so long to read the last answer where it has sent more than anybody reads. */
const LINGER_MS = 1000;

const IDLE = 0;
/** A request is being handled. */
const BUSY = 1;
/** The last answer was written; nothing more is read. */
const LEAVING = 2;
/** It is a WebSocket's. */
const LEFT = 3;

/** A connection. */
export class Http1Connection implements Placed {
  place = -1;
  readonly gate: GateConnection;
  readonly socket: Socket;
  /** The socket is closed. */
  gone = false;
  /** Why, as the reason of an exchange. */
  failure = "client_closed";
  /** What is being handled. */
  exchange: NodeExchange | null = null;
  readonly #owner: Http1Owner;
  readonly #waiting: Arrived[] = [];
  #state = IDLE;
  /** No request follows the one that is handled. */
  #isLast = false;
  /** What came behind it could not be read. */
  #isBroken = false;
  /** The body that is still to come of a request that was answered. */
  #rest: IncomingMessage | null = null;
  #restFrom = 0;
  /** When the state began. */
  #since: number;
  /** Bytes that had been read by then. */
  #readBefore = 0;
  #requests = 0;
  #headSince = 0;

  /** Nothing has come yet. */
  constructor(gate: GateConnection, now: number, owner: Http1Owner) {
    this.gate = gate;
    this.socket = gate.socket;
    this.#since = now;
    this.#owner = owner;
  }

  /** No request is handled or has begun to come. */
  get idle(): boolean {
    return this.#state === IDLE && this.#requests > 0 && this.socket.bytesRead === this.#readBefore;
  }

  /** Bytes that came behind the last request. */
  get unread(): number {
    return this.socket.bytesRead - this.#readBefore;
  }

  /** Its first request has not come yet, or its next one has begun to come. */
  get arriving(): boolean {
    return this.#state === IDLE && !this.idle;
  }

  /** A request has come: it waits for those before it. */
  arrived(arrived: Arrived): void {
    if (this.#state >= LEAVING || this.#isLast || this.gone) return ignore(arrived);
    if (this.#state === IDLE) return this.#begin(arrived);
    this.#waiting.push(arrived);
    // Once more for each read that came all the same: Node goes on by itself where an answer has drained.
    if (this.#waiting.length >= MAX_WAITING) this.#pause(true);
  }

  /** The exchange is over. */
  over(): void {
    this.exchange = null;
    if (this.#state !== BUSY || this.gone) return;
    this.#since = performance.now();
    if (this.#isLast) {
      this.#state = LEAVING;
      return;
    }
    this.#state = IDLE;
    this.#headSince = 0;
    this.#readBefore = this.socket.bytesRead;
    // Not here: an app that answers at once would come back to this place for each of them, one inside the other.
    if (this.#waiting.length > 0 || this.#isBroken) queueMicrotask(() => this.#next());
  }

  /** An answer was written to its end; `isLast` where the connection closes behind it. */
  answered(message: IncomingMessage, isLast: boolean): void {
    if (isLast) {
      this.#isLast = true;
      this.forget();
      // Node would destroy the socket behind the answer, and bytes of the body that nobody has read would make that a reset.
      this.#rest = message;
      if (!message.complete) (this.socket as { destroySoon: () => void }).destroySoon = () => this.#linger();
    } else if (!message.complete) {
      this.#rest = message;
      this.#restFrom = this.socket.bytesRead;
      message.on("data", () => this.#dropped());
    }
  }

  /**
   * Something could not be read. The request that is handled has a good end where its own body is whole.
   *
   * @returns Whether there is nothing more to do about it.
   */
  broken(): boolean {
    if (this.#state !== BUSY) return this.#state !== IDLE;
    if (this.exchange?.isWhole === true) this.#isBroken = true;
    else this.exchange?.violated(400);
    return true;
  }

  /**
   * Takes what could not be read for a request, the last one.
   *
   * @returns Whether it may be answered now: else the answer before it is still on the socket, and it is asked for again.
   */
  refuses(): boolean {
    const { _httpMessage: before } = this.socket as { _httpMessage?: ServerResponse | null }; // Node's, and not in its types
    if (before) {
      this.#isBroken = true;
      before.once("finish", () => this.#next());
      return false;
    }
    this.#state = BUSY;
    this.#requests++;
    return true;
  }

  /**
   * The client sends no more. That is how most clients leave, and nothing tells the few that wait for an answer apart: an app that answers
   * at once is heard, any other has lost its client.
   */
  halfClosed(): void {
    if (this.#state === LEFT) return;
    setImmediate(() => {
      if (this.gone || this.#state === LEFT) return;
      this.exchange?.lost("client_closed");
      this.end();
    });
  }

  /** What was written leaves, and nothing after it. */
  truncate(): void {
    this.#isLast = true;
    this.forget();
    this.end();
  }

  /** Those that wait are not handled. To be called before Node hears that the socket is closed. */
  forget(): void {
    for (const arrived of this.#waiting) ignore(arrived);
    this.#waiting.length = 0;
  }

  /** It is a WebSocket's from here on. */
  leaveHttp(): void {
    this.#state = LEFT;
    this.exchange = null;
  }

  /** Ends it, once what was written has left. */
  end(): void {
    this.socket.destroySoon();
  }

  /** Looks at what takes too long. */
  check(now: number, { headerTimeoutMs, keepAliveTimeoutMs }: WireLimits): void {
    if (this.exchange !== null) return;
    if (this.#state === LEAVING && now - this.#since >= LINGER_MS) this.socket.destroy();
    if (this.#state !== IDLE || this.#isBroken) return;
    if (this.#requests > 0 && this.socket.bytesRead === this.#readBefore) {
      if (keepAliveTimeoutMs > 0 && now - this.#since >= keepAliveTimeoutMs) this.end();
      return;
    }
    // Nothing tells when the first byte of a head came: it is seen here.
    if (this.#requests === 0) this.#headSince = this.#since;
    else if (this.#headSince === 0) this.#headSince = now;
    if (headerTimeoutMs === 0 || now - this.#headSince < headerTimeoutMs) return;
    if (this.#rest === null || this.#rest.complete) this.#owner.refuse(this, 408);
    else this.socket.destroy();
  }

  #next(): void {
    if (this.#state !== IDLE || this.gone) return;
    const next = this.#waiting.shift();
    if (next === undefined) {
      if (this.#isBroken) this.#owner.refuse(this, 400);
      return;
    }
    if (this.#waiting.length === MAX_WAITING - 1) this.#pause(false);
    this.#begin(next);
  }

  // The parser wakes the socket behind each message, unless it is told that the server has paused it.
  #pause(on: boolean): void {
    (this.socket as Socket & { _paused?: boolean })._paused = on; // Node's, and not in its types
    if (on) this.socket.pause();
    else this.socket.resume();
  }

  #begin(arrived: Arrived): void {
    this.#state = BUSY;
    this.#requests++;
    this.#rest = null;
    this.#owner.start(this, arrived);
  }

  #dropped(): void {
    if (this.socket.bytesRead - this.#restFrom > MAX_UNREAD_BYTES) this.#linger();
  }

  // The client gets the end of what was written, and time to read it.
  #linger(): void {
    if (this.gone) return;
    this.#state = LEAVING;
    this.#since = performance.now();
    this.forget();
    this.socket.end();
    // Node has just begun to throw the rest of the body away, and wakes the socket for it in this turn.
    setImmediate(() => {
      this.#rest?.pause();
      this.socket.pause();
    });
  }
}

// Node makes an error for each request that is open when its connection closes, and tells it of it. Nobody listens here, and thousands of them
// hold the loop up for long.
function ignore({ message }: Arrived): void {
  message.destroy = () => message;
}
