/**
 * Every event that crosses `receive` and `send`, as discriminated unions on `type`.
 *
 * Contract sections 3 (http), 5 (websocket), 6 (sse), 7 (lifespan) and 9 (extensions).
 * Events are plain data. A byte string is a `string` whose code units are 0–255.
 *
 * @module
 */

import type { DisconnectReason } from "./reasons.ts";

/** One header: `[name, value]`, both byte strings; the name is lower case. Contract section 1. */
export type Header = readonly [name: string, value: string];
/** Headers in wire order; duplicates are kept. Contract section 1. */
export type Headers = readonly Header[];
/** A flag as sent by an app. The server itself always emits `0` or `1`. Contract section 1. */
export type Flag = 0 | 1 | boolean;

// ── http ────────────────────────────────────────────────────────────────────────────────────────

/** A part of the request body, or the whole of it. Contract section 3. */
export interface HttpRequestEvent {
  /** Names the event. */
  type: "http.request";
  /** Body bytes, without transfer framing; empty where there are none. */
  body: Uint8Array;
  /** `1` while more of the body follows. */
  more: 0 | 1;
  /** In the last event, where the body had trailers and `extensions["http.request.trailers"]` exists. RFC 9110 section 6.5. */
  trailers?: Headers;
}

/** The response is complete, or the client is gone. Asked again, it comes again. Contract section 3. */
export interface HttpDisconnectEvent {
  /** Names the event. */
  type: "http.disconnect";
}

/** What `receive` gives in an http scope. */
export type HttpReceiveEvent = HttpRequestEvent | HttpDisconnectEvent;

/** Status and headers. They leave with the first body event. Contract section 3. */
export interface HttpResponseStartEvent {
  /** Names the event. */
  type: "http.response.start";
  /** 200–599. */
  status: number;
  /** Response headers; `transfer-encoding` is dropped, framing is the server's. */
  headers?: Headers;
  /** Promises an `http.response.trailers` event after the body. */
  trailers?: Flag;
}

/** What a `fh` body needs of a file handle; an open `Deno.FsFile` has it. Contract section 1. */
export interface ReadableHandle {
  /** Reads up to `into.byteLength` bytes; `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Moves the read position; needed only where `offset` is used. */
  seek?(offset: number | bigint, whence: 0): Promise<number>;
}

/** The part of the body that `file` or `fh` sends. Contract section 3. */
export interface FileRange {
  /** First byte, default 0. Beyond the end, no byte is sent. */
  offset?: number;
  /** Bytes to send at most, default up to the end. */
  length?: number;
}

/** Body bytes; a `string` is encoded as UTF-8. Contract section 3. */
export interface HttpResponseBytesEvent {
  /** Names the event. */
  type: "http.response.body";
  /** Bytes; a `string` is encoded as UTF-8. */
  body?: Uint8Array | string;
  /** Excluded by the other form. */
  file?: never;
  /** Excluded by the other form. */
  fh?: never;
  /** Keeps the body open for another event, default `0`. */
  more?: Flag;
}

/** A file, opened, streamed and closed by the server with the app's own permissions. Always final. Contract section 3. */
export interface HttpResponseFileEvent extends FileRange {
  /** Names the event. */
  type: "http.response.body";
  /** An absolute path. */
  file: string;
  /** Excluded by the other form. */
  body?: never;
  /** Excluded by the other form. */
  fh?: never;
  /** Keeps the body open for another event, default `0`. */
  more?: Flag;
}

/** An open file, which stays the app's to close. Always final. Contract section 3. */
export interface HttpResponseHandleEvent extends FileRange {
  /** Names the event. */
  type: "http.response.body";
  /** An open file. */
  fh: ReadableHandle;
  /** Excluded by the other form. */
  body?: never;
  /** Excluded by the other form. */
  file?: never;
  /** Keeps the body open for another event, default `0`. */
  more?: Flag;
}

/** One of the three forms of a response body. */
export type HttpResponseBodyEvent = HttpResponseBytesEvent | HttpResponseFileEvent | HttpResponseHandleEvent;

/** Trailer fields, only after a start that promised them. Contract section 3. */
export interface HttpResponseTrailersEvent {
  /** Names the event. */
  type: "http.response.trailers";
  /** Headers, none by default. */
  headers?: Headers;
}

/** Flushes what was sent; rejects unless `extensions.fullflush` exists. Contract section 9. */
export interface HttpFullflushEvent {
  /** Names the event. */
  type: "http.fullflush";
}

/** A 103 response before the start; rejects unless `extensions["http.response.early_hint"]` exists. RFC 8297. */
export interface HttpEarlyHintEvent {
  /** Names the event. */
  type: "http.response.early_hint";
  /** `link` headers, as a rule. */
  headers: Headers;
}

