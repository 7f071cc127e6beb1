/** What may stand in Host: deno fact 67, the path forgery. */
import { assertEquals } from "@std/assert";
import { isHost } from "../../src/wire/host.ts";

const GOOD = [
  "",
  "localhost",
  "example.com",
  "example.com:80",
  "example.com:",
  "EXAMPLE.com:65535",
  "127.0.0.1:5000",
  "[::1]",
  "[::1]:5000",
  "[2001:db8::192.0.2.1]:443",
  "[fe80::1%25eth0]",
  "a_b.example",
  "x-y.example.",
  "sub~d!$&'()*+,;=.example",
  "%41.example",
  ":80",
];

const BAD = [
  "a/fake?q=",
  "a/b",
  "a?b",
  "a#b",
  "a\\b",
  "b@d",
  "user:pass@host",
  "b d",
  " a",
  "a ",
  "a\t",
  "a\n",
  "a\0",
  "a:80:80",
  "a:b",
  "a:-1",
  "a:123456",
  "::1",
  "[::1",
  "::1]",
  "[::1]x",
  "[]:80",
  "[g::1]",
  "[::1]/",
  "[::1%eth0]",
  "http://a",
  "%zz",
  "a%4",
  "a,b/c",
  '"a"',
  "<a>",
  "a^b",
  "a|b",
  "a`b",
  "é",
  "a\u20ac",
];

for (const value of GOOD) Deno.test(`isHost() takes ${JSON.stringify(value)}`, () => assertEquals(isHost(value), true));
for (const value of BAD) Deno.test(`isHost() refuses ${JSON.stringify(value)}`, () => assertEquals(isHost(value), false));

Deno.test("isHost() lets nothing through that moves the path of a URL", () => {
  for (let code = 0; code <= 0xff; code++) {
    for (const value of [`h${String.fromCharCode(code)}`, `h${String.fromCharCode(code)}x`, `h:80${String.fromCharCode(code)}`]) {
      if (!isHost(value)) continue;
      const url = new URL(`http://${value}/real?q=1`);
      assertEquals([url.pathname, url.search, url.username], ["/real", "?q=1", ""], JSON.stringify(value));
    }
  }
});
