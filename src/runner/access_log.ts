/**
 * The access log: one line for each http, sse and websocket exchange, written when it has ended.
 *
 * Not here: what a line looks like (`access_log_format.ts`), how lines reach the disk (`line_sink.ts`).
 *
 * @module
 */

import type { End, RequestHead } from "../exchange.ts";
import { StartupError } from "../spec/errors.ts";
import { accessLogFormatter, type Formatter } from "./access_log_format.ts";
import { LineSink, type LineTarget } from "./line_sink.ts";

/** The path of a file that is meant; `null` for a standard stream, and where there is no access log. */
export function accessLogPath(target: string | boolean): string | null {
  return typeof target === "boolean" || target === "-" || target === "/dev/stdout" || target === "/dev/stderr" ? null : target;
}

/** Writes the access log. */
export class AccessLog {
  readonly #format: Formatter;
  readonly #sink: LineSink;
  readonly #path: string | null;
  #file: Deno.FsFile | null;
  /** Takes the place of the file before the next write. */
  #next: Deno.FsFile | null = null;
  readonly #began = new StartTimes();
  // Reading one clock for both the duration and the time of day is enough; it is set again each second.
  #offsetMs = 0;
  #offsetUntilMs = -1;

  /**
   * Opens a log: a path is appended to, `-` is standard output, `true` is standard error. `report` is told, once, where writing fails.
   *
   * @throws {StartupError} Where the format is wrong or the file can't be opened.
   */
  static open(target: string | true, format: string, report: (problem: string) => void): AccessLog {
    const formatter = accessLogFormatter(format);
    if (target === true || target === "/dev/stderr") return new AccessLog(formatter, Deno.stderr, report);
    if (target === "-" || target === "/dev/stdout") return new AccessLog(formatter, Deno.stdout, report);
    return new AccessLog(formatter, target, report);
  }

  /** Writes with `format` to `target`; a path is opened, and closed at the end. */
  constructor(format: Formatter, target: LineTarget | string, report: (problem: string) => void) {
    this.#format = format;
    this.#path = typeof target === "string" ? target : null;
    this.#file = this.#path === null ? null : openFile(this.#path);
    const sink = typeof target === "string" ? { write: (bytes: Uint8Array) => this.#newest()!.write(bytes) } : target;
    this.#sink = new LineSink(sink, (problem) => report(`Writing the access log failed: ${problem}`));
  }

  /**
   * Opens its path anew, where it has one: the file may have been moved away.
   *
   * @returns The path, `null` where it has none.
   * @throws {StartupError} Where the file can't be opened. The old one is written on.
   */
  reopen(): string | null {
    if (this.#path === null) return null;
    const file = openFile(this.#path);
    this.#next?.close();
    this.#next = file;
    return this.#path;
  }

  /** An exchange begins. */
  opened(head: RequestHead): void {
    this.#began.set(head.id, performance.now());
  }

  /** It has ended: writes its line. */
  finished(head: RequestHead, status: number, bytes: number, end: End): void {
    const now = performance.now();
    const began = this.#began.take(head.id) ?? now;
    if (now > this.#offsetUntilMs) {
      this.#offsetMs = Date.now() - now;
      this.#offsetUntilMs = now + 1000;
    }
    this.#sink.write(this.#format({ head, status, bytes, end, durationMs: now - began, timeMs: now + this.#offsetMs }));
  }

  /** Writes what waits, and what an earlier write has not yet taken. */
  async flush(): Promise<void> {
    await this.#sink.flush();
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    await this.#sink.flush();
    this.#newest()?.close();
  }

  // Between two writes, so no write loses its file.
  #newest(): Deno.FsFile | null {
    if (this.#next !== null) {
      this.#file?.close();
      this.#file = this.#next;
      this.#next = null;
    }
    return this.#file;
  }
}

/** Exchanges whose times are kept without a map. */
const SLOTS = 1024;

/**
 * When each open exchange began. Ids are given in order, so the last ones nearly always have a slot of their own, which costs a third
 * of a map that always grows at one end; the others are in a map.
 */
class StartTimes {
  readonly #ids = new Float64Array(SLOTS).fill(-1);
  readonly #times = new Float64Array(SLOTS);
  readonly #others = new Map<number, number>();

  set(id: number, time: number): void {
    const slot = id % SLOTS;
    if (this.#ids[slot] === -1) {
      this.#ids[slot] = id;
      this.#times[slot] = time;
    } else this.#others.set(id, time);
  }

  take(id: number): number | undefined {
    const slot = id % SLOTS;
    if (this.#ids[slot] === id) {
      this.#ids[slot] = -1;
      return this.#times[slot];
    }
    const time = this.#others.get(id);
    this.#others.delete(id);
    return time;
  }
}

function openFile(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { append: true, create: true });
  } catch (error) {
    throw new StartupError(`Cannot write the access log ${path}: ${openProblem(error)}`, { cause: error });
  }
}

function openProblem(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "its folder does not exist";
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) return "no permission";
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  return error instanceof Error ? error.message : String(error);
}
