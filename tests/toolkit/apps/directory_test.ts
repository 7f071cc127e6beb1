/** The directory app over real sockets: what it serves, and what it never gives away. */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { StartupError } from "../../../src/spec/errors.ts";
import type { SendEvent } from "../../../src/spec/events.ts";
import type { Scope } from "../../../src/spec/scope.ts";
import { directoryApp } from "../../../src/toolkit/apps/directory.ts";
import { get, parts, raw, readUntil, type Served, served, write } from "../serving.ts";
import { needs } from "../../tools.ts";

const BIG = Uint8Array.from({ length: 200_000 }, (_, at) => (at * 7919) & 0xff);
const ODD = [
  "a b.txt",
  "q?x.txt",
  "h#x.txt",
  "100%.txt",
  "quote'\".txt",
  "<script>alert(1)<.txt",
  "a:b.txt",
  "naïve €.txt",
  "back`tick&amp;.txt",
];

/** public/ and beside it secrets, a sibling with the same prefix, and links of every kind. */
async function makeTree(): Promise<string> {
  const base = await Deno.makeTempDir({ prefix: "directory_" });
  const root = `${base}/public`;
  for (const folder of ["public/sub/deep", "public/site", "public/empty", "public/.git", "public/sub/.hidden", "public-secret"]) {
    await Deno.mkdir(`${base}/${folder}`, { recursive: true });
  }
  await Deno.writeTextFile(`${base}/secret.txt`, "secret");
  await Deno.writeTextFile(`${base}/public-secret/secret.txt`, "secret");
  await Deno.writeTextFile(`${root}/hello.txt`, "hello, world\n");
  await Deno.writeTextFile(`${root}/empty.txt`, "");
  await Deno.writeTextFile(`${root}/app.ts`, "export default 1;\n");
  await Deno.writeTextFile(`${root}/data.json`, "{}");
  await Deno.writeTextFile(`${root}/.env`, "secret");
  await Deno.writeTextFile(`${root}/.git/config`, "secret");
  await Deno.writeTextFile(`${root}/sub/.hidden/x`, "secret");
  await Deno.writeTextFile(`${root}/sub/deep/leaf.txt`, "leaf");
  await Deno.writeTextFile(`${root}/site/index.html`, "<p>the index</p>");
  await Deno.writeFile(`${root}/big.bin`, BIG);
  for (const name of ODD) await Deno.writeTextFile(`${root}/sub/${name}`, `in ${name}`);
  await Deno.symlink("../secret.txt", `${root}/out.txt`);
  await Deno.symlink("../public-secret", `${root}/out`);
  await Deno.symlink("sub/deep", `${root}/inside`);
  await Deno.symlink(".git", `${root}/shown`);
  await Deno.symlink("nowhere", `${root}/dangling`);
  await Deno.symlink("loop", `${root}/loop`);
  return base;
}

function test(name: string, body: (server: Served, root: string) => Promise<void>, tools: readonly string[] = []): void {
  Deno.test(needs(tools, `directoryApp() ${name}`), async () => {
    const base = await makeTree();
    try {
      await using server = await served(directoryApp(`${base}/public`));
      await body(server, `${base}/public`);
    } finally {
      await Deno.remove(base, { recursive: true });
    }
  });
}

test("serves a file with its type, length and validators", async ({ url }) => {
  const response = await fetch(`${url}/hello.txt`);
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("content-type"), "text/plain; charset=UTF-8");
  assertEquals(response.headers.get("content-length"), "13");
  assertEquals(response.headers.get("accept-ranges"), "bytes");
  assertEquals(response.headers.get("x-content-type-options"), "nosniff");
  assert(response.headers.get("etag"));
  assert(Date.parse(response.headers.get("last-modified")!) > 0);
  assertEquals(await response.text(), "hello, world\n");
});

test("knows media types, and TypeScript better than the registry", async ({ url }) => {
  for (
    const [path, type] of [["/data.json", "application/json"], ["/app.ts", "text/plain"], ["/big.bin", "application/octet-stream"], [
      "/site/index.html",
      "text/html",
    ]] as const
  ) {
    const response = await fetch(url + path);
    await response.body?.cancel();
    assertStringIncludes(response.headers.get("content-type")!, type);
  }
});

test("serves big, empty and nested files byte for byte", async ({ url }) => {
  assertEquals(await (await fetch(`${url}/big.bin`)).bytes(), BIG);
  const empty = await fetch(`${url}/empty.txt`);
  assertEquals([empty.status, empty.headers.get("content-length"), await empty.text()], [200, "0", ""]);
  assertEquals(await (await fetch(`${url}/sub/deep/leaf.txt`)).text(), "leaf");
  assertEquals(await (await fetch(`${url}/inside/leaf.txt`)).text(), "leaf", "a link inside the root");
});

