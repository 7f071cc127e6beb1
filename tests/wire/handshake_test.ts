/** The WebSocket handshake: WS-003, WS-008, D58. RFC 6455 section 4.2. */
import { assertEquals } from "@std/assert";
import { handshakeProblem, splitSubprotocols } from "../../src/wire/handshake.ts";

type Fields = Record<string, string>;
const GOOD: Fields = { "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
const of = (headers: Fields, method = "GET", version = "1.1") => handshakeProblem(method, version, (name) => headers[name] ?? null);

Deno.test("handshakeProblem() finds none in the handshake of RFC 6455 section 1.3", () => assertEquals(of(GOOD), null));

Deno.test("handshakeProblem() takes every key of 16 bytes", () => {
  for (let round = 0; round < 500; round++) {
    const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
    assertEquals(of({ ...GOOD, "sec-websocket-key": key }), null, key);
  }
});

Deno.test("handshakeProblem() refuses a key of any other length", () => {
  for (let length = 0; length < 64; length++) {
    if (length === 16) continue;
    const key = btoa("x".repeat(length));
    assertEquals(of({ ...GOOD, "sec-websocket-key": key })?.status, 400, key);
  }
});

for (
  const key of [
    "",
    "x",
    "dGhlIHNhbXBsZSBub25jZQ=",
    "dGhlIHNhbXBsZSBub25jZQ",
    "dGhlIHNhbXBsZSBub25jZQ==x",
    "dGhlIHNhbXBsZSBub25jZR==",
    "dGhlIHNhbXBsZSBub25j_Q==",
  ]
) {
  Deno.test(`handshakeProblem() answers 400 to the key ${JSON.stringify(key)}`, () => {
    assertEquals(of({ ...GOOD, "sec-websocket-key": key })?.status, 400);
  });
}

for (const version of [undefined, "", "8", "12", "14", "013", "13, 8", "thirteen"]) {
  Deno.test(`handshakeProblem() answers 426 to the version ${version}`, () => {
    const { "sec-websocket-version": _, ...rest } = GOOD;
    const answer = of(version === undefined ? rest : { ...rest, "sec-websocket-version": version });
    assertEquals(answer?.status, 426);
    assertEquals(answer?.headers.filter(([name]) => name === "sec-websocket-version"), [["sec-websocket-version", "13"]]);
  });
}

Deno.test("handshakeProblem() answers 400 to another method and to HTTP/1.0", () => {
  for (const method of ["POST", "HEAD", "PUT", "get", "OPTIONS"]) assertEquals(of(GOOD, method)?.status, 400, method);
  assertEquals(of(GOOD, "GET", "1.0")?.status, 400);
});

const LISTS: [value: string | null, expected: string[]][] = [
  [null, []],
  ["", []],
  ["chat", ["chat"]],
  ["a,b", ["a", "b"]],
  ["a , b, c,,", ["a", "b", "c"]],
  [" \t,\t", []],
  ["v2.chat, v1.chat", ["v2.chat", "v1.chat"]],
  ["a,a", ["a", "a"]],
];
for (const [value, expected] of LISTS) {
  Deno.test(`splitSubprotocols() splits ${JSON.stringify(value)}`, () => assertEquals(splitSubprotocols(value), expected));
}
