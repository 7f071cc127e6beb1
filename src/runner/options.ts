/**
 * The options table: each option once, with everything that is derived from it: the command line, the environment, the options of
 * `serve`, the help and the table of the README.
 *
 * Not here: how values are read (`option_kinds.ts`), how arguments are (`arguments.ts`), what follows from them (`settings.ts`).
 *
 * @module
 */

import { DEFAULT_WIRE_LIMITS } from "../engines/node_settings.ts";
import type { Headers } from "../spec/events.ts";
import { LISTEN_FORMS } from "./listen_address.ts";
import { readPermissionFlag } from "./sandbox/permission_flag.ts";
import type { LoggerLike } from "./logger.ts";
import {
  choice,
  count,
  duration,
  entries,
  fileMode,
  files,
  flag,
  headers,
  integer,
  type Kind,
  limit,
  logTarget,
  size,
  text,
  texts,
} from "./option_kinds.ts";
import { TRUSTED_RIGHT } from "./trusted_addresses.ts";

/** Options of `serve`. Each is also an option of the command line; the units here are those of the names. */
export interface ServeOptions {
  /** Address to listen on, default `127.0.0.1`. */
  host?: string;
  /** Port to listen on, default 5000; 0 takes any free one. */
  port?: number;
  /** Path of a Unix socket to listen on, in place of `host` and `port`. */
  socket?: string;
  /**
   * Addresses to listen on, in place of `host`, `port` and `socket`: `host:port`, `[v6]:port`, `:port` for every IPv4 address, `unix:path`,
   * or `fd:3` for a TCP socket that listens and was inherited. Behind each may stand `,tls` or `,plain` (with a certificate, TCP is TLS
   * unless `,plain` says otherwise; Unix sockets never are), and `,proxy` for `proxyProtocol` on this one alone.
   */
  listen?: readonly string[];
  /** File permissions of Unix sockets, default `0o600`. */
  socketMode?: number;
  /** Connections that the system keeps for each listener until they are accepted. Default: that of the engine. */
  listenerBacklog?: number;
  /** Every connection, of every listener, begins with a header of the PROXY protocol, version 1 or 2. Engine `node`. */
  proxyProtocol?: boolean;
  /**
   * What speaks the wire: `deno` costs less CPU, `node` controls all of the wire. The default, `auto`, takes `node` on public
   * addresses and where an option asks for what only `node` can do, else `deno`.
   */
  engine?: "auto" | "deno" | "node";
  /**
   * File with the certificate chain, PEM, or several, of which clients get the one for the host that they name, else the first (SNI; several
   * need the engine `node`). Needs `sslKey`. Files that change are read anew, on the engine `node`.
   */
  sslCert?: string | readonly string[];
  /** File with the private key, PEM, or several, in the order of `sslCert`. */
  sslKey?: string | readonly string[];
  /** File with the authorities that may have signed client certificates, PEM. Needs `sslVerifyClient`. Engine `node`. */
  sslCa?: string;
  /**
   * Whether clients are asked for a certificate: `none`, the default; `optional` tells the app what is wrong with it; `require` turns
   * away who has none that `sslCa` has signed. Engine `node`.
   */
  sslVerifyClient?: "none" | "optional" | "require";
  /**
   * Workers that run the app: 0, the default, runs it in the server's own process; `auto` is one for each available CPU. With workers,
   * the app is given to `serve` as a path, a URL or a specifier.
   */
  workers?: number | "auto";
  /**
   * Where workers run: subprocesses, the default; threads (Web Workers) of the server's process; or `listener`, subprocesses that each
   * listen on the port themselves.
   */
  workerType?: "process" | "thread" | "listener";
  /** Exchanges that may wait while no worker is ready, default 1000; more get 503. */
  maxQueue?: number;
  /** How long they may wait, default 10,000 ms; then 503. */
  queueTimeoutMs?: number;
  /** Replaces a worker after so many exchanges; 0, the default, is never. */
  maxRequests?: number;
  /** Adds a random number up to this to `maxRequests`, for each worker; default 0. */
  maxRequestsJitter?: number;
  /** Replaces a worker that is that old; 0, the default, is never. */
  maxWorkerLifetimeMs?: number;
  /** Memory of a worker process: replaced gracefully from here on, killed at one and a half times as much; 0, the default, is no limit. */
  workerMemoryBytes?: number;
  /** Kills and replaces a worker that does not say for that long that it is alive, default 30,000 ms; 0 is never. */
  heartbeatTimeoutMs?: number;
  /** Runs the app in worker processes that may do nothing but what `permissions` and `permissionSet` allow. */
  sandbox?: boolean;
  /** Deno's permission flags for a sandbox, such as `["--allow-net=api.example.com:443", "--deny-read=/srv/data/private"]`. */
  permissions?: readonly string[];
  /** A permission set of the app's deno.json, for a sandbox. */
  permissionSet?: string;
  /** Environment variables for a sandbox, each as `NAME=VALUE`, or as `NAME` for the server's own value. */
  envVar?: readonly string[];
  /** The user of the workers of a sandbox, by name or number; only where the server runs as root. */
  workerUser?: string;
  /** Their group. */
  workerGroup?: string;
  /** Their working directory; default: an empty one for each, removed with its worker. */
  workerCwd?: string;
  /** Environment, such as `development` or `production`. Default: `PAGI_ENV`, else development on a terminal, else production. */
  env?: string;
  /** Whether the app gets a lifespan scope; `on` makes it fatal where the app does not support it. Default `auto`. */
  lifespan?: "auto" | "on" | "off";
  /** How long the lifespan startup may take, default 30,000 ms; 0 is no limit. */
  lifespanStartupTimeoutMs?: number;
  /** How long a stop may take, default 30,000 ms. */
  shutdownTimeoutMs?: number;
  /** How long a request head may take, from its first byte on; then 408. Default 10,000 ms; 0 is no limit. Engine `node`. */
  headerTimeoutMs?: number;
  /** Closes a connection that has no request for that long, default 60,000 ms; 0 is never. Engine `node`. */
  keepAliveTimeoutMs?: number;
  /** Ends a request whose body does not come on for that long, with 408; default 30,000 ms, 0 is never. Engine `node`. */
  bodyTimeoutMs?: number;
  /** Cuts a client that takes nothing of what waits for it for that long, default 60,000 ms; 0 is never. Engine `node`. */
  writeTimeoutMs?: number;
  /** How long a TLS handshake may take, default 10,000 ms; 0 is no limit. Engine `node`. */
  tlsHandshakeTimeoutMs?: number;
  /** Largest request target, default 8192 bytes, at least 16; more gets 414. 0 is no limit. Engine `node`. */
  maxTargetBytes?: number;
  /** Largest request head, names and values, default 32,768 bytes, at least 256; more gets 431. 0 is no limit. Engine `node`. */
  maxHeaderBytes?: number;
  /** Most headers of a request, default 100; more get 431. 0 is no limit. Engine `node`. */
  maxHeaderCount?: number;
  /** Most open connections, default 10,000; more get 503. 0 is no limit. Engine `node`. */
  maxConnections?: number;
  /** Most open connections of one client address; more are closed. 0, the default, is no limit. Engine `node`. */
  maxConnectionsPerAddress?: number;
  /** Most open streams of one HTTP/2 connection, default 128; 0 is no limit. Engine `node`. */
  http2MaxStreams?: number;
  /** Largest request body, default 10,000,000 bytes; 0 is no limit. */
  maxBodyBytes?: number;
  /** WebSocket messages that may wait for the app, default 1000. */
  maxReceiveQueue?: number;
  /** Bytes of WebSocket messages that may wait for the app, default 16 MiB. */
  maxReceiveQueueBytes?: number;
  /** Largest WebSocket message, default 1 MiB. */
  maxWsMessageBytes?: number;
  /** Offers to compress WebSocket messages (permessage-deflate); default off. Engine `node`. */
  wsDeflate?: boolean;
  /** From here on `send` waits, default 65,536 bytes. */
  writeHighWatermarkBytes?: number;
  /** Below this it goes on, default a quarter of the high mark. */
  writeLowWatermarkBytes?: number;
  /** What may wait for a client at most, default 16 MiB; more ends the exchange. */
  maxSendBufferBytes?: number;
  /** Ends a WebSocket on which nothing moves for that long; 0, the default, is off. */
  wsIdleTimeoutMs?: number;
  /** Ends a stream of server-sent events on which nothing is sent for that long; 0, the default, is off. */
  sseIdleTimeoutMs?: number;
  /** Ends a request on which nothing is read or written for that long; 0, the default, is off. */
  requestTimeoutMs?: number;
  /** File for the access log, `-` for standard output, `true` for standard error, `false` for none. Default: off in production. */
  accessLog?: string | boolean;
  /** A named format (clf, combined, common, tiny, json) or a format string. Default clf. */
  accessLogFormat?: string;
  /** Least severe messages that are logged, default `info`. */
  logLevel?: "debug" | "info" | "warn" | "error";
  /** How the server's own messages are written, default `text`. */
  logFormat?: "text" | "json";
  /** No banner, and only errors unless `logLevel` is given. */
  quiet?: boolean;
  /** Check every known field of every event. Default: on in development. */
  validateEvents?: boolean;
  /** Headers for every answer that does not set them itself. */
  header?: Headers;
  /** Mount point that the app is told, such as `/api`; default `""`. */
  rootPath?: string;
  /**
   * Proxies whose `X-Forwarded-*` and `Forwarded` headers count: addresses, blocks such as `10.0.0.0/8`, `unix` for the peers of Unix
   * sockets, `*` for everybody; in one text with commas, or a list. Default: nobody's.
   */
  forwardedAllowIps?: string | readonly string[];
  /** Takes the server's messages in place of standard error; any object with `debug`, `info`, `warn` and `error`. */
  logger?: LoggerLike;
}

