/**
 * Finds out whether a Unix listener still accepts.
 *
 * In Deno an error of `accept`, such as the lack of a descriptor, reaches nobody, and the listener is not looked at again. A TCP listener can
 * be told to go on (`node_listener.ts`), a Unix listener can't: it must be opened anew, and those that wait for the old one are cut off. So
 * it is tried first, by a connection of our own: at once where descriptors were lacking, else every ten seconds without any connection.
 *
 * @module
 */

import { createConnection } from "node:net";

/** So long nobody has to connect until it is tried. */
const QUIET_MS = 10_000;
/** So long may pass until our own connection is accepted. */
const PATIENCE_MS = 1000;

/** The watch over one listener. */
export class UnixWatch {
  readonly #path: string;
  readonly #reopen: () => void;
  /** Of its file: another server may have taken the path. */
  #inode: number | null;
  #accepted = 0;
  #seen = 0;
  /** When something was accepted, or tried, the last time. */
  #quietSince: number;
  /** When our own connection began; 0 where there is none. */
  #triedAt = 0;
  #suspect = false;

  /** `reopen` is called where it does not accept. */
  constructor(path: string, now: number, reopen: () => void) {
    this.#path = path;
    this.#reopen = reopen;
    this.#quietSince = now;
    this.#inode = inodeOf(path);
  }

  /** A connection was accepted. */
  accepted(): void {
    this.#accepted++;
  }

  /** Descriptors are lacking. */
  suspect(): void {
    this.#suspect = true;
  }

  /** To be called a few times a second, while there are descriptors. */
  look(now: number): void {
    if (this.#accepted !== this.#seen) {
      this.#seen = this.#accepted;
      this.#quietSince = now;
      // What was accepted before descriptors were lacking says nothing: a suspicion is settled by a try alone.
      if (this.#triedAt !== 0) {
        this.#triedAt = 0;
        this.#suspect = false;
      }
    }
    if (this.#triedAt !== 0) {
      if (now - this.#triedAt < PATIENCE_MS) return;
      this.#triedAt = 0;
      this.#suspect = false;
      this.#quietSince = now;
      this.#reopen();
      this.#inode = inodeOf(this.#path);
    } else if (this.#suspect || now - this.#quietSince >= QUIET_MS) this.#try(now);
  }

  #try(now: number): void {
    this.#quietSince = now;
    // Not where it can't be known whose the path is.
    if (this.#inode === null || inodeOf(this.#path) !== this.#inode) return;
    this.#triedAt = now;
    const connection = createConnection(this.#path);
    // It is refused where too many wait already, which is no acceptance either.
    connection.on("error", ignore);
    connection.on("connect", () => connection.destroy());
  }
}

/** `null` for an abstract socket, and for a file that is gone. */
function inodeOf(path: string): number | null {
  if (path.startsWith("\0")) return null;
  try {
    return Deno.lstatSync(path).ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function ignore(): void {}
