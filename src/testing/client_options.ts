/**
 * What a test client, a request and a handshake may be told, and what they are when they are not.
 *
 * @module
 */

import type { Capability, Clock, End, Fields as NoteFields, Files, Host, Level, Limits, RequestHead } from "../exchange.ts";
import type { App } from "../spec/app.ts";
import type { TlsInfo } from "../spec/scope.ts";
import type { BodyOptions, Fields } from "./request_body.ts";

/** What an app can be made of. */
export type AppLike = App | { toApp(): App | Promise<App> } | { fetch(request: Request): Response | Promise<Response> };

/** What the home of the app needs. */
export interface HostPorts {
  /** Time for the sessions. */
  readonly clock: Clock;
  /** The file system for `file` bodies. */
  readonly files: Files;
  /** A line for the log that belongs to no exchange. */
  note(level: Level, text: string, fields?: NoteFields): void;
}

/** How a test client is set up. Every field may be left out. */
export interface TestClientOptions {
  /** As the server's: `auto` (default) takes an app without lifespan too, `on` demands it, `off` never calls the app with it. */
  readonly lifespan?: "auto" | "on" | "off";
  /** Time for the sessions: keepalives, idle limits, timeouts. Default real time; a `ManualClock` stands still. */
  readonly clock?: Clock;
  /** The file system for `file` bodies, default the real one. */
  readonly files?: Files;
  /** Check every known field of every event, default true. */
  readonly validateEvents?: boolean;
  /** Limits other than the server's defaults; 0 is off. */
  readonly limits?: Partial<TestLimits>;
  /** The mount point, default `""`. */
  readonly rootPath?: string;
  /** A TLS connection, with these facts where they matter. Default false. */
  readonly tls?: boolean | Partial<TlsInfo>;
  /** Default `1.1`; each request may choose its own. */
  readonly httpVersion?: "1.0" | "1.1" | "2";
  /** Headers of every request; a request's own replace them, name by name. */
  readonly headers?: Fields;
  /** Keep cookies between requests, default false. */
  readonly cookies?: boolean;
  /** Address of the client, default `["127.0.0.1", 12345]`; `null` as on a Unix socket. */
  readonly client?: readonly [host: string, port: number] | null;
  /** Address of the server, default `["127.0.0.1", 80]`. */
  readonly server?: readonly [host: string, port: number | null];
  /** What the wire can not do, so that the app is tried as on a lesser engine. */
  readonly without?: readonly Capability[];
  /** Milliseconds of real time that a wait may take before it is an error, default 5000; 0 waits forever. */
  readonly timeoutMs?: number;
  /** An error that the app throws is thrown by the call of the client too, in place of the 500. Default false. */
  readonly raiseAppErrors?: boolean;
  /** Another home for the app than the inline one. */
  readonly host?: (app: App, ports: HostPorts) => Host;
  /** See `MemoryEngineSettings`. */
  readonly holdsUnwatchedEnds?: boolean;
}

/** What a request may carry beside method and target. At most one of `body`, `json` and `form`. */
export interface RequestOptions extends BodyOptions {
  /** In this order, after `host`. */
  readonly headers?: Fields;
  /** Appended to the query that the target has. */
  readonly query?: Fields;
  /** Default that of the client. */
  readonly httpVersion?: "1.0" | "1.1" | "2";
}

/** What a streaming exchange may carry. */
export interface OpenOptions extends RequestOptions {
  /** The request body is written piece by piece, with `write()` and `end()`. Default false. */
  readonly streams?: boolean;
  /** The client reads no body byte before `resume()`. Default false. */
  readonly stalled?: boolean;
}

/** What a WebSocket handshake may carry. */
export interface WebSocketOptions extends Pick<RequestOptions, "headers" | "query" | "httpVersion"> {
  /** Offered in this order. */
  readonly subprotocols?: readonly string[];
  /** The client reads no message before `resume()`. Default false. */
  readonly stalled?: boolean;
}

/** What a request for an event stream may carry. */
export interface SseOptions extends OpenOptions {
  /** Default `GET`. */
  readonly method?: string;
}

/** A line of the server's log. */
export interface Note {
  /** How grave it is. */
  readonly level: Level;
  /** What is said; it is the same for all lines of a kind. */
  readonly text: string;
  /** What differs between lines of a kind. */
  readonly fields: NoteFields;
  /** The request that it is about, `null` where it is about none. */
  readonly head: RequestHead | null;
}

/** An exchange that is over, as the access log would tell it. */
export interface FinishedExchange {
  /** The request. */
  readonly head: RequestHead;
  /** 0 where nothing was answered. */
  readonly status: number;
  /** Payload bytes that the client has read. */
  readonly bytes: number;
  /** How it ended; its `text` is what the app gave to `sse.close`, or the text of a close frame. */
  readonly end: End;
}

/** All limits: those of the sessions and that of the wire. */
export interface TestLimits extends Limits {
  /** Of a request body; 0 is no limit. */
  readonly maxBodyBytes: number;
}

/** The server's defaults. */
export const DEFAULT_LIMITS: TestLimits = {
  highWaterBytes: 65_536,
  lowWaterBytes: 16_384,
  maxSendBufferBytes: 16_777_216,
  maxReceiveQueue: 1000,
  maxReceiveQueueBytes: 16_777_216,
  maxMessageBytes: 1_048_576,
  requestTimeoutMs: 0,
  wsIdleTimeoutMs: 0,
  sseIdleTimeoutMs: 0,
  maxBodyBytes: 10_000_000,
};

/** What a TLS connection of a test is like, unless it says otherwise. */
export const DEFAULT_TLS: TlsInfo = {
  server_cert: null,
  client_cert_chain: [],
  client_cert_name: null,
  client_cert_error: null,
  tls_version: 0x0304,
  cipher_suite: 0x1301,
};
