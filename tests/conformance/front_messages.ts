/**
 * What the suite and a front in another process or thread say to each other, one channel for each server.
 *
 * @module
 */

import type { Start } from "../../src/exchange.ts";
import type { EngineSettings } from "./engines.ts";
import type { Finished, Note } from "./target.ts";

/** To the front. */
export type Command =
  | { readonly do: "launch"; readonly engine: string; readonly settings: EngineSettings; readonly start: Start }
  | { readonly do: "drain" }
  | { readonly do: "stop"; readonly graceMs: number }
  | { readonly do: "settle"; readonly mark: number };

/** From the front. */
export type Report =
  /** A worker may come there. */
  | { readonly is: "waiting"; readonly path: string; readonly secret: string }
  | { readonly is: "launched"; readonly addresses: readonly Deno.Addr[] }
  /** The start was refused, or a stop failed. */
  | { readonly is: "failed"; readonly name: string; readonly message: string; readonly exitCode: number }
  | { readonly is: "note"; readonly note: Note }
  | { readonly is: "finished"; readonly record: Finished }
  /** The worker, or the link to it, is gone, and nobody had asked for that. */
  | { readonly is: "lost"; readonly cause: string }
  | { readonly is: "stopped" }
  | { readonly is: "settled"; readonly mark: number };

/** One end of a channel. */
export interface Channel<Out, In> {
  /** Sends, in order. */
  send(message: Out): void;
  /** Begins to deliver. */
  start(onMessage: (message: In) => void): void;
  /** Resolves when the other end is gone, or this one was closed and has let go of everything. */
  readonly closed: Promise<void>;
  /** Ends it. What was not sent is lost. */
  close(): void;
}

/** A channel over a connection: one JSON text on each line. */
export class LineChannel<Out, In> implements Channel<Out, In> {
  readonly closed: Promise<void>;
  readonly #conn: Deno.Conn;
  readonly #end = Promise.withResolvers<void>();
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** Takes over a connection. */
  constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.closed = this.#end.promise;
  }

  send(message: Out): void {
    const bytes = new TextEncoder().encode(JSON.stringify(message) + "\n");
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < bytes.byteLength;) at += await this.#conn.write(bytes.subarray(at));
    }).catch(() => this.close());
  }

  start(onMessage: (message: In) => void): void {
    this.#read(onMessage).catch(() => {}).finally(() => {
      this.close();
      this.#end.resolve();
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }

  async #read(onMessage: (message: In) => void): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await this.#conn.read(buffer);
      if (count === null) return;
      const lines = (text + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\n");
      text = lines.pop()!;
      for (const line of lines) onMessage(JSON.parse(line));
    }
  }
}

/** A channel over a message port; `null` is its end. */
export class PortChannel<Out, In> implements Channel<Out, In> {
  readonly closed: Promise<void>;
  readonly #port: MessagePort;
  readonly #end = Promise.withResolvers<void>();

  /** Takes over a port. */
  constructor(port: MessagePort) {
    this.#port = port;
    this.closed = this.#end.promise;
  }

  send(message: Out): void {
    this.#port.postMessage(message);
  }

  start(onMessage: (message: In) => void): void {
    this.#port.onmessage = ({ data }: MessageEvent<In | null>) => {
      if (data === null) this.#over();
      else onMessage(data);
    };
  }

  close(): void {
    this.#port.postMessage(null);
    this.#over();
  }

  #over(): void {
    this.#port.close();
    this.#end.resolve();
  }
}
