/**
 * From options to settings: defaults that depend on others, and what does not go together.
 *
 * Not here: how options are read (`arguments.ts`), what is done with them (`serve.ts`).
 *
 * @module
 */

import type { ListenerSettings, TlsSettings } from "../engines/listener_settings.ts";
import type { WireLimits } from "../engines/node_settings.ts";
import type { Limits, Pairs } from "../exchange.ts";
import { StartupError } from "../spec/errors.ts";
import { accessLogFormatter } from "./access_log_format.ts";
import { nearest } from "../wire/nearest.ts";
import { type Option, OPTION_KEYS, type OptionKey, OPTIONS, type ServeOptions } from "./options.ts";
import { sandboxOf, type SandboxSettings } from "./sandbox/sandbox_settings.ts";
import { listenersOf, listenText } from "./listeners.ts";
import { nodeNeeds, nodeNones } from "./node_needs.ts";
import { type OpenTlsFiles, tlsFilesOf } from "./tls_options.ts";
import { TrustedAddresses } from "./trusted_addresses.ts";

/** What was asked of workers. What comes of it depends on the app too: `home_choice.ts`. */
export interface WorkerSettings {
  /** `null` where nothing was said: none, unless the app needs one. */
  readonly count: number | "auto" | null;
  /** `null` where nothing was said. */
  readonly type: "process" | "thread" | "listener" | null;
  readonly maxQueue: number;
  readonly queueTimeoutMs: number;
  /** 0 is never, here and below. */
  readonly maxRequests: number;
  readonly maxRequestsJitter: number;
  readonly maxLifetimeMs: number;
  readonly memoryBytes: number;
  readonly heartbeatTimeoutMs: number;
  /** Those of {@linkcode WORKER_OPTIONS} that were given. */
  readonly given: readonly OptionKey[];
}

/** Options that mean nothing without workers. */
const WORKER_OPTIONS = [
  "workerType",
  "maxQueue",
  "queueTimeoutMs",
  "maxRequests",
  "maxRequestsJitter",
  "maxWorkerLifetimeMs",
  "workerMemoryBytes",
  "heartbeatTimeoutMs",
] as const;

/** Where to listen. */
const LISTEN_OPTIONS = ["listen", "host", "port", "socket"] as const;

/** A worker needs this much to start: less is a mistake of units. */
const MIN_WORKER_MEMORY_BYTES = 64_000_000;

/** Everything decided. */
export interface Settings {
  /** At least one. */
  readonly listeners: readonly ListenerSettings[];
  /** Nothing was said of listeners: they are the default. */
  readonly listensByDefault: boolean;
  /** What TLS listeners have; `null` where there is no certificate. */
  readonly tls: TlsSettings | null;
  /** Where that was read; `null` with it. */
  readonly tlsFiles: OpenTlsFiles | null;
  /** Whose forwarding headers and PROXY headers count; `null`: nobody's. */
  readonly trust: TrustedAddresses | null;
  /** What was asked for. */
  readonly engine: "auto" | "deno" | "node";
  /** What only the engine `node` can do, each as the option that asks for it. */
  readonly nodeNeeds: readonly string[];
  /** Limits that only `node` has, given as none: each as the option and its value. */
  readonly nodeNones: readonly string[];
  readonly wire: WireLimits;
  readonly wsDeflate: boolean;
  readonly workers: WorkerSettings;
  /** `null` where the app is not shut in. */
  readonly sandbox: SandboxSettings | null;
  readonly env: string;
  readonly lifespan: "auto" | "on" | "off";
  readonly lifespanStartupTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  readonly maxBodyBytes: number;
  readonly limits: Limits;
  /** A path, `-`, `true` for standard error; `false` is off. */
  readonly accessLog: string | boolean;
  readonly accessLogFormat: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly logFormat: "text" | "json";
  readonly quiet: boolean;
  readonly validateEvents: boolean;
  readonly headers: Pairs;
  readonly rootPath: string;
}

/**
 * Decides the environment: the option, then `PAGI_ENV`, then development where standard input is a terminal, else production.
 */
