/**
 * The class of `npm:ws` sockets that tell their frames what happens, without an emitter and listeners between them.
 *
 * ws closes by its own public `close` where the peer has closed or has broken the protocol; so that is where both are seen.
 *
 * @module
 */

import type { LibrarySocket, Received, SocketLibrary, SocketOptions } from "./node_socket_library.ts";

/** Who is told. */
export interface SocketListener {
  /** A message; the UTF-8 of a text was checked. */
  onMessage(data: Received, isBinary: boolean): void;
  /** A pong, asked for or not. */
  onPong(data: Received): void;
  /** The peer's close frame, answered by now; 1005 for one without a code. */
  onConclusion(code: number, text: Received | undefined): void;
  /** A violation, of which the peer was told by a close frame with this code. */
  onViolation(code: number): void;
  /** The stream has ended. */
  onGone(): void;
}

/** A socket with its listener. */
export interface ToldSocket extends LibrarySocket {
  listener: SocketListener;
  /** Sends a close frame, 1005 for one without a code. */
  startClose(code: number, text: string): void;
}

/** The class of it. */
export type ToldSocketClass = new (address: null, protocols: undefined, options: SocketOptions) => ToldSocket;

const NO_CODE = 1005;
const INVALID_DATA = 1007;

/** Makes the class. */
export function toldSocketClass(library: SocketLibrary): ToldSocketClass {
  return class extends library.WebSocket implements ToldSocket {
    declare listener: SocketListener;

    // An error that ws emits was told by the close before it.
    override emit(event: string, first?: unknown, second?: unknown): boolean {
      if (event === "message") this.listener.onMessage(first as Received, second as boolean);
      else if (event === "pong") this.listener.onPong(first as Received);
      else if (event === "close") this.listener.onGone();
      return true;
    }

    // For the peer's close frame ws calls it with what is in it, for a violation with a code alone; on Deno, for data that can't be
    // inflated, without that.
    override close(...args: [code?: number, text?: string | Uint8Array]): void {
      const isViolation = args.length === 1;
      if (isViolation) args[0] ??= INVALID_DATA;
      super.close(...args);
      if (isViolation) this.listener.onViolation(args[0]!);
      else this.listener.onConclusion(args[0] ?? NO_CODE, args[1] as Received | undefined);
    }

    startClose(code: number, text: string): void {
      if (code === NO_CODE) super.close();
      else super.close(code, text);
    }
  };
}
