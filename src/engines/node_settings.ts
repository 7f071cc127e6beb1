/**
 * What the `node` engine is told, what it can do, and what its parts share.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { Capability, Level, Observer, Pairs } from "../exchange.ts";
import type { TlsInfo } from "../spec/scope.ts";
import type { ListenerSettings, Trust } from "./listener_settings.ts";
import type { Placed } from "./open_list.ts";

/** Limits of the wire; 0 is none, for each of them. */
export interface WireLimits {
  /** From the first byte of a connection, or of its next request, to the end of the head: then 408. */
  readonly headerTimeoutMs: number;
  /** A connection without a request. */
  readonly keepAliveTimeoutMs: number;
  /** A request body of which nothing comes: then 408, `client_timeout`. */
  readonly bodyTimeoutMs: number;
  /** A client that takes nothing of what waits for it: the connection is cut, `write_timeout`. */
  readonly writeTimeoutMs: number;
  readonly tlsHandshakeTimeoutMs: number;
  /** 414 beyond. */
  readonly maxTargetBytes: number;
  /** All names and values with their separators, as HTTP/1.1 would write them: 431 beyond. */
  readonly maxHeaderBytes: number;
  /** 431 beyond. */
  readonly maxHeaderCount: number;
  /** 503 beyond. */
  readonly maxConnections: number;
  /** Closed beyond. */
  readonly maxConnectionsPerAddress: number;
  /** Streams of an HTTP/2 connection that are open at once. */
  readonly maxStreams: number;
  /** Bytes of one WebSocket message: 1009 beyond. */
  readonly maxMessageBytes: number;
}

/** Settings of a `NodeEngine`. */
export interface NodeSettings {
  /** At least one. */
  readonly listeners: readonly ListenerSettings[];
  /** The mount point that every scope gets. */
  readonly rootPath: string;
  /** Largest request body; 0 is no limit. */
  readonly maxBodyBytes: number;
  /** From here on the buffer of an answer counts as full. */
  readonly highWaterBytes: number;
  /** Below this a full buffer counts as drained. */
  readonly lowWaterBytes: number;
  /** Headers for every answer that does not set them itself. */
  readonly headers: Pairs;
  /** Whose forwarding headers count; `null`: nobody's. */
  readonly trust: Trust | null;
  readonly limits: WireLimits;
  /** Offer permessage-deflate. */
  readonly wsDeflate: boolean;
  /** A peer that does not answer a close frame keeps its connection for so long; left out: 10 s. */
  readonly wsCloseTimeoutMs?: number;
}

/** The limits of a server that says nothing. */
export const DEFAULT_WIRE_LIMITS: WireLimits = Object.freeze({
  headerTimeoutMs: 10_000,
  keepAliveTimeoutMs: 60_000,
  bodyTimeoutMs: 30_000,
  writeTimeoutMs: 60_000,
  tlsHandshakeTimeoutMs: 10_000,
  maxTargetBytes: 8192,
  maxHeaderBytes: 32_768,
  maxHeaderCount: 100,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 0,
  maxStreams: 128,
  maxMessageBytes: 1_048_576,
});

/** A connection as it comes out of a gate: accepted, within the limits, its PROXY header read, its TLS handshake done, its protocol known. */
export interface GateConnection {
  /** A `TLSSocket` for TLS. What was read to know the protocol was put back. */
  readonly socket: Socket;
  readonly protocol: "http1" | "http2";
  /** The peer, or whom a trusted PROXY header names; `null` on a Unix socket. */
  readonly client: readonly [host: string, port: number] | null;
  /** The address that took the connection, or the one that a trusted PROXY header names; `[path, null]` on a Unix socket. */
  readonly server: readonly [host: string, port: number | null];
  /** One shared object for connections that are alike; `null` without TLS. */
  readonly tls: TlsInfo | null;
}

/** What a gate asks of its engine. */
export interface GateKeeper {
  /** Takes a connection over. The gate counts it until its socket closes. */
  take(connection: GateConnection): void;
  /** A line for the log. */
  note(level: Level, text: string, fields: Record<string, string | number>): void;
}

/** All that the node engine can do. */
export const NODE_CAPABILITIES: readonly Capability[] = Object.freeze([
  "http-version",
  "raw-headers",
  "missing-host",
  "continue",
  "trailers",
  "request-trailers",
  "early-hints",
  "flush",
  "force-close",
  "delivery",
  "post-disconnect",
  "timeouts",
  "target-limits",
  "client-certificates",
  "reset-content",
  "ws-ping",
  "ws-pause",
  "ws-close-codes",
  "ws-strict-frames",
  "ws-frame-limit",
  "ws-deflate",
  "ws-over-h2",
]);

/** The same for an HTTP/1.0 client, which can take neither trailers nor interim responses. */
export const NODE_HTTP10_CAPABILITIES: readonly Capability[] = Object.freeze(
  NODE_CAPABILITIES.filter((capability) => !["trailers", "early-hints", "continue"].includes(capability)),
);

/** What the exchanges of one engine share. */
export interface NodeWire {
  readonly observer: Observer;
  readonly settings: NodeSettings;
  /** Answers tell the client to go elsewhere next time. */
  readonly draining: boolean;
  /** An exchange begins. */
  opened(exchange: OpenNodeExchange): void;
  /** An exchange is over. */
  over(exchange: OpenNodeExchange): void;
}

/** An exchange as the engine sees it. */
export interface OpenNodeExchange extends Placed {
  /** A line for the log that names the request. */
  note(level: Level, text: string): void;
  /** Looks at its stalls; `now` in milliseconds. */
  check(now: number): void;
  /** Ends it, with `server_shutdown`. */
  shutdown(): void;
}
