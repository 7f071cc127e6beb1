/**
 * The audit log of one worker, as a named pipe: nothing of it is kept, and who writes faster than it is read waits.
 *
 * The runtime of the worker opens it before any code of the app runs, then its name is gone.
 *
 * @module
 */

/** Read at once. As much as a pipe of Linux holds. */
const CHUNK_BYTES = 65_536;
/** A pause after so much, so that a worker that floods its log costs the server little: 6 MB/s is 70,000 accesses. */
const PAUSE_MS = 10;
/** The longest line that is looked at. */
const MAX_LINE_LENGTH = 8192;

/** Reads a pipe. */
export class AuditPipe {
  /** Settles when the worker has closed it. */
  readonly ended: Promise<void>;
  readonly #path: string;
  #isOpen = false;

  /** Makes the pipe; `null` where the system has none. */
  static async make(path: string): Promise<string | null> {
    try {
      const { success } = await new Deno.Command("mkfifo", { args: ["-m", "600", path], stdin: "null", stdout: "null", stderr: "null" })
        .output();
      return success ? path : null;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Begins to read: it is open once the worker has opened it too. */
  constructor(path: string, onLine: (line: string) => void) {
    this.#path = path;
    this.ended = this.#read(onLine);
  }

  /** The worker is gone: lets go, also where it never came. */
  async close(): Promise<void> {
    if (!this.#isOpen) (await Deno.open(this.#path, { write: true })).close();
    await this.ended;
  }

  async #read(onLine: (line: string) => void): Promise<void> {
    using file = await Deno.open(this.#path, { read: true });
    this.#isOpen = true;
    await Deno.remove(this.#path);
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(CHUNK_BYTES);
    let rest = "";
    for (;;) {
      const count = await file.read(chunk);
      if (count === null) return;
      const lines = (rest + decoder.decode(chunk.subarray(0, count), { stream: true })).split("\n");
      rest = lines.pop()!.slice(0, MAX_LINE_LENGTH);
      for (const line of lines) if (line.length <= MAX_LINE_LENGTH) onLine(line);
      if (count === CHUNK_BYTES) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
