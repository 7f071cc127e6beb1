/**
 * The parser of PROXY headers, with the bytes of the specification.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { parseProxyHeader, unmapped } from "../../src/engines/node_proxy_header.ts";

const SIGNATURE = "\r\n\r\n\x00\r\nQUIT\n";

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function v2(command: number, family: number, rest: string, length = rest.length): Uint8Array {
  return bytes(SIGNATURE + String.fromCharCode(command, family, length >> 8, length & 255) + rest);
}

const NOBODY = { source: null, destination: null };

Deno.test("v1: the lines of the specification", () => {
  for (
    const [line, source, destination] of [
      ["PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", ["192.168.0.1", 56324], ["192.168.0.11", 443]],
      ["PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", ["255.255.255.255", 65535], ["255.255.255.255", 65535]],
      ["PROXY TCP6 2001:DB8:0:0:0:0:0:1 ::1 1 0\r\n", ["2001:db8::1", 1], ["::1", 0]],
      ["PROXY TCP6 ::ffff:1.2.3.4 ::ffff:102:304 1 2\r\n", ["1.2.3.4", 1], ["1.2.3.4", 2]],
      [`PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`, [`${"ffff:".repeat(7)}ffff`, 65535], [
        `${"ffff:".repeat(7)}ffff`,
        65535,
      ]],
    ] as const
  ) {
    assertEquals(parseProxyHeader(bytes(line)), { kind: "whole", length: line.length, source, destination });
    // What follows is not touched, and no shorter text is whole.
    assertEquals(parseProxyHeader(bytes(`${line}PROXY`)), { kind: "whole", length: line.length, source, destination });
    for (let end = 0; end < line.length; end++) assertEquals(parseProxyHeader(bytes(line.slice(0, end))).kind, "partial");
  }
});

Deno.test("v1: UNKNOWN, whatever follows", () => {
  for (const line of ["PROXY UNKNOWN\r\n", `PROXY UNKNOWN ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`]) {
    assertEquals(parseProxyHeader(bytes(line)), { kind: "whole", length: line.length, ...NOBODY });
  }
});

Deno.test("v1: broken lines", () => {
  for (
    const [line, problem] of [
      ["GET / HTTP/1.1\r\n", "is missing"],
      ["proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "is missing"],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "does not end with CRLF"],
      ["PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "names no family of ours"],
      ["PROXY UNKNOWNS\r\n", "names no family of ours"],
      ["PROXY \r\n", "names no family of ours"],
      ["PROXY TCP4 1.2.3.4\r\n", "holds a broken address"],
      ["PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n", "holds a broken address"],
      ["PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n", "holds a broken address"],
      ["PROXY TCP4 ::1 ::1 1 2\r\n", "holds a broken address"],
      ["PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "holds a broken address"],
      ["PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", "holds a broken address"],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "holds a broken port"],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "holds a broken port"],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "holds a broken port"],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n", "holds a broken port"],
      ["PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", "is too long"],
      [`PROXY ${"x".repeat(101)}`, "is longer than 107 bytes"],
      [`PROXY UNKNOWN ${"x".repeat(92)}\r\n`, "is longer than 107 bytes"],
    ] as const
  ) assertEquals(parseProxyHeader(bytes(line)), { kind: "bad", problem }, line);
});

Deno.test("v2: addresses of each family", () => {
  const four = "\x7f\x00\x00\x01\x0a\x00\x00\x02\xff\xfe\x01\xbb";
  const six = `\x20\x01\x0d\xb8${"\x00".repeat(11)}\x01${"\x00".repeat(10)}\xff\xff\x01\x02\x03\x04\x00\x01\x00\x02`;
  const paths = `/run/a${"\x00".repeat(102)}${"b".repeat(108)}`;
  for (
    const [family, rest, source, destination] of [
      [0x11, four, ["127.0.0.1", 65534], ["10.0.0.2", 443]],
      [0x12, four, ["127.0.0.1", 65534], ["10.0.0.2", 443]],
      [0x21, six, ["2001:db8::1", 1], ["1.2.3.4", 2]],
      [0x31, paths, ["/run/a", null], ["b".repeat(108), null]],
      [0x11, `${four}\x03\x00\x04abcd`, ["127.0.0.1", 65534], ["10.0.0.2", 443]],
    ] as const
  ) {
    const header = v2(0x21, family, rest);
    const whole = { kind: "whole", length: header.length, source, destination } as const;
    assertEquals(parseProxyHeader(header), whole);
    assertEquals(parseProxyHeader(new Uint8Array([...header, 1, 2])), whole);
    for (let end = 0; end < header.length; end++) assertEquals(parseProxyHeader(header.subarray(0, end)).kind, "partial");
  }
});

Deno.test("v2: LOCAL, and a family that is not known", () => {
  for (
    const header of [v2(0x20, 0, ""), v2(0x20, 0x11, "abc"), v2(0x21, 0, ""), v2(0x21, 0, "\x04\x00\x01x"), v2(0x21, 0x10, "x".repeat(12))]
  ) {
    assertEquals(parseProxyHeader(header), { kind: "whole", length: header.length, ...NOBODY });
  }
});

Deno.test("v2: broken headers", () => {
  for (
    const [header, problem] of [
      [v2(0x11, 0x11, "x".repeat(12)), "is of version 1"],
      [v2(0x31, 0x11, "x".repeat(12)), "is of version 3"],
      [v2(0x22, 0x11, "x".repeat(12)), "holds an unknown command"],
      [v2(0x21, 0x41, "x".repeat(12)), "names no family of ours"],
      [v2(0x21, 0x13, "x".repeat(12)), "names no family of ours"],
      [v2(0x21, 0x11, "x".repeat(11)), "is too short for its addresses"],
      [v2(0x21, 0x21, "x".repeat(12)), "is too short for its addresses"],
      [v2(0x21, 0x11, "", 8177), "is longer than 8192 bytes"],
      [bytes("\r\n\r\nGET / "), "is missing"],
    ] as const
  ) assertEquals(parseProxyHeader(header), { kind: "bad", problem });
});

Deno.test("an IPv4 address that is written as IPv6 becomes itself", () => {
  assertEquals(["::ffff:1.2.3.4", "::1", "1.2.3.4", "::ffff:1"].map(unmapped), ["1.2.3.4", "::1", "1.2.3.4", "::ffff:1"]);
});
