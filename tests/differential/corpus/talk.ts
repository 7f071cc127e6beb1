/** Expect, Connection, pipelines and methods. RFC 9110 sections 9 and 10, RFC 9112 section 9. @module */

import { type Entry, table } from "../entry.ts";

const H = "Host: a\r\n";

function get(path: string, headers = ""): string {
  return `GET ${path} HTTP/1.1\r\n${H}${headers}\r\n`;
}

function expecting(value: string, more = "Content-Length: 3\r\n", path = "/body"): string {
  return `POST ${path} HTTP/1.1\r\n${H}Expect: ${value}\r\n${more}\r\n`;
}

/** Expect. */
export const EXPECT: readonly Entry[] = table("h1", "expect", "RFC 9110 section 10.1.1", [
  ["plain", "a client that waits for 100 Continue", [expecting("100-continue"), { answers: 1 }, "abc"]],
  ["impatient", "a client that does not wait", [expecting("100-continue"), "abc"]],
  ["upper", "the expectation in upper case", [expecting("100-CONTINUE"), { answers: 1 }, "abc"]],
  ["unread", "an app that does not read the body", [expecting("100-continue", "Content-Length: 3\r\n", "/unread")]],
  ["chunked", "with a chunked body", [
    expecting("100-continue", "Transfer-Encoding: chunked\r\n"),
    { answers: 1 },
    "3\r\nabc\r\n0\r\n\r\n",
  ]],
  ["empty", "with a length of 0", expecting("100-continue", "Content-Length: 0\r\n")],
  ["get", "on a GET without a body", get("/", "Expect: 100-continue\r\n")],
  ["too-large", "with a length over the limit", expecting("100-continue", "Content-Length: 5000\r\n")],
  ["other", "another expectation", `${expecting("200-ok")}abc`],
  ["list", "two expectations", `${expecting("100-continue, x")}abc`],
]);

/** Connection. */
export const CONNECTION: readonly Entry[] = table("h1", "connection", "RFC 9112 section 9", [
  ["close", "close", get("/", "Connection: close\r\n")],
  ["close-upper", "close in upper case", get("/", "Connection: CLOSE\r\n")],
  ["close-list", "close in a list", get("/", "Connection: x, close\r\n")],
  ["close-second", "close in a second header", get("/", "Connection: x\r\nConnection: close\r\n")],
  ["keep-alive", "keep-alive", get("/", "Connection: keep-alive\r\n")],
  ["both", "keep-alive and close", get("/", "Connection: keep-alive, close\r\n")],
  ["names-header", "the name of another header", get("/", "Connection: x-gone\r\nX-Gone: 1\r\n"), { rfc: "RFC 9110 section 7.6.1" }],
  ["empty", "an empty value", get("/", "Connection:\r\n")],
  ["proxy", "Proxy-Connection", get("/", "Proxy-Connection: close\r\n")],
  ["keep-alive-header", "a Keep-Alive header", get("/", "Keep-Alive: timeout=1\r\n")],
  ["close-chunked", "close with a streamed answer", get("/stream", "Connection: close\r\n")],
  ["app-closes", "an app that answers with connection: close", get("/close")],
  ["fin", "a client that sends FIN behind its request", [get("/"), "fin"], { rfc: "RFC 9112 section 9.6" }],
  ["fin-slow", "a client that sends FIN before a slow answer", [get("/slow"), "fin"], { rfc: "RFC 9112 section 9.6" }],
  ["fin-only", "a client that sends FIN and nothing else", ["fin"]],
  ["te", "a TE header", get("/", "TE: trailers\r\nConnection: TE\r\n"), { rfc: "RFC 9110 section 10.1.4" }],
]);

