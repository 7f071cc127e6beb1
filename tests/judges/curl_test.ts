/** curl on the node engine. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { needs } from "../tools.ts";
import { judge, judged } from "./judged.ts";

const TELL = ["-sS", "--max-time", "10", "-w", "\n%{http_version} %{response_code} %{size_upload} %{num_connects}"];

async function curl(...args: readonly string[]): Promise<string[]> {
  const { out, err, code } = await judge("curl", [...TELL, ...args]);
  assertEquals(code, 0, err);
  return out.split("\n");
}

Deno.test(needs("curl", "curl: every version and method, in cleartext"), async (t) => {
  await using server = await judged();
  const { url, path } = server;
  await Deno.writeFile(`${path}/upload`, new Uint8Array(1_000_000).fill(0x61));
  const rows: [name: string, args: string[], expected: string[]][] = [
    ["GET", [`${url}/a`], ["1.1 GET /a 0", "1.1 200 0 1"]],
    ["HTTP/1.0", ["--http1.0", `${url}/a`], ["1.0 GET /a 0", "1.1 200 0 1"]],
    ["h2c by prior knowledge", ["--http2-prior-knowledge", `${url}/a`], ["2 GET /a 0", "2 200 0 1"]],
    ["an upgrade to h2c, which is not taken", ["--http2", `${url}/a`], ["1.1 GET /a 0", "1.1 200 0 1"]],
    ["POST", ["-d", "abc", `${url}/p`], ["1.1 POST /p 3", "1.1 200 3 1"]],
    ["PUT of a megabyte, with Expect", ["-T", `${path}/upload`, `${url}/p`], ["1.1 PUT /p 1000000", "1.1 200 1000000 1"]],
    ["PUT over h2", ["--http2-prior-knowledge", "-T", `${path}/upload`, `${url}/p`], ["2 PUT /p 1000000", "2 200 1000000 1"]],
    ["two on one connection", [`${url}/1`, `${url}/2`], ["1.1 GET /1 0", "1.1 200 0 11.1 GET /2 0", "1.1 200 0 0"]],
    ["a method of its own", ["-X", "PURGE", `${url}/x`], ["1.1 PURGE /x 0", "1.1 200 0 1"]],
    ["dots and two slashes", ["--path-as-is", `${url}//a/../b`], ["1.1 GET //a/../b 0", "1.1 200 0 1"]],
  ];
  for (const [name, args, expected] of rows) await t.step(name, async () => assertEquals(await curl(...args), expected));

  await t.step("HEAD has the length and no body", async () => {
    for (const version of ["--http1.1", "--http2-prior-knowledge"]) {
      const { out } = await judge("curl", ["-sS", "-I", version, `${url}/head`]);
      assertStringIncludes(out.toLowerCase(), "content-length: ");
      assert(out.trimEnd().split("\r\n").at(-1)!.includes(":"), "nothing behind the head");
    }
  });
  await t.step("100 Continue comes when the app reads, and not where it does not", async () => {
    const ask = (target: string) =>
      judge("curl", ["-sSv", "--max-time", "10", "-H", "expect: 100-continue", "-d", "abc", `${url}${target}`]);
    assertStringIncludes((await ask("/read")).err, "< HTTP/1.1 100 Continue");
    const { err, out } = await ask("/unread");
    assert(!err.includes("100 Continue"), err);
    assertEquals(out, "1.1 POST /unread 0");
  });
  await t.step("an upload in chunks", async () => {
    const { out } = await judge("curl", ["-sS", "-T", `${path}/upload`, "-H", "transfer-encoding: chunked", `${url}/p`]);
    assertEquals(out, "1.1 PUT /p 1000000");
  });
  await t.step("trailers", async () => {
    const { out } = await judge("curl", ["-sS", "--raw", `${url}/trailers`]);
    assertEquals(out, "d\r\nwith trailers\r\n0\r\nx-sum: 42\r\n\r\n");
  });
  assertEquals(server.said().split("\n").filter((line) => / (warn|error) /.test(line)), []);
});

Deno.test(needs(["curl", "openssl"], "curl: HTTP/2 and HTTP/1.1 over TLS, with the certificate checked"), async () => {
  await using server = await judged([], true);
  const ca = ["--cacert", `${server.path}/cert.pem`];
  assertEquals(await curl(...ca, `${server.url}/a`), ["2 GET /a 0", "2 200 0 1"]);
  assertEquals(await curl(...ca, "--http1.1", "-d", "abc", `${server.url}/a`), ["1.1 POST /a 3", "1.1 200 3 1"]);
  assertEquals(await curl(...ca, "--tls-max", "1.2", `${server.url}/a`), ["2 GET /a 0", "2 200 0 1"]);
  const { code } = await judge("curl", ["-sS", `${server.url}/a`]);
  assertEquals(code, 60, "without the authority it is not trusted");
});

Deno.test(needs("curl", "curl: a body over the limit is refused before it is sent"), async () => {
  await using server = await judged(["--max-body-size", "1000"]);
  await Deno.writeFile(`${server.path}/upload`, new Uint8Array(2_000_000));
  const { out } = await judge("curl", [
    "-sS",
    "-o",
    "/dev/null",
    "-w",
    "%{response_code} %{size_upload}",
    "-H",
    "expect: 100-continue",
    "-T",
    `${server.path}/upload`,
    server.url,
  ]);
  assertEquals(out, "413 0");
});
