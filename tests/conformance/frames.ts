/**
 * A WebSocket client of single frames over a raw connection: it can break every rule of RFC 6455. It shares no code with the server.
 *
 * @module
 */

import type { Pairs } from "../../src/exchange.ts";
import { bytesOf, Cut, fromLatin1, join, latin1, Reply } from "./reply.ts";
import type { Running } from "./target.ts";
import type { WireConnection } from "./wire_connection.ts";

/** The key of the example in RFC 6455 section 1.3, and what answers it. */
export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** One frame of the server. */
export interface Frame {
  readonly opcode: number;
  /** FIN and the three reserved bits, as they came. */
  readonly flags: number;
  readonly masked: boolean;
  readonly payload: Uint8Array;
}

/** How a frame differs from a good one. */
export interface FrameOptions {
  /** Not the last of its message. */
  readonly more?: boolean;
  /** Reserved bits: 0x40, 0x20, 0x10. */
  readonly reserved?: number;
  readonly unmasked?: boolean;
}

/** The bytes of a handshake; `change` replaces, or with `null` leaves out, header lines. */
export function handshake(headers: Pairs = [], change: Record<string, string | null> = {}, line = "GET /ws HTTP/1.1"): Uint8Array {
  const standard: Record<string, string | null> = {
    host: "test",
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": KEY,
    ...change,
  };
  const lines = [line];
  for (const [name, value] of [...Object.entries(standard), ...headers]) if (value !== null) lines.push(`${name}: ${value}`);
  return latin1(lines.join("\r\n") + "\r\n\r\n");
}

/** The bytes of a frame, masked unless it is said otherwise. */
export function frame(opcode: number, data: string | Uint8Array = "", options: FrameOptions = {}): Uint8Array {
  const payload = bytesOf(data);
  const size = payload.byteLength;
  const length = size < 126 ? [size] : size < 65_536 ? [126, size >> 8, size & 255] : [
    ...[127, 0, 0, 0, 0],
    ...[size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255],
  ];
  const mask = options.unmasked === true ? [] : [0x12, 0x34, 0x56, 0x78];
  if (mask.length > 0) length[0]! |= 0x80;
  const head = (options.more === true ? 0 : 0x80) | (options.reserved ?? 0) | opcode;
  const body = mask.length === 0 ? payload : payload.map((byte, at) => byte ^ mask[at % 4]!);
  return join([new Uint8Array([head, ...length, ...mask]), body]);
}

/** The payload of a close frame. */
export function closing(code: number, reason = ""): Uint8Array {
  return join([new Uint8Array([code >> 8, code & 255]), bytesOf(reason)]);
}

/** What frames travel on: a connection, or a stream of one. */
export interface FrameBytes {
  /** Sends bytes. */
  send(bytes: Uint8Array): Promise<void>;
  /** Reads at least one and at most so many bytes; `null` at the end. */
  some(most: number): Promise<Uint8Array | null>;
}

/** A connection whose handshake is through. */
export class FramePeer<B extends FrameBytes = WireConnection> {
  readonly connection: B;
  /** The answer to the handshake. */
  readonly answer: Reply;

  /** Takes a connection whose handshake was answered so. */
  constructor(connection: B, answer: Reply) {
    this.connection = connection;
    this.answer = answer;
  }

  /** Shakes hands; `early` bytes go out in the same packet. @throws {Cut} where it is not answered with 101. */
  static async open(server: Running, headers: Pairs = [], early: Uint8Array = new Uint8Array()): Promise<FramePeer> {
    const connection = await server.connect();
    await connection.send(join([handshake(headers), early]));
    const head = await connection.head();
    if (head === null || head.status !== 101) throw new Cut(`The handshake was answered with ${head?.status ?? "nothing"}`);
    return new FramePeer(connection, new Reply(head));
  }

  /** Sends a frame. */
  async send(opcode: number, data: string | Uint8Array = "", options: FrameOptions = {}): Promise<void> {
    await this.connection.send(frame(opcode, data, options));
  }

  /** The next frame, `null` where the connection ends before it. */
  async receive(): Promise<Frame | null> {
    const start = await this.#exactly(2);
    if (start === null) return null;
    const [first, second] = [start[0]!, start[1]!];
    const short = second & 0x7f;
    const more = short === 126 ? 2 : short === 127 ? 8 : 0;
    let size = short;
    if (more > 0) size = (await this.#exactly(more))!.reduce((sum, byte) => sum * 256 + byte, 0);
    const masked = (second & 0x80) !== 0;
    if (masked) await this.#exactly(4);
    return { opcode: first & 15, flags: first & 0xf0, masked, payload: (await this.#exactly(size))! };
  }

  /** The next frame as `[opcode, payload]`, the payload with one character for each byte; `null` at the end. */
  async next(): Promise<[number, string] | null> {
    const next = await this.receive();
    return next === null ? null : [next.opcode, fromLatin1(next.payload)];
  }

  /** The code and the reason of the close frame, which must be the next one; `null` for none before the end of the connection. */
  async closed(): Promise<{ code: number; reason: string } | null> {
    const next = await this.receive();
    if (next === null) return null;
    if (next.opcode !== CLOSE) throw new Error(`A close frame was awaited, but ${next.opcode} came`);
    const { payload } = next;
    if (payload.byteLength === 0) return { code: 1005, reason: "" };
    return { code: payload[0]! * 256 + payload[1]!, reason: new TextDecoder().decode(payload.subarray(2)) };
  }

  async #exactly(size: number): Promise<Uint8Array | null> {
    const pieces: Uint8Array[] = [];
    for (let left = size; left > 0;) {
      const piece = await this.connection.some(left);
      if (piece === null) return null;
      pieces.push(piece);
      left -= piece.byteLength;
    }
    return join(pieces);
  }
}
