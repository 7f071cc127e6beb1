/**
 * Two calls of the system that Deno has no name for, by its FFI: who inherits a descriptor, and how many connections wait.
 *
 * Node's way of passing a descriptor, `stdio: [..., fd]` of `node:child_process`, is no way here: Deno 2.9.6 makes the socket blocking
 * for every process that has it, until the new one listens. A worker that lost the race for a connection meanwhile would wait inside of
 * `accept`, with all of its clients, for the next one.
 *
 * @module
 */

import { StartupError } from "../../spec/errors.ts";

const LIBRARY = "libc.so.6";
const F_SETFD = 2;
const FD_CLOEXEC = 1;

const SYMBOLS = {
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
} as const;

/** The calls. */
export class Libc {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;

  /**
   * Finds them.
   *
   * @throws {StartupError} Where they can't be had.
   */
  constructor() {
    try {
      this.#library = Deno.dlopen(LIBRARY, SYMBOLS);
    } catch (error) {
      throw new StartupError(
        `Workers that listen themselves need Linux with ${LIBRARY}, and a server with --allow-all: ${
          error instanceof Error ? error.message.split("\n", 1)[0] : error
        }`,
        { cause: error },
      );
    }
  }

  /** A process that `spawn` starts inherits the descriptors, under their numbers; no other does. */
  inherit<R>(fds: readonly number[], spawn: () => R): R {
    try {
      for (const fd of fds) this.#set(fd, 0);
      return spawn();
    } finally {
      this.keep(fds);
    }
  }

  /** What this process starts does not inherit them. */
  keep(fds: readonly number[]): void {
    for (const fd of fds) this.#set(fd, FD_CLOEXEC);
  }

  /** So many connections wait until they are accepted. */
  listen(fd: number, backlog: number): void {
    if (this.#library.symbols.listen(fd, backlog) !== 0) {
      throw new StartupError(`The backlog of descriptor ${fd} can't be set to ${backlog}`);
    }
  }

  /** Lets go of the library. */
  close(): void {
    this.#library.close();
  }

  #set(fd: number, flags: number): void {
    if (this.#library.symbols.fcntl(fd, F_SETFD, flags) !== 0) throw new StartupError(`Descriptor ${fd} is not open any more`);
  }
}
