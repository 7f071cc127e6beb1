/** Range headers. RFC 9110 section 14. */
import { assertEquals } from "@std/assert";
import { parseRange } from "../../../src/toolkit/apps/byte_range.ts";

const TABLE: [value: string | null, expected: ReturnType<typeof parseRange>][] = [
  [null, null],
  ["bytes=0-0", { offset: 0, length: 1 }],
  ["bytes=0-99", { offset: 0, length: 100 }],
  ["bytes=10-19", { offset: 10, length: 10 }],
  ["bytes=99-99", { offset: 99, length: 1 }],
  ["bytes=90-", { offset: 90, length: 10 }],
  ["bytes=0-", { offset: 0, length: 100 }],
  ["bytes=90-9999", { offset: 90, length: 10 }],
  ["bytes=-10", { offset: 90, length: 10 }],
  ["bytes=-100", { offset: 0, length: 100 }],
  ["bytes=-9999", { offset: 0, length: 100 }],
  ["BYTES=0-0", { offset: 0, length: 1 }],
  ["bytes = 0 - 0", { offset: 0, length: 1 }],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=100-", "unsatisfiable"],
  ["bytes=100-200", "unsatisfiable"],
  ["bytes=99999999999999999999-", "unsatisfiable"],
  ["bytes=5-2", null],
  ["bytes=0-1,3-4", null],
  ["bytes=-", null],
  ["bytes=", null],
  ["bytes", null],
  ["items=0-1", null],
  ["bytes=a-b", null],
  ["bytes=0x0-1", null],
  ["bytes=-1-2", null],
  ["bytes=1.5-2", null],
  ["", null],
];
for (const [value, expected] of TABLE) {
  Deno.test(`parseRange() of ${JSON.stringify(value)} in 100 bytes`, () => assertEquals(parseRange(value, 100), expected));
}

Deno.test("parseRange() finds nothing in an empty file", () => {
  for (const value of ["bytes=0-", "bytes=0-0", "bytes=-5"]) assertEquals(parseRange(value, 0), "unsatisfiable", value);
});

Deno.test("parseRange() stays within the file, whatever is asked", () => {
  for (let round = 0; round < 2000; round++) {
    const size = Math.floor(Math.random() * 50);
    const number = () => Math.random() < 0.2 ? "" : String(Math.floor(Math.random() * 60));
    const range = parseRange(`bytes=${number()}-${number()}`, size);
    if (range === null || range === "unsatisfiable") continue;
    assertEquals(range.offset >= 0 && range.length > 0 && range.offset + range.length <= size, true, JSON.stringify({ range, size }));
  }
});
