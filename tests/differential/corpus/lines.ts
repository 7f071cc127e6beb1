/** Request lines, versions and targets. RFC 9112 sections 2.2, 2.3 and 3. @module */

import { type Entry, table } from "../entry.ts";

const H = "Host: a\r\n";

function get(target: string): string {
  return `GET ${target} HTTP/1.1\r\n${H}\r\n`;
}

function line(text: string): string {
  return `${text}\r\n${H}\r\n`;
}

/** Request lines. */
export const LINES: readonly Entry[] = table("h1", "line", "RFC 9112 section 3", [
  ["plain", "a plain request", get("/")],
  ["lower-case-method", "a method in lower case", line("get / HTTP/1.1"), { rfc: "RFC 9110 section 9.1" }],
  ["unknown-method", "a method that nobody knows", line("FOO-BAR / HTTP/1.1"), { rfc: "RFC 9110 section 9.1" }],
  ["odd-method", "a method of every character of a token", line("!#$%&'*+-.^_`|~9A / HTTP/1.1"), { rfc: "RFC 9110 section 5.6.2" }],
  ["long-method", "a method of 300 characters", line(`${"M".repeat(300)} / HTTP/1.1`)],
  ["bad-method", "a method with a bracket", line("G(T / HTTP/1.1")],
  ["control-method", "a method with a control byte", line("G\x01T / HTTP/1.1")],
  ["high-method", "a method with a byte above ASCII", line("G\xc9T / HTTP/1.1")],
  ["empty-line-before", "one empty line before the request line", `\r\n${get("/")}`, { rfc: "RFC 9112 section 2.2" }],
  ["lf-before", "a bare LF before the request line", `\n${get("/")}`, { rfc: "RFC 9112 section 2.2" }],
  ["empty-lines-before", "four empty lines before the request line", `\r\n\r\n\r\n\r\n${get("/")}`, { rfc: "RFC 9112 section 2.2" }],
  ["space-before", "a space before the method", ` ${get("/")}`],
  ["one-word", "one word", line("GET")],
  ["two-words", "two words", line("GET /")],
  ["four-words", "four words", line("GET / HTTP/1.1 x")],
  ["two-spaces-target", "two spaces before the target", line("GET  / HTTP/1.1")],
  ["two-spaces-version", "two spaces before the version", line("GET /  HTTP/1.1")],
  ["tab", "a tab in place of the space", line("GET\t/ HTTP/1.1")],
  ["space-behind", "a space behind the version", line("GET / HTTP/1.1 ")],
  ["bare-lf", "bare LF as ends of lines", "GET /lf HTTP/1.1\nHost: a\n\n", { rfc: "RFC 9112 section 2.2" }],
  ["bare-lf-line", "bare LF behind the request line alone", "GET /lf HTTP/1.1\nHost: a\r\n\r\n", { rfc: "RFC 9112 section 2.2" }],
  ["bare-cr", "a bare CR as the end of the request line", `GET / HTTP/1.1\r${H}\r\n`, { rfc: "RFC 9112 section 2.2" }],
  ["nul", "NUL in the request line", line("GET /\0 HTTP/1.1")],
  ["bytes", "bytes that are no text", "\x80\x81\x82\xff\r\n\r\n"],
  ["tls-hello", "a TLS hello on a cleartext port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"],
  ["ssh", "the greeting of another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n"],
  ["half", "a request line that never ends", "GET /half HT"],
  ["byte-by-byte", "a head in three packets", [
    "GET /by",
    { pauseMs: 20 },
    `te HTTP/1.1\r\nHos`,
    { pauseMs: 20 },
    "t: a\r\n\r\n",
  ]],
]);

/** Versions. */
export const VERSIONS: readonly Entry[] = table("h1", "version", "RFC 9112 section 2.3", [
  ["1.0", "HTTP/1.0 with a Host", line("GET / HTTP/1.0")],
  ["1.0-no-host", "HTTP/1.0 without a Host", "GET / HTTP/1.0\r\n\r\n"],
  ["1.0-keep-alive", "HTTP/1.0 with keep-alive", `GET / HTTP/1.0\r\n${H}Connection: keep-alive\r\n\r\n`, {
    rfc: "RFC 9112 appendix C.2.2",
  }],
  ["1.0-stream", "HTTP/1.0, an answer without a known length", line("GET /stream HTTP/1.0"), { rfc: "RFC 9112 section 6.1" }],
  [
    "1.0-stream-keep-alive",
    "HTTP/1.0 with keep-alive, an answer without a known length",
    `GET /stream HTTP/1.0\r\n${H}Connection: keep-alive\r\n\r\n`,
    { rfc: "RFC 9112 section 6.1" },
  ],
  ["1.0-post", "HTTP/1.0 with a body", `POST / HTTP/1.0\r\n${H}Content-Length: 3\r\n\r\nabc`],
  ["1.0-chunked", "HTTP/1.0 with a chunked body", `POST / HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`, {
    rfc: "RFC 9112 section 6.1",
  }],
  ["1.0-expect", "HTTP/1.0 that expects 100-continue", `POST / HTTP/1.0\r\n${H}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`, {
    rfc: "RFC 9110 section 10.1.1",
  }],
  ["0.9", "HTTP/0.9 as text", line("GET / HTTP/0.9")],
  ["0.9-simple", "a simple request of HTTP/0.9", "GET /\r\n"],
  ["1.2", "HTTP/1.2", line("GET / HTTP/1.2")],
  ["1.10", "HTTP/1.10", line("GET / HTTP/1.10")],
  ["2.0", "HTTP/2.0 as text", line("GET / HTTP/2.0")],
  ["3", "HTTP/3 as text", line("GET / HTTP/3")],
  ["lower", "the name of the protocol in lower case", line("GET / http/1.1")],
  ["no-dot", "a version without a dot", line("GET / HTTP/11")],
  ["other", "another protocol", line("GET / RTSP/1.0")],
]);

