/**
 * A Unix socket for exactly one worker: in a fresh directory that only this user may enter, gone as soon as the worker has come.
 *
 * The worker shows with its first packet that it knows the secret. Nobody else can connect later, and an app in the worker, which was
 * allowed to use the path, finds nothing there.
 *
 * @module
 */

import { WorkerError } from "../spec/errors.ts";
import { FrameReader } from "./frame_reader.ts";
import { makeLinkDirectory } from "./link_directory.ts";
import { checkFields } from "./packet_kinds.ts";
import { HELLO, VERSION } from "./packets.ts";
import type { Pipe } from "./pipe.ts";
import { SocketPipe } from "./socket_pipe.ts";

/** Most bytes of a hello. */
const HELLO_BYTES = 1024;
/** How long a connection may take for it. */
const HELLO_MS = 5000;

/** A socket that waits for one worker. */
export class SocketListener {
  /** Absolute. */
  readonly path: string;
  /** For the one worker that is expected. */
  readonly secret: string;
  readonly #directory: string;
  readonly #listener: Deno.Listener;
  #isClosed = false;

  /** Listens in a fresh directory, which nobody else uses; where none is given, it is made. */
  static async open(fresh?: string): Promise<SocketListener> {
    const directory = fresh ?? await makeLinkDirectory();
    try {
      const path = `${directory}/link`;
      return new SocketListener(directory, path, Deno.listen({ transport: "unix", path }));
    } catch (error) {
      await Deno.remove(directory, { recursive: true });
      throw error;
    }
  }

  private constructor(directory: string, path: string, listener: Deno.Listener) {
    this.#directory = directory;
    this.path = path;
    this.secret = crypto.randomUUID();
    this.#listener = listener;
  }

  /**
   * Waits for the worker. Connections that do not know the secret are closed. Listener, socket and directory are gone afterwards.
   *
   * @throws {WorkerError} Where it does not come in time, or {@linkcode close} was called.
   */
  async accept(timeoutMs: number): Promise<Pipe> {
    const timer = setTimeout(() => this.#listener.close(), timeoutMs);
    try {
      for (;;) {
        const conn = await this.#listener.accept();
        const problem = await readHello(conn, this.secret);
        if (problem === null) return new SocketPipe(conn);
        conn.close();
        if (problem.startsWith("version")) throw new WorkerError(`The worker speaks another ${problem}`);
      }
    } catch (error) {
      if (error instanceof WorkerError) throw error;
      throw new WorkerError(this.#isClosed ? "The worker was given up" : `The worker did not connect within ${timeoutMs / 1000} s`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
      await this.close();
    }
  }

  /** Gives up: removes listener, socket and directory. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#listener.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error; // the time was up
    }
    await Deno.remove(this.#directory, { recursive: true });
  }
}

// What is wrong with the first packet, or null. It comes alone: the worker waits to be started.
async function readHello(conn: Deno.Conn, secret: string): Promise<string | null> {
  let hello: string | null = null;
  let isAlone = true;
  const reader = new FrameReader((text, bytes) => {
    isAlone = hello === null && bytes.byteLength === 0;
    hello = text;
  });
  const timer = setTimeout(() => conn.close(), HELLO_MS);
  try {
    for (let total = 0; hello === null;) {
      const count = await conn.read(reader.target);
      if (count === null) return "no hello";
      total += count;
      if (total > HELLO_BYTES) return "too long a hello";
      reader.advance(count);
    }
    const items: unknown = JSON.parse(hello);
    if (!isAlone || !Array.isArray(items) || items[0] !== HELLO || items.length !== 5) return "no hello";
    checkFields(HELLO, items, 0);
    if (items[3] !== secret) return "wrong secret";
    return items[2] === VERSION ? null : `version of the link: ${items[2]}, not ${VERSION}`;
  } catch {
    return "no hello"; // whoever that was, it is not the worker
  } finally {
    clearTimeout(timer);
  }
}
