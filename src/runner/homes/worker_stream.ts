/**
 * One standard stream of a worker process, read to its end.
 *
 * @module
 */

import type { OutputRelay } from "./output_relay.ts";
import type { OutputFilter, Tail } from "./worker_output.ts";

/** What the last bytes of a process that has ended may take: something that it started may hold its stream open. */
const LAST_MS = 100;

/** Read at once. As much as a pipe of Linux holds. */
const READ_BYTES = 65_536;

/** A stream that is read. */
export class WorkerStream {
  readonly #reader: ReadableStreamBYOBReader;
  readonly #filter: OutputFilter;
  readonly #relay: OutputRelay;
  readonly #tail: Tail | null;
  readonly #done: Promise<void>;
  #isEnding = false;
  #wake: (() => void) | null = null;

  /** Begins to read. */
  constructor(stream: ReadableStream<Uint8Array>, filter: OutputFilter, relay: OutputRelay, tail: Tail | null) {
    this.#reader = stream.getReader({ mode: "byob" });
    this.#filter = filter;
    this.#relay = relay;
    this.#tail = tail;
    this.#done = this.#run();
  }

  /** Call it once the process has ended: settles when what it wrote is written, or nobody takes it. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.#wake?.();
    const late = setTimeout(() => void this.#reader.cancel().catch(() => {}), LAST_MS);
    await this.#done;
    clearTimeout(late);
    this.#filter.end();
    await this.#relay.end(LAST_MS);
  }

  async #run(): Promise<void> {
    try {
      // One buffer for all reads: else each would take a fresh one, for a line.
      for (let buffer = new Uint8Array(READ_BYTES);;) {
        const { value, done } = await this.#reader.read(buffer);
        if (done) return;
        this.#tail?.push(value);
        this.#filter.take(value);
        const pauseMs = this.#filter.pauseMs();
        if (pauseMs > 0 && !this.#isEnding) await this.#pause(pauseMs);
        buffer = new Uint8Array(value.buffer);
      }
    } catch {
      // It can't be read any more: the process has ended, or will be seen to.
    }
  }

  async #pause(ms: number): Promise<void> {
    const awake = Promise.withResolvers<void>();
    this.#wake = awake.resolve;
    const timer = setTimeout(awake.resolve, ms);
    await awake.promise;
    clearTimeout(timer);
    this.#wake = null;
  }
}
