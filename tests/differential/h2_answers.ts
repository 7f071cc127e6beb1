/**
 * Reads the frames that an HTTP/2 server has sent, as far as an outcome needs them.
 *
 * The client has allowed no table (SETTINGS_HEADER_TABLE_SIZE 0), so that the status, which comes first, can be read without one.
 * RFC 7541.
 *
 * @module
 */

import { FLAG, FRAME } from "../conformance/h2_frames.ts";
import { join } from "../conformance/reply.ts";
import { frames } from "./h1_answers.ts";

/** What was read. */
export interface H2Reading {
  /** One text for each stream, in the order of their numbers. */
  readonly streams: readonly string[];
  /** How the server ended the connection; `null` where it did not say. */
  readonly goaway: string | null;
  /** Streams that are over. */
  readonly over: number;
  /** The probe was answered. */
  readonly probed: boolean;
}

const CODES = [
  ...["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR"],
  ...["REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"],
];

/** Bytes of the PING that tells whether a connection goes on. */
export const PROBE_PING: Uint8Array = new TextEncoder().encode("is-alive");

interface Stream {
  statuses: string[];
  data: Uint8Array[];
  end: string | null;
}

/** Reads all frames that are whole; `sockets` shows what their bodies hold as frames of a WebSocket. */
export function readH2(bytes: Uint8Array, sockets: boolean): H2Reading {
  const streams = new Map<number, Stream>();
  let [goaway, probed]: [string | null, boolean] = [null, false];
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes[at]! * 65_536 + bytes[at + 1]! * 256 + bytes[at + 2]!;
    const [type, flags, id] = [bytes[at + 3]!, bytes[at + 4]!, number(bytes, at + 5) & 0x7fff_ffff];
    const payload = bytes.subarray(at + 9, at + 9 + length);
    at += 9 + length;
    if (at > bytes.length) break;
    if (type === FRAME.goaway) goaway = CODES[number(payload, 4)] ?? "an unknown code";
    else if (type === FRAME.ping && (flags & FLAG.ack) !== 0) probed ||= payload.every((byte, place) => byte === PROBE_PING[place]);
    if (id === 0) continue;
    const stream = streams.get(id) ?? { statuses: [], data: [], end: null };
    if (type === FRAME.headers) stream.statuses.push(statusOf(payload));
    else if (type === FRAME.data) stream.data.push(payload);
    else if (type === FRAME.reset) stream.end ??= `reset with ${CODES[number(payload, 0)] ?? "an unknown code"}`;
    else continue;
    if (type !== FRAME.reset && (flags & FLAG.endStream) !== 0) stream.end ??= "";
    streams.set(id, stream);
  }
  const shown = [...streams].toSorted(([a], [b]) => a - b).map(([, { statuses, data, end }]) =>
    [...statuses.filter((status) => status !== ""), ...(sockets ? frames(join(data)) : []), end ?? "open"].filter((text) => text !== "")
      .join(" ")
  );
  return { streams: shown, goaway, over: [...streams.values()].filter(({ end }) => end !== null).length, probed };
}

/** The status, which is the first header of a head; `""` for trailers. */
function statusOf(block: Uint8Array): string {
  const at = (block[0]! & 0xe0) === 0x20 ? 1 : 0; // behind a change of the table's size
  const first = block[at]!;
  const fixed: Record<number, string> = { 0x88: "200", 0x89: "204", 0x8a: "206", 0x8b: "304", 0x8c: "400", 0x8d: "404", 0x8e: "500" };
  if (fixed[first] !== undefined) return fixed[first];
  if (![0x48, 0x08, 0x18].includes(first)) return "";
  const length = block[at + 1]! & 127;
  const value = block.subarray(at + 2, at + 2 + length);
  return (block[at + 1]! & 128) === 0 ? new TextDecoder().decode(value) : digits(value);
}

/** Digits in the Huffman code of RFC 7541 appendix B: 0 to 2 take five bits, 3 to 9 six. */
function digits(value: Uint8Array): string {
  let bits = "";
  for (const byte of value) bits += byte.toString(2).padStart(8, "0");
  let text = "";
  while (bits.length >= 5 && /0/.test(bits)) {
    const five = parseInt(bits.slice(0, 5), 2);
    const six = parseInt(bits.slice(0, 6), 2);
    const digit = five <= 2 ? five : six - 0b011001 + 3;
    if (digit < 0 || digit > 9) return `a status in other characters (${text})`;
    text += digit;
    bits = bits.slice(five <= 2 ? 5 : 6);
  }
  return text;
}

function number(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
