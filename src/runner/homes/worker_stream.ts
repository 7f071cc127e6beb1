/**
 * One standard stream of a worker process, read to its end.
 *
 * @module
 */

import type { OutputRelay } from "./output_relay.ts";
import type { OutputFilter, Tail } from "./worker_output.ts";

/** What the last bytes of a process that has ended may take: something that it started may hold its stream open. */
const LAST_MS = 100;

/** A stream that is read. */
export class WorkerStream {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #filter: OutputFilter;
  readonly #relay: OutputRelay;
  readonly #tail: Tail | null;
  readonly #done: Promise<void>;
  #isEnding = false;
  #wake: (() => void) | null = null;

  /** Begins to read. */
  constructor(stream: ReadableStream<Uint8Array>, filter: OutputFilter, relay: OutputRelay, tail: Tail | null) {
    this.#reader = stream.getReader();
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
      for (;;) {
        const { value } = await this.#reader.read();
        if (value === undefined) return;
        this.#tail?.push(value);
        this.#filter.take(value);
        const pauseMs = this.#filter.pauseMs();
        if (pauseMs > 0 && !this.#isEnding) await this.#pause(pauseMs);
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
