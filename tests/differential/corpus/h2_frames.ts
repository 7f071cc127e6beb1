/** HTTP/2: the preface and frames. RFC 9113 sections 3 to 6. @module */

import { FLAG, FRAME, frame, GET, literal, PREFACE } from "../../conformance/h2_frames.ts";
import { bytes, type Entry, type Part, table } from "../entry.ts";

/** SETTINGS_HEADER_TABLE_SIZE of 0: what the server answers needs no table to be read. */
export const SETTINGS: Uint8Array = frame(FRAME.settings, 0, 0, new Uint8Array([0, 1, 0, 0, 0, 0]));

const PRIORITY = 2;
const END = FLAG.endStream | FLAG.endHeaders;
const PADDED = 8;
const POST = bytes(new Uint8Array([0x83, 0x86, 0x84, 0x41, 4]), "test");

/** A connection: preface, settings, and frames in the same packet. */
export function session(...frames: readonly Uint8Array[]): Part[] {
  return [bytes(PREFACE, SETTINGS, ...frames)];
}

function get(stream: number): Uint8Array {
  return frame(FRAME.headers, END, stream, GET);
}

function setting(id: number, value: number): Uint8Array {
  return frame(FRAME.settings, 0, 0, new Uint8Array([0, id, value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]));
}

function number(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
}

function repeat(count: number, one: Uint8Array): Uint8Array {
  return bytes(...Array.from({ length: count }, () => one));
}

/** The preface. */
export const PREFACES: readonly Entry[] = table("h2", "h2-preface", "RFC 9113 section 3.4", [
  ["plain", "a good one, and a GET", session(get(1))],
  ["split", "in three packets", [
    PREFACE.slice(0, 5),
    { pauseMs: 20 },
    PREFACE.slice(5, 20),
    { pauseMs: 20 },
    bytes(PREFACE.slice(20), SETTINGS, get(1)),
  ]],
  ["no-settings", "no SETTINGS behind it", [bytes(PREFACE, get(1))]],
  ["ping-first", "a PING before SETTINGS", [bytes(PREFACE, frame(FRAME.ping, 0, 0, new Uint8Array(8)), SETTINGS, get(1))]],
  ["cut", "half of it", [PREFACE.slice(0, 12)], { answers: 0, unfinished: true }],
  ["cut-fin", "half of it, and the client leaves", [PREFACE.slice(0, 12), "fin"], { answers: 0 }],
  ["bad", "another end", [PREFACE.replace("SM", "XX")], { answers: 0 }],
  ["ack-only", "SETTINGS that are an acknowledgement", [bytes(PREFACE, frame(FRAME.settings, FLAG.ack, 0), get(1))]],
]);

