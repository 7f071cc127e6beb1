/** Header bytes: HTTP-066, HTTP-067, HTTP-068 (the check behind them), deno fact 18. */
import { assert, assertEquals } from "@std/assert";
import { headerProblem, isToken } from "../../src/wire/headers.ts";

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

Deno.test("headerProblem() judges every byte of a value", () => {
  for (let code = 0; code <= 0xff; code++) {
    const isControl = (code < 0x20 && code !== 0x09) || code === 0x7f;
    for (const value of [String.fromCharCode(code), `a${String.fromCharCode(code)}b`]) {
      const problem = headerProblem("x-a", value);
      if (!isControl) assertEquals(problem, null, `byte ${code}`);
      else assertEquals(problem, `header "x-a" holds the control byte 0x${code.toString(16).toUpperCase().padStart(2, "0")}`);
    }
  }
});

Deno.test("headerProblem() refuses every code unit that is no byte", () => {
  for (let code = 0x100; code <= 0xffff; code += 251) {
    assert(headerProblem("x-a", String.fromCharCode(code)) !== null, `U+${code.toString(16)}`);
  }
  assertEquals(headerProblem("x-a", "price: 5 €"), 'header "x-a" holds the character U+20AC, which is no byte');
  assertEquals(headerProblem("x-a", "\u{1F600}"), 'header "x-a" holds the character U+1F600, which is no byte');
});

Deno.test("headerProblem() judges every byte of a name", () => {
  for (let code = 0; code <= 0x17f; code++) {
    const character = String.fromCharCode(code);
    const isGood = TOKEN_CHARACTERS.includes(character);
    for (const name of [character, `x${character}`, `${character}x`]) {
      assertEquals(isToken(name), isGood, `name ${JSON.stringify(name)}`);
      assertEquals(headerProblem(name, "v"), isGood ? null : `header name ${JSON.stringify(name)} is not a token`);
    }
  }
});

Deno.test("headerProblem() refuses what would split a message", () => {
  for (const end of ["\n", "\r", "\r\n", "\0"]) {
    assert(headerProblem(`x-a${end}`, "v") !== null);
    assert(headerProblem("x-a", `v${end}`) !== null, JSON.stringify(end));
    assert(headerProblem("x-a", `v${end}set-cookie: a=b`) !== null);
    assert(headerProblem("x-a", end) !== null);
  }
});

Deno.test("headerProblem() names the name before the value", () => {
  assertEquals(headerProblem("a b", "\x01"), 'header name "a b" is not a token');
  assertEquals(headerProblem("", ""), 'header name "" is not a token');
  assertEquals(headerProblem("x-empty", ""), null);
});

Deno.test("headerProblem() stays fast on a long value", () => {
  const value = "a".repeat(1_000_000);
  assertEquals(headerProblem("x-a", value), null);
  assertEquals(headerProblem("x-a", `${value}\x7f`), 'header "x-a" holds the control byte 0x7F');
});
