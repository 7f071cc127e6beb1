/**
 * What the rows see of an engine and a home under test: a server, and a client that is no code of the server where there is a wire.
 *
 * @module
 */

import type { Capability, Fields, Level, Limits, Pairs } from "../../src/exchange.ts";
import type { End, RequestHead } from "../../src/exchange.ts";
import type { WireLimits } from "../../src/engines/node_settings.ts";
import type { App } from "../../src/spec/app.ts";
import type { Certificate } from "./certificate.ts";
import type { Reply } from "./reply.ts";
import type { WireConnection } from "./wire_connection.ts";

/** An engine and a home. */
export interface Target {
  /** `deno × inline` */
  readonly name: string;
  /** `deno` */
  readonly engine: string;
  /** `inline` */
  readonly home: string;
  /** What its engine can do. */
  readonly capabilities: readonly Capability[];
  /** It has sockets: {@linkcode Running.connect} and {@linkcode Running.address} work. */
  readonly wire: boolean;
  /**
   * Starts a server with an app.
   *
   * @throws {StartupError} As the server does.
   */
  start(app: App, options?: ServerOptions): Promise<Running>;
}

/** Settings of a server, with the defaults of production; the lifespan is `off` unless it is asked for. */
export interface ServerOptions {
  readonly rootPath?: string;
  /** Headers for every answer that does not set them. On a wire only. */
  readonly headers?: Pairs;
  readonly maxBodyBytes?: number;
  readonly limits?: Partial<Limits>;
  readonly lifespan?: "auto" | "on" | "off";
  readonly lifespanStartupTimeoutMs?: number;
  readonly validateEvents?: boolean;
  /** Connections are TLS connections. */
  readonly tls?: boolean;
  /** With `tls`: clients are asked for a certificate of the suite's authority. Needs `client-certificates`. */
  readonly clientCertificates?: "optional" | "require";
  /** A Unix socket in place of a port, or behind one. */
  readonly unix?: boolean | "too";
  /** Limits and timeouts of the wire. Need `target-limits` or `timeouts`; an engine without them has none. */
  readonly wire?: Partial<WireLimits>;
  /** Offers permessage-deflate. Needs `ws-deflate`. */
  readonly wsDeflate?: boolean;
}

/** Where a server listens. */
export type Address = { readonly port: number } | { readonly path: string };

/** A running server and its client. */
export interface Running extends AsyncDisposable {
  /** Where it listens; the first of {@linkcode addresses}. Only with a wire. */
  readonly address: Address;
  /** Everything that it listens on. Only with a wire. */
  readonly addresses: readonly Address[];
  /** The certificate of a TLS server (PEM). Only with a wire. */
  readonly cert: string;
  /** The server's log. */
  readonly notes: readonly Note[];
  /** Exchanges that are over, as the access log tells them. */
  readonly finished: readonly Finished[];
  /** Sends a request and reads the answer, also one that is cut. */
  request(ask?: Ask): Promise<Reply>;
  /** Opens an exchange whose bodies stream. */
  exchange(ask?: Ask): Promise<Exchange>;
  /**
   * Opens a WebSocket.
   *
   * @throws {Refused} Where the server answers with a response.
   */
  websocket(ask?: SocketAsk): Promise<Socket>;
  /** A connection of raw bytes; over TLS with a certificate of the client, if there is one. Only with a wire. */
  connect(as?: Certificate): Promise<WireConnection>;
  /** The first line of the log that matches; waits for it. */
  noted(text: RegExp): Promise<Note>;
  /** The record of the exchange that ended as number `count`, from 1 on; waits for it. */
  ended(count?: number): Promise<Finished>;
  /** The server begins to drain. */
  drain(): void;
  /** Stops it: drain, wait at most so long, end the rest, lifespan shutdown. */
  stop(graceMs?: number): Promise<void>;
}

/** A line of the log. */
export interface Note {
  readonly level: Level;
  readonly text: string;
  readonly fields: Fields;
}

/** An exchange that is over. */
export interface Finished {
  readonly head: RequestHead;
  readonly status: number;
  readonly bytes: number;
  readonly end: End;
}

/** What is asked for. `GET /` by default. */
export interface Ask {
  readonly method?: string;
  /** As it stands on the wire. */
  readonly target?: string;
  /** After `host`, in this order; `host` among them replaces it. */
  readonly headers?: Pairs;
  /** The whole body, sent with its length. */
  readonly body?: string | Uint8Array;
  /** The body is written piece by piece, chunked. */
  readonly streams?: boolean;
  readonly httpVersion?: "1.0" | "1.1";
  /** The client reads no byte of the body before it is told to `resume`. */
  readonly stalled?: boolean;
}

/** An exchange under way. */
export interface Exchange {
  /** Writes a piece of the request body. */
  write(data: string | Uint8Array): Promise<void>;
  /** Ends the request body. */
  end(): Promise<void>;
  /** Resolves when the server asks for the body of a request that expects 100 Continue. */
  readonly continued: Promise<void>;
  /** Status and headers, without a body. */
  head(): Promise<Reply>;
  /** The next bytes of the body, `null` at the end. @throws {Cut} where the answer is cut. */
  read(): Promise<Uint8Array | null>;
  /** Reads until the text has come; gives all text that was read by this method. */
  readUntil(text: string): Promise<string>;
  /** Reads the rest of the answer. */
  finish(): Promise<Reply>;
  /** Reads on after it was opened as `stalled`. */
  resume(): void;
  /** The client leaves at once. */
  leave(): void;
}

/** A handshake. */
export interface SocketAsk {
  readonly target?: string;
  readonly headers?: Pairs;
  readonly subprotocols?: readonly string[];
  /** `2` is an extended CONNECT, where the engine has `ws-over-h2`. */
  readonly httpVersion?: "1.1" | "2";
  /** The client reads nothing before it is told to `resume`. */
  readonly stalled?: boolean;
}

/** A WebSocket that was accepted. */
export interface Socket {
  /** What the server chose, `""` for none. */
  readonly protocol: string;
  /** A header of the answer to the handshake. */
  header(name: string): string | null;
  /** Pings that have come. */
  readonly pings: number;
  /** Sends a message. */
  send(data: string | Uint8Array): void;
  /** The next message. @throws {Cut} where the connection has ended. */
  receive(): Promise<string | Uint8Array>;
  /** How it ended: 1005 for a close frame without a code, 1006 without a close frame. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  /** Sends a close frame. */
  close(code?: number, reason?: string): void;
  /** Reads nothing more. */
  stall(): void;
  /** Reads on. */
  resume(): void;
  /** The client leaves without a close frame. */
  leave(): void;
}