/** Single frames. */
export const H2_FRAMES: readonly Entry[] = table("h2", "h2-frame", "RFC 9113 section 6", [
  ["unknown-type", "a frame of an unknown type", session(frame(0x77, 0, 0, new Uint8Array(4)), get(1)), { rfc: "RFC 9113 section 5.5" }],
  ["unknown-flags", "flags that mean nothing", session(frame(FRAME.headers, END | 0x50, 1, GET)), { rfc: "RFC 9113 section 4.1" }],
  ["reserved-bit", "the reserved bit of a stream", session(frame(FRAME.headers, END, 0x8000_0001, GET)), { rfc: "RFC 9113 section 4.1" }],
  ["too-large", "a frame of 16,385 bytes", session(frame(FRAME.data, 0, 1, new Uint8Array(16_385))), { rfc: "RFC 9113 section 4.2" }],
  ["data-stream-0", "DATA on stream 0", session(frame(FRAME.data, 0, 0, new Uint8Array(1))), { rfc: "RFC 9113 section 6.1" }],
  ["data-idle", "DATA on a stream that is idle", session(frame(FRAME.data, 0, 1, new Uint8Array(1))), { rfc: "RFC 9113 section 5.1" }],
  ["data-closed", "DATA behind the end of its stream", session(get(1), frame(FRAME.data, 0, 1, new Uint8Array(1))), {
    rfc: "RFC 9113 section 5.1",
  }],
  [
    "data-padding",
    "DATA with more padding than bytes",
    session(frame(FRAME.headers, FLAG.endHeaders, 1, POST), frame(FRAME.data, PADDED, 1, new Uint8Array([9, 1, 2]))),
    {
      rfc: "RFC 9113 section 6.1",
    },
  ],
  [
    "data-padded",
    "DATA with padding",
    session(frame(FRAME.headers, FLAG.endHeaders, 1, POST), frame(FRAME.data, PADDED | FLAG.endStream, 1, bytes("\x02abc\0\0"))),
    {
      rfc: "RFC 9113 section 6.1",
    },
  ],
  ["headers-stream-0", "HEADERS on stream 0", session(frame(FRAME.headers, END, 0, GET)), { rfc: "RFC 9113 section 6.2" }],
  ["headers-even", "HEADERS on an even stream", session(frame(FRAME.headers, END, 2, GET)), { rfc: "RFC 9113 section 5.1.1" }],
  ["headers-lower", "HEADERS on a lower stream than before", session(get(5), get(3)), { rfc: "RFC 9113 section 5.1.1" }],
  ["headers-twice", "HEADERS behind the end of their stream", session(get(1), get(1)), { rfc: "RFC 9113 section 5.1" }],
  ["headers-padding", "HEADERS with more padding than bytes", session(frame(FRAME.headers, END | PADDED, 1, bytes("\xff", GET))), {
    rfc: "RFC 9113 section 6.2",
  }],
  ["priority", "PRIORITY on an idle stream", session(frame(PRIORITY, 0, 3, bytes(number(0), "\x10")), get(1)), {
    rfc: "RFC 9113 section 5.3.2",
  }],
  ["priority-short", "PRIORITY of 4 bytes", session(frame(PRIORITY, 0, 1, number(0)), get(1)), { rfc: "RFC 9113 section 6.3" }],
  ["priority-0", "PRIORITY on stream 0", session(frame(PRIORITY, 0, 0, bytes(number(1), "\x10"))), { rfc: "RFC 9113 section 6.3" }],
  ["priority-self", "a stream that depends on itself", session(frame(FRAME.headers, END | 0x20, 1, bytes(number(1), "\x10", GET))), {
    rfc: "RFC 9113 section 5.3.1",
  }],
  [
    "reset",
    "RST_STREAM of an open stream",
    session(frame(FRAME.headers, FLAG.endHeaders, 1, POST), frame(FRAME.reset, 0, 1, number(8)), get(3)),
    { answers: 1, rfc: "RFC 9113 section 6.4" },
  ],
  ["reset-0", "RST_STREAM on stream 0", session(frame(FRAME.reset, 0, 0, number(8))), { rfc: "RFC 9113 section 6.4" }],
  ["reset-idle", "RST_STREAM of an idle stream", session(frame(FRAME.reset, 0, 1, number(8))), { rfc: "RFC 9113 section 6.4" }],
  [
    "reset-short",
    "RST_STREAM of 3 bytes",
    session(frame(FRAME.headers, FLAG.endHeaders, 1, POST), frame(FRAME.reset, 0, 1, new Uint8Array(3))),
    { rfc: "RFC 9113 section 6.4" },
  ],
  ["settings-stream", "SETTINGS on a stream", session(frame(FRAME.settings, 0, 1)), { rfc: "RFC 9113 section 6.5" }],
  ["settings-length", "SETTINGS of 5 bytes", session(frame(FRAME.settings, 0, 0, new Uint8Array(5))), { rfc: "RFC 9113 section 6.5" }],
  ["settings-ack-body", "an acknowledgement with bytes", session(frame(FRAME.settings, FLAG.ack, 0, new Uint8Array(6))), {
    rfc: "RFC 9113 section 6.5",
  }],
  ["settings-unknown", "an unknown setting", session(setting(0x99, 1), get(1)), { rfc: "RFC 9113 section 6.5.2" }],
  ["settings-push", "ENABLE_PUSH of 2", session(setting(2, 2)), { rfc: "RFC 9113 section 6.5.2" }],
  ["settings-window", "INITIAL_WINDOW_SIZE beyond 2³¹", session(setting(4, 0x8000_0000)), { rfc: "RFC 9113 section 6.5.2" }],
  ["settings-frame-small", "MAX_FRAME_SIZE of 16,383", session(setting(5, 16_383)), { rfc: "RFC 9113 section 6.5.2" }],
  ["settings-frame-large", "MAX_FRAME_SIZE of 2²⁴", session(setting(5, 16_777_216)), { rfc: "RFC 9113 section 6.5.2" }],
  ["push", "PUSH_PROMISE of a client", session(frame(FRAME.push, FLAG.endHeaders, 1, bytes(number(2), GET))), {
    rfc: "RFC 9113 section 8.4",
  }],
  ["ping", "a PING", session(frame(FRAME.ping, 0, 0, bytes("01234567")), get(1)), { rfc: "RFC 9113 section 6.7" }],
  ["ping-ack", "an acknowledgement of no PING", session(frame(FRAME.ping, FLAG.ack, 0, bytes("01234567")), get(1)), {
    rfc: "RFC 9113 section 6.7",
  }],
  ["ping-short", "a PING of 7 bytes", session(frame(FRAME.ping, 0, 0, new Uint8Array(7))), { rfc: "RFC 9113 section 6.7" }],
  ["ping-stream", "a PING on a stream", session(frame(FRAME.ping, 0, 1, new Uint8Array(8))), { rfc: "RFC 9113 section 6.7" }],
  ["goaway", "GOAWAY without an error behind a GET", session(get(1), frame(FRAME.goaway, 0, 0, new Uint8Array(8))), {
    rfc: "RFC 9113 section 6.8",
  }],
  ["goaway-stream", "GOAWAY on a stream", session(frame(FRAME.goaway, 0, 1, new Uint8Array(8))), { rfc: "RFC 9113 section 6.8" }],
  ["window-0", "WINDOW_UPDATE of 0 for the connection", session(frame(FRAME.window, 0, 0, number(0))), { rfc: "RFC 9113 section 6.9" }],
  [
    "window-stream-0",
    "WINDOW_UPDATE of 0 for a stream",
    session(frame(FRAME.headers, FLAG.endHeaders, 1, POST), frame(FRAME.window, 0, 1, number(0))),
    { rfc: "RFC 9113 section 6.9" },
  ],
  ["window-overflow", "windows of the connection beyond 2³¹", session(frame(FRAME.window, 0, 0, number(0x7fff_ffff))), {
    rfc: "RFC 9113 section 6.9.1",
  }],
  [
    "window-stream-overflow",
    "a window of a stream beyond 2³¹",
    session(frame(FRAME.headers, FLAG.endHeaders, 1, POST), frame(FRAME.window, 0, 1, number(0x7fff_ffff))),
    {
      rfc: "RFC 9113 section 6.9.1",
    },
  ],
  ["window-idle", "WINDOW_UPDATE for an idle stream", session(frame(FRAME.window, 0, 1, number(1))), { rfc: "RFC 9113 section 5.1" }],
  ["window-short", "WINDOW_UPDATE of 3 bytes", session(frame(FRAME.window, 0, 0, new Uint8Array(3))), { rfc: "RFC 9113 section 6.9" }],
  [
    "continuation",
    "a head in HEADERS and CONTINUATION",
    session(frame(FRAME.headers, FLAG.endStream, 1, GET.subarray(0, 2)), frame(FRAME.continuation, FLAG.endHeaders, 1, GET.subarray(2))),
    {
      rfc: "RFC 9113 section 6.10",
    },
  ],
  ["continuation-first", "CONTINUATION behind nothing", session(frame(FRAME.continuation, FLAG.endHeaders, 1, GET)), {
    rfc: "RFC 9113 section 6.10",
  }],
  [
    "continuation-other",
    "CONTINUATION of another stream",
    session(frame(FRAME.headers, FLAG.endStream, 1, GET.subarray(0, 2)), frame(FRAME.continuation, FLAG.endHeaders, 3, GET.subarray(2))),
    {
      rfc: "RFC 9113 section 6.10",
    },
  ],
  [
    "continuation-interrupted",
    "another frame inside a head",
    session(frame(FRAME.headers, FLAG.endStream, 1, GET.subarray(0, 2)), frame(FRAME.ping, 0, 0, new Uint8Array(8))),
    {
      rfc: "RFC 9113 section 6.10",
    },
  ],
  ["continuation-missing", "a head that never ends", session(frame(FRAME.headers, FLAG.endStream, 1, GET.subarray(0, 2))), {
    answers: 0,
    unfinished: true,
    rfc: "RFC 9113 section 4.3",
  }],
  ["hpack-index", "an index that no table has", session(frame(FRAME.headers, END, 1, new Uint8Array([0xff, 0x7f]))), {
    rfc: "RFC 7541 section 2.3.3",
  }],
  ["hpack-cut", "a header block that ends too early", session(frame(FRAME.headers, END, 1, new Uint8Array([0x82, 0x41, 9, 0x61]))), {
    rfc: "RFC 7541 section 5.2",
  }],
  [
    "hpack-huffman",
    "a text whose Huffman code is malformed",
    session(frame(FRAME.headers, END, 1, bytes(GET, new Uint8Array([0, 1, 0x78, 0x84, 0xff, 0xff, 0xff, 0xff])))),
    { rfc: "RFC 7541 section 5.2" },
  ],
  [
    "hpack-table",
    "a table that is larger than allowed",
    session(frame(FRAME.headers, END, 1, bytes(new Uint8Array([0x3f, 0xe1, 0xff, 0x7f]), GET))),
    { rfc: "RFC 7541 section 4.2" },
  ],
  ["half-frame", "half a frame", session(get(1).subarray(0, 12)), { answers: 0, unfinished: true, rfc: "RFC 9113 section 4.1" }],
  ["fin", "a client that leaves behind a GET", [...session(get(1)), "fin"], { rfc: "RFC 9113 section 9.1" }],
]);

