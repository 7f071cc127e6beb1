/**
 * A client that keeps what a server sends, and tells when that changes.
 *
 * @module
 */

import { join } from "../conformance/reply.ts";

/** A connection. */
export class Peer implements Disposable {
  /** All that came. */
  bytes: Uint8Array = new Uint8Array();
  /** The server has closed, in whichever way. */
  ended = false;
  readonly #connection: Deno.Conn;
  #wake: () => void = () => {};

  static async connect(port: number): Promise<Peer> {
    return new Peer(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
    void this.#read();
  }

  /** Sends all of it; a server that has closed meanwhile is seen by `ended`. */
  async send(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
    } catch (error) {
      if (!isLost(error)) throw error;
    }
  }

  /** Sends FIN. */
  async finish(): Promise<void> {
    await this.#connection.closeWrite().catch((error) => {
      if (!isLost(error)) throw error;
    });
  }

  /** Waits until something is so, the server has closed, or nothing has come for so long; whether it is so. */
  async until(is: () => boolean, quietMs: number): Promise<boolean> {
    while (!is() && !this.ended) if (!await this.#change(quietMs)) break;
    return is();
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch (error) {
      if (!isLost(error)) throw error;
    }
  }

  #change(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await this.#connection.read(buffer).catch(() => null); // a reset is an end too
      if (count === null) break;
      this.bytes = join([this.bytes, buffer.subarray(0, count)]);
      this.#wake();
    }
    this.ended = true;
    this.#wake();
  }
}

function isLost(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.ConnectionAborted;
}