/** Pipelines. */
export const PIPELINES: readonly Entry[] = table("h1", "pipeline", "RFC 9112 section 9.3.2", [
  ["two", "two requests in one packet", get("/1") + get("/2"), { answers: 2 }],
  ["ten", "ten requests in one packet", Array.from({ length: 10 }, (_, at) => get(`/${at}`)).join(""), { answers: 10 }],
  ["slow-first", "a slow request before a quick one", get("/slow") + get("/quick"), { answers: 2 }],
  ["body-between", "a request with a body between two others", [
    `${get("/1")}POST /2 HTTP/1.1\r\n${H}Content-Length: 3\r\n\r\nabc${get("/3")}`,
  ], { answers: 3 }],
  ["bad-second", "a malformed request behind a good one", get("/1") + "BAD\r\n\r\n", { answers: 2 }],
  ["close-first", "a request behind one that says close", get("/1", "Connection: close\r\n") + get("/2")],
  ["half-second", "half a request behind a whole one", get("/1") + "GET /2 HT", { unfinished: true }],
  ["empty-line-between", "an empty line between two requests", get("/1") + "\r\n" + get("/2"), { answers: 2, rfc: "RFC 9112 section 2.2" }],
  ["stream-first", "a streamed answer before another", get("/stream") + get("/2"), { answers: 2 }],
  ["head-first", "a HEAD before a GET", `HEAD /1 HTTP/1.1\r\n${H}\r\n${get("/2")}`, { answers: 2, heads: [0] }],
]);

/** Methods and answers without a body. */
export const METHODS: readonly Entry[] = table("h1", "method", "RFC 9110 section 9", [
  ["head", "HEAD", `HEAD / HTTP/1.1\r\n${H}\r\n`, { heads: [0] }],
  ["head-stream", "HEAD of a streamed answer", `HEAD /stream HTTP/1.1\r\n${H}\r\n`, { heads: [0] }],
  ["head-length", "HEAD where the app names the length", `HEAD /length HTTP/1.1\r\n${H}\r\n`, { heads: [0] }],
  ["get-length", "GET where the app names the length", get("/length")],
  ["get-204", "an answer of 204", get("/204")],
  ["get-304", "an answer of 304", get("/304")],
  ["get-stream", "a streamed answer", get("/stream")],
  ["options", "OPTIONS", `OPTIONS /x HTTP/1.1\r\n${H}\r\n`],
  ["put", "PUT with a body", `PUT /x HTTP/1.1\r\n${H}Content-Length: 1\r\n\r\na`],
  ["trace", "TRACE", `TRACE /x HTTP/1.1\r\n${H}\r\n`],
  ["trace-body", "TRACE with a body", `TRACE /x HTTP/1.1\r\n${H}Content-Length: 1\r\n\r\na`, { rfc: "RFC 9110 section 9.3.8" }],
  ["connect", "CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", { rfc: "RFC 9110 section 9.3.6" }],
  ["connect-path", "CONNECT with a path", `CONNECT /x HTTP/1.1\r\n${H}\r\n`, { rfc: "RFC 9112 section 3.2.3" }],
  ["connect-no-port", "CONNECT without a port", `CONNECT a HTTP/1.1\r\n${H}\r\n`, { rfc: "RFC 9112 section 3.2.3" }],
  ["connect-data", "CONNECT and bytes behind it", `CONNECT a:443 HTTP/1.1\r\n${H}\r\n${get("/smuggled")}`, { answers: 1 }],
  ["pri", "PRI, but not the preface of HTTP/2", `PRI / HTTP/1.1\r\n${H}\r\n`],
  ["propfind", "a method of WebDAV", `PROPFIND /x HTTP/1.1\r\n${H}\r\n`],
  ["link", "a method that a parser may not know", `LINK /x HTTP/1.1\r\n${H}\r\n`],
  ["query", "QUERY with a body", `QUERY /x HTTP/1.1\r\n${H}Content-Length: 1\r\n\r\na`],
  ["app-throws", "an app that throws", get("/throw"), { rfc: "RFC 9110 section 15.6.1" }],
  ["app-throws-late", "an app that throws in a streamed answer", get("/throw-late"), { rfc: "RFC 9112 section 8" }],
]);