/** Floods. */
export const FLOODS: readonly Entry[] = table("h2", "h2-flood", "RFC 9113 section 10.5", [
  [
    "reset",
    "5,000 requests that are reset at once",
    session(...Array.from({ length: 5000 }, (_, at) => bytes(get(2 * at + 1), frame(FRAME.reset, 0, 2 * at + 1, number(8))))),
    { answers: 0 },
  ],
  [
    "streams",
    "300 requests that never end",
    session(...Array.from({ length: 300 }, (_, at) => frame(FRAME.headers, FLAG.endHeaders, 2 * at + 1, POST))),
    { answers: 0, rfc: "RFC 9113 section 5.1.2" },
  ],
  ["ping", "20,000 PINGs", session(repeat(20_000, frame(FRAME.ping, 0, 0, new Uint8Array(8)))), { answers: 0 }],
  ["settings", "20,000 SETTINGS", session(repeat(20_000, frame(FRAME.settings, 0, 0))), { answers: 0 }],
  [
    "continuation",
    "5,000 CONTINUATION frames",
    session(
      frame(FRAME.headers, FLAG.endStream, 1, GET),
      repeat(5000, frame(FRAME.continuation, 0, 1, literal("x", "y".repeat(100)))),
    ),
    { answers: 0 },
  ],
  [
    "continuation-empty",
    "20,000 empty CONTINUATION frames",
    session(frame(FRAME.headers, FLAG.endStream, 1, GET), repeat(20_000, frame(FRAME.continuation, 0, 1))),
    { answers: 0 },
  ],
  [
    "data-empty",
    "20,000 empty DATA frames",
    session(frame(FRAME.headers, FLAG.endHeaders, 1, POST), repeat(20_000, frame(FRAME.data, 0, 1))),
    { answers: 0 },
  ],
  ["window", "20,000 WINDOW_UPDATE frames of 1", session(repeat(20_000, frame(FRAME.window, 0, 0, number(1)))), { answers: 0 }],
  ["priority", "20,000 PRIORITY frames", session(repeat(20_000, frame(PRIORITY, 0, 1, bytes(number(0), "\x10")))), { answers: 0 }],
]);
