/**
 * What workers write, on its way to a standard stream of the server: a reader that does not read stops no worker and costs no memory.
 *
 * Bytes that came while an earlier write is under way wait for it, up to a bound; more is dropped, and that is said.
 *
 * @module
 */

import { joinBytes } from "../../wire/join_bytes.ts";
import { within } from "../../wire/within.ts";

/** What a relay writes to: a standard stream. */
export interface RelayTarget {
  write(bytes: Uint8Array): Promise<number>;
}

/** What may wait. */
const MAX_WAITING_BYTES = 1_048_576;
/** What a piece costs beside its bytes. */
const PIECE_BYTES = 128;
/** Dropped bytes are said together, so long after the first. */
const SAY_MS = 1000;

/** The way of one stream of one worker. */
export class OutputRelay {
  readonly #target: RelayTarget;
  readonly #say: (dropped: number) => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | null = null;
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** `say` is told how many bytes were dropped, at most once a second. */
  constructor(target: RelayTarget, say: (dropped: number) => void) {
    this.#target = target;
    this.#say = say;
  }

  /** Copies bytes. */
  push(bytes: Uint8Array): void {
    if (this.#writing === null) {
      this.#writing = this.#write(bytes.slice());
      return;
    }
    const cost = bytes.byteLength + PIECE_BYTES;
    if (this.#waitingBytes + cost > MAX_WAITING_BYTES) return this.drop(bytes.byteLength);
    this.#waiting.push(bytes.slice());
    this.#waitingBytes += cost;
  }

  /** Counts bytes that are not written. */
  drop(count: number): void {
    this.#dropped += count;
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#sayDropped(), SAY_MS);
    this.#timer.unref();
  }

  /** Settles when all is written, at the latest after `withinMs`. */
  async end(withinMs: number): Promise<void> {
    if (this.#writing !== null) await within(withinMs, this.#writing);
    if (this.#timer !== null) this.#sayDropped();
  }

  async #write(first: Uint8Array): Promise<void> {
    for (let bytes = first; bytes.byteLength > 0; bytes = this.#take()) {
      try {
        let at = 0;
        while (at < bytes.byteLength) at += await this.#target.write(bytes.subarray(at));
      } catch {
        // Nobody reads any more, or the disk is full.
        this.drop(bytes.byteLength);
      }
    }
    this.#writing = null;
  }

  #take(): Uint8Array {
    const bytes = joinBytes(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
  }

  #sayDropped(): void {
    clearTimeout(this.#timer!);
    this.#timer = null;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#say(count);
  }
}