/** What `send` takes in an http scope. */
export type HttpSendEvent =
  | HttpResponseStartEvent
  | HttpResponseBodyEvent
  | HttpResponseTrailersEvent
  | HttpFullflushEvent
  | HttpEarlyHintEvent;

// ── websocket ───────────────────────────────────────────────────────────────────────────────────

/** The client asks for the handshake. Always first. Contract section 5. */
export interface WebSocketConnectEvent {
  /** Names the event. */
  type: "websocket.connect";
}

/** A text message. Contract section 5. */
export interface WebSocketTextEvent {
  /** Names the event. */
  type: "websocket.receive";
  /** The text. */
  text: string;
  /** Excluded by the other form. */
  bytes?: never;
}

/** A binary message. Contract section 5. */
export interface WebSocketBytesEvent {
  /** Names the event. */
  type: "websocket.receive";
  /** The bytes. */
  bytes: Uint8Array;
  /** Excluded by the other form. */
  text?: never;
}

/** The connection ended. Contract section 5. */
export interface WebSocketDisconnectEvent {
  /** Names the event. */
  type: "websocket.disconnect";
  /** The peer's code, 1005 for a close without one, 1006 for a loss without a close handshake. */
  code: number;
  /** The peer's text, or the reason token of an abnormal end. */
  reason: string;
}

/** What `receive` gives in a websocket scope. */
export type WebSocketReceiveEvent =
  | WebSocketConnectEvent
  | WebSocketTextEvent
  | WebSocketBytesEvent
  | WebSocketDisconnectEvent;

/** Completes the handshake. Contract section 5. */
export interface WebSocketAcceptEvent {
  /** Names the event. */
  type: "websocket.accept";
  /** One of `scope.subprotocols`. */
  subprotocol?: string | null;
  /** Headers, none by default. */
  headers?: Headers;
}

/** Sends a text message. Contract section 5. */
export interface WebSocketSendTextEvent {
  /** Names the event. */
  type: "websocket.send";
  /** The text. */
  text: string;
  /** Excluded by the other form. */
  bytes?: null;
}

/** Sends a binary message. Contract section 5. */
export interface WebSocketSendBytesEvent {
  /** Names the event. */
  type: "websocket.send";
  /** The bytes. */
  bytes: Uint8Array;
  /** Excluded by the other form. */
  text?: null;
}

/** Pings the peer; the last one wins. Rejects where the engine can't ping. Contract section 5. */
export interface WebSocketKeepaliveEvent {
  /** Names the event. */
  type: "websocket.keepalive";
  /** Seconds between pings; 0 stops. */
  interval: number;
  /** Seconds to wait for a pong before the connection ends with 1006 and `keepalive_timeout`. */
  timeout?: number;
}

/** Closes the connection; before the accept it refuses the handshake with 403. Contract section 5. */
export interface WebSocketCloseEvent {
  /** Names the event. */
  type: "websocket.close";
  /** 1000 (default), 1001–1003, 1007–1014 or 3000–4999. */
  code?: number;
  /** At most 123 bytes of UTF-8. */
  reason?: string;
}

/** Refuses the handshake with an ordinary response. Contract section 5. */
export interface WebSocketDenialStartEvent {
  /** Names the event. */
  type: "websocket.http.response.start";
  /** 200–599. */
  status: number;
  /** Headers, none by default. */
  headers?: Headers;
}

/** The body of that response. Contract section 5. */
export interface WebSocketDenialBodyEvent {
  /** Names the event. */
  type: "websocket.http.response.body";
  /** Bytes; a `string` is encoded as UTF-8. */
  body?: Uint8Array | string;
  /** Keeps the body open for another event, default `0`. */
  more?: Flag;
}

/** What `send` takes in a websocket scope. */
export type WebSocketSendEvent =
  | WebSocketAcceptEvent
  | WebSocketSendTextEvent
  | WebSocketSendBytesEvent
  | WebSocketKeepaliveEvent
  | WebSocketCloseEvent
  | WebSocketDenialStartEvent
  | WebSocketDenialBodyEvent;

// ── sse ─────────────────────────────────────────────────────────────────────────────────────────

/** A part of the request body, or the whole of it. Contract section 6. */
export interface SseRequestEvent {
  /** Names the event. */
  type: "sse.request";
  /** Body bytes, without transfer framing. */
  body: Uint8Array;
  /** `1` while more of the body follows. */
  more: 0 | 1;
  /** As in {@linkcode HttpRequestEvent}. */
  trailers?: Headers;
}

