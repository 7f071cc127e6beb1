/** The request target: HTTP-007 to HTTP-013. */
import { assertEquals, assertThrows } from "@std/assert";
import { PeerError } from "../../src/spec/errors.ts";
import { decodePath, splitTarget } from "../../src/wire/target.ts";

const utf8 = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text));

const TABLE: [target: string, path: string, rawPath: string, query: string][] = [
  ["/", "/", "/", ""],
  ["/plain/path", "/plain/path", "/plain/path", ""],
  ["/caf%C3%A9", "/café", "/caf%C3%A9", ""],
  ["/caf%c3%a9", "/café", "/caf%c3%a9", ""],
  ["/invalid/%FF%FE/test", "/invalid/\xff\xfe/test", "/invalid/%FF%FE/test", ""],
  ["/%C3%A9%FF", "/\xc3\xa9\xff", "/%C3%A9%FF", ""],
  [`/${utf8("é")}`, "/é", "/\xc3\xa9", ""],
  ["/\xff", "/\xff", "/\xff", ""],
  ["/%F0%9F%98%80", "/😀", "/%F0%9F%98%80", ""],
  ["/%EF%BB%BFx", "/\ufeffx", "/%EF%BB%BFx", ""],
  ["/%C0%AF", "/\xc0\xaf", "/%C0%AF", ""],
  ["/%ED%A0%80", "/\xed\xa0\x80", "/%ED%A0%80", ""],
  ["/a+b", "/a+b", "/a+b", ""],
  ["/a%2Fb", "/a/b", "/a%2Fb", ""],
  ["/100%25", "/100%", "/100%25", ""],
  ["/%2541", "/%41", "/%2541", ""],
  ["/a%00b", "/a\0b", "/a%00b", ""],
  ["//a//b", "//a//b", "//a//b", ""],
  ["/a/../b/./c", "/a/../b/./c", "/a/../b/./c", ""],
  ["/a%2e%2e/b", "/a../b", "/a%2e%2e/b", ""],
  ["/a\\b", "/a\\b", "/a\\b", ""],
  ["/x?", "/x", "/x", ""],
  ["/x?a=1&b=%zz", "/x", "/x", "a=1&b=%zz"],
  ["/x??a", "/x", "/x", "?a"],
  ["/x?a?b", "/x", "/x", "a?b"],
  ["/x?caf%C3%A9", "/x", "/x", "caf%C3%A9"],
  ["/x%3Fa", "/x?a", "/x%3Fa", ""],
  ["/x#frag", "/x#frag", "/x#frag", ""],
  ["/x?q#frag", "/x", "/x", "q#frag"],
  ["?a=b", "/", "/", "a=b"],
  ["*", "*", "*", ""],
];

for (const [target, path, rawPath, query] of TABLE) {
  Deno.test(`splitTarget() splits ${JSON.stringify(target)}`, () => assertEquals(splitTarget(target), { rawPath, path, query }));
}

for (const target of ["/%", "/%4", "/%zz", "/a%4/b", "/%u0041", "/%%41", "/%C3%", "/é%", "/\u20ac%4", "/%+1", "/% 1"]) {
  Deno.test(`splitTarget() refuses the escape in ${JSON.stringify(target)}`, () => {
    const error = assertThrows(() => splitTarget(target), PeerError, "malformed escape");
    assertEquals([error.status, error.reason], [400, "protocol_error"]);
  });
}

Deno.test("decodePath() agrees with decodeURIComponent() on everything that is UTF-8", () => {
  for (let code = 1; code < 0x11000; code += 37) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const text = `/a${String.fromCodePoint(code)}b`;
    assertEquals(decodePath(encodeURI(text).replaceAll("#", "%23").replaceAll("?", "%3F")), text);
    assertEquals(decodePath(utf8(text).replaceAll("%", "%25")), text);
  }
});

Deno.test("decodePath() decodes each single escaped byte", () => {
  for (let byte = 0; byte <= 0xff; byte++) {
    const escape = `%${byte.toString(16).padStart(2, "0")}`;
    assertEquals(decodePath(`/${escape}`), `/${String.fromCharCode(byte)}`);
    assertEquals(decodePath(`/${escape.toUpperCase()}`), `/${String.fromCharCode(byte)}`);
  }
});

Deno.test("decodePath() takes a path that was decoded before", () => {
  assertEquals(decodePath("%EF%BB%BFx"), "\ufeffx");
  assertEquals(decodePath("/\u20ac"), "/\u20ac");
  assertEquals(decodePath("/\u20ac%41"), "/\u20acA");
  // Wide characters next to bytes that are not UTF-8 are bytes too.
  assertEquals(decodePath("/\u20ac%FF"), "/\xe2\x82\xac\xff");
});
