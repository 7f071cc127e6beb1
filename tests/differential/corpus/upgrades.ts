/** Upgrades, WebSocket handshakes and event streams. RFC 6455 section 4, RFC 9110 section 7.8, the contract's sections 5 and 6. @module */

import { type Entry, table } from "../entry.ts";
import { KEY } from "../../conformance/frames.ts";

interface Changes {
  readonly line?: string;
  readonly [name: string]: string | null | undefined;
}

/** A handshake; a header of `null` is left out. */
function handshake(changes: Changes = {}, more = ""): string {
  const { line = "GET /ws HTTP/1.1", ...headers } = changes;
  const all: Record<string, string | null | undefined> = {
    Host: "a",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== null && value !== undefined);
  return `${line}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}${more}\r\n`;
}

/** Upgrades to other protocols. */
export const UPGRADES: readonly Entry[] = table("h1", "upgrade", "RFC 9110 section 7.8", [
  [
    "h2c",
    "to h2c",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n",
  ],
  ["unknown", "to a protocol that nobody knows", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo/2\r\n\r\n"],
  [
    "post",
    "to a protocol that nobody knows, with a body",
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\nContent-Length: 3\r\n\r\nabc",
  ],
  ["no-connection", "without the option of Connection", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n"],
  ["connection-only", "the option of Connection alone", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n"],
  [
    "unknown-behind",
    "to an unknown protocol, and a request behind it",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nGET /behind HTTP/1.1\r\nHost: a\r\n\r\n",
    {
      answers: 2,
    },
  ],
]);

/** Handshakes. */
export const HANDSHAKES: readonly Entry[] = table("ws", "handshake", "RFC 6455 section 4.2.1", [
  ["plain", "a good handshake", handshake()],
  ["deny", "an app that denies", handshake({ line: "GET /deny HTTP/1.1" })],
  ["reject", "an app that closes before it accepts", handshake({ line: "GET /reject HTTP/1.1" })],
  ["post", "with POST", handshake({ line: "POST /ws HTTP/1.1" })],
  ["head", "with HEAD", handshake({ line: "HEAD /ws HTTP/1.1" }), { heads: [0] }],
  ["1.0", "over HTTP/1.0", handshake({ line: "GET /ws HTTP/1.0" })],
  ["no-host", "without a Host", handshake({ Host: null })],
  ["no-version", "without a version", handshake({ "Sec-WebSocket-Version": null })],
  ["version-8", "version 8", handshake({ "Sec-WebSocket-Version": "8" }), { rfc: "RFC 6455 section 4.4" }],
  ["version-list", "a list of versions", handshake({ "Sec-WebSocket-Version": "13, 8" }), { rfc: "RFC 6455 section 4.4" }],
  ["version-blank", "a version with blanks", handshake({ "Sec-WebSocket-Version": "  13  " })],
  ["no-key", "without a key", handshake({ "Sec-WebSocket-Key": null })],
  ["empty-key", "an empty key", handshake({ "Sec-WebSocket-Key": "" })],
  ["short-key", "a key of 15 bytes", handshake({ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j" })],
  ["bad-key", "a key that is no base64", handshake({ "Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!==" })],
  ["two-keys", "two keys", handshake({}, `Sec-WebSocket-Key: ${KEY}\r\n`)],
  ["upgrade-case", "the protocol in upper case", handshake({ Upgrade: "WebSocket" })],
  ["upgrade-list", "a list of protocols", handshake({ Upgrade: "websocket, h2c" })],
  ["no-upgrade", "without the name of the protocol", handshake({ Upgrade: null })],
  ["connection-list", "a list of options of Connection", handshake({ Connection: "keep-alive, Upgrade" })],
  ["connection-lower", "the option in lower case", handshake({ Connection: "upgrade" })],
  ["connection-close", "the option and close", handshake({ Connection: "Upgrade, close" })],
  ["no-connection", "without the option of Connection", handshake({ Connection: null })],
  ["protocol", "a subprotocol", handshake({ "Sec-WebSocket-Protocol": "chat" })],
  ["protocols", "two subprotocols without a blank", handshake({ "Sec-WebSocket-Protocol": "chat,other" })],
  ["protocols-lines", "two headers of subprotocols", handshake({ "Sec-WebSocket-Protocol": "chat" }, "Sec-WebSocket-Protocol: other\r\n")],
  ["protocol-bad", "a subprotocol that is no token", handshake({ "Sec-WebSocket-Protocol": "a b" })],
  ["protocol-twice", "a subprotocol that is named twice", handshake({ "Sec-WebSocket-Protocol": "chat, chat" })],
  ["deflate", "an offer of permessage-deflate", handshake({ "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" })],
  ["extension", "an offer of an extension that nobody knows", handshake({ "Sec-WebSocket-Extensions": "x-foo; a=1" })],
  ["extension-bad", "a malformed offer", handshake({ "Sec-WebSocket-Extensions": ";;;" })],
  ["origin", "an Origin", handshake({ Origin: "https://evil.example" })],
  ["length", "with a body", `${handshake({ "Content-Length": "3" })}abc`],
  ["sse", "that accepts an event stream too", handshake({ Accept: "text/event-stream" })],
  ["query", "a target with a query", handshake({ line: "GET /ws?a=%20 HTTP/1.1" })],
  ["absolute", "a target of absolute form", handshake({ line: "GET ws://a/ws HTTP/1.1" })],
  ["expect", "that expects 100-continue", handshake({ Expect: "100-continue" })],
]);

/** Event streams. */
export const STREAMS: readonly Entry[] = table("h1", "event-stream", "the contract, section 6", [
  ["plain", "text/event-stream", accept("text/event-stream")],
  ["list", "in a list", accept("text/html, text/event-stream;q=0.5")],
  ["q0", "with a quality of 0", accept("text/event-stream;q=0")],
  ["q0.000", "with a quality of 0.000", accept("text/event-stream; q=0.000")],
  ["case", "in upper case", accept("TEXT/EVENT-STREAM")],
  ["wild", "*/*", accept("*/*")],
  ["wild-text", "text/*", accept("text/*")],
  ["prefix", "a type that begins like it", accept("text/event-streams")],
  ["quoted", "in the quoted parameter of another type", accept('text/html;a="text/event-stream"')],
  ["parameter", "with a parameter", accept("text/event-stream;charset=utf-8")],
  ["two", "in a second Accept header", "GET /sse HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nAccept: text/event-stream\r\n\r\n"],
  ["post", "with POST", "POST /sse HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nContent-Length: 3\r\n\r\nabc"],
  ["head", "with HEAD", "HEAD /sse HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n", { heads: [0] }],
  ["1.0", "over HTTP/1.0", "GET /sse HTTP/1.0\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n"],
]);

function accept(value: string): string {
  return `GET /sse HTTP/1.1\r\nHost: a\r\nAccept: ${value}\r\n\r\n`;
}
