/**
 * Lines on their way to a file or a standard stream: collected, and written together.
 *
 * One write per flush, at the latest 250 ms after a line came; no fsync. A full disk or a reader that does not read must not hold up
 * or end the server: a failed write is reported once, and what waits is bounded.
 *
 * @module
 */

/** The longest that a line waits. */
const FLUSH_MS = 250;
/** From here on the buffer is written without waiting. */
const FLUSH_CHARS = 65_536;
/** What may wait while an earlier write is still under way. Beyond it, lines are dropped. */
const MAX_WAITING_CHARS = 16_777_216;

/** What a sink writes to. */
export interface LineTarget {
  write(bytes: Uint8Array): Promise<number>;
  writeSync(bytes: Uint8Array): number;
}

/** Collects lines and writes them. */
export class LineSink {
  readonly #target: LineTarget;
  readonly #report: (problem: string) => void;
  readonly #encoder = new TextEncoder();
  #waiting = "";
  #timer: ReturnType<typeof setTimeout> | null = null;
  #writing: Promise<void> | null = null;
  #reported = false;
  #dropped = 0;

  /** `report` is told where writing fails, the first time, and how many lines were dropped. */
  constructor(target: LineTarget, report: (problem: string) => void) {
    this.#target = target;
    this.#report = report;
  }

  /** Takes a line without its newline. */
  write(line: string): void {
    if (this.#waiting.length > MAX_WAITING_CHARS) {
      this.#dropped++;
      return;
    }
    this.#waiting += line + "\n";
    if (this.#waiting.length >= FLUSH_CHARS) this.#start();
    else this.#timer ??= this.#later();
  }

  /** Writes all that waits; settles when it is written. */
  async flush(): Promise<void> {
    while (this.#waiting !== "" || this.#writing !== null) {
      this.#start();
      await this.#writing;
    }
  }

  /** Writes all that waits at once, for a process that is about to end. A write that is under way is not waited for. */
  flushSync(): void {
    this.#cancel();
    const bytes = this.#take();
    try {
      let at = 0;
      while (at < bytes.byteLength) at += this.#target.writeSync(bytes.subarray(at));
    } catch (error) {
      this.#failed(error);
    }
  }

  #later(): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      this.#timer = null;
      this.#start();
    }, FLUSH_MS);
    // Waiting lines don't keep the process alive: whoever ends it flushes.
    timer.unref();
    return timer;
  }

  #cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #start(): void {
    if (this.#writing !== null || this.#waiting === "") return;
    this.#cancel();
    this.#writing = this.#writeAll(this.#take()).finally(() => {
      this.#writing = null;
      if (this.#waiting.length >= FLUSH_CHARS) this.#start();
      else if (this.#waiting !== "") this.#timer ??= this.#later();
    });
  }

  #take(): Uint8Array {
    const text = this.#waiting;
    this.#waiting = "";
    if (this.#dropped > 0) {
      this.#report(`${this.#dropped} lines were dropped: they came faster than they could be written`);
      this.#dropped = 0;
    }
    return this.#encoder.encode(text);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    try {
      let at = 0;
      while (at < bytes.byteLength) at += await this.#target.write(bytes.subarray(at));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#report(error instanceof Error ? error.message : String(error));
  }
}
