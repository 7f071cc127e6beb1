/**
 * The seam between a wire and an app: an {@linkcode Engine} knows sockets, a {@linkcode Host} knows where the app lives.
 *
 * For each exchange they meet in two small objects, {@linkcode Outbound} and {@linkcode Inbound}, whose arguments are all plain
 * data, so that the same calls can be the packets of a link. Types and three flags; no PAGI event crosses this seam.
 *
 * The rules of the seam:
 *
 * 1. No call into `Inbound` is synchronous from a call on `Outbound`, nor made before `open` has returned.
 * 2. An app may call `send` and `receive` inside `open`, so every `Outbound` call may come before the engine has its `Inbound`.
 * 3. `closed` is the last call into an `Inbound` and comes once. After a `respond` without `NOTIFY` it is left out.
 * 4. After `respond`, `end` or `abort` a session calls nothing more on its `Outbound` (`note` and `buffered` excepted).
 * 5. The engine writes `content-length` (from `respond`'s body, for HEAD too), `date`, `connection` and the transfer framing. It
 *    trusts its session for everything else: header bytes are checked, HEAD, 204 and 304 carry no body chunk.
 *
 * @module
 */

import type { TlsInfo } from "./spec/scope.ts";

/** Header names and values, as in the contract. */
export type Pairs = readonly (readonly [name: string, value: string])[];

/** What a wire can do. An absent capability is named in the error where something needs it. */
export type Capability =
  | "http-version" // tells 1.0, 1.1 and 2 apart exactly
  | "raw-headers" // request headers in wire order with duplicates
  | "missing-host" // answers an HTTP/1.1 request without Host with 400
  | "continue" // 100 Continue is sent when the app first reads
  | "trailers" // response trailers
  | "request-trailers" // trailers of a request body
  | "early-hints" // 103 responses
  | "flush" // knows when bytes have left the process
  | "force-close" // can end a connection whose client does not read
  | "delivery" // knows when the last byte was written to the socket
  | "post-disconnect" // sees a client leave while its request with a body is being handled
  | "timeouts" // header, keep-alive, stall and handshake timeouts
  | "target-limits" // 414 and 431
  | "client-certificates"
  | "reset-content" // a 205 over HTTP/1.1, which needs a content-length of 0
  | "ws-ping" // pings on demand, and tells of pongs
  | "ws-pause" // stops reading from a WebSocket
  | "ws-close-codes" // 1002, 1007 and 1009 on the wire; the peer's violation is told apart from its leaving
  | "ws-strict-frames" // refuses unmasked and malformed frames
  | "ws-frame-limit" // stops an oversized message before it is whole
  | "ws-deflate"
  | "ws-over-h2";

/** The head of a request, as plain data. */
export interface RequestHead {
  /** From `wire/classify.ts`, decided once, at the front. */
  readonly kind: "http" | "sse" | "websocket";
  /** Unique among the open exchanges of one engine. */
  readonly id: number;
  /** The protocol version. */
  readonly httpVersion: "1.0" | "1.1" | "2";
  /** Upper case. */
  readonly method: string;
  /** `http` or `https`; a websocket scope turns it into `ws` or `wss`. */
  readonly scheme: "http" | "https";
  /** The path bytes as sent, without the query. */
  readonly rawPath: string;
  /** The decoded path. */
  readonly path: string;
  /** The bytes after the first `?`. */
  readonly query: string;
  /** The mount point. */
  readonly rootPath: string;
  /** Lower-case names, wire order. */
  readonly headers: Pairs;
  /** The peer; left out on a Unix socket. */
  readonly client?: readonly [host: string, port: number];
  /** The address that took the connection; `[path, null]` on a Unix socket. */
  readonly server: readonly [host: string, port: number | null];
  /** `none`: no body. `expect`: the client waits for 100 Continue, no byte moves before the first pull. */
  readonly body: "none" | "plain" | "expect";
  /** One of a few shared arrays, so it can be compared by identity. */
  readonly capabilities: readonly Capability[];
  /** Left out without TLS. */
  readonly tls?: TlsInfo;
}

