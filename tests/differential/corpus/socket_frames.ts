/** Frames of a WebSocket. RFC 6455 sections 5 to 8. @module */

import { BINARY, CLOSE, closing, CONTINUATION, frame, handshake, PING, PONG, TEXT } from "../../conformance/frames.ts";
import { bytes, type Entry, table } from "../entry.ts";

const HANDSHAKE = handshake();
const BYE = frame(CLOSE, closing(1000));

/** A handshake; when it is answered, frames; when so many frames have answered those, a close frame. */
function frames(answers: number, ...pieces: readonly Uint8Array[]): (Uint8Array | { readonly answers: number })[] {
  return [HANDSHAKE, { answers: 1 }, bytes(...pieces), { answers: 1 + answers }, BYE];
}

/** The same without a close frame. */
function open(...pieces: readonly Uint8Array[]): (Uint8Array | "fin" | { readonly answers: number })[] {
  return [HANDSHAKE, { answers: 1 }, bytes(...pieces)];
}

/** A head of a frame as it is, with a mask of zeros. */
function head(first: number, ...lengths: readonly number[]): Uint8Array {
  return new Uint8Array([first, ...lengths, 0, 0, 0, 0]);
}

/** Frames. */
export const FRAMES: readonly Entry[] = table("ws", "frame", "RFC 6455 section 5", [
  ["text", "a text message", frames(1, frame(TEXT, "hello"))],
  ["binary", "a binary message", frames(1, frame(BINARY, "\x01\x02"))],
  ["empty", "empty messages", frames(2, frame(TEXT), frame(BINARY))],
  ["utf8", "text beyond ASCII", frames(1, frame(TEXT, "é€🔥"))],
  ["early", "a frame in the packet of the handshake", [bytes(HANDSHAKE, frame(TEXT, "early"), BYE)]],
  [
    "fragments",
    "three fragments",
    frames(1, frame(TEXT, "a", { more: true }), frame(CONTINUATION, "b", { more: true }), frame(CONTINUATION, "c")),
  ],
  ["fragment-ping", "a ping between fragments", frames(2, frame(TEXT, "a", { more: true }), frame(PING, "p"), frame(CONTINUATION, "b"))],
  [
    "fragment-utf8",
    "a character in two fragments",
    frames(1, frame(TEXT, new Uint8Array([0xe2, 0x82]), { more: true }), frame(CONTINUATION, new Uint8Array([0xac]))),
  ],
  [
    "many-fragments",
    "300 fragments of one byte",
    frames(
      1,
      frame(TEXT, "a", { more: true }),
      ...Array.from({ length: 298 }, () => frame(CONTINUATION, "b", { more: true })),
      frame(CONTINUATION, "c"),
    ),
  ],
  ["ping", "a ping", frames(1, frame(PING, "are you there"))],
  ["ping-empty", "an empty ping", frames(1, frame(PING))],
  ["ping-125", "a ping of 125 bytes", frames(1, frame(PING, "x".repeat(125)))],
  ["ping-126", "a ping of 126 bytes", frames(1, frame(PING, "x".repeat(126))), { rfc: "RFC 6455 section 5.5" }],
  ["ping-fragment", "a ping that is not final", frames(1, frame(PING, "x", { more: true })), { rfc: "RFC 6455 section 5.5" }],
  ["pong", "a pong that nobody asked for", frames(0, frame(PONG, "x"))],
  ["rsv1", "a reserved bit", frames(1, frame(TEXT, "x", { reserved: 0x40 }))],
  ["rsv2", "the second reserved bit", frames(1, frame(TEXT, "x", { reserved: 0x20 }))],
  ["rsv3", "the third reserved bit", frames(1, frame(TEXT, "x", { reserved: 0x10 }))],
  ["opcode-3", "a reserved opcode for data", frames(1, frame(3, "x"))],
  ["opcode-11", "a reserved opcode for control", frames(1, frame(11))],
  ["unmasked", "a frame without a mask", frames(1, frame(TEXT, "x", { unmasked: true })), { rfc: "RFC 6455 section 5.1" }],
  ["continuation-first", "a continuation of nothing", frames(1, frame(CONTINUATION, "x")), { rfc: "RFC 6455 section 5.4" }],
  ["text-inside", "a new message inside fragments", frames(1, frame(TEXT, "a", { more: true }), frame(TEXT, "b")), {
    rfc: "RFC 6455 section 5.4",
  }],
  ["bad-utf8", "text that is no UTF-8", frames(1, frame(TEXT, new Uint8Array([0xff, 0xfe]))), { rfc: "RFC 6455 section 8.1" }],
  ["surrogate", "a surrogate in UTF-8", frames(1, frame(TEXT, new Uint8Array([0xed, 0xa0, 0x80]))), { rfc: "RFC 6455 section 8.1" }],
  ["cut-utf8", "text that ends inside a character", frames(1, frame(TEXT, new Uint8Array([0xe2, 0x82]))), { rfc: "RFC 6455 section 8.1" }],
  ["length-16-small", "a length of 16 bits for 5 bytes", frames(1, bytes(head(0x81, 0x80 | 126, 0, 5), "hello")), {
    rfc: "RFC 6455 section 5.2",
  }],
  ["length-64-small", "a length of 64 bits for 5 bytes", frames(1, bytes(head(0x81, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 5), "hello")), {
    rfc: "RFC 6455 section 5.2",
  }],
  ["length-high-bit", "a length whose highest bit is set", open(head(0x82, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 0)), {
    rfc: "RFC 6455 section 5.2",
  }],
  ["length-2-53", "a length beyond 2⁵³", open(head(0x82, 0x80 | 127, 0, 0x40, 0, 0, 0, 0, 0, 0)), { rfc: "RFC 6455 section 5.2" }],
  ["at-limit", "a message at the limit of the server", frames(1, frame(BINARY, "x".repeat(4096))), { rfc: "RFC 6455 section 7.4.1" }],
  ["over-limit", "a message over the limit of the server", frames(1, frame(BINARY, "x".repeat(4097))), { rfc: "RFC 6455 section 7.4.1" }],
  [
    "over-limit-fragments",
    "fragments over the limit of the server",
    frames(1, frame(BINARY, "x".repeat(3000), { more: true }), frame(CONTINUATION, "x".repeat(3000))),
    {
      rfc: "RFC 6455 section 7.4.1",
    },
  ],
  ["half", "half a frame, and the client leaves", [...open(frame(TEXT, "hello").subarray(0, 4)), "fin"]],
  ["fin", "a client that leaves without a close frame", [...open(), "fin"], { rfc: "RFC 6455 section 7.1.5" }],
  ["split", "a frame in two packets", [
    ...open(frame(TEXT, "hello").subarray(0, 5)),
    { pauseMs: 20 },
    bytes(frame(TEXT, "hello").subarray(5), BYE),
  ]],
]);