test("serves index.html for its folder", async ({ url }) => {
  const response = await fetch(`${url}/site/`);
  assertEquals([response.status, await response.text()], [200, "<p>the index</p>"]);
});

test("answers HEAD with the headers of GET", async ({ port }) => {
  for (const target of ["/hello.txt", "/big.bin", "/sub/", "/missing"]) {
    const want = parts(await raw(port, get(target)));
    const have = parts(await raw(port, get(target).replace("GET", "HEAD")));
    assertEquals(have.body, "");
    assertEquals(have.status, want.status);
    const length = (headers: string) => /content-length: (\d+)/.exec(headers)?.[1];
    assertEquals(length(have.headers), length(want.headers), target);
    assert(length(have.headers) !== undefined);
  }
});

test("answers 405 with Allow to every other method", async ({ url }) => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"]) {
    const response = await fetch(`${url}/hello.txt`, { method });
    await response.body?.cancel();
    assertEquals([response.status, response.headers.get("allow")], [405, "GET, HEAD"], method);
  }
});

test("lists a folder: directories first, then names, links that work, and no hidden name", async ({ url }) => {
  const page = await (await fetch(`${url}/`)).text();
  const shown = [...page.matchAll(/<a href="([^"]+)">([^<]+)<\/a>/g)].map((match) => match[2]);
  assertEquals(shown, ["empty/", "inside/", "site/", "sub/", "app.ts", "big.bin", "data.json", "empty.txt", "hello.txt"]);
  for (const name of [".env", ".git", "out", "shown", "dangling", "loop", "secret"]) {
    assert(!shown.includes(name) && !shown.includes(`${name}/`), name);
  }
  assertStringIncludes(page, "200.0 kB");
  assert(!page.includes("../"), "the root has no way up");
});

test("escapes the names of a listing, and each of its links leads to its file", async ({ url }) => {
  const response = await fetch(`${url}/sub/`);
  assertStringIncludes(response.headers.get("content-security-policy")!, "default-src 'none'");
  const page = await response.text();
  assert(!page.includes("<script>"));
  assertStringIncludes(page, `<a href="../">../</a>`);
  const hrefs = [...page.matchAll(/<a href="(\.\/[^"]+)"/g)].map((match) => match[1]!.replaceAll("&#39;", "'").replaceAll("&amp;", "&"));
  const texts: string[] = [];
  for (const href of hrefs) if (!href.endsWith("/")) texts.push(await (await fetch(new URL(href, `${url}/sub/`))).text());
  assertEquals(texts.sort(), ODD.map((name) => `in ${name}`).sort());
});

test("says so where a folder is empty", async ({ url }) => {
  assertStringIncludes(await (await fetch(`${url}/empty/`)).text(), "Nothing is here.");
});

test("sends a folder without its slash to the one with it, and to no other host", async ({ port }) => {
  const { status, headers } = parts(await raw(port, get("/sub?sort=a&b")));
  assertEquals(status, 308);
  assertStringIncludes(headers, "\r\nlocation: ./sub/?sort=a&b\r\n");
  assertEquals(parts(await raw(port, get("//sub"))).status, 404);
  assertEquals(parts(await raw(port, get("//example.com/sub"))).status, 404);
  assertEquals(parts(await raw(port, get("/hello.txt/"))).status, 404);
});

const MISSING = [
  "/missing",
  "/missing/x",
  "/hello.txt/x",
  "/.env",
  "/.git/",
  "/.git/config",
  "/sub/.hidden/x",
  "/%2eenv",
  "/..",
  "/../secret.txt",
  "/sub/../../secret.txt",
  "/%2e%2e/secret.txt",
  "/..%2fsecret.txt",
  "/sub%2f..%2f..%2fsecret.txt",
  "/sub%2Fdeep/leaf.txt",
  "/..%5csecret.txt",
  "/..\\secret.txt",
  "/sub\\deep",
  "/%252e%252e/secret.txt",
  "/hello.txt%00",
  "/hello.txt%00.png",
  "/...",
  "/sub//deep/leaf.txt",
  "/./hello.txt",
  "/../public-secret/secret.txt",
  "/dangling",
  "/loop",
  `/${"a".repeat(300)}`,
];
for (const target of MISSING) {
  test(`answers 404 to ${target.slice(0, 60)}`, async ({ port }) => {
    const { status, body } = parts(await raw(port, get(target)));
    assertEquals([status, body], [404, "Not Found\n"]);
  });
}

for (const target of ["/out.txt", "/out/", "/out/secret.txt", "/out", "/shown/config", "/shown/"]) {
  test(`answers 403 where a link leads out or to what is hidden: ${target}`, async ({ port }) => {
    const { status, body } = parts(await raw(port, get(target)));
    assertEquals([status, body], [403, "Forbidden\n"]);
  });
}

