/** Close codes and texts. RFC 6455 sections 5.5 and 7.4. */
import { assertEquals } from "@std/assert";
import { closeTextProblem, isCloseCode } from "../../src/wire/close_codes.ts";

Deno.test("isCloseCode() takes what an application may send", () => {
  const good = new Set([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]);
  for (let code = 0; code < 6000; code++) assertEquals(isCloseCode(code), good.has(code) || (code >= 3000 && code <= 4999), String(code));
});

Deno.test("isCloseCode() refuses what is no integer", () => {
  for (const code of [1000.5, NaN, Infinity, -1000, "1000", null, undefined, true, 1000n]) {
    assertEquals(isCloseCode(code), false, String(code));
  }
});

Deno.test("closeTextProblem() counts bytes, not characters", () => {
  const table: [text: string, bytes: number][] = [
    ["", 0],
    ["a".repeat(123), 123],
    ["a".repeat(124), 124],
    ["é".repeat(61), 122],
    ["é".repeat(62), 124],
    ["€".repeat(41), 123],
    ["€".repeat(42), 126],
    ["😀".repeat(30), 120],
    ["😀".repeat(31), 124],
    [`${"a".repeat(120)}€`, 123],
    [`${"a".repeat(121)}€`, 124],
  ];
  for (const [text, bytes] of table) {
    assertEquals(closeTextProblem(text), bytes <= 123 ? null : `has ${bytes} bytes: a close frame takes 123`, text);
  }
});
