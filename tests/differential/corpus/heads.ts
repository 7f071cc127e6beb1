/** Header lines, their number and size, and Host. RFC 9112 sections 3.2 and 5, RFC 9110 section 5. @module */

import { type Entry, table } from "../entry.ts";

const H = "Host: a\r\n";

function head(lines: string): string {
  return `GET /head HTTP/1.1\r\n${H}${lines}\r\n`;
}

function host(lines: string): string {
  return `GET /host HTTP/1.1\r\n${lines}\r\n`;
}

/** `count` header lines, Host among them. */
function many(count: number): string {
  return head("x: 1\r\n".repeat(count - 1));
}

/** A head whose names and values, with their separators, are of so many bytes. */
function sized(size: number): string {
  return head(`x: ${"y".repeat(size - H.length - 5)}\r\n`);
}

/** Header lines. */
export const HEADERS: readonly Entry[] = table("h1", "header", "RFC 9112 section 5", [
  ["order", "headers out of the order of the alphabet", head("Z: 1\r\nA: 2\r\nM: 3\r\n"), { raw: true }],
  ["duplicates", "a header that comes twice", head("X-A: 1\r\nX-B: 2\r\nX-A: 3\r\n"), { raw: true, rfc: "RFC 9110 section 5.3" }],
  ["cookies", "two Cookie headers", head("Cookie: a=1\r\nX: 1\r\nCookie: b=2\r\n")],
  ["case", "a name in upper case", head("X-SHOUT: Quiet\r\n")],
  ["underscore", "a name with an underscore", head("X_Under: 1\r\n")],
  ["token", "a name of every character of a token", head("!#$%&'*+-.^_`|~9a: 1\r\n"), { rfc: "RFC 9110 section 5.6.2" }],
  ["empty-value", "an empty value", head("X-Empty:\r\n")],
  ["blanks", "blanks around a value", head("X-Blank: \t  v w \t \r\n")],
  ["no-blank", "no blank behind the colon", head("X-Tight:v\r\n")],
  ["tab-inside", "a tab inside a value", head("X-Tab: a\tb\r\n")],
  ["latin1", "a byte above ASCII in a value", head("X-L: caf\xe9\r\n"), { rfc: "RFC 9110 section 5.5" }],
  ["utf8", "UTF-8 in a value", head("X-U: \xe2\x82\xac\r\n"), { rfc: "RFC 9110 section 5.5" }],
  ["comma", "a value with commas", head("X-List: a, b,,c\r\n")],
  ["obs-fold", "a folded value", head("X-Fold: a\r\n b\r\n"), { rfc: "RFC 9112 section 5.2" }],
  ["obs-fold-tab", "a value that is folded with a tab", head("X-Fold: a\r\n\tb\r\n"), { rfc: "RFC 9112 section 5.2" }],
  ["space-colon", "a space before the colon", head("X-Space : 1\r\n"), { rfc: "RFC 9112 section 5.1" }],
  ["tab-colon", "a tab before the colon", head("X-Tab\t: 1\r\n"), { rfc: "RFC 9112 section 5.1" }],
  ["space-first", "a first header line that begins with a space", `GET / HTTP/1.1\r\n X: 1\r\n${H}\r\n`, { rfc: "RFC 9112 section 2.2" }],
  ["space-name", "a name with a space", head("X Y: 1\r\n")],
  ["no-colon", "a line without a colon", head("nonsense\r\n")],
  ["no-name", "an empty name", head(": 1\r\n")],
  ["high-name", "a name with a byte above ASCII", head("X-\xc3\xa9: 1\r\n")],
  ["bracket-name", "a name with a bracket", head("X(Y): 1\r\n")],
  ["control-name", "a name with a control byte", head("X\x01Y: 1\r\n")],
  ["nul-value", "NUL in a value", head("X: a\0b\r\n"), { rfc: "RFC 9110 section 5.5" }],
  ["control-value", "a control byte in a value", head("X: a\x01b\r\n"), { rfc: "RFC 9110 section 5.5" }],
  ["del-value", "DEL in a value", head("X: a\x7fb\r\n"), { rfc: "RFC 9110 section 5.5" }],
  ["esc-value", "ESC in a value", head("X: \x1b[31m\r\n"), { rfc: "RFC 9110 section 5.5" }],
  ["cr-value", "a bare CR in a value", head("X: a\rb\r\n"), { rfc: "RFC 9112 section 2.2" }],
  ["cr-end", "a line that ends with two CR", head("X: a\r\r\n"), { rfc: "RFC 9112 section 2.2" }],
  ["lf-value", "a bare LF as the end of a line", head("X: a\nY: b\r\n"), { rfc: "RFC 9112 section 2.2" }],
  ["lf-end", "a bare LF as the end of the head", `GET / HTTP/1.1\r\n${H}\n`, { rfc: "RFC 9112 section 2.2" }],
  ["no-end", "a head that never ends", `GET / HTTP/1.1\r\n${H}X: 1\r\n`],
  ["fin-inside", "a client that leaves inside the head", [`GET / HTTP/1.1\r\n${H}X: 1\r\n`, "fin"]],
  ["long-name", "a name of 5,000 bytes", head(`${"n".repeat(5000)}: 1\r\n`)],
  ["count-99", "99 headers", many(99)],
  ["count-100", "100 headers", many(100)],
  ["count-101", "101 headers", many(101)],
  ["count-130", "130 headers", many(130)],
  ["count-5000", "5,000 headers", many(5000)],
  ["size-8k", "8 KiB of headers", sized(8192)],
  ["size-16k", "17 KiB of headers", sized(17_408)],
  ["size-32k-less", "32,767 bytes of headers", sized(32_767)],
  ["size-32k", "32,768 bytes of headers", sized(32_768)],
  ["size-32k-more", "32,769 bytes of headers", sized(32_769)],
  ["size-60k", "60,000 bytes of headers", sized(60_000)],
  ["size-70k", "70,000 bytes of headers", sized(70_000)],
  ["size-1m", "1 MiB of headers", sized(1_048_576)],
  ["proto", "headers named like members of a JavaScript object", head("__proto__: 1\r\nconstructor: 2\r\ntoString: 3\r\n")],
  ["proxy", "a Proxy header", head("Proxy: http://evil.example\r\n")],
  ["http2-settings", "a header of HTTP/2", head("HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n")],
]);

