/**
 * The errors of this package, one class for each party that can be at fault.
 *
 * @module
 */

/**
 * The app sent a malformed event: unknown type, missing field, field of the wrong type or with forbidden bytes.
 *
 * Nothing of the event took effect. Contract section 3.
 *
 * @example
 * ```ts
 * import { EventError } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new EventError("http.response.start", "status", "must be an integer from 200 to 599");
 * assertEquals(error.message, 'Cannot send "http.response.start": status must be an integer from 200 to 599');
 * assertEquals(error.field, "status");
 * ```
 */
export class EventError extends TypeError {
  /** The name of the class. */
  override readonly name = "EventError";
  /** The `type` of the event as sent, or a description where it has none. */
  readonly event: string;
  /** The field at fault, `type` where the type itself is unknown. */
  readonly field: string;

  /** Builds the message `Cannot send "<event>": <field> <problem>`. */
  constructor(event: string, field: string, problem: string) {
    super(`Cannot send "${event}": ${field} ${problem}`);
    this.event = event;
    this.field = field;
  }
}

/**
 * The app sent a well-formed event at the wrong time.
 *
 * @example
 * ```ts
 * import { StateError } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new StateError("sse.send", "the stream has not started");
 * assertEquals(error.message, 'Cannot send "sse.send": the stream has not started');
 * ```
 */
export class StateError extends Error {
  /** The name of the class. */
  override readonly name = "StateError";
  /** The `type` of the event as sent. */
  readonly event: string;

  /** Builds the message `Cannot send "<event>": <state>`. */
  constructor(event: string, state: string) {
    super(`Cannot send "${event}": ${state}`);
    this.event = event;
  }
}

/**
 * The client broke the protocol. It carries the answer that the client gets.
 *
 * @example
 * ```ts
 * import { PeerError } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new PeerError(413, "body_too_large", "The body is larger than 10 bytes").status, 413);
 * ```
 */
export class PeerError extends Error {
  /** The name of the class. */
  override readonly name = "PeerError";
  /** The HTTP status that answers it. */
  readonly status: number;
  /** The disconnect reason token. */
  readonly reason: string;

  /** Creates the error from the status that answers it, the reason token and a text for the log. */
  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/**
 * The server can't start: bad options, a port in use, an app that does not load, a failed lifespan startup.
 *
 * The message is one line that says what is wrong and what would be right.
 *
 * @example
 * ```ts
 * import { StartupError } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new StartupError("Port 80 needs a privilege: choose a port above 1023").exitCode, 3);
 * ```
 */
export class StartupError extends Error {
  /** The name of the class. */
  override readonly name = "StartupError";
  /** The exit status of the command line: 2 for wrong usage, 3 for a refused start. */
  readonly exitCode: number;

  /** Creates the error; `exitCode` is 3 unless the usage itself was wrong (2). */
  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 3;
  }
}

/**
 * A worker, or the link to it, failed.
 *
 * @example
 * ```ts
 * import { WorkerError } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new WorkerError("Worker 1 ended with signal SIGKILL").name, "WorkerError");
 * ```
 */
export class WorkerError extends Error {
  /** The name of the class. */
  override readonly name = "WorkerError";
}

/**
 * The `reason` of an aborted `extensions.drain.signal`: the server, or this worker, is about to stop. Contract section 9.
 *
 * @example
 * ```ts
 * import { DrainError } from "@pagi/server";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new DrainError("shutdown", 30);
 * assertEquals([error.message, error.secondsLeft], ["shutdown: 30 s left", 30]);
 * ```
 */
export class DrainError extends Error {
  /** The name of the class. */
  override readonly name = "DrainError";
  /** Seconds until what is left is ended. */
  readonly secondsLeft: number;

  /** Builds a message that says who drains and how long it takes. */
  constructor(reason: string, secondsLeft: number) {
    super(`${reason}: ${secondsLeft} s left`);
    this.secondsLeft = secondsLeft;
  }
}
