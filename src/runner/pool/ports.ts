/**
 * What the pool needs of a home of workers, and what it tells about them.
 *
 * Not here: how a worker is started (`../homes/`), how the link to it works (`links/`).
 *
 * @module
 */

import type { Clock, Fields, Host, Level, Start } from "../../exchange.ts";
import type { Log } from "../logger.ts";

/** A worker as the front sees it: `RemoteHost` of `links/remote_host.ts`. */
export interface WorkerHost extends Host {
  /** Open exchanges. */
  readonly size: number;
  /** None is open, and none can come that the pool does not send. */
  readonly idle: boolean;
  /** Exchanges that are over. */
  readonly completed: number;
  /** When the worker was last heard of, on the clock of the pool. */
  readonly heardAt: number;
  /**
   * The worker is gone or condemned, or had its time (`server_shutdown`): its exchanges are answered or aborted, the link is closed. A
   * second call does nothing.
   */
  abandon(cause: string, reason?: "x-worker-lost" | "server_shutdown"): void;
  /** Something has changed since its start: plain data that it understands. */
  tell(what: unknown): void;
}

/** A worker that a home has started. */
export interface WorkerHandle {
  readonly host: WorkerHost;
  /** `null` for a thread. */
  readonly pid: number | null;
  /** How it ended: `exit code 1`, `signal SIGKILL`. */
  readonly exited: Promise<string>;
  /** The last lines that it wrote to its standard error, where somebody has read them; empty where there were none. */
  lastWords?(): string;
  /** Ends it at once. */
  kill(): void;
  /** Resident memory, `null` where nobody can tell. */
  rssBytes(): number | null;
}

/** What a worker tells its supervisor. */
export interface WorkerHooks {
  /** Fields for the lines of its exchanges. */
  readonly marks?: Fields;
  /** A line for the log. */
  note(level: Level, text: string, fields: Fields): void;
  /** An exchange is over. */
  ended(): void;
  /** The worker was asked from outside to make room for a new one. */
  asked(what: "recycle"): void;
}

/** Where workers live. */
export interface WorkerHome {
  readonly name: "process" | "thread" | "listener";
  /** Starts one, without its app. Rejects with `WorkerError` or `StartupError`. */
  spawn(workerNum: number, hooks: WorkerHooks): Promise<WorkerHandle>;
}

/** Limits of one worker; 0 is off, for each of them. */
export interface WorkerLimits {
  /** Exchanges. */
  readonly maxRequests: number;
  /** Up to that many more, at random. */
  readonly maxRequestsJitter: number;
  readonly maxLifetimeMs: number;
  /** Resident memory: a graceful replacement from here on, a kill at one and a half times as much. */
  readonly memoryBytes: number;
  /** Silence that condemns a worker. */
  readonly heartbeatTimeoutMs: number;
}

/** How a pool is set up. */
export interface PoolOptions {
  readonly home: WorkerHome;
  /** Workers, at least 1. */
  readonly count: number;
  readonly limits: WorkerLimits;
  /** Exchanges that may wait while no worker is ready. */
  readonly maxQueue: number;
  readonly queueTimeoutMs: number;
  /** How long a worker that is replaced may take for its open exchanges. */
  readonly shutdownTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1, for jitter. */
  random(): number;
}

/** What a supervised worker needs from its pool. */
export interface WorkerPorts extends Pick<PoolOptions, "home" | "limits" | "clock" | "log" | "random"> {
  /** What every worker is started with. */
  readonly start: Start;
  /** Its state has changed. */
  changed(): void;
  /** An exchange is over. */
  ended(): void;
  /** It should make room for a new one; asked once. */
  recycle(cause: string): void;
}
