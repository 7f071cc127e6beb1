/** HTTP/2: heads and bodies of requests. RFC 9113 section 8, RFC 8441. @module */

import { FLAG, FRAME, frame, literal } from "../../conformance/h2_frames.ts";
import { CLOSE, closing, frame as socketFrame, TEXT } from "../../conformance/frames.ts";
import { bytes, type Entry, type Part, table } from "../entry.ts";
import { session } from "./h2_frames.ts";

type Pair = readonly [name: string, value: string];

const END = FLAG.endStream | FLAG.endHeaders;
const PSEUDO: readonly Pair[] = [[":method", "GET"], [":scheme", "http"], [":path", "/h2"], [":authority", "a"]];
const POST: readonly Pair[] = [[":method", "POST"], [":scheme", "http"], [":path", "/h2"], [":authority", "a"]];
const SOCKET: readonly Pair[] = [
  [":method", "CONNECT"],
  [":protocol", "websocket"],
  [":scheme", "http"],
  [":path", "/ws"],
  [":authority", "a"],
  ["sec-websocket-version", "13"],
];

/** Values over 126 bytes need a longer number. */
function block(pairs: readonly Pair[]): Uint8Array {
  return bytes(...pairs.map(([name, value]) => value.length < 127 ? literal(name, value) : long(name, value)));
}

function long(name: string, value: string): Uint8Array {
  const length: number[] = [127];
  let left = value.length - 127;
  for (; left >= 128; left >>= 7) length.push((left & 127) | 128);
  return bytes(new Uint8Array([0, name.length]), name, new Uint8Array([...length, left]), value);
}

/** A head in as many frames as it takes. */
function head(stream: number, flags: number, pairs: readonly Pair[]): Uint8Array {
  const whole = block(pairs);
  const frames: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < whole.length; at += 16_384) {
    const last = at + 16_384 >= whole.length ? FLAG.endHeaders : 0;
    const [type, first] = at === 0 ? [FRAME.headers, flags & FLAG.endStream] : [FRAME.continuation, 0];
    frames.push(frame(type, first | last, stream, whole.subarray(at, at + 16_384)));
  }
  return bytes(...frames);
}

/** A request without a body. */
function request(...pairs: readonly Pair[]): Part[] {
  return session(head(1, END, pairs));
}

/** A GET with more headers. */
function get(...more: readonly Pair[]): Part[] {
  return request(...PSEUDO, ...more);
}

/** The pseudo-headers with one in place of another; `null` leaves it out. */
function changed(name: string, value: string | null): Part[] {
  return request(...PSEUDO.flatMap((pair): Pair[] => pair[0] !== name ? [pair] : value === null ? [] : [[name, value]]));
}

function post(more: readonly Pair[], ...data: readonly string[]): Part[] {
  const frames = data.map((text, at) => frame(FRAME.data, at === data.length - 1 ? FLAG.endStream : 0, 1, bytes(text)));
  return session(head(1, frames.length === 0 ? END : 0, [...POST, ...more]), ...frames);
}