/** The stream ended. Contract section 6. */
export interface SseDisconnectEvent {
  /** Names the event. */
  type: "sse.disconnect";
  /** A reason token, or what the app gave to `sse.close`. */
  reason: string;
}

/** What `receive` gives in an sse scope. */
export type SseReceiveEvent = SseRequestEvent | SseDisconnectEvent;

/** Starts the stream. Contract section 6. */
export interface SseStartEvent {
  /** Names the event. */
  type: "sse.start";
  /** 200–599, default 200. */
  status?: number;
  /** Headers, none by default. */
  headers?: Headers;
}

/** One event of the stream. Contract section 6. */
export interface SseSendEvent {
  /** Names the event. */
  type: "sse.send";
  /** Split on CRLF, LF and CR into one `data:` line each. */
  data: string;
  /** No CR or LF. */
  event?: string | null;
  /** No CR, LF or NUL. */
  id?: string | null;
  /** Milliseconds, a non-negative integer. */
  retry?: number | null;
}

/** A comment line. Contract section 6. */
export interface SseCommentEvent {
  /** Names the event. */
  type: "sse.comment";
  /** The text; every line of it gets a colon where it has none. */
  comment: string;
}

/** Sends a comment again and again; the last one wins. Contract section 6. */
export interface SseKeepaliveEvent {
  /** Names the event. */
  type: "sse.keepalive";
  /** Seconds between comments; 0 stops. */
  interval: number;
  /** The text; every line of it gets a colon where it has none. */
  comment?: string;
}

/** Ends the stream. Contract section 6. */
export interface SseCloseEvent {
  /** Names the event. */
  type: "sse.close";
  /** Stays on the server: access log and disconnect reason. */
  reason?: string;
}

/** Declines the stream with an ordinary response. Contract section 6. */
export interface SseDeclineStartEvent {
  /** Names the event. */
  type: "sse.http.response.start";
  /** 200–599. */
  status: number;
  /** Headers, none by default. */
  headers?: Headers;
}

/** The body of that response. Contract section 6. */
export interface SseDeclineBodyEvent {
  /** Names the event. */
  type: "sse.http.response.body";
  /** Bytes; a `string` is encoded as UTF-8. */
  body?: Uint8Array | string;
  /** Keeps the body open for another event, default `0`. */
  more?: Flag;
}

/** What `send` takes in an sse scope. */
export type SseStreamEvent =
  | SseStartEvent
  | SseSendEvent
  | SseCommentEvent
  | SseKeepaliveEvent
  | SseCloseEvent
  | SseDeclineStartEvent
  | SseDeclineBodyEvent
  | HttpFullflushEvent;

// ── lifespan ────────────────────────────────────────────────────────────────────────────────────

/** The server starts. Contract section 7. */
export interface LifespanStartupEvent {
  /** Names the event. */
  type: "lifespan.startup";
}

/** The server stops; all connections are closed. Contract section 7. */
export interface LifespanShutdownEvent {
  /** Names the event. */
  type: "lifespan.shutdown";
}

/** What `receive` gives in a lifespan scope. */
export type LifespanReceiveEvent = LifespanStartupEvent | LifespanShutdownEvent;

/** The app is ready. Contract section 7. */
export interface LifespanStartupCompleteEvent {
  /** Names the event. */
  type: "lifespan.startup.complete";
}

/** The app can't start; the server doesn't either. Contract section 7. */
export interface LifespanStartupFailedEvent {
  /** Names the event. */
  type: "lifespan.startup.failed";
  /** For the log. */
  message?: string;
}

/** The app has cleaned up. Contract section 7. */
export interface LifespanShutdownCompleteEvent {
  /** Names the event. */
  type: "lifespan.shutdown.complete";
}

/** The app could not clean up. Contract section 7. */
export interface LifespanShutdownFailedEvent {
  /** Names the event. */
  type: "lifespan.shutdown.failed";
  /** For the log. */
  message?: string;
}

/** What `send` takes in a lifespan scope. */
export type LifespanSendEvent =
  | LifespanStartupCompleteEvent
  | LifespanStartupFailedEvent
  | LifespanShutdownCompleteEvent
  | LifespanShutdownFailedEvent;

// ── all ─────────────────────────────────────────────────────────────────────────────────────────

/** What `receive` gives in any scope. */
export type ReceiveEvent = HttpReceiveEvent | WebSocketReceiveEvent | SseReceiveEvent | LifespanReceiveEvent;
/** What `send` takes in any scope. */
export type SendEvent = HttpSendEvent | WebSocketSendEvent | SseStreamEvent | LifespanSendEvent;
/** The reason tokens, where an event carries one. */
export type { DisconnectReason };
