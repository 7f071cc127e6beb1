/**
 * The scopes: what an app is told about one exchange, or about its own life.
 *
 * Contract sections 2, 3, 5, 6, 7 and 9. Keys are those of the specification, verbatim.
 *
 * @module
 */

import type { Headers } from "./events.ts";
import type { Connection, Transport } from "./handles.ts";

/** The versions of the interface. Contract section 2. */
export interface PagiInfo {
  /** The version of the interface. */
  version: "0.3";
  /** The version of the specification. */
  spec_version: "0.3";
}

/** `pagi` of a lifespan scope. Contract section 7. */
export interface LifespanPagiInfo extends PagiInfo {
  /** `1` in a worker of a pool. */
  is_worker: 0 | 1;
  /** 1…N, left out where there is no pool. */
  worker_num?: number;
}

/** The `tls` extension, on TLS connections only. Contract section 9. */
export interface TlsInfo {
  /** PEM text of the served certificate. */
  server_cert: string | null;
  /** PEM texts, leaf first; empty without a client certificate. */
  client_cert_chain: readonly string[];
  /** RFC 4514 subject. */
  client_cert_name: string | null;
  /** Why the client certificate was not verified. */
  client_cert_error: string | null;
  /** 0x0303 for TLS 1.2, 0x0304 for TLS 1.3. */
  tls_version: number | null;
  /** 16-bit identifier, such as 0x1301. */
  cipher_suite: number | null;
}

/** What this server can do on this connection. Contract section 9. */
export interface Extensions {
  /** `http.fullflush` flushes. */
  readonly fullflush?: Record<string, never>;
  /** The app may refuse a WebSocket handshake with a response of its own. */
  readonly "websocket.http.response"?: Record<string, never>;
  /** Response trailers reach this client. */
  readonly "http.response.trailers"?: Record<string, never>;
  /** The last `http.request` or `sse.request` has the trailers of the request body, where it had some. */
  readonly "http.request.trailers"?: Record<string, never>;
  /** 103 responses reach this client. */
  readonly "http.response.early_hint"?: Record<string, never>;
  /** The connection is a TLS connection. */
  readonly tls?: TlsInfo;
  /** Aborts when the server or this worker starts to drain; `reason` says which and how many seconds are left. */
  readonly drain?: { readonly signal: AbortSignal };
  /** Extensions and keys of others. */
  readonly [name: string]: unknown;
}

/** The keys that http, sse and websocket scopes share. Contract section 2. */
export interface RequestScope {
  /** The versions of the interface. */
  pagi: PagiInfo;
  /** What this server can do on this connection. */
  extensions: Extensions;
  /** As the client speaks it. */
  http_version: "1.0" | "1.1" | "2";
  /** Percent-decoded, then UTF-8-decoded; bytes that are not UTF-8 stay one code unit each. */
  path: string;
  /** The path bytes as sent, without the query. */
  raw_path: string;
  /** The bytes after the first `?`, still encoded. */
  query_string: string;
  /** The mount point, `""` by default. */
  root_path: string;
  /** Lower-case names, opaque values, wire order. */
  headers: Headers;
  /** `[host, port]`; left out on a Unix socket. */
  client?: readonly [host: string, port: number];
  /** `[host, port]`, or `[path, null]` on a Unix socket. */
  server: readonly [host: string, port: number | null];
  /** A fresh shallow copy of the lifespan state; left out where lifespan is off or was declined. */
  state?: Record<string, unknown>;
  /** The outbound buffer. */
  "pagi.transport": Transport;
  /** Keys of applications and middleware: `name` or `name.key`. */
  [key: string]: unknown;
}

/** A plain request. Contract section 3. */
export interface HttpScope extends RequestScope {
  /** Names the scope type. */
  type: "http";
  /** Upper case. */
  method: string;
  /** From the transport, or the word of a proxy that the server is told to trust; never a client's. */
  scheme: "http" | "https";
  /** The fate of the request. */
  "pagi.connection": Connection;
}

/** A request for a stream of server-sent events, whatever its method. Contract section 6. */
export interface SseScope extends RequestScope {
  /** Names the scope type. */
  type: "sse";
  /** Upper case. */
  method: string;
  /** From the transport, or the word of a proxy that the server is told to trust; never a client's. */
  scheme: "http" | "https";
}

/** A WebSocket handshake and what follows. Contract section 5. */
export interface WebSocketScope extends RequestScope {
  /** Names the scope type. */
  type: "websocket";
  /** From the transport, or the word of a proxy that the server is told to trust; never a client's. */
  scheme: "ws" | "wss";
  /** What the client offers, in its order. */
  subprotocols: readonly string[];
}

/** The life of one application instance. Contract section 7. */
export interface LifespanScope {
  /** Names the scope type. */
  type: "lifespan";
  /** The versions of the interface. */
  pagi: LifespanPagiInfo;
  /** What this server can do on this connection. */
  extensions: Extensions;
  /** Filled at startup; each later scope gets a shallow copy. */
  state: Record<string, unknown>;
  /** Extensions and keys of others. */
  [key: string]: unknown;
}

/** Any scope, told apart by `type`. */
export type Scope = HttpScope | WebSocketScope | SseScope | LifespanScope;
/** The values of `scope.type`. */
export type ScopeType = Scope["type"];
