/**
 * The parts of `npm:ws` that the node engine stands on, as types, and how they are loaded.
 *
 * Loading takes about 20 ms and 5 MB on top of `node:http`. Not here: what is done with a socket (`node_socket_frames.ts`).
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { StartupError } from "../spec/errors.ts";

/** Since this version of ws its receiver bounds the fragments of a message and counts empty ones, and pongs that wait are bounded. */
const OLDEST = [8, 21, 1] as const;

/** What a frame is sent with. */
export interface SendOptions {
  /** A binary message, or a part of one; else a text message. */
  readonly binary: boolean;
  readonly compress: boolean;
  /** The last part of its message. */
  readonly fin: boolean;
}

/** What `WebSocket` of ws is made with. */
export interface SocketOptions {
  /** Answers pings. */
  readonly autoPong: boolean;
  /** A peer that lets more of those wait is cut off. */
  readonly maxPendingAutoPongs: number;
  /** Milliseconds between a close frame and the end of the connection. */
  readonly closeTimeout: number;
}

/** What its receiver is made with; 0 is no limit. */
export interface ReceiverOptions {
  /** Bytes of a message: 1009 beyond. */
  readonly maxPayload: number;
  /** Parts of a message: 1008 beyond. */
  readonly maxFragments: number;
  /** Reads that a frame may take: 1008 beyond. */
  readonly maxBufferedChunks: number;
  /** Several messages may come in one turn of the event loop. */
  readonly allowSynchronousEvents: boolean;
  readonly skipUTF8Validation: boolean;
}

/** A WebSocket of ws, on the side of the server. */
export interface LibrarySocket {
  /** Keyed by name. */
  _extensions: Readonly<Record<string, Deflate>>;
  readonly bufferedAmount: number;
  /** 1 while messages can be sent. */
  readonly readyState: number;
  setSocket(stream: Duplex, rest: Uint8Array, options: ReceiverOptions): void;
  send(data: string | Uint8Array, options: SendOptions, written: (error?: Error | null) => void): void;
  ping(data: string): void;
  close(...args: [code?: number, text?: string | Uint8Array]): void;
  terminate(): void;
  /** Tells what happens: `message`, `pong`, `error`, `close` and others. */
  emit(event: string, first?: unknown, second?: unknown): boolean;
}

/** The class of it. */
export type LibrarySocketClass = new (address: null, protocols: undefined, options: SocketOptions) => LibrarySocket;

/** The extension permessage-deflate of one connection. */
export interface Deflate {
  /** Takes the first of the offers that it can take. @throws {Error} Where it takes none, or one is malformed. */
  accept(offers: OfferedParameters[]): AcceptedParameters;
}

/** Parameters of an offer; `true` is one without a value. */
export type OfferedParameters = Record<string, (string | true)[]>;
/** Parameters that were agreed on. */
export type AcceptedParameters = Record<string, string | number | boolean>;

/** Options of permessage-deflate. */
export interface DeflateOptions {
  readonly isServer: boolean;
  /** Bytes of an inflated message; 0 is no limit. */
  readonly maxPayload: number;
  /** Messages that are deflated and inflated at once, in the whole process; the first socket decides. */
  readonly concurrencyLimit: number;
  /** Bytes from which on messages are deflated where each of them stands alone. */
  readonly threshold: number;
  readonly zlibDeflateOptions: { readonly level: number; readonly memLevel: number };
}

/** `npm:ws`. */
export interface SocketLibrary {
  readonly WebSocket: LibrarySocketClass;
  readonly PerMessageDeflate: (new (options: DeflateOptions) => Deflate) & { readonly extensionName: string };
  readonly extension: {
    /** @throws {SyntaxError} Where the header is malformed. */
    parse(header: string): Record<string, OfferedParameters[] | undefined>;
    format(extensions: Record<string, AcceptedParameters[]>): string;
  };
}

/** A text of a message, in UTF-8 that was checked; a view of it may be a whole read of the socket. */
export type Received = Buffer;

/**
 * Loads `npm:ws`.
 *
 * @throws {StartupError} Where it can't be had, or is too old.
 */
export async function loadLibrary(): Promise<SocketLibrary> {
  let version: string;
  let library: SocketLibrary;
  try {
    // Written out, so that it is found whatever the import map of the app says.
    // deno-lint-ignore no-import-prefix
    version = (await import("npm:ws@^8.21.1/package.json", { with: { type: "json" } })).default.version;
    // deno-lint-ignore no-import-prefix
    library = await import("npm:ws@^8.21.1") as unknown as SocketLibrary;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new StartupError(`The node engine needs npm:ws, and the environment variable WS_NO_BUFFER_UTIL to be readable: ${cause}`);
  }
  if (isOlder(version, OLDEST)) {
    throw new StartupError(`The node engine needs npm:ws ${OLDEST.join(".")} or later, not ${version}: see the lock file`);
  }
  return library;
}

/** Whether a version such as `8.21.1` comes before another. */
export function isOlder(version: string, than: readonly number[]): boolean {
  const numbers = version.split(/[.-]/).map(Number);
  for (let at = 0; at < than.length; at++) {
    if (numbers[at] !== than[at]) return !(numbers[at]! > than[at]!);
  }
  return false;
}