/** Heads. */
export const H2_HEADS: readonly Entry[] = table("h2", "h2-head", "RFC 9113 section 8", [
  ["plain", "a good head", get(["x-a", "1"])],
  ["order", "headers out of the order of the alphabet, one twice", get(["z", "1"], ["a", "2"], ["z", "3"]), { raw: true }],
  ["cookies", "a cookie in two headers", get(["cookie", "a=1"], ["cookie", "b=2"]), { rfc: "RFC 9113 section 8.2.3" }],
  ["upper-case", "a name in upper case", get(["X-A", "1"]), { rfc: "RFC 9113 section 8.2.1" }],
  ["space-name", "a name with a space", get(["x a", "1"]), { rfc: "RFC 9113 section 8.2.1" }],
  ["colon-name", "a name with a colon", get(["x:a", "1"]), { rfc: "RFC 9113 section 8.2.1" }],
  ["empty-name", "an empty name", get(["", "1"]), { rfc: "RFC 9113 section 8.2.1" }],
  ["nul-value", "NUL in a value", get(["x", "a\0b"]), { rfc: "RFC 9113 section 8.2.1" }],
  ["lf-value", "LF in a value", get(["x", "a\nb"]), { rfc: "RFC 9113 section 8.2.1" }],
  ["cr-value", "CR in a value", get(["x", "a\rb"]), { rfc: "RFC 9113 section 8.2.1" }],
  ["control-value", "a control byte in a value", get(["x", "a\x01b"]), { rfc: "RFC 9110 section 5.5" }],
  ["space-value", "blanks around a value", get(["x", " a "]), { rfc: "RFC 9113 section 8.2.1" }],
  ["latin1", "a byte above ASCII in a value", get(["x", "caf\xe9"])],
  ["connection", "a Connection header", get(["connection", "close"]), { rfc: "RFC 9113 section 8.2.2" }],
  ["keep-alive", "a Keep-Alive header", get(["keep-alive", "1"]), { rfc: "RFC 9113 section 8.2.2" }],
  ["proxy-connection", "a Proxy-Connection header", get(["proxy-connection", "1"]), { rfc: "RFC 9113 section 8.2.2" }],
  ["transfer-encoding", "a Transfer-Encoding header", get(["transfer-encoding", "chunked"]), { rfc: "RFC 9113 section 8.2.2" }],
  ["upgrade", "an Upgrade header", get(["upgrade", "h2c"]), { rfc: "RFC 9113 section 8.2.2" }],
  ["te-trailers", "TE: trailers", get(["te", "trailers"]), { rfc: "RFC 9113 section 8.2.2" }],
  ["te-gzip", "TE: gzip", get(["te", "gzip"]), { rfc: "RFC 9113 section 8.2.2" }],
  ["no-method", "no :method", changed(":method", null), { rfc: "RFC 9113 section 8.3.1" }],
  ["no-scheme", "no :scheme", changed(":scheme", null), { rfc: "RFC 9113 section 8.3.1" }],
  ["no-path", "no :path", changed(":path", null), { rfc: "RFC 9113 section 8.3.1" }],
  ["no-authority", "no :authority", changed(":authority", null), { rfc: "RFC 9113 section 8.3.1" }],
  ["no-authority-host", "Host in place of :authority", request(...PSEUDO.slice(0, 3), ["host", "b"]), { rfc: "RFC 9113 section 8.3.1" }],
  ["authority-host", "Host beside :authority, and it differs", get(["host", "b"]), { rfc: "RFC 9113 section 8.3.1" }],
  ["authority-host-same", "Host beside :authority, and it is the same", get(["host", "a"]), { rfc: "RFC 9113 section 8.3.1" }],
  ["two-hosts", "two Host headers", request(...PSEUDO.slice(0, 3), ["host", "a"], ["host", "b"])],
  ["empty-authority", "an empty :authority", changed(":authority", "")],
  ["user-authority", "user information in :authority", changed(":authority", "u@a"), { rfc: "RFC 9113 section 8.3.1" }],
  ["path-authority", "a path in :authority", changed(":authority", "a/b?c="), { rfc: "RFC 9113 section 8.3.1" }],
  ["space-authority", "a space in :authority", changed(":authority", "a b"), { rfc: "RFC 9113 section 8.3.1" }],
  ["empty-path", "an empty :path", changed(":path", ""), { rfc: "RFC 9113 section 8.3.1" }],
  ["star-path", "a :path of *", changed(":path", "*"), { rfc: "RFC 9113 section 8.3.1" }],
  ["star-options", "OPTIONS *", request([":method", "OPTIONS"], [":scheme", "http"], [":path", "*"], [":authority", "a"])],
  ["relative-path", "a :path without a slash", changed(":path", "a/b"), { rfc: "RFC 9113 section 8.3.1" }],
  ["absolute-path", "a :path of absolute form", changed(":path", "http://b/c"), { rfc: "RFC 9113 section 8.3.1" }],
  ["double-slash", "a :path of two slashes", changed(":path", "//evil.example/x")],
  ["dots", "segments of dots", changed(":path", "/a/../b")],
  ["fragment", "a fragment", changed(":path", "/a#b?c"), { rfc: "RFC 9113 section 8.3.1" }],
  ["bad-escape", "a malformed escape", changed(":path", "/%zz")],
  ["utf8-path", "bare UTF-8 in :path", changed(":path", "/caf\xc3\xa9")],
  ["space-path", "a space in :path", changed(":path", "/a b")],
  ["control-path", "a control byte in :path", changed(":path", "/a\x01b")],
  ["lower-method", "a method in lower case", changed(":method", "get")],
  ["bad-method", "a method with a bracket", changed(":method", "G(T")],
  ["other-scheme", "another scheme", changed(":scheme", "ftp"), { rfc: "RFC 9113 section 8.3.1" }],
  ["https-scheme", "https on a cleartext connection", changed(":scheme", "https"), { rfc: "RFC 9113 section 8.3.1" }],
  ["unknown-pseudo", "an unknown pseudo-header", request(...PSEUDO, [":x", "1"]), { rfc: "RFC 9113 section 8.3" }],
  ["response-pseudo", "a pseudo-header of responses", request(...PSEUDO, [":status", "200"]), { rfc: "RFC 9113 section 8.3" }],
  ["two-methods", "two :method", request(...PSEUDO, [":method", "GET"]), { rfc: "RFC 9113 section 8.3.1" }],
  ["two-paths", "two :path", request(...PSEUDO, [":path", "/other"]), { rfc: "RFC 9113 section 8.3.1" }],
  ["pseudo-behind", "a pseudo-header behind another header", request(...PSEUDO.slice(0, 3), ["x", "1"], PSEUDO[3]!), {
    rfc: "RFC 9113 section 8.3",
  }],
  ["connect", "CONNECT", request([":method", "CONNECT"], [":authority", "a:443"]), { rfc: "RFC 9113 section 8.5" }],
  ["connect-path", "CONNECT with a path", request([":method", "CONNECT"], [":scheme", "http"], [":path", "/"], [":authority", "a:443"]), {
    rfc: "RFC 9113 section 8.5",
  }],
  ["head", "HEAD", request([":method", "HEAD"], ...PSEUDO.slice(1))],
  ["trace", "TRACE", request([":method", "TRACE"], ...PSEUDO.slice(1))],
  [
    "event-stream",
    "that accepts an event stream",
    request(...PSEUDO.slice(0, 2), [":path", "/sse"], [":authority", "a"], ["accept", "text/event-stream"]),
  ],
  ["path-8192", "a :path of 8,192 bytes", changed(":path", `/${"x".repeat(8191)}`)],
  ["path-8193", "a :path of 8,193 bytes", changed(":path", `/${"x".repeat(8192)}`)],
  ["headers-100", "100 headers", get(...Array.from({ length: 99 }, (): Pair => ["x", "1"]))],
  ["headers-101", "101 headers", get(...Array.from({ length: 100 }, (): Pair => ["x", "1"]))],
  ["headers-200", "200 headers", get(...Array.from({ length: 199 }, (): Pair => ["x", "1"]))],
  ["size-14k", "14 KiB of headers", get(["x", "y".repeat(14_000)])],
  ["size-20k", "20,000 bytes of headers", get(["x", "y".repeat(20_000)])],
  ["size-40k", "40,000 bytes of headers", get(["x", "y".repeat(40_000)])],
]);

