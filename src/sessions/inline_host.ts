/**
 * The home of an app in the same isolate as its caller: it builds a session for each exchange and calls the app.
 *
 * Used by the server itself, by the test client, and by a worker on its side of the link. It does no I/O.
 *
 * @module
 */

import type {
  Clock,
  Fields,
  Files,
  Host,
  Inbound,
  Level,
  Outbound,
  RequestHead,
  SocketInbound,
  SocketOutbound,
  Start,
} from "../exchange.ts";
import type { App, Receive, Send } from "../spec/app.ts";
import type { HttpSendEvent, ReceiveEvent, SendEvent, SseStreamEvent, WebSocketSendEvent } from "../spec/events.ts";
import type { Scope } from "../spec/scope.ts";
import type { Context } from "./context.ts";
import { DrainRegistry } from "./drain.ts";
import { Fairness } from "./fairness.ts";
import { HttpSession } from "./http.ts";
import { LifespanSession } from "./lifespan.ts";
import { SseEncoder, SseSession } from "./sse.ts";
import { WebSocketSession } from "./websocket.ts";

/** What the home needs from outside. */
export interface InlinePorts {
  readonly clock: Clock;
  readonly files: Files;
  /** A line for the log that belongs to no exchange. */
  note(level: Level, text: string, fields?: Fields): void;
}

/** What every session tells its home. */
interface Session {
  readonly scope: Scope;
  receive(): Promise<ReceiveEvent>;
  returned(): void;
  threw(error: unknown): void;
}

/** Runs an app inline. */
export class InlineHost implements Host {
  /** An inline home is lost only with its process: this never settles. */
  readonly lost: Promise<string> = new Promise(() => {});
  readonly #app: App;
  readonly #ports: InlinePorts;
  readonly #drain = new DrainRegistry();
  readonly #encoder = new SseEncoder();
  #context: Context | null = null;
  #lifespan: LifespanSession | null = null;
  /** App calls that have not settled. */
  #running = 0;
  #idle: (() => void) | null = null;

  /** Takes an app; nothing is called before {@linkcode start}. */
  constructor(app: App, ports: InlinePorts) {
    this.#app = app;
    this.#ports = ports;
  }

  /**
   * Runs the lifespan startup.
   *
   * @throws {StartupError} Where the app refuses, or does not answer in time.
   */
  async start(start: Start): Promise<void> {
    let state: Record<string, unknown> | null = null;
    if (start.lifespan !== "off") {
      this.#lifespan = new LifespanSession(this.#app, start, this.#ports);
      state = await this.#lifespan.startup();
    }
    this.#context = {
      clock: this.#ports.clock,
      files: this.#ports.files,
      limits: start.limits,
      strict: start.validateEvents,
      state,
      drain: this.#drain,
      fairness: new Fairness(this.#ports.clock),
    };
  }

  /** Builds the session of an http or sse exchange and calls the app. */
  open(head: RequestHead, out: Outbound): Inbound {
    if (head.kind === "sse") {
      const session = new SseSession(head, out, this.#context!, this.#encoder);
      this.#run(session, (event) => session.send(event as SseStreamEvent));
      return session;
    }
    const session = new HttpSession(head, out, this.#context!);
    this.#run(session, (event) => session.send(event as HttpSendEvent));
    return session;
  }

  /** Builds the session of a WebSocket and calls the app. */
  openSocket(head: RequestHead, out: SocketOutbound): SocketInbound {
    const session = new WebSocketSession(head, out, this.#context!);
    this.#run(session, (event) => session.send(event as WebSocketSendEvent));
    return session;
  }

  /** Aborts the drain signal of every scope. */
  drain(reason: string, secondsLeft: number): void {
    this.#drain.drain(reason, secondsLeft);
  }

  /** Waits for apps that still run, then shuts the lifespan down; both within `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    const { clock } = this.#ports;
    const deadline = clock.now() + graceMs;
    if (this.#running > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      // The lifespan shutdown keeps half of the time for itself.
      const timer = clock.after(graceMs / 2, () => {
        this.#ports.note("warn", `${this.#running} app calls still run at the shutdown`);
        resolve();
      });
      await promise;
      timer.cancel();
    }
    await this.#lifespan?.shutdown(Math.max(0, deadline - clock.now()));
  }

  #run(session: Session, send: (event: SendEvent) => Promise<void>): void {
    this.#running++;
    const receive: Receive = () => session.receive();
    let running: Promise<void>;
    try {
      running = this.#app(session.scope, receive, send as Send);
    } catch (error) {
      running = Promise.reject(error);
    }
    if (typeof running?.then !== "function") running = Promise.resolve(running);
    running.then(() => {
      this.#settled();
      session.returned();
    }, (error) => {
      this.#settled();
      session.threw(error);
    });
  }

  #settled(): void {
    this.#running--;
    if (this.#running === 0) this.#idle?.();
  }
}
