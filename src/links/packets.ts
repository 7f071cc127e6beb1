/**
 * The packets of a link: the calls of the seam as plain data, one table for both directions.
 *
 * A batch is one flat JSON array: a code, the id of an exchange (0 where there is none), the fields, then the next code. Bytes do not
 * stand in the text: their field is a length, and they follow the text in the order of the packets.
 *
 * | | |
 * |---|---|
 * | frame | `u32` length of the text, `u32` length of the bytes (both little-endian), text (UTF-8), bytes |
 * | limits | {@linkcode MAX_TEXT}, {@linkcode MAX_BYTES} |
 *
 * The table says who may send a packet, in which states of its exchange, and what each field must be. Whoever receives one that breaks
 * it ends the link.
 *
 * @module
 */

import type { Kind } from "./packet_kinds.ts";

/** Both ends are the same version, or they do not talk. */
export const VERSION = 1;

/** Most bytes of the text of a batch. */
export const MAX_TEXT = 1 << 21;
/** Most bytes behind the text of a batch. */
export const MAX_BYTES = 1 << 22;
/** Bytes go in pieces of at most so many. */
export const PIECE = 1 << 18;
/** A text of more characters than this goes as bytes. */
export const SHORT = 1 << 12;
/** Bytes of one exchange that may be under way in a link, to the front; … */
export const WINDOW = 1 << 18;
/** … and of a request body, to the worker. */
export const BODY_WINDOW = 1 << 17;
/** Bytes and characters that may wait for a worker which takes nothing in. */
export const MAX_BACKLOG = 1 << 26;
/** A response has no more headers than this when it goes through a link, … */
export const MAX_HEADERS = 10_000;
/** … with no more characters than this. */
export const MAX_HEADER_CHARS = 1 << 18;
/** Characters of a reason: a token of the contract, or what an app gave to `sse.close`. */
export const MAX_REASON = 1024;
/** The largest WebSocket message that an app can send through a link. */
export const MAX_MESSAGE = 1 << 24;

/** No answer has begun. */
export const IDLE = 0;
/** The head has left, the body goes on. */
export const STREAMING = 1;
/** The answer is complete and waits for its end. */
export const SENT = 2;
/** A WebSocket was accepted. */
export const OPEN = 3;
/** A WebSocket on which the close frame was sent. */
export const CLOSING = 4;

/** An exchange that was cut: nothing of it is taken any more. */
export const CUT = 5;

/** A packet that belongs to no exchange. */
const NONE = 0;
const LIVE = 1 << IDLE | 1 << STREAMING | 1 << OPEN | 1 << CLOSING;
const ANY = LIVE | 1 << SENT | 1 << CUT;
const BODY = 1 << IDLE | 1 << STREAMING;

/** A row of the table. */
export interface Packet {
  /** The call of the seam, or what the packet says. */
  readonly name: string;
  /** Who may send it. */
  readonly from: "front" | "worker";
  /** A set of bits: in which states of the exchange, as the front sees them. */
  readonly states: number;
  /** Names and kinds, in order. */
  readonly fields: readonly (readonly [name: string, kind: Kind])[];
}

export const HELLO = 0;
export const START = 1;
export const READY = 2;
export const FAILED = 3;
export const BEAT = 4;
export const NOTE = 5;
export const RECYCLE = 6;
export const DRAIN = 7;
export const STOP = 8;
export const STOPPED = 9;
export const SHARE = 10;
export const OPENED = 11;
export const BODY_BYTES = 12;
export const WRITTEN = 13;
export const FLUSHED = 14;
export const CLOSED = 15;
export const GOT_TEXT = 16;
export const GOT_PART = 17;
export const PONG = 18;
export const PULL = 19;
export const WATCH = 20;
export const INFORM = 21;
export const RESPOND = 22;
export const HEAD = 23;
export const CHUNK = 24;
export const FLUSH = 25;
export const END = 26;
export const ABORT = 27;
export const ACCEPT = 28;
export const SEND_TEXT = 29;
export const SEND_PART = 30;
export const PING = 31;
export const CLOSE = 32;
export const TELL = 33;
export const COUNTS = 34;

