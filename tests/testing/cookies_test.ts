/** The cookie jar. */

import { assertEquals } from "@std/assert";
import { CookieJar } from "../../src/testing/cookies.ts";

for (
  const [what, values, at, path, expected] of [
    ["a plain cookie", ["a=1"], "/", "/x", "a=1"],
    ["the folder of the request as default path", ["a=1"], "/one/two", "/one/three", "a=1"],
    ["nothing outside that folder", ["a=1"], "/one/two", "/other", null],
    ["longer paths first", ["a=1; Path=/", "b=2; Path=/x"], "/", "/x/y", "b=2; a=1"],
    ["a later cookie in place of the earlier", ["a=1", "b=1", "a=2"], "/", "/", "a=2; b=1"],
    ["no deleted cookie (Max-Age)", ["a=1", "a=; Max-Age=0"], "/", "/", null],
    ["no deleted cookie (Expires)", ["a=1", "a=; expires=Thu, 01 Jan 1970 00:00:00 GMT"], "/", "/", null],
    ["Max-Age before Expires", ["a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], "/", "/", "a=1"],
    ["a value with equals signs", ["a=b=c=="], "/", "/", "a=b=c=="],
    ["no secure cookie over plain http", ["a=1; Secure"], "/", "/", null],
    ["no cookie without a name", ["=1", "nonsense"], "/", "/", null],
  ] as [string, string[], string, string, string | null][]
) {
  Deno.test(`CookieJar.header() gives ${what}`, () => {
    const jar = new CookieJar();
    for (const value of values) jar.take([value], at);
    assertEquals(jar.header(path, false), expected);
  });
}

Deno.test("CookieJar sets, lists, deletes and clears", () => {
  const jar = new CookieJar();
  jar.set("a", "1");
  jar.take(["s=2; Secure; Path=/"], "/");
  assertEquals(jar.entries(), [["a", "1"], ["s", "2"]]);
  assertEquals(jar.header("/", true), "a=1; s=2");
  jar.delete("a");
  assertEquals([jar.get("a"), jar.get("s")], [undefined, "2"]);
  jar.clear();
  assertEquals(jar.entries(), []);
});
