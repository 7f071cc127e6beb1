/** Lengths, transfer codings, chunks and what hides behind them. RFC 9112 sections 6 and 7. @module */

import { type Entry, table } from "../entry.ts";

const POST = "POST /body HTTP/1.1\r\nHost: a\r\n";
const NEXT = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

function post(headers: string, body = ""): string {
  return `${POST}${headers}\r\n${body}`;
}

function chunked(body: string): string {
  return post("Transfer-Encoding: chunked\r\n", body);
}

/** Lengths and codings. */
export const LENGTHS: readonly Entry[] = table("h1", "length", "RFC 9112 section 6", [
  ["plain", "a body with its length", post("Content-Length: 3\r\n", "abc")],
  ["zero", "a length of 0", post("Content-Length: 0\r\n")],
  ["none", "a POST without a length", post("")],
  ["get-body", "a GET with a body", "GET /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"],
  ["head-body", "a HEAD with a body", "HEAD /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", { heads: [0] }],
  ["delete-body", "a DELETE with a body", "DELETE /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"],
  ["get-chunked", "a GET with a chunked body", "GET /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"],
  ["leading-zeros", "a length with leading zeros", post("Content-Length: 0003\r\n", "abc")],
  ["blanks", "blanks around a length", post("Content-Length:   3 \t\r\n", "abc")],
  ["plus", "a length with a sign", post("Content-Length: +3\r\n", "abc")],
  ["negative", "a negative length", post("Content-Length: -3\r\n", "abc")],
  ["hex", "a length in hex", post("Content-Length: 0x3\r\n", "abc")],
  ["float", "a length with a point", post("Content-Length: 3.0\r\n", "abc")],
  ["exponent", "a length with an exponent", post("Content-Length: 3e0\r\n", "abc")],
  ["underscore", "a length with an underscore", post("Content-Length: 1_0\r\n", "abcdefghij")],
  ["word", "a length that is a word", post("Content-Length: three\r\n", "abc")],
  ["empty", "an empty length", post("Content-Length:\r\n", "abc")],
  ["trailing", "a length with letters behind it", post("Content-Length: 3abc\r\n", "abc")],
  ["list", "a list of two lengths that agree", post("Content-Length: 3, 3\r\n", "abc")],
  ["list-differs", "a list of two lengths that differ", post("Content-Length: 3, 4\r\n", "abcd")],
  ["two", "two lengths that agree", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")],
  ["two-differ", "two lengths that differ", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")],
  ["huge", "a length beyond 64 bits", post("Content-Length: 99999999999999999999999\r\n", "abc")],
  ["max", "the largest length of 63 bits", post("Content-Length: 9223372036854775807\r\n", "abc")],
  ["over-limit", "a length over the limit of the server", post("Content-Length: 4097\r\n", "x".repeat(4097)), {
    rfc: "RFC 9110 section 15.5.14",
  }],
  ["at-limit", "a length at the limit of the server", post("Content-Length: 4096\r\n", "x".repeat(4096))],
  ["far-over-limit", "a length far over the limit, and no body", post("Content-Length: 50000000\r\n"), { rfc: "RFC 9110 section 15.5.14" }],
  [
    "over-unread",
    "a length over the limit, for an app that reads nothing",
    "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n" + "x".repeat(4097),
    {
      rfc: "RFC 9110 section 15.5.14",
    },
  ],
  ["short", "a body that ends too early", [post("Content-Length: 10\r\n", "abc"), "fin"]],
  ["waits", "a body of which a part never comes", post("Content-Length: 10\r\n", "abc")],
  ["unread", "a body that the app does not read, and a request behind it", [
    "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /behind HTTP/1.1\r\nHost: a\r\n\r\n",
  ], { answers: 2, rfc: "RFC 9112 section 9.3" }],
  [
    "unread-waits",
    "a body that the app does not read and of which a part never comes",
    "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
    { unfinished: true },
  ],
]);

/** Two lengths at once, and other ways to hide a request. */
export const SMUGGLING: readonly Entry[] = table("h1", "smuggling", "RFC 9112 section 6.3", [
  ["cl-te", "a length, then chunked", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${NEXT}`), { answers: 2 }],
  ["te-cl", "chunked, then a length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", `0\r\n\r\n${NEXT}`), { answers: 2 }],
  [
    "te-te",
    "two Transfer-Encoding headers, both chunked",
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
  ],
  ["te-twice", "chunked twice in one header", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), {
    rfc: "RFC 9112 section 6.1",
  }],
  ["te-identity", "identity", post("Transfer-Encoding: identity\r\n", "abc"), { rfc: "RFC 9112 section 6.1" }],
  ["te-identity-cl", "identity with a length", post("Transfer-Encoding: identity\r\nContent-Length: 3\r\n", "abc"), {
    rfc: "RFC 9112 section 6.1",
  }],
  ["te-gzip", "gzip alone", post("Transfer-Encoding: gzip\r\n", "abc"), { rfc: "RFC 9112 section 6.1" }],
  ["te-gzip-chunked", "gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), {
    rfc: "RFC 9112 section 6.1",
  }],
  ["te-chunked-gzip", "chunked, gzip", post("Transfer-Encoding: chunked, gzip\r\n", "3\r\nabc\r\n0\r\n\r\n"), {
    rfc: "RFC 9112 section 6.1",
  }],
  ["te-upper", "chunked in upper case", post("Transfer-Encoding: CHUNKED\r\n", "3\r\nabc\r\n0\r\n\r\n"), { rfc: "RFC 9112 section 7" }],
  ["te-empty", "an empty Transfer-Encoding", post("Transfer-Encoding:\r\n", "")],
  ["te-empty-cl", "an empty Transfer-Encoding and a length", post("Transfer-Encoding:\r\nContent-Length: 3\r\n", "abc")],
  ["te-quoted", "chunked in quotes", post('Transfer-Encoding: "chunked"\r\n', "3\r\nabc\r\n0\r\n\r\n")],
  ["te-parameter", "chunked with a parameter", post("Transfer-Encoding: chunked;a=b\r\n", "3\r\nabc\r\n0\r\n\r\n")],
  ["te-prefix", "a coding that begins with chunked", post("Transfer-Encoding: chunkedx\r\n", "3\r\nabc\r\n0\r\n\r\n")],
  ["te-suffix", "a coding that ends with chunked", post("Transfer-Encoding: xchunked\r\n", "3\r\nabc\r\n0\r\n\r\n")],
  ["te-tab", "a tab before chunked", post("Transfer-Encoding:\tchunked\r\n", "3\r\nabc\r\n0\r\n\r\n")],
  ["te-vt", "a vertical tab before chunked", post("Transfer-Encoding: \x0bchunked\r\n", "3\r\nabc\r\n0\r\n\r\n")],
  [
    "te-space-colon",
    "Transfer-Encoding with a space before the colon",
    post("Transfer-Encoding : chunked\r\nContent-Length: 3\r\n", "abc"),
  ],
  ["te-fold", "Transfer-Encoding in a folded line", post("X: 1\r\n Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "abc")],
  ["te-lf", "Transfer-Encoding behind a bare LF", post("X: 1\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")],
  ["te-cr", "Transfer-Encoding behind a bare CR", post("X: 1\rTransfer-Encoding: chunked\r\nContent-Length: 3\r\n", "abc")],
  ["te-underscore", "Transfer_Encoding", post("Transfer_Encoding: chunked\r\nContent-Length: 3\r\n", "abc")],
  ["te-comma", "chunked behind an empty member of a list", post("Transfer-Encoding: , chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")],
  [
    "te-two-lines",
    "gzip and chunked in two headers",
    post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
  ],
  ["get-hidden", "a GET with a length that hides a request", [
    `GET /body HTTP/1.1\r\nHost: a\r\nContent-Length: ${NEXT.length}\r\n\r\n${NEXT}`,
  ], { rfc: "RFC 9110 section 9.3.1" }],
  ["too-long", "a body that is longer than its length", post("Content-Length: 1\r\n", `a${NEXT}`), { answers: 2 }],
]);

/** Chunks. */
export const CHUNKS: readonly Entry[] = table("h1", "chunk", "RFC 9112 section 7.1", [
  ["plain", "two chunks", chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")],
  ["none", "the last chunk alone", chunked("0\r\n\r\n")],
  ["upper", "a size in upper case", chunked("A\r\nabcdefghij\r\n0\r\n\r\n")],
  ["zeros", "a size with leading zeros", chunked("0003\r\nabc\r\n000\r\n\r\n")],
  ["many-zeros", "a size of 30 digits", chunked(`${"0".repeat(29)}3\r\nabc\r\n0\r\n\r\n`)],
  ["extension", "an extension", chunked("3;a=b\r\nabc\r\n0;c\r\n\r\n"), { rfc: "RFC 9112 section 7.1.1" }],
  ["extension-quoted", "an extension with a quoted value", chunked('3;a="b;c"\r\nabc\r\n0\r\n\r\n'), { rfc: "RFC 9112 section 7.1.1" }],
  ["extension-quoted-crlf", "an extension with CRLF in its quotes", chunked('3;a="b\r\nabc\r\n0\r\n\r\n'), {
    rfc: "RFC 9112 section 7.1.1",
  }],
  ["extension-lf", "an extension with a bare LF", chunked("3;a\nabc\r\n0\r\n\r\n"), { rfc: "RFC 9112 section 7.1.1" }],
  ["extension-long", "an extension of 20,000 bytes", chunked(`3;${"e".repeat(20_000)}\r\nabc\r\n0\r\n\r\n`), {
    rfc: "RFC 9112 section 7.1.1",
  }],
  ["extension-control", "an extension with a control byte", chunked("3;a\x01\r\nabc\r\n0\r\n\r\n"), { rfc: "RFC 9112 section 7.1.1" }],
  ["space-size", "a space behind a size", chunked("3 \r\nabc\r\n0\r\n\r\n")],
  ["tab-size", "a tab behind a size", chunked("3\t\r\nabc\r\n0\r\n\r\n")],
  ["space-before", "a space before a size", chunked(" 3\r\nabc\r\n0\r\n\r\n")],
  ["hex-prefix", "a size with 0x", chunked("0x3\r\nabc\r\n0\r\n\r\n")],
  ["plus", "a size with a sign", chunked("+3\r\nabc\r\n0\r\n\r\n")],
  ["negative", "a negative size", chunked("-3\r\nabc\r\n0\r\n\r\n")],
  ["word", "a size that is no number", chunked("zz\r\nabc\r\n0\r\n\r\n")],
  ["empty", "an empty size", chunked("\r\nabc\r\n0\r\n\r\n")],
  ["overflow", "a size beyond 64 bits", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n")],
  ["huge", "a size of 63 bits", chunked("7fffffffffffffff\r\nabc")],
  ["lf-size", "a bare LF behind a size", chunked("3\nabc\r\n0\r\n\r\n"), { rfc: "RFC 9112 section 2.2" }],
  ["lf-data", "a bare LF behind the data", chunked("3\r\nabc\n0\r\n\r\n"), { rfc: "RFC 9112 section 2.2" }],
  ["lf-last", "a bare LF as the last end of a line", chunked("3\r\nabc\r\n0\r\n\n"), { rfc: "RFC 9112 section 2.2" }],
  ["cr-size", "a bare CR behind a size", chunked("3\rabc\r\n0\r\n\r\n")],
  ["data-long", "data longer than its size", chunked("3\r\nabcd\r\n0\r\n\r\n")],
  ["data-short", "data shorter than its size", chunked("4\r\nabc\r\n0\r\n\r\n")],
  ["no-end", "no last chunk", chunked("3\r\nabc\r\n")],
  ["no-end-fin", "no last chunk, and the client leaves", [chunked("3\r\nabc\r\n"), "fin"]],
  ["no-last-line", "no empty line behind the last chunk", chunked("3\r\nabc\r\n0\r\n")],
  ["trailer", "a trailer", chunked("3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"), { rfc: "RFC 9112 section 7.1.2" }],
  ["trailer-length", "a trailer that names a length", chunked("3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n"), {
    rfc: "RFC 9110 section 6.5.1",
  }],
  ["trailer-bad", "a trailer without a colon", chunked("3\r\nabc\r\n0\r\nnonsense\r\n\r\n"), { rfc: "RFC 9112 section 7.1.2" }],
  ["trailer-control", "a trailer with a control byte", chunked("3\r\nabc\r\n0\r\nX: a\x01\r\n\r\n"), { rfc: "RFC 9112 section 7.1.2" }],
  ["trailer-big", "trailers of 70,000 bytes", chunked(`3\r\nabc\r\n0\r\nX: ${"t".repeat(70_000)}\r\n\r\n`), {
    rfc: "RFC 9112 section 7.1.2",
  }],
  ["one-byte", "chunks of one byte in packets of their own", [
    chunked("1\r\na\r\n"),
    { pauseMs: 10 },
    "1\r\nb\r\n",
    { pauseMs: 10 },
    "1\r",
    { pauseMs: 10 },
    "\nc\r\n0\r\n\r\n",
  ]],
  ["over-limit", "chunks over the limit of the server", chunked(`1001\r\n${"x".repeat(4097)}\r\n0\r\n\r\n`), {
    rfc: "RFC 9110 section 15.5.14",
  }],
  ["behind", "a request behind the last chunk", chunked(`3\r\nabc\r\n0\r\n\r\n${NEXT}`), { answers: 2 }],
]);