export function environmentOf(option: string | undefined): string {
  return option ?? (Deno.env.get("PAGI_ENV") || (Deno.stdin.isTerminal() ? "development" : "production"));
}

/**
 * Checks the options of a program and fills in the defaults.
 *
 * @param name How an option is called in messages: as programs write it, or as the command line does.
 * @throws {StartupError} With exit code 2 where an option is wrong, 3 where what it asks for can't be had.
 */
export function settle(options: ServeOptions, name: (key: OptionKey) => string = (key) => key): Settings {
  checkKinds(options, name);
  const env = environmentOf(options.env);
  const development = env === "development";
  const high = value(options, "writeHighWatermarkBytes");
  const low = options.writeLowWatermarkBytes ?? Math.floor(high / 4);
  if (low > high) fail(`${name("writeLowWatermarkBytes")} (${low}) must not be above ${name("writeHighWatermarkBytes")} (${high})`);
  const most = options.maxSendBufferBytes ?? Math.max(high, OPTIONS.maxSendBufferBytes.default!);
  if (most < high) fail(`${name("maxSendBufferBytes")} (${most}) must not be below ${name("writeHighWatermarkBytes")} (${high})`);
  const rootPath = value(options, "rootPath");
  if (!/^(?:\/[^/?#]+)*$/.test(rootPath)) fail(`${name("rootPath")} must be ${OPTIONS.rootPath.kind.right}, got "${rootPath}"`);
  const accessLogFormat = value(options, "accessLogFormat");
  accessLogFormatter(accessLogFormat);
  const quiet = value(options, "quiet");
  const tlsFiles = tlsFilesOf(options, name);
  const tls = tlsFiles === null ? null : tlsFiles.reading.tls;
  const listeners = listenersOf(options, tls, name);
  const trust = options.forwardedAllowIps === undefined
    ? null
    : TrustedAddresses.parse([options.forwardedAllowIps].flat(), name("forwardedAllowIps"));
  const proxied = listeners.find(({ proxyProtocol }) => proxyProtocol);
  if (proxied !== undefined && trust === null) {
    const what = options.proxyProtocol === true ? name("proxyProtocol") : `${name("listen")} ${listenText(proxied.at)},proxy`;
    fail(`${what} needs ${name("forwardedAllowIps")}: a PROXY header counts only where it comes from a proxy that is named`);
  }
  return {
    listeners,
    listensByDefault: LISTEN_OPTIONS.every((key) => options[key] === undefined),
    tls,
    tlsFiles,
    trust,
    engine: value(options, "engine"),
    nodeNeeds: nodeNeeds(options, listeners, name),
    nodeNones: nodeNones(options, name),
    wire: {
      headerTimeoutMs: value(options, "headerTimeoutMs"),
      keepAliveTimeoutMs: value(options, "keepAliveTimeoutMs"),
      bodyTimeoutMs: value(options, "bodyTimeoutMs"),
      writeTimeoutMs: value(options, "writeTimeoutMs"),
      tlsHandshakeTimeoutMs: value(options, "tlsHandshakeTimeoutMs"),
      maxTargetBytes: value(options, "maxTargetBytes"),
      maxHeaderBytes: value(options, "maxHeaderBytes"),
      maxHeaderCount: value(options, "maxHeaderCount"),
      maxConnections: value(options, "maxConnections"),
      maxConnectionsPerAddress: value(options, "maxConnectionsPerAddress"),
      maxStreams: value(options, "http2MaxStreams"),
      maxMessageBytes: value(options, "maxWsMessageBytes"),
    },
    wsDeflate: value(options, "wsDeflate"),
    workers: workersOf(options, name),
    sandbox: sandboxOf(options, name),
    env,
    lifespan: value(options, "lifespan"),
    lifespanStartupTimeoutMs: value(options, "lifespanStartupTimeoutMs"),
    shutdownTimeoutMs: value(options, "shutdownTimeoutMs"),
    maxBodyBytes: value(options, "maxBodyBytes"),
    limits: {
      highWaterBytes: high,
      lowWaterBytes: low,
      maxSendBufferBytes: most,
      maxReceiveQueue: value(options, "maxReceiveQueue"),
      maxReceiveQueueBytes: value(options, "maxReceiveQueueBytes"),
      maxMessageBytes: value(options, "maxWsMessageBytes"),
      requestTimeoutMs: value(options, "requestTimeoutMs"),
      wsIdleTimeoutMs: value(options, "wsIdleTimeoutMs"),
      sseIdleTimeoutMs: value(options, "sseIdleTimeoutMs"),
    },
    accessLog: options.accessLog ?? env !== "production",
    accessLogFormat,
    logLevel: options.logLevel ?? (quiet ? "error" : OPTIONS.logLevel.default!),
    logFormat: value(options, "logFormat"),
    quiet,
    validateEvents: options.validateEvents ?? development,
    headers: (options.header ?? []).map(([header, text]) => [header.toLowerCase(), text] as const),
    rootPath,
  };
}

function checkKinds(options: ServeOptions, name: (key: OptionKey) => string): void {
  for (const [key, given] of Object.entries(options)) {
    if (given === undefined || key === "logger") continue;
    const option = Object.hasOwn(OPTIONS, key) ? OPTIONS[key as OptionKey] as Option<unknown> : undefined;
    if (option === undefined || option.commandOnly) {
      const near = nearest(key, OPTION_KEYS.filter((known) => !OPTIONS[known].commandOnly));
      fail(`Unknown option "${key}"${near === null ? "" : `: did you mean "${near}"?`}`);
    }
    if (!option!.kind.accepts(given)) {
      const unit = /(Ms|Bytes)$/.exec(key)?.[1];
      const right = unit === "Ms"
        ? "a number of milliseconds from 0 to 2147483647"
        : unit === "Bytes"
        ? option!.kind.right.split(",").slice(0, 2).join(",")
        : option!.kind.right;
      fail(`${name(key as OptionKey)} must be ${right}, got ${Deno.inspect(given)}`);
    }
  }
  const { logger } = options;
  if (logger === undefined) return;
  const missing = (["debug", "info", "warn", "error"] as const).filter((method) => typeof logger[method] !== "function");
  if (missing.length > 0) fail(`logger must have the methods debug, info, warn and error, it lacks ${missing.join(", ")}`);
}

function value<K extends OptionKey & keyof ServeOptions>(options: ServeOptions, key: K): NonNullable<ServeOptions[K]> {
  return (options[key] ?? OPTIONS[key].default) as NonNullable<ServeOptions[K]>;
}

function workersOf(options: ServeOptions, name: (key: OptionKey) => string): WorkerSettings {
  const memoryBytes = value(options, "workerMemoryBytes");
  if (memoryBytes > 0 && memoryBytes < MIN_WORKER_MEMORY_BYTES) {
    fail(`${name("workerMemoryBytes")} (${memoryBytes}) must be at least ${MIN_WORKER_MEMORY_BYTES} bytes (64M), or 0 for no limit`);
  }
  if (memoryBytes > 0 && options.workerType === "thread") {
    fail(
      `${name("workerMemoryBytes")} needs ${name("workerType")} process: threads share the memory of the server, nobody can tell it apart`,
    );
  }
  const maxRequests = value(options, "maxRequests");
  const maxRequestsJitter = value(options, "maxRequestsJitter");
  if (maxRequestsJitter > 0 && maxRequests === 0) fail(`${name("maxRequestsJitter")} needs ${name("maxRequests")}: it is added to it`);
  return {
    count: options.workers ?? null,
    type: options.workerType ?? null,
    maxQueue: value(options, "maxQueue"),
    queueTimeoutMs: value(options, "queueTimeoutMs"),
    maxRequests,
    maxRequestsJitter,
    maxLifetimeMs: value(options, "maxWorkerLifetimeMs"),
    memoryBytes,
    heartbeatTimeoutMs: value(options, "heartbeatTimeoutMs"),
    given: WORKER_OPTIONS.filter((key) => options[key] !== undefined),
  };
}

function fail(message: string): never {
  throw new StartupError(message, { exitCode: 2 });
}
