/** nghttp and h2load, the tools of nghttp2, on the node engine. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { needs } from "../tools.ts";
import { judge, judged } from "./judged.ts";

Deno.test(needs("nghttp", "nghttp: requests, an upload, trailers, and what the server sets"), async () => {
  await using server = await judged();
  await Deno.writeFile(`${server.path}/upload`, new Uint8Array(500_000));
  assertEquals((await judge("nghttp", [`${server.url}/a`, `${server.url}/b`])).out.match(/2 GET \/[ab] 0/g)?.toSorted(), [
    "2 GET /a 0",
    "2 GET /b 0",
  ]);
  assertEquals((await judge("nghttp", ["-d", `${server.path}/upload`, `${server.url}/p`])).out, "2 POST /p 500000");
  const { out } = await judge("nghttp", ["-v", `${server.url}/trailers`]);
  assertStringIncludes(out, "x-sum: 42");
  assertStringIncludes(out, "[SETTINGS_MAX_CONCURRENT_STREAMS(0x03):128]");
  assertMatch(out, /SETTINGS_(?:ENABLE_CONNECT_PROTOCOL|UNKNOWN)\(0x08\):1/);
});

Deno.test(needs("nghttp", "nghttp: padded frames, windows of a byte and weights change nothing"), async () => {
  await using server = await judged();
  const { out, code } = await judge("nghttp", ["-b", "100", "-w", "1", "-W", "1", "-p", "7", "-m", "5", `${server.url}/a`]);
  // Byte by byte, five answers come as one confusion.
  const sorted = (text: string) => [...text].toSorted().join("");
  assertEquals([code, sorted(out)], [0, sorted("2 GET /a 0".repeat(5))]);
});

for (
  const [name, args, tls] of [
    ["HTTP/1.1", ["--h1"], false],
    ["HTTP/2 with 20 streams", ["-m", "20"], false],
    ["HTTP/2 over TLS with 20 streams", ["-m", "20"], true],
  ] as const
) {
  Deno.test(needs(tls ? ["h2load", "openssl"] : ["h2load"], `h2load: 4,000 requests on 16 connections, ${name}`), async () => {
    await using server = await judged([], tls);
    const { out } = await judge("h2load", ["-n", "4000", "-c", "16", "-t", "1", ...args, `${server.url}/a`]);
    assertMatch(out, /status codes: 4000 2xx, 0 3xx, 0 4xx, 0 5xx/);
    assertMatch(out, /requests: 4000 total, 4000 started, 4000 done, 4000 succeeded, 0 failed, 0 errored, 0 timeout/);
  });
}