/** The table; a packet's code is its place. */
export const PACKETS: readonly Packet[] = [
  // The worker's first word, on a socket; nothing else is read before it.
  { name: "hello", from: "worker", states: NONE, fields: [["version", "count"], ["secret", "text"], ["pid", "count"]] },
  {
    name: "start",
    from: "front",
    states: NONE,
    fields: [["version", "count"], ["load", "any"], ["start", "any"], ["beatMs", "count"]],
  },
  { name: "ready", from: "worker", states: NONE, fields: [] },
  { name: "failed", from: "worker", states: NONE, fields: [["message", "text"], ["exitCode", "count"]] },
  { name: "beat", from: "worker", states: NONE, fields: [] },
  // Its id may be that of an exchange.
  { name: "note", from: "worker", states: ANY, fields: [["level", "level"], ["text", "text"], ["fields", "fields"]] },
  { name: "recycle", from: "worker", states: NONE, fields: [] },
  { name: "drain", from: "front", states: NONE, fields: [["reason", "text"], ["secondsLeft", "any"]] },
  { name: "stop", from: "front", states: NONE, fields: [["graceMs", "any"]] },
  { name: "stopped", from: "worker", states: NONE, fields: [] },
  // A value that many heads share: it is sent once, and then named by its index.
  { name: "share", from: "front", states: NONE, fields: [["index", "count"], ["value", "any"]] },
  {
    name: "open",
    from: "front",
    states: NONE,
    fields: [
      ["kind", "any"],
      ["httpVersion", "any"],
      ["method", "text"],
      ["scheme", "any"],
      ["rawPath", "text"],
      ["path", "text?"], // left out where it is the raw one
      ["query", "text"],
      ["rootPath", "text"],
      ["headers", "any"],
      ["clientHost", "text?"],
      ["clientPort", "count"],
      ["server", "count"], // shared
      ["body", "any"],
      ["capabilities", "count"], // shared
      ["tls", "any"], // shared, null where there is none
    ],
  },
  { name: "body", from: "front", states: BODY, fields: [["more", "flag"], ["bytes", "bytes"], ["trailers", "any"]] },
  // The truth of flow control: of all that the worker has sent, so much was taken in, and so much of that waits for the client.
  { name: "written", from: "front", states: ANY, fields: [["taken", "count"], ["buffered", "count"]] },
  { name: "flushed", from: "front", states: ANY, fields: [] },
  {
    name: "closed",
    from: "front",
    states: ANY,
    fields: [["reason", "text?"], ["code", "count?"], ["text", "text?"], ["clean", "any"]],
  },
  { name: "message", from: "front", states: 1 << OPEN, fields: [["text", "text"]] },
  { name: "message part", from: "front", states: 1 << OPEN, fields: [["text", "flag"], ["more", "flag"], ["bytes", "bytes"]] },
  { name: "pong", from: "front", states: 1 << OPEN, fields: [["token", "count"]] },
  { name: "pull", from: "worker", states: BODY, fields: [["bytes", "count"]] },
  { name: "watch", from: "worker", states: ANY, fields: [] },
  { name: "inform", from: "worker", states: 1 << IDLE, fields: [["status", "interim"], ["headers", "headers"]] },
  {
    name: "respond",
    from: "worker",
    states: 1 << IDLE,
    fields: [["status", "status"], ["headers", "headers"], ["body", "body"], ["flags", "flags"], ["reason", "reason?"]],
  },
  { name: "head", from: "worker", states: 1 << IDLE, fields: [["status", "status"], ["headers", "headers"], ["flags", "flags"]] },
  { name: "chunk", from: "worker", states: 1 << STREAMING, fields: [["bytes", "bytes"]] },
  { name: "flush", from: "worker", states: 1 << STREAMING | 1 << SENT, fields: [] },
  { name: "end", from: "worker", states: 1 << STREAMING, fields: [["trailers", "headers?"], ["reason", "reason?"]] },
  { name: "abort", from: "worker", states: LIVE, fields: [["reason", "reason"]] },
  { name: "accept", from: "worker", states: 1 << IDLE, fields: [["protocol", "token?"], ["headers", "headers"]] },
  { name: "message", from: "worker", states: 1 << OPEN, fields: [["text", "text"]] },
  { name: "message part", from: "worker", states: 1 << OPEN, fields: [["text", "flag"], ["more", "flag"], ["bytes", "bytes"]] },
  { name: "ping", from: "worker", states: 1 << OPEN, fields: [["token", "count"]] },
  { name: "close", from: "worker", states: 1 << OPEN, fields: [["code", "code"], ["text", "closeText"]] },
  // Of workers that listen themselves, which the front only supervises: what has changed since the start, …
  { name: "tell", from: "front", states: NONE, fields: [["what", "any"]] },
  // … and how many exchanges are open, how many are over, and whether more may come.
  { name: "counts", from: "worker", states: NONE, fields: [["open", "count"], ["completed", "count"], ["more", "flag"]] },
];
