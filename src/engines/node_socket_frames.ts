/**
 * The frames of one WebSocket, on a socket of `npm:ws`: messages in both directions, pings, the close, and what waits to be written.
 *
 * Frames are read and written by ws. Here is what it leaves open: what waits is given to it piece by piece, since a Node stream says
 * that a write is done and not how much of it; and a connection that has closed is not kept for a peer that does not let go.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { constants, type ServerHttp2Stream } from "node:http2";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { reset } from "./node_http2_reset.ts";
import { type Agreed, DEFLATE_BYTES } from "./node_socket_deflate.ts";
import type { SocketListener, ToldSocket, ToldSocketClass } from "./node_socket_kind.ts";
import type { Received, SendOptions } from "./node_socket_library.ts";
import { Stall } from "./node_stall.ts";

/** What is told of a socket. Nothing of it comes out of a call of {@linkcode Frames}. */
export interface FramesOwner {
  /** A whole message: text for a string. */
  received(data: string | Uint8Array): void;
  /** The peer answered a ping. */
  ponged(token: number): void;
  /** Some of what waited was written. */
  shrunk(): void;
  /** The peer's close frame has come, and ours has gone; 1005 for one without a code. */
  concluded(code: number, text: string): void;
  /** The peer broke the protocol or a limit, and was sent this code. */
  failed(code: number): void;
  /** The connection is gone. `late`: because the peer has not answered the close frame. */
  gone(late: boolean): void;
}

/** Settings of a socket. */
export interface FramesSettings {
  /** Bytes of a message that the peer may send; 0 is no limit. */
  readonly maxMessageBytes: number;
  /** A peer that does not answer a close frame keeps its connection for so long. */
  readonly closeTimeoutMs: number;
}

/** A message up to this goes out as one frame: less than what is written without a sign of moving. */
const PIECE_BYTES = 1_048_576;
/** ws is given more while it has less than this. */
const IN_FLIGHT_BYTES = 262_144;

/** A message up to this is copied behind its head, which costs less than a second write. */
const JOINED_BYTES = 16_384;

/** The parts of a message that comes in fragments, or in many reads, have this size on average: each takes more memory than its bytes. */
const PART_BYTES = 64;
const MIN_PARTS = 128;
const MAX_PARTS = 131_072;
/** Pongs that wait for a peer that pings and does not read. */
const MAX_PONGS = 1024;
/** ws keeps limits as 32-bit integers. */
const MAX_INT = 0x7fff_ffff;
/** The longest head of a client's frame: what stands before the payload in a read that is one frame. */
const MAX_HEAD_BYTES = 14;

const OPEN = 1;

/** How messages and their pieces are sent, the same objects for all of them, by BINARY, DEFLATED and MORE added up. */
const OPTIONS: readonly SendOptions[] = Array.from({ length: 8 }, (_, bits) => ({
  binary: (bits & 1) !== 0,
  compress: (bits & 2) !== 0,
  fin: (bits & 4) === 0,
}));
const BINARY = 1;
const DEFLATED = 2;
const MORE = 4;

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** A message that waits, or a piece of one. */
interface Part {
  readonly data: string | Uint8Array;
  /** Its length on the wire. */
  readonly bytes: number;
  /** Of {@linkcode OPTIONS}. */
  readonly kind: number;
}

/** The frames of one socket. */
export class Frames implements SocketListener {
  readonly #owner: FramesOwner;
  readonly #settings: FramesSettings;
  readonly #socket: ToldSocket;
  readonly #stream: Duplex;
  readonly #deflates: boolean;
  readonly #onWritten: (error?: Error | null) => void;
  /** What ws was not given yet. */
  #waiting: Part[] = [];
  #first = 0;
  #waitingBytes = 0;
  /** Writes that are done. */
  #writes = 0;
  #stall: Stall | null = null;
  /** Our close frame, which may wait behind messages. */
  #close: { readonly code: number; readonly text: string } | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #late = false;
  #gone = false;
  /** Tokens from the one up to the other may be answered. */
  #ponged = 0;
  #pinged = 0;