/** Close frames. */
export const CLOSES: readonly Entry[] = table("ws", "close", "RFC 6455 section 7.4", [
  ["plain", "1000 with a reason", open(frame(CLOSE, closing(1000, "bye")))],
  ["empty", "no code", open(frame(CLOSE))],
  ["one-byte", "one byte", open(frame(CLOSE, "x")), { rfc: "RFC 6455 section 5.5.1" }],
  ["long", "126 bytes", open(frame(CLOSE, closing(1000, "x".repeat(124)))), { rfc: "RFC 6455 section 5.5" }],
  ["bad-utf8", "a reason that is no UTF-8", open(frame(CLOSE, bytes(closing(1000), new Uint8Array([0xff])))), {
    rfc: "RFC 6455 section 8.1",
  }],
  ...[999, 1001, 1004, 1005, 1006, 1011, 1014, 1015, 1016, 2999, 3000, 4999, 5000, 65_535].map((code) =>
    [`code-${code}`, `code ${code}`, open(frame(CLOSE, closing(code)))] as const
  ),
  ["data-behind", "a message behind the close frame", open(frame(CLOSE, closing(1000)), frame(TEXT, "late"))],
  ["twice", "two close frames", open(frame(CLOSE, closing(1000)), frame(CLOSE, closing(1001)))],
  ["server", "an app that closes with a code of its own", open(frame(TEXT, "close"), BYE)],
  ["server-alone", "an app that closes, and a client that does not answer", open(frame(TEXT, "close"))],
]);
