/**
 * The only builder of scopes.
 *
 * A scope is one object literal of plain values, because middleware clones it by spreading. The three literals share most lines and no code:
 * putting the common keys together first would make every request pay for a second object. Contract sections 2, 3, 5 and 6.
 *
 * @module
 */

import type { RequestHead } from "../exchange.ts";
import type { Connection, Transport } from "../spec/handles.ts";
import type { Extensions, HttpScope, PagiInfo, SseScope, WebSocketScope } from "../spec/scope.ts";
import { splitSubprotocols } from "../wire/handshake.ts";
import { can, type Context } from "./context.ts";
import { Drain } from "./drain.ts";

/** The versions that every scope names. */
export const PAGI: PagiInfo = Object.freeze({ version: "0.3", spec_version: "0.3" });

/** A scope's drain handle and the extensions that hold it. */
export interface ScopeExtensions {
  readonly drain: Drain;
  readonly extensions: Extensions;
}

const NOTHING: Record<string, never> = Object.freeze({});

/** Builds an http scope. */
export function httpScope(
  head: RequestHead,
  context: Context,
  extensions: Extensions,
  connection: Connection,
  transport: Transport,
): HttpScope {
  const scope: HttpScope = {
    type: "http",
    pagi: PAGI,
    extensions,
    http_version: head.httpVersion,
    method: head.method,
    scheme: head.scheme,
    path: head.path,
    raw_path: head.rawPath,
    query_string: head.query,
    root_path: head.rootPath,
    headers: head.headers,
    server: head.server,
    "pagi.connection": connection,
    "pagi.transport": transport,
  };
  if (head.client !== undefined) scope.client = head.client;
  if (context.state !== null) scope.state = { ...context.state };
  return scope;
}

/** Builds an sse scope. */
export function sseScope(head: RequestHead, context: Context, extensions: Extensions, transport: Transport): SseScope {
  const scope: SseScope = {
    type: "sse",
    pagi: PAGI,
    extensions,
    http_version: head.httpVersion,
    method: head.method,
    scheme: head.scheme,
    path: head.path,
    raw_path: head.rawPath,
    query_string: head.query,
    root_path: head.rootPath,
    headers: head.headers,
    server: head.server,
    "pagi.transport": transport,
  };
  if (head.client !== undefined) scope.client = head.client;
  if (context.state !== null) scope.state = { ...context.state };
  return scope;
}

/** Builds a websocket scope. */
export function websocketScope(head: RequestHead, context: Context, extensions: Extensions, transport: Transport): WebSocketScope {
  const scope: WebSocketScope = {
    type: "websocket",
    pagi: PAGI,
    extensions,
    http_version: head.httpVersion,
    scheme: head.scheme === "https" ? "wss" : "ws",
    path: head.path,
    raw_path: head.rawPath,
    query_string: head.query,
    root_path: head.rootPath,
    headers: head.headers,
    subprotocols: subprotocols(head),
    server: head.server,
    "pagi.transport": transport,
  };
  if (head.client !== undefined) scope.client = head.client;
  if (context.state !== null) scope.state = { ...context.state };
  return scope;
}

/** What this server can do on this connection, as far as the scope type can use it. */
export function scopeExtensions(head: RequestHead, context: Context): ScopeExtensions {
  const drain = new Drain(context.drain);
  const extensions: { -readonly [K in keyof Extensions]: Extensions[K] } = { drain };
  if (head.tls !== undefined) extensions.tls = head.tls;
  if (head.kind === "websocket") extensions["websocket.http.response"] = NOTHING;
  else if (head.capabilities.length > 0) {
    if (can(head, "flush")) extensions.fullflush = NOTHING;
    if (can(head, "request-trailers")) extensions["http.request.trailers"] = NOTHING;
    if (head.kind === "http") {
      if (can(head, "trailers")) extensions["http.response.trailers"] = NOTHING;
      if (can(head, "early-hints")) extensions["http.response.early_hint"] = NOTHING;
    }
  }
  return { drain, extensions };
}

function subprotocols(head: RequestHead): string[] {
  const offered: string[] = [];
  for (const [name, value] of head.headers) {
    if (name === "sec-websocket-protocol") offered.push(...splitSubprotocols(value));
  }
  return offered;
}
