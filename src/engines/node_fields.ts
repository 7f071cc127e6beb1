/**
 * The header fields of one request as they come, and what is said in those that the engine itself must understand.
 *
 * Not here: what a request with them means, in HTTP/1 or in HTTP/2 (`node_head.ts`).
 *
 * @module
 */

import { PeerError } from "../spec/errors.ts";

const EVENT_STREAM = /event-stream/i;

/** The fields, in order. */
export class Fields {
  /** Names in lower case. Several `cookie` fields are one, contract section 2. */
  readonly pairs: [name: string, value: string][] = [];
  /** Of `host`. */
  host: string | null = null;
  /** Of `content-length`. */
  length: string | null = null;
  /** Of all `transfer-encoding` fields. */
  coding: string | null = null;
  /** The client waits for 100 Continue. */
  expects = false;
  /** A field `accept` speaks of event streams. */
  events = false;
  /** There is a field `upgrade`. */
  upgrade = false;
  /** The name of a field that belongs to one connection, where there is one. RFC 9113 section 8.2.2. */
  ofOneConnection: string | null = null;
  #cookie: [string, string] | null = null;
  #host: [string, string] | null = null;

  /**
   * Adds one; the name is in lower case.
   *
   * @throws {PeerError} where it may not stand there twice.
   */
  add(name: string, value: string): void {
    const pair: [string, string] = [name, value];
    switch (name) {
      case "cookie":
        if (this.#cookie !== null) {
          this.#cookie[1] += `; ${value}`;
          return;
        }
        this.#cookie = pair;
        break;
      case "host":
        if (this.#host !== null) throw new PeerError(400, "protocol_error", "There is more than one Host header");
        this.#host = pair;
        this.host = value;
        break;
      case "content-length":
        if (this.length !== null) throw new PeerError(400, "protocol_error", "There is more than one Content-Length");
        this.length = value;
        break;
      case "expect":
        this.expects = value.toLowerCase() === "100-continue";
        break;
      case "accept":
        this.events ||= EVENT_STREAM.test(value);
        break;
      case "transfer-encoding":
        this.coding = this.coding === null ? value : `${this.coding}, ${value}`;
        this.ofOneConnection = name;
        break;
      case "upgrade":
        this.upgrade = true;
        this.ofOneConnection = name;
        break;
      case "connection":
      case "keep-alive":
      case "proxy-connection":
        this.ofOneConnection = name;
        break;
    }
    this.pairs.push(pair);
  }

  /** Lets an authority stand in the place of `host`. */
  setHost(authority: string): void {
    if (this.#host === null) this.pairs.push(this.#host = ["host", authority]);
    else this.#host[1] = authority;
    this.host = authority;
  }

  /** The values of a name, joined by commas. */
  readonly get = (name: string): string | null => {
    let found: string | null = null;
    for (const pair of this.pairs) if (pair[0] === name) found = found === null ? pair[1] : `${found}, ${pair[1]}`;
    return found;
  };
}