test("answers 404 to a pipe, and does not wait for its writer", async ({ port }, root) => {
  assert((await new Deno.Command("mkfifo", { args: [`${root}/pipe`] }).output()).success);
  assertEquals(parts(await raw(port, get("/pipe"))).status, 404);
});

test("answers 304 to a known tag or date", async ({ url }) => {
  const first = await fetch(`${url}/hello.txt`);
  await first.body?.cancel();
  const tag = first.headers.get("etag")!;
  const modified = first.headers.get("last-modified")!;
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(`${url}/hello.txt`, { headers });
    return [response.status, (await response.text()).length];
  };
  assertEquals(await ask({ "if-none-match": tag }), [304, 0]);
  assertEquals(await ask({ "if-none-match": `"other", ${tag}` }), [304, 0]);
  assertEquals(await ask({ "if-none-match": "*" }), [304, 0]);
  assertEquals(await ask({ "if-none-match": '"other"' }), [200, 13]);
  assertEquals(await ask({ "if-modified-since": modified }), [304, 0]);
  assertEquals(await ask({ "if-modified-since": new Date(Date.parse(modified) + 60_000).toUTCString() }), [304, 0]);
  assertEquals(await ask({ "if-modified-since": new Date(Date.parse(modified) - 1000).toUTCString() }), [200, 13]);
  assertEquals(await ask({ "if-modified-since": "nonsense" }), [200, 13]);
  assertEquals(await ask({ "if-none-match": '"other"', "if-modified-since": modified }), [200, 13], "the tag counts first");
});

test("answers single ranges with their bytes", async ({ url }) => {
  const ask = async (range: string, more: Record<string, string> = {}) => {
    const response = await fetch(`${url}/big.bin`, { headers: { range, ...more } });
    return { status: response.status, range: response.headers.get("content-range"), bytes: await response.bytes() };
  };
  assertEquals(await ask("bytes=1000-1999"), { status: 206, range: "bytes 1000-1999/200000", bytes: BIG.slice(1000, 2000) });
  assertEquals(await ask("bytes=-10"), { status: 206, range: "bytes 199990-199999/200000", bytes: BIG.slice(-10) });
  assertEquals(await ask("bytes=100000-"), { status: 206, range: "bytes 100000-199999/200000", bytes: BIG.slice(100_000) });
  const none = await ask("bytes=200000-");
  assertEquals([none.status, none.range], [416, "bytes */200000"]);
  assertEquals((await ask("bytes=0-1,5-6")).bytes, BIG);
  assertEquals((await ask("bytes=0-1", { "if-range": '"other"' })).status, 200);
  const { headers, body } = await fetch(`${url}/big.bin`);
  await body?.cancel();
  assertEquals((await ask("bytes=0-1", { "if-range": headers.get("last-modified")! })).status, 206);
  const head = await fetch(`${url}/big.bin`, { method: "HEAD", headers: { range: "bytes=0-1" } });
  assertEquals([head.status, head.headers.get("content-length")], [200, "200000"], "a range is for GET");
});

test("is downloaded, resumed and listed by curl", async ({ url }, root) => {
  const curl = async (...args: string[]) => {
    const { code, stdout } = await new Deno.Command("curl", { args: ["-sS", "--max-time", "20", ...args] }).output();
    assertEquals(code, 0);
    return stdout;
  };
  await Deno.writeFile(`${root}/../part.bin`, BIG.slice(0, 77_777));
  await curl("-C", "-", "-o", `${root}/../part.bin`, `${url}/big.bin`);
  assertEquals(await Deno.readFile(`${root}/../part.bin`), BIG);
  assertEquals(await curl("-L", `${url}/sub`), await curl(`${url}/sub/`));
}, ["curl"]);

test("declines an event stream with 406 and refuses a WebSocket", async ({ port }) => {
  assertEquals(parts(await raw(port, get("/hello.txt", "Accept: text/event-stream\r\n"))).status, 406);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  await write(connection, `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${key}\r\n\r\n`);
  assertStringIncludes(await readUntil(connection, "\r\n\r\n"), "HTTP/1.1 403 ");
});

Deno.test("directoryApp() refuses what is no folder", async () => {
  const file = await Deno.makeTempFile();
  try {
    assertThrows(() => directoryApp(`${file}/missing`), StartupError, "Cannot serve the directory");
    assertThrows(() => directoryApp(file), StartupError, "it is a file, and a directory is needed");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("directoryApp() throws on a lifespan scope, so that the server goes on without one", async () => {
  const events: SendEvent[] = [];
  const scope = { type: "lifespan" } as Scope;
  await assertRejects(
    () => directoryApp(".")(scope, () => Promise.reject(new Error("not asked")), (event) => Promise.resolve(void events.push(event))),
    Error,
    'scope type "lifespan"',
  );
  assertEquals(events, []);
});
