/**
 * HTTP/2 by raw frames, for what no client library sends. Header blocks are written with literals and the static table alone.
 *
 * @module
 */

import { join } from "./reply.ts";
import type { Running } from "./target.ts";
import type { WireConnection } from "./wire_connection.ts";

/** Types of frames, RFC 9113 section 6. */
export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, push: 5, ping: 6, goaway: 7, window: 8, continuation: 9 } as const;

/** Flags of frames. */
export const FLAG = { ack: 1, endStream: 1, endHeaders: 4 } as const;

/** What a client sends first. */
export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** `GET /`, http, authority `test`. */
export const GET: Uint8Array = new Uint8Array([0x82, 0x86, 0x84, 0x41, 4, 0x74, 0x65, 0x73, 0x74]);

/** `CONNECT /`, http, authority `test`, for a WebSocket (RFC 8441). */
export const CONNECT: Uint8Array = join([
  literal(":method", "CONNECT"),
  literal(":protocol", "websocket"),
  literal(":scheme", "http"),
  literal(":path", "/"),
  literal(":authority", "test"),
  literal("sec-websocket-version", "13"),
]);

/** A frame as it came. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
}

/** A connection of raw frames. */
export class FrameConnection {
  readonly #connection: WireConnection;
  readonly #unsent: Uint8Array[] = [];

  private constructor(connection: WireConnection) {
    this.#connection = connection;
  }

  /** Connects, and sends the preface and empty settings. */
  static async connect(server: Pick<Running, "connect">): Promise<FrameConnection> {
    const connection = new FrameConnection(await server.connect());
    await connection.#connection.send(PREFACE);
    await connection.sendAll([frame(FRAME.settings, 0, 0)]);
    return connection;
  }

  /**
   * Sends a frame. Those of one turn of the event loop leave in one piece: else a server in another process may have answered between
   * two of them, and a fault of the second is none any more.
   */
  send(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Promise<void> {
    this.#unsent.push(frame(type, flags, stream, payload));
    // Whether the server still takes it is told by what it sends.
    if (this.#unsent.length === 1) setTimeout(() => void this.sendAll(this.#unsent.splice(0)).catch(() => {}), 0);
    return Promise.resolve();
  }

  /** Sends frames in one piece. */
  async sendAll(frames: readonly Uint8Array[]): Promise<void> {
    await this.#connection.send(join(frames));
  }

  /** The next frame; `null` where the connection has ended. */
  async next(): Promise<Frame | null> {
    const head = await this.#exactly(9);
    if (head === null) return null;
    const length = (head[0]! << 16) | (head[1]! << 8) | head[2]!;
    const payload = await this.#exactly(length);
    if (payload === null) return null;
    const stream = ((head[5]! & 127) << 24) | (head[6]! << 16) | (head[7]! << 8) | head[8]!;
    return { type: head[3]!, flags: head[4]!, stream, payload };
  }

  /** Reads until a frame is this one; `null` where the connection ends before. */
  async until(is: (frame: Frame) => boolean): Promise<Frame | null> {
    for (let frame = await this.next(); frame !== null; frame = await this.next()) if (is(frame)) return frame;
    return null;
  }

  /** Drops the connection. */
  close(): void {
    this.#connection.close();
  }

  async #exactly(count: number): Promise<Uint8Array | null> {
    const pieces: Uint8Array[] = [];
    for (let left = count; left > 0;) {
      const piece = await this.#connection.some(left);
      if (piece === null) return null;
      pieces.push(piece);
      left -= piece.byteLength;
    }
    return join(pieces);
  }
}

/** One frame in bytes. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Uint8Array {
  const { byteLength } = payload;
  const head = [byteLength >> 16, byteLength >> 8, byteLength, type, flags, stream >> 24, stream >> 16, stream >> 8, stream];
  return join([new Uint8Array(head.map((byte) => byte & 255)), payload]);
}

/** What a SETTINGS frame says, by identifier. */
export function settingsOf(payload: Uint8Array): Map<number, number> {
  const view = new DataView(payload.slice().buffer);
  const settings = new Map<number, number>();
  for (let at = 0; at < payload.byteLength; at += 6) settings.set(view.getUint16(at), view.getUint32(at + 2));
  return settings;
}

/** A header as a literal without indexing, up to 126 bytes each. */
export function literal(name: string, value: string): Uint8Array {
  const encoder = new TextEncoder();
  return join([new Uint8Array([0, name.length]), encoder.encode(name), new Uint8Array([value.length]), encoder.encode(value)]);
}