/** Bodies. */
export const H2_BODIES: readonly Entry[] = table("h2", "h2-body", "RFC 9113 section 8.1", [
  ["plain", "a body", post([], "ab", "c")],
  ["length", "a body with its length", post([["content-length", "3"]], "abc")],
  ["length-less", "a body that is shorter than its length", post([["content-length", "5"]], "abc"), { rfc: "RFC 9113 section 8.1.1" }],
  ["length-more", "a body that is longer than its length", post([["content-length", "2"]], "abc"), { rfc: "RFC 9113 section 8.1.1" }],
  ["length-no-body", "a length and no body", post([["content-length", "3"]]), { rfc: "RFC 9113 section 8.1.1" }],
  ["length-bad", "a length that is a word", post([["content-length", "abc"]], "abc"), { rfc: "RFC 9113 section 8.1.1" }],
  ["length-two", "two lengths that differ", post([["content-length", "3"], ["content-length", "4"]], "abc"), {
    rfc: "RFC 9113 section 8.1.1",
  }],
  ["length-over", "a length over the limit of the server", post([["content-length", "4097"]], "x".repeat(4097)), {
    rfc: "RFC 9110 section 15.5.14",
  }],
  ["over", "a body over the limit of the server", post([], "x".repeat(4097)), { rfc: "RFC 9110 section 15.5.14" }],
  ["get", "a GET with a body", session(head(1, 0, PSEUDO), frame(FRAME.data, FLAG.endStream, 1, bytes("abc")))],
  ["expect", "that expects 100-continue", post([["expect", "100-continue"], ["content-length", "3"]], "abc"), {
    rfc: "RFC 9110 section 10.1.1",
  }],
  ["trailers", "trailers", session(head(1, 0, POST), frame(FRAME.data, 0, 1, bytes("abc")), head(1, END, [["x-sum", "1"]]))],
  [
    "trailers-pseudo",
    "a pseudo-header in trailers",
    session(head(1, 0, POST), frame(FRAME.data, 0, 1, bytes("abc")), head(1, END, [[":path", "/"]])),
    { rfc: "RFC 9113 section 8.1" },
  ],
  [
    "trailers-open",
    "trailers that do not end the stream",
    session(head(1, 0, POST), frame(FRAME.data, 0, 1, bytes("abc")), head(1, FLAG.endHeaders, [["x-sum", "1"]])),
    { rfc: "RFC 9113 section 8.1" },
  ],
  ["waits", "a body that does not end", session(head(1, 0, POST), frame(FRAME.data, 0, 1, bytes("abc"))), { answers: 0 }],
  [
    "unread",
    "a body that the app does not read",
    session(
      head(1, 0, [[":method", "POST"], [":scheme", "http"], [":path", "/unread"], [":authority", "a"]]),
      frame(FRAME.data, FLAG.endStream, 1, bytes("abc")),
    ),
  ],
  [
    "unread-open",
    "a body that the app does not read and that does not end",
    session(
      head(1, 0, [[":method", "POST"], [":scheme", "http"], [":path", "/unread"], [":authority", "a"]]),
      frame(FRAME.data, 0, 1, bytes("abc")),
    ),
    {
      rfc: "RFC 9113 section 8.1",
    },
  ],
  [
    "reset-body",
    "a reset inside the body",
    session(head(1, 0, POST), frame(FRAME.data, 0, 1, bytes("abc")), frame(FRAME.reset, 0, 1, new Uint8Array([0, 0, 0, 8]))),
    { answers: 0, rfc: "RFC 9113 section 6.4" },
  ],
  [
    "reset-body-later",
    "a reset inside the body, in a packet of its own",
    [
      ...session(head(1, 0, POST), frame(FRAME.data, 0, 1, bytes("abc"))),
      { pauseMs: 30 },
      frame(FRAME.reset, 0, 1, new Uint8Array([0, 0, 0, 8])),
    ],
    { answers: 0, rfc: "RFC 9113 section 6.4" },
  ],
  [
    "reset-body-length",
    "a reset inside a body whose length is known",
    session(
      head(1, 0, [...POST, ["content-length", "9"]]),
      frame(FRAME.data, 0, 1, bytes("abc")),
      frame(FRAME.reset, 0, 1, new Uint8Array([0, 0, 0, 8])),
    ),
    { answers: 0, rfc: "RFC 9113 section 6.4" },
  ],
  [
    "reset-body-no-error",
    "a reset without an error inside the body",
    [...session(head(1, 0, POST), frame(FRAME.data, 0, 1, bytes("abc"))), { pauseMs: 30 }, frame(FRAME.reset, 0, 1, new Uint8Array(4))],
    { answers: 0, rfc: "RFC 9113 section 6.4" },
  ],
  ["fin-body", "a client that leaves inside the body", [...session(head(1, 0, POST), frame(FRAME.data, 0, 1, bytes("abc"))), {
    pauseMs: 30,
  }, "fin"], {
    answers: 0,
  }],
  ["four", "four requests at once", session(...[1, 3, 5, 7].map((stream) => head(stream, END, PSEUDO))), { answers: 4 }],
]);

