/** The scope type of a request: WS-001 to WS-004, SSE-003, D35. */
import { assertEquals } from "@std/assert";
import { classify } from "../../src/wire/classify.ts";

type Fields = Record<string, string>;
const HANDSHAKE: Fields = { upgrade: "websocket", connection: "Upgrade", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };

const of = (headers: Fields, method = "GET", version = "1.1"): string => classify(method, version, (name) => headers[name] ?? null);

const without = (name: string): Fields => Object.fromEntries(Object.entries(HANDSHAKE).filter(([key]) => key !== name));

const SOCKETS: [label: string, headers: Fields, expected: string][] = [
  ["all three headers", HANDSHAKE, "websocket"],
  ["any case", { ...HANDSHAKE, upgrade: "WebSocket", connection: "upgrade" }, "websocket"],
  ["a list in Connection", { ...HANDSHAKE, connection: "keep-alive, Upgrade" }, "websocket"],
  ["a list without blanks", { ...HANDSHAKE, connection: "keep-alive,upgrade" }, "websocket"],
  ["no Upgrade", without("upgrade"), "http"],
  ["no Connection", without("connection"), "http"],
  ["no key", without("sec-websocket-key"), "http"],
  ["another protocol", { ...HANDSHAKE, upgrade: "h2c" }, "http"],
  ["a longer protocol", { ...HANDSHAKE, upgrade: "websocketx" }, "http"],
  ["a list of protocols", { ...HANDSHAKE, upgrade: "websocket, h2c" }, "http"],
  ["another Connection option", { ...HANDSHAKE, connection: "upgrades" }, "http"],
  ["a malformed key: the handshake check answers that", { ...HANDSHAKE, "sec-websocket-key": "x" }, "websocket"],
  ["an event stream too", { ...HANDSHAKE, accept: "text/event-stream" }, "websocket"],
  ["an event stream and half a handshake", { ...without("upgrade"), accept: "text/event-stream" }, "sse"],
];
for (const [label, headers, expected] of SOCKETS) {
  Deno.test(`classify() says ${expected} for a handshake with ${label}`, () => assertEquals(of(headers), expected));
}

Deno.test("classify() sends a handshake of another method to the handshake check", () => assertEquals(of(HANDSHAKE, "POST"), "websocket"));
Deno.test("classify() ignores Upgrade over HTTP/2", () => assertEquals(of(HANDSHAKE, "GET", "2"), "http"));

const STREAMS: [accept: string, expected: string][] = [
  ["text/event-stream", "sse"],
  ["TEXT/EVENT-STREAM", "sse"],
  ["text/html, text/event-stream", "sse"],
  ["text/event-stream,text/html", "sse"],
  ["text/html;q=0.9,text/event-stream;q=0.1", "sse"],
  [" text/event-stream ", "sse"],
  ["text/event-stream;charset=utf-8", "sse"],
  ["text/event-stream; q=0.001", "sse"],
  ["text/event-stream;Q=1", "sse"],
  ["text/event-stream;q=0", "http"],
  ["text/event-stream; q=0.000", "http"],
  ["text/event-stream ; q=0, text/html", "http"],
  ["text/event-stream;charset=utf-8;q=0", "http"],
  ["text/event-stream;q=x", "http"],
  ["text/event-streamx", "http"],
  ["xtext/event-stream", "http"],
  ["application/event-stream", "http"],
  ["text/*", "http"],
  ["*/*", "http"],
  ["", "http"],
  ['text/html;x=",text/event-stream,"', "http"],
  ['text/html;x="\\",text/event-stream"', "http"],
  ['text/html;x="a,b", text/event-stream', "sse"],
];
for (const [accept, expected] of STREAMS) {
  Deno.test(`classify() says ${expected} for Accept: ${accept}`, () => {
    for (const method of ["GET", "POST", "HEAD", "DELETE"]) assertEquals(of({ accept }, method), expected);
    assertEquals(of({ accept }, "GET", "2"), expected);
    assertEquals(of({ accept }, "GET", "1.0"), expected);
  });
}

Deno.test("classify() says http where nothing asks for more", () => assertEquals(of({}), "http"));

Deno.test("classify() stays fast on a hostile Accept", () => {
  const started = performance.now();
  of({ accept: `text/event-stream;q="${"\\".repeat(100_000)}` });
  of({ accept: `event-stream${'"'.repeat(100_001)}` });
  assertEquals(performance.now() - started < 1000, true);
});
