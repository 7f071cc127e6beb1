/**
 * Lines on their way to a file or a standard stream: collected, and written together.
 *
 * One write per flush, at the latest 250 ms after a line came; no fsync. A full disk or a reader that does not read must not hold up
 * or end the server: a failed write is reported once, and what waits is bounded.
 *
 * Lines become bytes while they are few. Kept as one long string until the flush, they would cost three times as much: thousands of
 * pieces that outlive a collection of garbage, and are then put together one by one.
 *
 * @module
 */

import { within } from "../wire/within.ts";

/** The longest that a line waits. */
const FLUSH_MS = 250;
/** A flush waits that long for a reader that does not read: the server must be able to stop. */
const GIVE_UP_MS = 1000;
/** Lines are turned into bytes when they are that long together. */
const BLOCK_CHARS = 4096;
/** From here on a buffer is written without waiting. */
const BUFFER_BYTES = 262_144;
/** What may wait while an earlier write is still under way. Beyond it, lines are dropped. */
const MAX_WAITING_BYTES = 16_777_216;

/** What a sink writes to. */
export interface LineTarget {
  write(bytes: Uint8Array): Promise<number>;
}

/** Collects lines and writes them. */
export class LineSink {
  readonly #target: LineTarget;
  readonly #report: (problem: string) => void;
  readonly #encoder = new TextEncoder();
  /** Lines that are still text. */
  #block = "";
  #buffer = new Uint8Array(BUFFER_BYTES);
  #used = 0;
  /** Full buffers, oldest first. */
  #full: Uint8Array[] = [];
  #fullBytes = 0;
  /** A buffer that has been written and can be filled again. */
  #spare: Uint8Array<ArrayBuffer> | null = null;
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
    if (this.#fullBytes > MAX_WAITING_BYTES) {
      this.#dropped++;
      return;
    }
    this.#block += line + "\n";
    if (this.#block.length >= BLOCK_CHARS) this.#encode();
    if (this.#timer === null) this.#timer = this.#later();
  }

  /** Writes all that waits, after a write that is under way; settles when it is written, or when nobody has taken it for too long. */
  async flush(): Promise<void> {
    this.#encode();
    this.#seal();
    this.#cancel();
    await within(GIVE_UP_MS, this.#writeOut());
    this.#reportDropped();
  }

  async #writeOut(): Promise<void> {
    while (this.#full.length > 0 || this.#writing !== null) {
      this.#start();
      await this.#writing;
    }
  }

  #later(): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      this.#timer = null;
      this.#encode();
      this.#seal();
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

  #encode(): void {
    const text = this.#block;
    if (text === "") return;
    this.#block = "";
    // A code unit becomes three bytes at most.
    if (text.length * 3 > BUFFER_BYTES - this.#used) this.#seal();
    if (text.length * 3 > BUFFER_BYTES) this.#push(this.#encoder.encode(text));
    else this.#used += this.#encoder.encodeInto(text, this.#buffer.subarray(this.#used)).written;
    if (this.#full.length > 0) this.#start();
  }

  // The buffer, as full as it is, waits to be written.
  #seal(): void {
    if (this.#used === 0) return;
    this.#push(this.#buffer.subarray(0, this.#used));
    this.#buffer = this.#spare ?? new Uint8Array(BUFFER_BYTES);
    this.#spare = null;
    this.#used = 0;
  }

  #push(bytes: Uint8Array): void {
    this.#full.push(bytes);
    this.#fullBytes += bytes.byteLength;
  }

  #takeFull(): Uint8Array[] {
    const full = this.#full;
    this.#full = [];
    this.#fullBytes = 0;
    return full;
  }

  #start(): void {
    if (this.#writing !== null || this.#full.length === 0) return;
    this.#writing = this.#writeAll(this.#takeFull()).finally(() => {
      this.#writing = null;
      this.#reportDropped();
      this.#start();
    });
  }

  async #writeAll(buffers: readonly Uint8Array[]): Promise<void> {
    try {
      for (const bytes of buffers) {
        let at = 0;
        while (at < bytes.byteLength) at += await this.#target.write(bytes.subarray(at));
        if (bytes.buffer.byteLength === BUFFER_BYTES) this.#spare = new Uint8Array(bytes.buffer as ArrayBuffer);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    this.#report(`${this.#dropped} lines were dropped: they came faster than they could be written`);
    this.#dropped = 0;
  }

  #failed(error: unknown): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#report(error instanceof Error ? error.message : String(error));
  }
}