/** Request targets. */
export const TARGETS: readonly Entry[] = table("h1", "target", "RFC 9112 section 3.2", [
  ["query", "a query", get("/a?b=c&d")],
  ["empty-query", "a question mark and nothing behind it", get("/a?")],
  ["two-marks", "two question marks", get("/a??b?c")],
  ["escapes", "percent escapes of UTF-8", get("/caf%C3%A9/%E2%82%AC")],
  ["latin1-escape", "a percent escape that is no UTF-8", get("/%E9")],
  ["escaped-slash", "an escaped slash and an escaped percent", get("/a%2Fb%25c")],
  ["escaped-nul", "an escaped NUL", get("/a%00b")],
  ["escaped-crlf", "an escaped CRLF", get("/a%0d%0ab")],
  ["bad-escape", "a malformed escape in the path", get("/%zz")],
  ["cut-escape", "an escape that ends too early", get("/a%4")],
  ["bad-escape-query", "a malformed escape in the query", get("/?%zz")],
  ["plus", "a plus sign", get("/a+b?c+d")],
  ["double-slash", "two slashes at the beginning", get("//evil.example/x")],
  ["dots", "segments of dots", get("/a/../b/./c/../..")],
  ["escaped-dots", "escaped segments of dots", get("/%2e%2e/%2E%2E/etc")],
  ["fragment", "a fragment", get("/a#b")],
  ["fragment-query", "a fragment before a query", get("/a#b?c")],
  ["backslash", "a backslash", get("/a\\b")],
  ["quotes", "characters that a URL has no place for", get('/a"<>^`{|}b')],
  ["utf8", "bare UTF-8", get("/caf\xc3\xa9")],
  ["utf8-query", "bare UTF-8 in the query", get("/?caf\xc3\xa9")],
  ["bytes", "bytes above ASCII that are no UTF-8", get("/\xff\xfe")],
  ["tab", "a tab", get("/a\tb")],
  ["space", "a space", get("/a b")],
  ["control", "a control byte", get("/a\x01b")],
  ["del", "DEL", get("/a\x7fb")],
  ["asterisk-options", "OPTIONS *", line("OPTIONS * HTTP/1.1"), { rfc: "RFC 9112 section 3.2.4" }],
  ["asterisk-get", "GET *", get("*"), { rfc: "RFC 9112 section 3.2.4" }],
  ["no-slash", "a target without a slash", get("a/b")],
  ["dot", "a target of one dot", get(".")],
  ["only-query", "a query alone", get("?a")],
  ["absolute", "absolute form", get("http://b.example:81/p?q"), { rfc: "RFC 9112 section 3.2.2" }],
  ["absolute-same", "absolute form of the host in Host", get("http://a/p"), { rfc: "RFC 9112 section 3.2.2" }],
  ["absolute-no-path", "absolute form without a path", get("http://b.example"), { rfc: "RFC 9112 section 3.2.2" }],
  ["absolute-query", "absolute form with a query and no path", get("http://b.example?q"), { rfc: "RFC 9112 section 3.2.2" }],
  ["absolute-https", "absolute form of another scheme", get("https://b.example/p"), { rfc: "RFC 9112 section 3.2.2" }],
  ["absolute-ftp", "absolute form of a scheme that is not HTTP", get("ftp://b.example/p"), { rfc: "RFC 9112 section 3.2.2" }],
  ["absolute-upper", "absolute form with its scheme in upper case", get("HTTP://b.example/p"), { rfc: "RFC 9112 section 3.2.2" }],
  ["absolute-user", "absolute form with user information", get("http://u:p@b.example/p"), { rfc: "RFC 9110 section 4.2.4" }],
  ["absolute-empty", "absolute form without an authority", get("http:///p"), { rfc: "RFC 9110 section 4.2.1" }],
  ["absolute-bad-port", "absolute form with a port that is none", get("http://b.example:x/p"), { rfc: "RFC 9112 section 3.2.2" }],
  ["absolute-no-host", "absolute form without a Host", "GET http://b.example/p HTTP/1.1\r\n\r\n", { rfc: "RFC 9112 section 3.2.2" }],
  ["authority-get", "authority form with GET", get("b.example:443"), { rfc: "RFC 9112 section 3.2.3" }],
  ["length-8191", "8,191 bytes", get(`/${"x".repeat(8190)}`)],
  ["length-8192", "8,192 bytes", get(`/${"x".repeat(8191)}`)],
  ["length-8193", "8,193 bytes", get(`/${"x".repeat(8192)}`)],
  ["length-20000", "20,000 bytes", get(`/${"x".repeat(19_999)}`)],
  ["length-60000", "60,000 bytes", get(`/${"x".repeat(59_999)}`)],
  ["length-70000", "70,000 bytes", get(`/${"x".repeat(69_999)}`)],
  ["query-8193", "8,193 bytes, most of them query", get(`/?${"x".repeat(8191)}`)],
]);