/** How an exchange ended. */
export interface End {
  /** `null` for a normal completion, else a reason token. */
  readonly reason: string | null;
  /** WebSocket: the close code that the peer sent, or that the engine fails with. */
  readonly code?: number;
  /** WebSocket: the peer's close text. For the log, after an `end` with a reason: that reason. */
  readonly text?: string;
  /** WebSocket: a close handshake took place. */
  readonly clean?: boolean;
}

/** Levels of a note. */
export type Level = "debug" | "info" | "warn" | "error";
/** Structured fields of a note. */
export type Fields = Readonly<Record<string, string | number>>;

/** The trailers of this response follow after `end`. */
export const TRAILERS = 1;
/** Close the connection after the response, where the engine can. */
export const CLOSE = 2;
/** Somebody listens for `closed`. */
export const NOTIFY = 4;

/** From a session to the wire. Every call is synchronous and takes plain data. */
export interface Outbound {
  /** Bytes accepted and not yet written: the truth of flow control. */
  readonly buffered: number;
  /** Credit for that many bytes of the request body. Called only when the app receives. */
  pull(bytes: number): void;
  /** From now on, report a disconnect. */
  watch(): void;
  /** Sends an interim response (103). Needs `early-hints`. */
  inform(status: number, headers: Pairs): void;
  /** A whole answer. `flags` of CLOSE and NOTIFY. `reason` is for the log: why the server answered in the app's place. */
  respond(status: number, headers: Pairs, body: Uint8Array | string, flags: number, reason?: string): void;
  /** The head of an answer whose body follows in chunks. `flags` of TRAILERS, CLOSE and NOTIFY; `closed` always follows. */
  head(status: number, headers: Pairs, flags: number): void;
  /** Body bytes. They are not copied: neither side changes them afterwards. */
  chunk(bytes: Uint8Array): void;
  /** Asks for `flushed`. Needs `flush`. */
  flush(): void;
  /** Ends the body. `reason` is for the log: what the app gave to `sse.close`. */
  end(trailers: Pairs | null, reason?: string): void;
  /** Cuts the exchange, so that the client sees a truncated answer; `closed` follows. */
  abort(reason: string): void;
  /** A line for the server's log. */
  note(level: Level, text: string, fields?: Fields): void;
}

/** From a websocket session to the wire. Before `accept`, the `Outbound` calls answer the handshake with a response. */
export interface SocketOutbound extends Outbound {
  /** Completes the handshake. */
  accept(protocol: string | null, headers: Pairs): void;
  /** Sends a message: text for a string, else binary. */
  message(data: string | Uint8Array): void;
  /** Sends a ping, answered by `pong(token)`. Needs `ws-ping`. */
  ping(token: number): void;
  /** Starts the close handshake, 1005 for a close frame without a code. `closed` follows. */
  close(code: number, text: string): void;
}

/** From the wire to a session. */
export interface Inbound {
  /** Body bytes; `more` is false for the last ones, which may have trailers (names in lower case). */
  body(chunk: Uint8Array, more: boolean, trailers?: Pairs): void;
  /** The buffer has shrunk; called at the latest when it falls below the low mark, and for a response also when it is empty. */
  drained(): void;
  /** Answers `flush`. */
  flushed(): void;
  /** The end of the exchange. */
  closed(end: End): void;
}

/** From the wire to a websocket session. */
export interface SocketInbound extends Inbound {
  /** A whole message: text for a string, else binary. */
  message(data: string | Uint8Array): void;
  /** Answers `ping`. */
  pong(token: number): void;
}

/** What an engine tells the runner. No wrapper stands in the way of an exchange. */
export interface Observer {
  /** An exchange begins. */
  opened(head: RequestHead): void;
  /** It ended: always, exactly once for each `opened`. `bytes` are payload bytes of the body; status 0 where nothing was answered. */
  finished(head: RequestHead, status: number, bytes: number, end: End): void;
  /** A line for the log; `head` where it is about an exchange. */
  note(level: Level, text: string, fields: Fields, head: RequestHead | null): void;
}

