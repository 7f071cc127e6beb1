/**
 * The home in a worker that listens itself: the app and an engine in one process, and an account of it for the server.
 *
 * For its server it is a home as others are: started, drained, stopped. What is between clients and the app is all here.
 *
 * @module
 */

import type {
  End,
  Engine,
  Fields,
  Host,
  Inbound,
  Level,
  Outbound,
  RequestHead,
  SocketInbound,
  SocketOutbound,
  Start,
} from "../../exchange.ts";
import type { TlsReplacing } from "../../engines/listener_settings.ts";
import type { Counting, ServingHost } from "../../links/served_host.ts";
import { WorkerError } from "../../spec/errors.ts";
import { within } from "../../wire/within.ts";
import { AccessLog } from "../access_log.ts";
import { RunnerObserver } from "../runner_observer.ts";
import type { ListenerLoad, ListenerNews } from "./listener_load.ts";

/** An engine whose port is not closed with it. */
export interface LeavingEngine extends Engine {
  /** Resolves after `drain`, once no request comes any more. */
  readonly left: Promise<void>;
}

/** What it needs. */
export interface ListenerHostParts {
  readonly load: ListenerLoad;
  readonly inline: Host;
  readonly engine: LeavingEngine;
  readonly counting: Counting;
  /** A line for the log. */
  note(level: Level, text: string, fields?: Fields): void;
}

/** The server hears of exchanges so often, while there are any. */
const TELL_MS = 100;

/** So much of the time for a stop is kept for the lifespan shutdown. */
const CLEANUP_SHARE = 0.5;

/** The home. */
export class ListenerHost implements ServingHost {
  /** It ends with its process. */
  readonly lost: Promise<string> = new Promise(() => {});
  readonly #parts: ListenerHostParts;
  readonly #accessLog: AccessLog | null;
  readonly #observer: CountingObserver;
  #telling: ReturnType<typeof setTimeout> | null = null;
  #told = "";
  /** When open exchanges are cut; on the clock of `performance.now()`. */
  #dueAt = 0;
  #mayTake = true;

  /**
   * Opens the access log.
   *
   * @throws {StartupError} Where that can't be written.
   */
  constructor(parts: ListenerHostParts) {
    this.#parts = parts;
    const { load: { accessLog, accessLogFormat }, note } = parts;
    this.#accessLog = accessLog === false ? null : AccessLog.open(accessLog, accessLogFormat, (problem) => note("error", problem));
    this.#observer = new CountingObserver(this.#accessLog, note, () => this.#changed());
  }

  /** Starts the app, then listens. Rejects with `StartupError`. */
  async start(start: Start): Promise<void> {
    const { inline, engine, note, counting } = this.#parts;
    await inline.start(start);
    try {
      await engine.listen(inline, this.#observer);
    } catch (error) {
      await inline.stop(start.lifespanStartupTimeoutMs);
      throw error;
    }
    engine.finished.catch((error) => {
      note("error", `The listeners of the worker failed: ${error instanceof Error ? error.message : error}`);
      counting.recycle();
    });
  }

  /** The engine of this process opens exchanges, and nobody else. */
  open(_head: RequestHead, _out: Outbound): Inbound {
    throw new WorkerError("A worker that listens itself is sent no exchange");
  }

  /** The same. */
  openSocket(_head: RequestHead, _out: SocketOutbound): SocketInbound {
    throw new WorkerError("A worker that listens itself is sent no WebSocket");
  }

  /** Accepts no more, and tells the apps. Requests that are on their way are still taken. */
  drain(reason: string, secondsLeft: number): void {
    const { inline, engine } = this.#parts;
    this.#dueAt = performance.now() + secondsLeft * 1000;
    engine.drain();
    inline.drain(reason, secondsLeft);
    void engine.left.then(() => {
      this.#mayTake = false;
      this.#tell();
    });
  }

  /** Ends what is open when its time is up, then lets the app clean up. */
  async stop(graceMs: number): Promise<void> {
    const { inline, engine } = this.#parts;
    const now = performance.now();
    const forOpenMs = graceMs * (1 - CLEANUP_SHARE);
    await within(forOpenMs, engine.close(Math.min(forOpenMs, Math.max(0, this.#dueAt - now))));
    await inline.stop(Math.max(0, graceMs - (performance.now() - now)));
    if (this.#telling !== null) clearTimeout(this.#telling);
    await this.#accessLog?.close();
  }

  /** Something has changed. */
  tell(what: unknown): void {
    const news = what as ListenerNews;
    try {
      if (news.is === "reopen") this.#accessLog?.reopen();
      else replacing(this.#parts.engine).replaceTls(news.tls);
    } catch (error) {
      this.#parts.note("error", `${NEWS[news.is]}: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Writes what the access log holds: the process is about to end. */
  async flush(): Promise<void> {
    await this.#accessLog?.flush();
  }

  // For each exchange: no timer is made where one runs.
  #changed(): void {
    if (!this.#mayTake) this.#tell();
    else this.#telling ??= setTimeout(() => this.#tell(), TELL_MS);
  }

  #tell(): void {
    if (this.#telling !== null) clearTimeout(this.#telling);
    this.#telling = null;
    const { open, completed } = this.#observer;
    const now = `${open} ${completed} ${this.#mayTake}`;
    if (now === this.#told) return;
    this.#told = now;
    this.#parts.counting.counts(open, completed, this.#mayTake);
  }
}

const NEWS: Readonly<Record<ListenerNews["is"], string>> = {
  reopen: "The access log goes on in its old file",
  tls: "The certificates stay as they are",
};

/** Counts exchanges too. */
class CountingObserver extends RunnerObserver {
  completed = 0;
  readonly #changed: () => void;

  constructor(accessLog: AccessLog | null, log: ListenerHostParts["note"], changed: () => void) {
    super(accessLog, log);
    this.#changed = changed;
  }

  override opened(head: RequestHead): void {
    super.opened(head);
    this.#changed();
  }

  override finished(head: RequestHead, status: number, bytes: number, end: End): void {
    super.finished(head, status, bytes, end);
    this.completed++;
    this.#changed();
  }
}

function replacing(engine: Engine): Engine & TlsReplacing {
  if (!("replaceTls" in engine)) throw new WorkerError(`The engine "${engine.name}" keeps its certificates`);
  return engine as Engine & TlsReplacing;
}
