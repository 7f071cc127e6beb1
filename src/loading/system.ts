/**
 * The system behind the ports of the seam: the monotonic clock and the file system of this process.
 *
 * Sessions never touch either; they get these two objects, or a test's.
 *
 * @module
 */

import type { Clock, Files, OpenFile, Timer } from "../exchange.ts";

/** The longest time that `setTimeout` takes. */
const MAX_MS = 2_147_483_647;

/** Microtasks that a new timer waits for its cancel. */
const PATIENCE_TURNS = 8;

/** The clock of this process: `performance.now()` and `setTimeout`. A pending timer keeps the process alive until it is cancelled. */
export const systemClock: Clock = {
  now(): number {
    return performance.now();
  },
  after(ms: number, callback: () => void): Timer {
    return new SystemTimer(ms, callback);
  },
  turn(): Promise<void> {
    return new Promise((resolve) => void setImmediate(resolve));
  },
};

/**
 * The file system of this process, with its permissions.
 *
 * `open` rejects with the error of Deno (`NotFound`, `PermissionDenied`, …), its message naming the path, and with a `TypeError`
 * where the path is no regular file: a directory, a device or a pipe has no size to announce.
 */
export const systemFiles: Files = {
  async open(path: string): Promise<OpenFile> {
    // A pipe without a writer would hold `open` for ever, so its kind is looked at first; and again on the handle, since the name may
    // have changed hands in between.
    requireFile(path, await Deno.stat(path));
    const file = await Deno.open(path, { read: true });
    try {
      const info = await file.stat();
      requireFile(path, info);
      return new SystemFile(file, info.size);
    } catch (error) {
      file.close();
      throw error;
    }
  },
};

/**
 * A timer that is armed a few microtasks late.
 *
 * Deno's `setTimeout` runs every waiting microtask before it returns when it is called straight from a handler: armed at once, a timer
 * would let the app run in the midst of a session's constructor. And the first timer of a process costs it 3 ms, which an app that is
 * ready at once need not pay.
 */
class SystemTimer implements Timer {
  #id: ReturnType<typeof setTimeout> | null = null;
  #cancelled = false;

  constructor(ms: number, callback: () => void) {
    void this.#arm(performance.now() + ms, callback);
  }

  cancel(): void {
    this.#cancelled = true;
    if (this.#id !== null) clearTimeout(this.#id);
  }

  // `setTimeout` takes a longer time for no time at all.
  #wait(at: number, callback: () => void): void {
    if (this.#cancelled) return;
    const left = Math.max(0, at - performance.now());
    if (left > MAX_MS) this.#id = setTimeout(() => this.#wait(at, callback), MAX_MS);
    else this.#id = setTimeout(callback, left);
  }

  async #arm(at: number, callback: () => void): Promise<void> {
    for (let turn = 0; turn < PATIENCE_TURNS; turn++) await null;
    this.#wait(at, callback);
  }
}

/** One open file. Reads are serialised, since a seek and its read are two calls. */
class SystemFile implements OpenFile {
  readonly size: number;
  readonly #file: Deno.FsFile;
  #position = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: Deno.FsFile, size: number) {
    this.#file = file;
    this.size = size;
  }

  read(into: Uint8Array, at: number): Promise<number> {
    const result = this.#last.then(() => this.#readAt(into, at));
    this.#last = result.catch(() => {});
    return result;
  }

  close(): void {
    this.#file.close();
  }

  async #readAt(into: Uint8Array, at: number): Promise<number> {
    if (at !== this.#position) {
      this.#position = await this.#file.seek(at, Deno.SeekMode.Start);
    }
    const count = await this.#file.read(into) ?? 0;
    this.#position += count;
    return count;
  }
}

function requireFile(path: string, info: Deno.FileInfo): void {
  if (info.isFile) return;
  throw new TypeError(`Cannot send "${path}": it is ${info.isDirectory ? "a directory" : "not a regular file"}`);
}