/** What the command line knows besides. */
export interface CommandOptions extends ServeOptions {
  printSandbox?: boolean;
  eval?: string;
  version?: boolean;
  help?: boolean;
}

/** Names of the options as programs write them. */
export type OptionKey = Exclude<keyof CommandOptions, "logger">;

/** One row of the table. */
export interface Option<T> {
  /** Long name, without dashes. */
  readonly name: string;
  readonly short?: string;
  readonly alias?: string;
  readonly kind: Kind<T>;
  /** The default, `null` where there is none or where it depends. */
  readonly default: T | null;
  /** The default in words, where it depends. */
  readonly otherwise?: string;
  /** One line, without a full stop. */
  readonly help: string;
  /** Only on the command line: no environment variable, no option of `serve`. */
  readonly commandOnly?: boolean;
  /** The engine that alone can do what the option asks for. */
  readonly only?: "node";
  /** The value with which it asks for nothing that other engines do not do anyway. */
  readonly unless?: T;
}

/** The table. */
export const OPTIONS: { readonly [K in OptionKey]: Option<NonNullable<CommandOptions[K]>> } = {
  host: { name: "host", short: "o", kind: text("HOST", "an address or a host name"), default: "127.0.0.1", help: "Address to listen on" },
  port: { name: "port", short: "p", kind: integer("PORT", 0, 65535), default: 5000, help: "Port to listen on; 0 takes any free one" },
  socket: { name: "socket", kind: text("PATH", "a path"), default: null, help: "Unix socket to listen on, in place of host and port" },
  listen: {
    name: "listen",
    kind: texts("ADDRESS", LISTEN_FORMS, (text) => text !== "" && !text.includes("\0")),
    default: null,
    help: `Address to listen on, in place of host, port and socket: ${LISTEN_FORMS}; repeatable`,
  },
  socketMode: { name: "socket-mode", kind: fileMode(), default: 0o600, help: "File permissions of Unix sockets" },
  listenerBacklog: {
    name: "listener-backlog",
    kind: integer("COUNT", 1, 65_535),
    default: null,
    otherwise: "that of the engine",
    help: "Connections that the system keeps for each listener until they are accepted",
  },
  proxyProtocol: {
    name: "proxy-protocol",
    kind: flag(),
    default: false,
    help: "Every connection begins with a header of the PROXY protocol",
    only: "node",
    unless: false,
  },
  engine: {
    name: "engine",
    kind: choice("auto", "deno", "node"),
    default: "auto",
    help:
      "What speaks the wire: deno for less CPU, node for limits on clients and all of HTTP; auto takes node on public addresses and where an option needs it",
  },
  sslCert: { name: "ssl-cert", kind: files(), default: null, help: "Certificate chain (PEM); needs --ssl-key; repeatable, in pairs (SNI)" },
  sslKey: { name: "ssl-key", kind: files(), default: null, help: "Private key (PEM); needs --ssl-cert" },
  sslCa: {
    name: "ssl-ca",
    kind: text("FILE", "a file"),
    default: null,
    help: "Authorities that may have signed client certificates (PEM)",
    only: "node",
  },
  sslVerifyClient: {
    name: "ssl-verify-client",
    kind: choice("none", "optional", "require"),
    default: "none",
    help: "Ask clients for a certificate; require turns away who has no good one; needs --ssl-ca",
    only: "node",
    unless: "none",
  },
  workers: {
    name: "workers",
    short: "w",
    kind: count("auto"),
    default: 0,
    help: "Workers that run the app; 0 runs it in this process, auto is one for each available CPU",
  },
  workerType: {
    name: "worker-type",
    kind: choice("process", "thread", "listener"),
    default: "process",
    help:
      "Where workers run: subprocesses, threads of this process (for trusted code), or subprocesses that each listen on the port themselves",
  },
  maxQueue: {
    name: "max-queue",
    kind: integer("COUNT", 0, Number.MAX_SAFE_INTEGER),
    default: 1000,
    help: "Exchanges that may wait while no worker is ready; more get 503",
  },
  queueTimeoutMs: {
    name: "queue-timeout",
    kind: duration(),
    default: 10_000,
    help: "How long they may wait; then 503. 0 lets none wait",
  },
  maxRequests: {
    name: "max-requests",
    kind: integer("COUNT", 0, Number.MAX_SAFE_INTEGER),
    default: 0,
    help: "Replace a worker after so many exchanges; 0 is never",
  },
  maxRequestsJitter: {
    name: "max-requests-jitter",
    kind: integer("COUNT", 0, Number.MAX_SAFE_INTEGER),
    default: 0,
    help: "Add a random number up to this to --max-requests, for each worker",
  },
  maxWorkerLifetimeMs: {
    name: "max-worker-lifetime",
    kind: duration(),
    default: 0,
    help: "Replace a worker that is that old; 0 is never",
  },
  workerMemoryBytes: {
    name: "worker-memory",
    kind: size(0),
    default: 0,
    help:
      "Memory of a worker process (RSS; its heap is held to it too): replaced gracefully from here on, killed at 1.5 times as much; 0 is no limit",
  },
  heartbeatTimeoutMs: {
    name: "heartbeat-timeout",
    kind: duration(),
    default: 30_000,
    help: "Kill and replace a worker that gives no sign of life for that long; 0 is never",
  },
  sandbox: {
    name: "sandbox",
    kind: flag(),
    default: false,
    help: "Run the app in a worker process that may do nothing but what these options allow",
  },
  permissions: {
    name: "permissions",
    kind: texts("FLAG", "a permission flag of Deno, such as --allow-net=example.com:443", (text) => readPermissionFlag(text) !== undefined),
    default: null,
    help: "What a sandbox allows: Deno's own flags --allow-…, --deny-… and --ignore-…, which can also stand for themselves; repeatable",
  },
  permissionSet: {
    name: "permission-set",
    kind: text("NAME", "a name"),
    default: null,
    help: "A permission set of the app's deno.json, for a sandbox",
  },
  envVar: {
    name: "env-var",
    kind: texts("NAME[=VALUE]", "a variable as NAME or NAME=VALUE", (text) => /^[^=\0]+(?:=[^\0]*)?$/.test(text)),
    default: null,
    help: "Environment variable for a sandbox, which has none else; without a value, that of the server; repeatable",
  },
  workerUser: {
    name: "worker-user",
    kind: text("USER", "a user"),
    default: null,
    help: "User of the workers of a sandbox; only where the server runs as root",
  },
  workerGroup: {
    name: "worker-group",
    kind: text("GROUP", "a group"),
    default: null,
    help: "Group of the workers of a sandbox; only where the server runs as root",
  },
  workerCwd: {
    name: "worker-cwd",
    kind: text("PATH", "a directory"),
    default: null,
    otherwise: "an empty one for each worker",
    help: "Working directory of the workers of a sandbox",
  },
  env: {
    name: "env",
    short: "E",
    kind: text("NAME", "a name"),
    default: null,
    otherwise: "development on a terminal, else production",
    help: "Environment; the app finds it in PAGI_ENV",
  },
  lifespan: {
    name: "lifespan",
    kind: choice("auto", "on", "off"),
    default: "auto",
    help: "Tell the app of startup and shutdown; on: it must answer",
  },
  lifespanStartupTimeoutMs: {
    name: "lifespan-startup-timeout",
    kind: duration(),
    default: 30_000,
    help: "How long the startup of the app may take; 0 is no limit",
  },
  shutdownTimeoutMs: {
    name: "shutdown-timeout",
    kind: duration(),
    default: 30_000,
    help: "How long a stop may take; then what is left is ended",
  },
  headerTimeoutMs: {
    name: "header-timeout",
    kind: duration(),
    default: DEFAULT_WIRE_LIMITS.headerTimeoutMs,
    help: "How long a request head may take, then 408; 0 is no limit",
    only: "node",
    unless: 0,
  },
  keepAliveTimeoutMs: {
    name: "keep-alive-timeout",
    alias: "timeout",
    kind: duration(),
    default: DEFAULT_WIRE_LIMITS.keepAliveTimeoutMs,
    help: "Close a connection that has no request for that long; 0 is never",
    only: "node",
    unless: 0,
  },
  bodyTimeoutMs: {
    name: "body-timeout",
    kind: duration(),
    default: DEFAULT_WIRE_LIMITS.bodyTimeoutMs,
    help: "End a request whose body does not come on for that long, with 408; 0 is never",
    only: "node",
    unless: 0,
  },
  writeTimeoutMs: {
    name: "write-timeout",
    kind: duration(),
    default: DEFAULT_WIRE_LIMITS.writeTimeoutMs,
    help: "Cut a client that takes nothing of what waits for it for that long; 0 is never",
    only: "node",
    unless: 0,
  },
  tlsHandshakeTimeoutMs: {
    name: "tls-handshake-timeout",
    kind: duration(),
    default: DEFAULT_WIRE_LIMITS.tlsHandshakeTimeoutMs,
    help: "How long a TLS handshake may take; 0 is no limit",
    only: "node",
    unless: 0,
  },
  maxTargetBytes: {
    name: "max-target-size",
    kind: limit(16),
    default: DEFAULT_WIRE_LIMITS.maxTargetBytes,
    help: "Largest request target, more gets 414; 0 is no limit",
    only: "node",
  },
  maxHeaderBytes: {
    name: "max-header-size",
    kind: limit(256),
    default: DEFAULT_WIRE_LIMITS.maxHeaderBytes,
    help: "Largest request head, more gets 431; 0 is no limit",
    only: "node",
  },
  maxHeaderCount: {
    name: "max-header-count",
    kind: integer("COUNT", 0, Number.MAX_SAFE_INTEGER),
    default: DEFAULT_WIRE_LIMITS.maxHeaderCount,
    help: "Most headers of a request, more get 431; 0 is no limit",
    only: "node",
  },
  maxConnections: {
    name: "max-connections",
    kind: integer("COUNT", 0, Number.MAX_SAFE_INTEGER),
    default: DEFAULT_WIRE_LIMITS.maxConnections,
    help: "Most open connections, more get 503; 0 is no limit",
    only: "node",
    unless: 0,
  },
  maxConnectionsPerAddress: {
    name: "max-connections-per-address",
    kind: integer("COUNT", 0, Number.MAX_SAFE_INTEGER),
    default: DEFAULT_WIRE_LIMITS.maxConnectionsPerAddress,
    help: "Most open connections of one client address, more are closed; 0 is no limit",
    only: "node",
    unless: 0,
  },
  http2MaxStreams: {
    name: "http2-max-streams",
    kind: integer("COUNT", 0, Number.MAX_SAFE_INTEGER),
    default: DEFAULT_WIRE_LIMITS.maxStreams,
    help: "Most open streams of one HTTP/2 connection; 0 is no limit",
    only: "node",
  },
  maxBodyBytes: { name: "max-body-size", kind: size(0), default: 10_000_000, help: "Largest request body; 0 is no limit" },
  maxReceiveQueue: {
    name: "max-receive-queue",
    kind: integer("COUNT", 1, Number.MAX_SAFE_INTEGER),
    default: 1000,
    help: "WebSocket messages that may wait for the app",
  },
  maxReceiveQueueBytes: {
    name: "max-receive-queue-bytes",
    kind: size(1),
    default: 16_777_216,
    help: "Bytes of WebSocket messages that may wait for the app",
  },
  maxWsMessageBytes: {
    name: "max-ws-message-size",
    alias: "max-ws-frame-size",
    kind: size(1),
    default: 1_048_576,
    help: "Largest WebSocket message",
  },
  wsDeflate: {
    name: "ws-deflate",
    kind: flag(),
    default: false,
    help: "Offer to compress WebSocket messages (permessage-deflate)",
    only: "node",
    unless: false,
  },
  writeHighWatermarkBytes: { name: "write-high-watermark", kind: size(1), default: 65_536, help: "Unsent bytes from which on send waits" },
  writeLowWatermarkBytes: {
    name: "write-low-watermark",
    kind: size(0),
    default: null,
    otherwise: "a quarter of the high mark",
    help: "Unsent bytes below which send goes on",
  },
  maxSendBufferBytes: {
    name: "max-send-buffer",
    kind: size(1),
    default: 16_777_216,
    help: "Unsent bytes that end the exchange, for an app that does not wait for its sends",
  },
  wsIdleTimeoutMs: {
    name: "ws-idle-timeout",
    kind: duration(),
    default: 0,
    help: "End a WebSocket on which nothing moves for that long; 0 is off",
  },
  sseIdleTimeoutMs: {
    name: "sse-idle-timeout",
    kind: duration(),
    default: 0,
    help: "End an event stream on which nothing is sent for that long; 0 is off",
  },
  requestTimeoutMs: {
    name: "request-timeout",
    kind: duration(),
    default: 0,
    help: "End a request on which nothing is read or written for that long; 0 is off",
  },
  accessLog: {
    name: "access-log",
    kind: logTarget(),
    default: null,
    otherwise: "standard error, off in production",
    help: "Access log: append to a file, - is standard output; --no-access-log turns it off",
  },
  accessLogFormat: {
    name: "access-log-format",
    kind: text("FORMAT", "clf, combined, common, tiny, json or a format string"),
    default: "clf",
    help: "clf, combined, common, tiny, json, or a string with % atoms",
  },
  logLevel: {
    name: "log-level",
    kind: choice("debug", "info", "warn", "error"),
    default: "info",
    help: "Least severe messages that are logged",
  },
  logFormat: { name: "log-format", kind: choice("text", "json"), default: "text", help: "How the server's own messages are written" },
  quiet: { name: "quiet", short: "q", kind: flag(), default: false, help: "No banner, and only errors unless --log-level is given" },
  validateEvents: {
    name: "validate-events",
    kind: flag(),
    default: null,
    otherwise: "on in development",
    help: "Check every known field of every event that the app sends",
  },
  header: { name: "header", kind: headers(), default: null, help: "Header for every answer that does not set it itself; repeatable" },
  rootPath: {
    name: "root-path",
    kind: text("PATH", "empty, or a path that begins with / and does not end with it", true),
    default: "",
    help: "Mount point that the app is told",
  },
  forwardedAllowIps: {
    name: "forwarded-allow-ips",
    kind: entries("ADDRESSES", TRUSTED_RIGHT),
    default: null,
    otherwise: "nobody",
    help: "Proxies whose X-Forwarded-* and Forwarded headers count: addresses, blocks, unix; * is everybody; repeatable",
  },
  printSandbox: {
    name: "print-sandbox",
    kind: flag(),
    default: false,
    help: "Print the command line of a worker in a sandbox, and run nothing",
    commandOnly: true,
  },
  eval: {
    name: "eval",
    short: "e",
    kind: text("CODE", "code"),
    default: null,
    help: "Run an app given as text: an expression, or a module",
    commandOnly: true,
  },
  version: { name: "version", short: "v", kind: flag(), default: false, help: "Print the version", commandOnly: true },
  help: { name: "help", short: "h", kind: flag(), default: false, help: "Print this text", commandOnly: true },
};

/** The keys of the table, in its order. */
export const OPTION_KEYS: readonly OptionKey[] = Object.keys(OPTIONS) as OptionKey[];

/** The environment variable of an option. */
export function environmentName(name: string): string {
  return `PAGI_${name.toUpperCase().replaceAll("-", "_")}`;
}
