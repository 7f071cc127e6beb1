/**
 * The life of one app instance: startup, shutdown, and the state that its scopes get copies of. What is legal when stands in
 * `lifespan_table.ts`.
 *
 * Contract section 7.
 *
 * @module
 */

import type { Clock, Start, Timer } from "../exchange.ts";
import type { App, Receive, Send } from "../spec/app.ts";
import { EventError, StartupError } from "../spec/errors.ts";
import type { LifespanReceiveEvent, LifespanSendEvent } from "../spec/events.ts";
import type { LifespanScope } from "../spec/scope.ts";
import { checkEvent } from "../wire/events.ts";
import { briefly, describe, RESOLVED, unknownEvent } from "./context.ts";
import * as S from "./lifespan_table.ts";
import { step } from "./table.ts";

/** What the lifespan needs of its home. */
export interface LifespanPorts {
  readonly clock: Clock;
  note(level: "info" | "warn" | "error", text: string, fields?: Record<string, string>): void;
}

/** The session of one lifespan scope. */
export class LifespanSession {
  readonly #app: App;
  readonly #start: Start;
  readonly #ports: LifespanPorts;
  readonly #scope: LifespanScope;
  readonly #started: PromiseWithResolvers<Record<string, unknown> | null> = Promise.withResolvers();
  readonly #stopped: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #waiting: ((event: LifespanReceiveEvent) => void)[] = [];
  readonly #events: LifespanReceiveEvent[] = [{ type: "lifespan.startup" }];
  #state = S.STARTING;
  #timer: Timer | null = null;
  /** The app has received the startup event. */
  #told = false;