  /** Takes over a stream that has left HTTP; `rest` was read from it, `agreed` is how messages are compressed. */
  constructor(
    kind: ToldSocketClass,
    stream: Duplex,
    rest: Uint8Array,
    agreed: Agreed | null,
    settings: FramesSettings,
    owner: FramesOwner,
  ) {
    this.#owner = owner;
    this.#settings = settings;
    this.#stream = stream;
    this.#deflates = agreed !== null;
    this.#onWritten = (error) => {
      if (!error) this.#wrote();
    };
    // Its timer comes after ours, for where it closes and we do not hear of it.
    const closeTimeout = settings.closeTimeoutMs * 2;
    const socket = this.#socket = new kind(null, undefined, { autoPong: true, maxPendingAutoPongs: MAX_PONGS, closeTimeout });
    socket.listener = this;
    if (agreed !== null) socket._extensions = agreed.extensions;
    const { maxMessageBytes } = settings;
    const parts = maxMessageBytes === 0 ? MAX_PARTS : Math.ceil(maxMessageBytes / PART_BYTES);
    const maxParts = Math.min(Math.max(parts, MIN_PARTS), MAX_PARTS);
    socket.setSocket(stream, Buffer.from(rest.buffer, rest.byteOffset, rest.byteLength), {
      maxPayload: Math.min(maxMessageBytes, MAX_INT),
      maxFragments: maxParts,
      maxBufferedChunks: maxParts,
      allowSynchronousEvents: true,
      skipUTF8Validation: false,
    });
    // Whoever had it before may have stopped it.
    stream.resume();
    // Nobody tells of what ended before.
    if (stream.destroyed || stream.readableEnded) queueMicrotask(() => this.cut());
  }

  /** Bytes that wait, with the heads of the frames that ws has. */
  get buffered(): number {
    return this.#gone ? 0 : this.#waitingBytes + this.#socket.bufferedAmount;
  }

  /** Sends a message; `bytes` is its length on the wire. */
  send(data: string | Uint8Array, bytes: number): void {
    const socket = this.#socket;
    if (this.#close !== null || socket.readyState !== OPEN) return;
    let kind = typeof data === "string" ? 0 : BINARY;
    if (this.#deflates && bytes >= DEFLATE_BYTES) kind |= DEFLATED;
    if (this.#waitingBytes === 0 && bytes <= PIECE_BYTES && socket.bufferedAmount < IN_FLIGHT_BYTES) {
      // ws would write the head and the message one after the other. Where it deflates nothing, it writes all at once itself.
      if (bytes <= JOINED_BYTES && !this.#deflates) this.#stream.write(wholeFrame(data, bytes), this.#onWritten);
      else socket.send(data, OPTIONS[kind]!, this.#onWritten);
      return;
    }
    this.#waitingBytes += bytes;
    if (bytes <= PIECE_BYTES) this.#waiting.push({ data, bytes, kind });
    else {
      const whole = typeof data === "string" ? Buffer.from(data) : data;
      for (let from = 0; from < bytes; from += PIECE_BYTES) {
        const piece = whole.subarray(from, from + PIECE_BYTES);
        this.#waiting.push({ data: piece, bytes: piece.byteLength, kind: from + PIECE_BYTES < bytes ? kind | MORE : kind });
      }
    }
    this.#feed();
  }

  /** Sends a ping. Tokens grow. */
  ping(token: number): void {
    if (this.#close !== null || this.#socket.readyState !== OPEN) return;
    this.#pinged = token + 1;
    this.#socket.ping(String(token));
  }

  /** Sends a close frame behind what waits, 1005 for one without a code; the peer has so long to answer. */
  close(code: number, text: string): void {
    if (this.#close !== null || this.#gone) return;
    this.#close = { code, text };
    this.#startTimer();
    this.#feed();
  }

  /** Sends a close frame in place of what waits; one that waits itself goes out with its own code. */
  closeNow(code: number): void {
    this.#drop();
    if (this.#close === null) this.close(code, "");
    else this.#feed();
  }

  /** Ends the connection at once, with all that waits for the peer. */
  cut(): void {
    if (this.#gone) return;
    const stream = this.#stream;
    // One that is over tells nothing any more.
    if (stream.destroyed) return queueMicrotask(() => this.onGone());
    // What the system holds for a peer that does not read would stay there for minutes; only plain TCP can let go of it.
    if (stream instanceof Socket) {
      if (!(stream instanceof TLSSocket) && stream.remoteAddress !== undefined) stream.resetAndDestroy();
    } else reset(stream as ServerHttp2Stream, constants.NGHTTP2_CANCEL);
    this.#socket.terminate();
  }

  /** Whether nothing of what waits was written for so long. */
  stalls(now: number, timeoutMs: number): boolean {
    if (timeoutMs === 0 || this.buffered === 0) {
      this.#stall = null;
      return false;
    }
    this.#stall ??= new Stall();
    return this.#stall.lasts(now, this.#writes, timeoutMs);
  }

  // From ws.

  /** A message. */
  onMessage(data: Received, isBinary: boolean): void {
    this.#owner.received(isBinary ? ownBytes(data) : DECODER.decode(data));
  }

  /** A pong: one that nobody asked for says nothing. */
  onPong(data: Received): void {
    if (data.byteLength === 0 || data.byteLength > 16) return;
    const text = data.toString("latin1");
    const token = Number(text);
    if (!Number.isInteger(token) || String(token) !== text || !(token >= this.#ponged && token < this.#pinged)) return;
    this.#ponged = token + 1;
    this.#owner.ponged(token);
  }

  /** The peer closes. */
  onConclusion(code: number, text: Received | undefined): void {
    this.#answered(code);
    this.#owner.concluded(code, text === undefined ? "" : DECODER.decode(text));
  }

  /** The peer broke the protocol. */
  onViolation(code: number): void {
    this.#answered(code);
    this.#owner.failed(code);
  }

  /** The stream has ended. */
  onGone(): void {
    if (this.#gone) return;
    this.#gone = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#drop();
    this.#owner.gone(this.#late);
  }

  // Shared.

  #wrote(): void {
    this.#writes++;
    if (this.#first < this.#waiting.length) this.#feed();
    this.#owner.shrunk();
  }

  #feed(): void {
    const socket = this.#socket;
    while (this.#first < this.#waiting.length) {
      if (socket.readyState !== OPEN || socket.bufferedAmount >= IN_FLIGHT_BYTES) return;
      const { data, bytes, kind } = this.#waiting[this.#first++]!;
      this.#waitingBytes -= bytes;
      socket.send(data, OPTIONS[kind]!, this.#onWritten);
    }
    if (this.#first > 0) this.#waiting = [];
    this.#first = 0;
    if (this.#close !== null && socket.readyState === OPEN) socket.startClose(this.#close.code, this.#close.text);
  }

  // A close frame has gone out, past what waited.
  #answered(code: number): void {
    this.#close ??= { code, text: "" };
    this.#drop();
    this.#startTimer();
  }

  #drop(): void {
    this.#waiting = [];
    this.#first = this.#waitingBytes = 0;
  }

  #startTimer(): void {
    // ws reads on in what a connection that is gone has left behind.
    if (this.#gone) return;
    this.#timer ??= setTimeout(() => {
      this.#late = true;
      this.cut();
    }, this.#settings.closeTimeoutMs);
  }
}

/** A message as one frame that is neither compressed nor masked. RFC 6455 section 5.2. */
function wholeFrame(data: string | Uint8Array, bytes: number): Uint8Array {
  const head = bytes < 126 ? 2 : 4;
  const frame = Buffer.allocUnsafe(head + bytes);
  frame[0] = typeof data === "string" ? 0x81 : 0x82;
  if (bytes < 126) frame[1] = bytes;
  else {
    frame[1] = 126;
    frame[2] = bytes >> 8;
    frame[3] = bytes & 0xff;
  }
  if (typeof data === "string") ENCODER.encodeInto(data, frame.subarray(head));
  else frame.set(data, head);
  return frame;
}

/**
 * The bytes of a message as nobody else has them: where the read of the socket was this frame and no more they are left as they are, else
 * it is a copy. An app may keep them, and may give their buffer away.
 */
function ownBytes(data: Received): Uint8Array {
  const { buffer, byteOffset, byteLength } = data;
  const isAlone = byteOffset <= MAX_HEAD_BYTES && byteOffset + byteLength === buffer.byteLength;
  return isAlone ? new Uint8Array(buffer, byteOffset, byteLength) : new Uint8Array(data);
}