/** Flow control, queue and timer settings that mean the same in every home. */
export interface Limits {
  /** Sends wait from here on. */
  readonly highWaterBytes: number;
  /** Sends go on below this. */
  readonly lowWaterBytes: number;
  /** An app that does not wait is stopped here. */
  readonly maxSendBufferBytes: number;
  /** WebSocket messages that may wait for the app; 0 is no limit. */
  readonly maxReceiveQueue: number;
  /** Their bytes; 0 is no limit. */
  readonly maxReceiveQueueBytes: number;
  /** Bytes of one WebSocket message; 0 is no limit. */
  readonly maxMessageBytes: number;
  /** 0 is off, here and below. */
  readonly requestTimeoutMs: number;
  /** A WebSocket without a message in either direction ends after that. */
  readonly wsIdleTimeoutMs: number;
  /** A stream without an event ends after that. */
  readonly sseIdleTimeoutMs: number;
}

/** What a home is started with. Plain data: a link sends it. */
export interface Start {
  /** The home is a worker of a pool. */
  readonly isWorker: boolean;
  /** 1…N, left out where there is no pool. */
  readonly workerNum?: number;
  /** `on` makes an app without lifespan an error, `off` never asks. */
  readonly lifespan: "auto" | "on" | "off";
  /** 0 waits forever. */
  readonly lifespanStartupTimeoutMs: number;
  /** Flow control, queues and timers. */
  readonly limits: Limits;
  /** Check every known field of every event. */
  readonly validateEvents: boolean;
}

/** Where an app lives. */
export interface Host {
  /** Runs the lifespan startup. Rejects with `StartupError`. */
  start(start: Start): Promise<void>;
  /** Begins an http or sse exchange; the app is called before it returns. */
  open(head: RequestHead, out: Outbound): Inbound;
  /** Begins a WebSocket. */
  openSocket(head: RequestHead, out: SocketOutbound): SocketInbound;
  /** Aborts `extensions.drain.signal` of every scope. */
  drain(reason: string, secondsLeft: number): void;
  /** Runs the lifespan shutdown. Exchanges are over by then. Never rejects. */
  stop(graceMs: number): Promise<void>;
  /** Settles with the cause if the home is gone. */
  readonly lost: Promise<string>;
}

/** What speaks the wire. */
export interface Engine {
  readonly name: string;
  readonly capabilities: readonly Capability[];
  /** Starts to accept. Rejects with `StartupError`. */
  listen(host: Host, observer: Observer): Promise<readonly Deno.Addr[]>;
  /** No new exchanges; answers carry `connection: close`. */
  drain(): void;
  /** Waits until all exchanges are over, at most `graceMs`; ends what is left with `server_shutdown` (WebSocket 1012). */
  close(graceMs: number): Promise<void>;
  /** Settles when the engine accepts no more: resolves after `close`, rejects with the cause of a failure. */
  readonly finished: Promise<void>;
}

/** Time, injected so that tests can hold it. */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls back once after `ms` milliseconds. */
  after(ms: number, callback: () => void): Timer;
  /** Resolves in a later turn of the event loop, however the time is held. */
  turn(): Promise<void>;
}

/** A pending callback of a {@linkcode Clock}. */
export interface Timer {
  /** Does nothing where the callback has run. */
  cancel(): void;
}

/** The file system of the home, with the app's own permissions. */
export interface Files {
  /** Rejects where the path is not a readable file. */
  open(path: string): Promise<OpenFile>;
}

/** A file that {@linkcode Files} opened. */
export interface OpenFile {
  /** Bytes. */
  readonly size: number;
  /** Reads into a fresh buffer at an offset; the number of bytes read, 0 at the end. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Lets go of the file. */
  close(): void;
}
