/** The request target: path, raw path, query. */

import { assertEquals } from "@std/assert";
import { scopes } from "../apps.ts";
import { row } from "../suite.ts";

/** Target → what the scope says: path, raw_path, query_string. */
async function paths(target: Parameters<Parameters<typeof row>[3]>[0], cases: Record<string, [string, string, string]>): Promise<void> {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  for (const [asked, expected] of Object.entries(cases)) {
    assertEquals((await server.request({ target: asked })).status, 200, asked);
    const { path, raw_path, query_string } = await seen.take();
    assertEquals([path, raw_path, query_string], expected, asked);
  }
}

row("HTTP-007", "`path` is percent-decoded, then decoded as UTF-8", {}, (target) =>
  paths(target, {
    "/caf%C3%A9": ["/café", "/caf%C3%A9", ""],
    "/%e6%97%a5%E6%9C%AC/x": ["/日本/x", "/%e6%97%a5%E6%9C%AC/x", ""],
    "/%F0%9F%98%80": ["/😀", "/%F0%9F%98%80", ""],
  }));

row("HTTP-008", "A path that is not UTF-8 keeps its bytes, one code unit for each", {}, (target) =>
  paths(target, {
    "/invalid/%FF%FE/test": ["/invalid/\xff\xfe/test", "/invalid/%FF%FE/test", ""],
    "/%C3%A9%FF": ["/\xc3\xa9\xff", "/%C3%A9%FF", ""],
    "/%C3": ["/\xc3", "/%C3", ""],
    "/%ED%A0%80": ["/\xed\xa0\x80", "/%ED%A0%80", ""],
  }));

row(
  "HTTP-009",
  "`raw_path` is the path as it was sent, without the query",
  {},
  (target) => paths(target, { "/a%2Fb/%7e?x=%2F": ["/a/b/~", "/a%2Fb/%7e", "x=%2F"], "/%61": ["/a", "/%61", ""] }),
);

row("HTTP-010", "Bytes above 0x7F that are not escaped are taken; `path` decodes them as UTF-8", {
  wire: true,
  except: { node: "llhttp refuses them, as RFC 9112 section 3.2 has it" },
}, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  assertEquals((await server.request({ target: "/caf\xc3\xa9" })).status, 200);
  assertEquals((await seen.take()).path, "/café");
});

row("HTTP-010", "or answered 400", { wire: true, instead: "node" }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  assertEquals([(await server.request({ target: "/caf\xc3\xa9" })).status, seen.waiting], [400, 0]);
});

row("HTTP-011", "Nothing is normalised: `+`, `//`, `..`, `%2F`, `%25`, `%00`", {}, (target) =>
  paths(target, {
    "/a+b": ["/a+b", "/a+b", ""],
    "/a%2Fb": ["/a/b", "/a%2Fb", ""],
    "/%25%20": ["/% ", "/%25%20", ""],
    "/%00x": ["/\0x", "/%00x", ""],
    "//a//b/": ["//a//b/", "//a//b/", ""],
    "/a/../b/./c": ["/a/../b/./c", "/a/../b/./c", ""],
    "/%2e%2e/x": ["/../x", "/%2e%2e/x", ""],
  }));

row(
  "HTTP-012",
  "A malformed escape in the path is answered 400, and the app is not called; in the query it is left alone",
  {},
  async (target) => {
    const { app, seen } = scopes();
    await using server = await target.start(app);
    for (const bad of ["/%zz", "/%4", "/a%", "/%C3%G0"]) assertEquals((await server.request({ target: bad })).status, 400, bad);
    assertEquals((await server.request({ target: "/a?%zz&%4" })).status, 200);
    assertEquals((await seen.take()).query_string, "%zz&%4");
    assertEquals(seen.waiting, 0);
  },
);

row("HTTP-013", "`query_string` is what follows the first `?`, still encoded", {}, (target) =>
  paths(target, {
    "/x?a=%20b&c": ["/x", "/x", "a=%20b&c"],
    "/x?": ["/x", "/x", ""],
    "/x": ["/x", "/x", ""],
    "/x??a": ["/x", "/x", "?a"],
    "/x?a?b": ["/x", "/x", "a?b"],
  }));
