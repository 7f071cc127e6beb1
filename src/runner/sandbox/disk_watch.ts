/**
 * Watches what a worker in a sandbox has on the disk: `caches` and localStorage need no permission, and nothing else bounds them.
 *
 * A look costs little, since there are few files, and comes a second after the one before: for that long a worker can write more.
 *
 * @module
 */

/** What a worker may have. */
const MAX_BYTES = 268_435_456;
/** Files and folders that it may have. */
const MAX_ENTRIES = 20_000;
/** From one look to the next. */
const LOOK_MS = 1000;

const MEBIBYTE = 1_048_576;

/** The watch over one worker. */
export class DiskWatch {
  readonly #folders: readonly string[];
  readonly #full: (cause: string) => void;
  readonly #over: Promise<void>;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #wake: (() => void) | null = null;
  #isStopped = false;

  /** Looks from now on; `full` is called once. */
  constructor(folders: readonly string[], full: (cause: string) => void) {
    this.#folders = folders;
    this.#full = full;
    this.#over = this.#run();
  }

  /** Settles when nothing is looked at any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#wake?.();
    await this.#over;
  }

  async #run(): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#timer = setTimeout(resolve, LOOK_MS);
        Deno.unrefTimer(this.#timer);
      });
      if (this.#isStopped) return;
      const cause = await this.#look();
      if (cause === null || this.#isStopped) continue;
      this.#full(cause);
      return;
    }
  }

  async #look(): Promise<string | null> {
    let bytes = 0;
    let entries = 0;
    const waiting = [...this.#folders];
    for (let folder = waiting.pop(); folder !== undefined && !this.#isStopped; folder = waiting.pop()) {
      try {
        for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
          if (++entries > MAX_ENTRIES) return `it has more than ${MAX_ENTRIES} files on the disk`;
          const path = `${folder}/${name}`;
          if (isDirectory) waiting.push(path);
          if (isFile) bytes += onDisk(await Deno.lstat(path));
          if (bytes > MAX_BYTES) return `it has more than ${MAX_BYTES / MEBIBYTE} MiB on the disk`;
        }
      } catch (error) {
        // It removes files as it likes.
        if (!(error instanceof Deno.errors.NotFound)) return `what it has on the disk can't be looked at: ${error}`;
      }
    }
    return null;
  }
}

function onDisk({ size, blocks }: Deno.FileInfo): number {
  return blocks === null ? size : blocks * 512;
}