/** Host. */
export const HOSTS: readonly Entry[] = table("h1", "host", "RFC 9112 section 3.2", [
  ["none", "no Host", host("")],
  ["empty", "an empty Host", host("Host:\r\n")],
  ["two", "two Hosts", host("Host: a\r\nHost: b\r\n")],
  ["two-equal", "two Hosts that agree", host("Host: a\r\nHost: a\r\n")],
  ["port", "a Host with a port", host("Host: a:81\r\n")],
  ["empty-port", "a Host with an empty port", host("Host: a:\r\n")],
  ["bad-port", "a Host whose port is a word", host("Host: a:x\r\n")],
  ["big-port", "a Host with port 70000", host("Host: a:70000\r\n")],
  ["v4", "an IPv4 address", host("Host: 127.0.0.1\r\n")],
  ["v6", "an IPv6 address with a port", host("Host: [::1]:80\r\n")],
  ["v6-open", "an IPv6 address without its bracket", host("Host: [::1\r\n")],
  ["path", "a Host with a path", host("Host: a/b\r\n")],
  ["query", "a Host that stands in for a path", host("Host: a/fake?q=\r\n")],
  ["user", "a Host with user information", host("Host: u@a\r\n")],
  ["space", "a Host with a space", host("Host: a b\r\n")],
  ["comma", "a Host with a comma", host("Host: a,b\r\n")],
  ["utf8", "a Host with UTF-8", host("Host: caf\xc3\xa9\r\n")],
  ["escape", "a Host with an escape", host("Host: a%20b\r\n")],
  ["underscore", "a Host with an underscore", host("Host: a_b\r\n")],
  ["scheme", "a Host with a scheme", host("Host: http://a\r\n")],
  ["upper", "a Host in upper case", host("Host: EXAMPLE.org\r\n")],
  ["long", "a Host of 4,000 bytes", host(`Host: ${"h".repeat(4000)}\r\n`)],
  ["last", "a Host behind other headers", host("X: 1\r\nY: 2\r\nHost: a\r\n")],
]);