  /** Builds the session and its scope; the app is not called yet. */
  constructor(app: App, start: Start, ports: LifespanPorts) {
    this.#app = app;
    this.#start = start;
    this.#ports = ports;
    this.#scope = {
      type: "lifespan",
      pagi: {
        version: "0.3",
        spec_version: "0.3",
        is_worker: start.isWorker ? 1 : 0,
        ...(start.workerNum === undefined ? {} : { worker_num: start.workerNum }),
      },
      extensions: {},
      state: {},
    };
  }

  /** The name of the state, as in the table. */
  get state(): string {
    return S.LIFESPAN_TABLE.states[this.#state]!;
  }

  /**
   * Calls the app and waits for its answer to the startup.
   *
   * @returns The state for later scopes, or `null` where the app does not support lifespan.
   * @throws {StartupError} Where the startup failed, timed out, or was declined in mode `on`.
   */
  startup(): Promise<Record<string, unknown> | null> {
    const limitMs = this.#start.lifespanStartupTimeoutMs;
    if (limitMs > 0) this.#timer = this.#ports.clock.after(limitMs, () => this.#timedOut(limitMs));
    const receive = () => this.#receive();
    const send = (event: LifespanSendEvent) => this.#send(event);
    let running: Promise<void>;
    try {
      running = Promise.resolve(this.#app(this.#scope, receive as Receive, send as Send));
    } catch (error) {
      running = Promise.reject(error);
    }
    running.then(() => this.#ended(S.RETURN, null), (error) => this.#ended(S.THROW, error));
    return this.#started.promise;
  }

  /** Tells the app to clean up and waits for its answer, at most `graceMs`. Does nothing where no lifespan is on. */
  shutdown(graceMs: number): Promise<void> {
    if (this.#state === S.STARTING) {
      this.#state = step(S.LIFESPAN_TABLE, this.#state, S.STOP, "stop");
      this.#settle(() => this.#started.reject(new StartupError("The server was stopped during the lifespan startup")));
      return RESOLVED;
    }
    if (this.#state !== S.STARTED) return RESOLVED;
    this.#state = step(S.LIFESPAN_TABLE, this.#state, S.STOP, "stop");
    this.#timer = this.#ports.clock.after(graceMs, () => {
      this.#ports.note("warn", `The lifespan shutdown was not answered within ${graceMs / 1000} s`);
      this.#state = step(S.LIFESPAN_TABLE, this.#state, S.TIMEOUT, "timeout");
      this.#settle(() => this.#stopped.resolve());
    });
    const event: LifespanReceiveEvent = { type: "lifespan.shutdown" };
    const waiting = this.#waiting.shift();
    if (waiting) waiting(event);
    else this.#events.push(event);
    return this.#stopped.promise;
  }

  #receive(): Promise<LifespanReceiveEvent> {
    const event = this.#events.shift();
    this.#told ||= event !== undefined;
    if (event) return Promise.resolve(event);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #send(event: LifespanSendEvent): Promise<void> {
    try {
      if (this.#start.validateEvents) checkEvent(event, "lifespan");
      switch (event?.type) {
        case "lifespan.startup.complete":
          this.#state = step(S.LIFESPAN_TABLE, this.#state, S.STARTUP_COMPLETE, event.type);
          // A copy: what the app writes at the top level from now on stays its own.
          this.#settle(() => this.#started.resolve({ ...this.#scope.state }));
          return RESOLVED;
        case "lifespan.startup.failed": {
          const message = toMessage(event);
          this.#state = step(S.LIFESPAN_TABLE, this.#state, S.STARTUP_FAILED, event.type);
          this.#settle(() => this.#started.reject(new StartupError(`Lifespan startup failed: ${message}`)));
          return RESOLVED;
        }
        case "lifespan.shutdown.complete":
          this.#state = step(S.LIFESPAN_TABLE, this.#state, S.SHUTDOWN_COMPLETE, event.type);
          this.#settle(() => this.#stopped.resolve());
          return RESOLVED;
        case "lifespan.shutdown.failed": {
          const message = toMessage(event);
          this.#state = step(S.LIFESPAN_TABLE, this.#state, S.SHUTDOWN_FAILED, event.type);
          this.#ports.note("error", `Lifespan shutdown failed: ${message}`);
          this.#settle(() => this.#stopped.resolve());
          return RESOLVED;
        }
        default:
          throw unknownEvent(event, "lifespan");
      }
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #ended(event: number, error: unknown): void {
    const before = this.#state;
    const failed = event === S.THROW;
    this.#state = step(S.LIFESPAN_TABLE, before, event, "end");
    if (before === S.STARTING) return this.#declined(failed, error);
    if (failed) this.#ports.note("error", "The lifespan app failed after the startup", { error: describe(error) });
    if (before === S.STOPPING) this.#settle(() => this.#stopped.resolve());
  }

  #declined(failed: boolean, error: unknown): void {
    const how = failed ? `the app threw ${briefly(error)}` : "the app returned without an answer";
    if (this.#start.lifespan === "on") {
      this.#settle(() => this.#started.reject(new StartupError(`Lifespan is "on", but ${how}`, { cause: error })));
    } else {
      // The contract has the server go on. But who took the startup event and then failed has hardly meant to decline.
      if (failed && this.#told) {
        const text = "The app failed after it had taken lifespan.startup; the server goes on without lifespan (`on` makes it fatal)";
        this.#ports.note("warn", text, { error: describe(error) });
      } else this.#ports.note("info", `Lifespan is not supported (${how}); the server goes on without it`);
      this.#settle(() => this.#started.resolve(null));
    }
  }

  #timedOut(limitMs: number): void {
    this.#state = step(S.LIFESPAN_TABLE, this.#state, S.TIMEOUT, "timeout");
    this.#settle(() => this.#started.reject(new StartupError(`Lifespan startup was not answered within ${limitMs / 1000} s`)));
  }

  #settle(settle: () => void): void {
    this.#timer?.cancel();
    this.#timer = null;
    settle();
  }
}

function toMessage(event: { type: string; message?: string }): string {
  if (event.message === undefined || typeof event.message === "string") return event.message ?? "";
  throw new EventError(event.type, "message", "must be a string");
}