/** WebSockets over HTTP/2. */
export const H2_SOCKETS: readonly Entry[] = table("h2", "h2-websocket", "RFC 8441 section 4", [
  ["plain", "a handshake", session(head(1, 0, SOCKET)), { answers: 0 }],
  [
    "echo",
    "a message and a close frame",
    session(head(1, 0, SOCKET), frame(FRAME.data, 0, 1, bytes(socketFrame(TEXT, "hi"), socketFrame(CLOSE, closing(1000))))),
  ],
  ["end-stream", "a handshake that ends its stream", session(head(1, END, SOCKET))],
  ["protocol", "a subprotocol", session(head(1, 0, [...SOCKET, ["sec-websocket-protocol", "chat"]])), { answers: 0 }],
  ["no-version", "without a version", session(head(1, 0, SOCKET.slice(0, 5))), { rfc: "RFC 6455 section 4.4" }],
  ["version-8", "version 8", session(head(1, 0, [...SOCKET.slice(0, 5), ["sec-websocket-version", "8"]])), { rfc: "RFC 6455 section 4.4" }],
  ["no-path", "without a :path", session(head(1, 0, SOCKET.filter(([name]) => name !== ":path")))],
  ["no-scheme", "without a :scheme", session(head(1, 0, SOCKET.filter(([name]) => name !== ":scheme")))],
  ["get", ":protocol with GET", session(head(1, 0, [[":method", "GET"], ...SOCKET.slice(1)]))],
  ["unknown", "an unknown :protocol", session(head(1, 0, [SOCKET[0]!, [":protocol", "foo"], ...SOCKET.slice(2)]))],
  ["deny", "an app that denies", session(head(1, 0, SOCKET.map(([name, value]): Pair => [name, name === ":path" ? "/deny" : value])))],
  [
    "h1-upgrade",
    "the handshake of HTTP/1.1",
    get(["connection", "upgrade"], ["upgrade", "websocket"], ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="], [
      "sec-websocket-version",
      "13",
    ]),
    {
      rfc: "RFC 9113 section 8.2.2",
    },
  ],
  ["reset", "a reset behind the handshake", session(head(1, 0, SOCKET), frame(FRAME.reset, 0, 1, new Uint8Array([0, 0, 0, 8]))), {
    answers: 0,
  }],
  [
    "bad-frame",
    "a message that is no UTF-8",
    session(head(1, 0, SOCKET), frame(FRAME.data, 0, 1, socketFrame(TEXT, new Uint8Array([0xff])))),
    { rfc: "RFC 6455 section 8.1" },
  ],
]);
