/** The examples of plain requests, each run as its README says and asked by curl. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { curl, curling, run } from "./running.ts";
import { needs } from "../tools.ts";

Deno.test(needs("curl", "01-hello-http answers every path with its text"), async () => {
  await using example = await run("01-hello-http");
  assertEquals(await curl(`${example.url}/`), "Hello from PAGI");
  assertEquals(await curl("-X", "DELETE", "-i", `${example.url}/a/b?c`).then((answer) => answer.split("\r\n")[0]), "HTTP/1.1 200 OK");
  assertEquals(await curl("--http2-prior-knowledge", "-w", " %{http_version}", `${example.url}/`), "Hello from PAGI 2");
  await example.stop();
});

Deno.test(needs("curl", "02-streaming-response sends its chunks one by one"), async () => {
  await using example = await run("02-streaming-response");
  await using client = curling(`${example.url}/`);
  const started = performance.now();
  assertEquals(await client.until("Chunk 1\n"), "Chunk 1\n");
  const first = performance.now() - started;
  assertEquals(await client.until("Chunk 3\n"), "Chunk 1\nChunk 2\nChunk 3\n");
  assert(performance.now() - started - first > 1500, "the parts come a second apart");
  await example.stop();
});

Deno.test(needs("curl", "02-streaming-response stops when the client leaves"), async () => {
  await using example = await run("02-streaming-response");
  {
    await using client = curling("-d", "a body that is drained first", `${example.url}/`);
    await client.until("Chunk 1\n");
  }
  await example.line(/^The client left before chunk 2$/);
  await example.stop();
});

Deno.test(needs("curl", "03-request-body sends back what it got"), async () => {
  await using example = await run("03-request-body");
  assertEquals(await curl("-d", "hello there", example.url), "You sent: hello there");
  assertEquals(await curl(example.url), "No body provided");
  assertEquals(await curl("-H", "transfer-encoding: chunked", "-d", "née €", example.url), "You sent: née €");
  const big = "x".repeat(300_000);
  const response = await fetch(example.url, { method: "POST", body: big });
  assertEquals(await response.text(), `You sent: ${big}`);
  await example.stop();
});

Deno.test(needs("curl", "06-lifespan-state shares its greeting, and says when it starts and stops"), async () => {
  await using example = await run("06-lifespan-state");
  assertEquals(await curl(example.url), "Hello from lifespan via shared state");
  const log = await example.stop();
  assert(log.indexOf("Starting up") < log.indexOf("Listening on"), log);
  assertStringIncludes(log, "Shutting down\n");
});

Deno.test(needs("curl", "06-lifespan-state has no state with --lifespan off"), async () => {
  await using example = await run("06-lifespan-state", ["--lifespan", "off"]);
  assertEquals(await curl(example.url), "Hello via shared state");
  assert(!(await example.stop()).includes("Starting up"));
});

Deno.test(needs("curl", "12-utf8 counts the characters and bytes of a path, a query and a form"), async () => {
  await using example = await run("12-utf8");
  const ask = async (text: string, ...args: string[]) => {
    const answer = await curl("-i", ...args);
    const [head, page] = answer.split("\r\n\r\n") as [string, string];
    assertEquals(Number(/content-length: (\d+)/i.exec(head)![1]), new TextEncoder().encode(page).byteLength);
    assertStringIncludes(page, `<p class="echo">${text}</p>`);
    return [...page.matchAll(/<dd>(.*?)<\/dd>/g)].map((match) => match[1]);
  };
  assertEquals(await ask("café", `${example.url}/echo/caf%C3%A9`), ["4", "5", "U+0063 U+0061 U+0066 U+00E9"]);
  assertEquals(await ask("🔥", `${example.url}/?text=%F0%9F%94%A5`), ["1", "4", "U+1F525"]);
  assertEquals((await ask("λόγος", "--data-urlencode", "text=λόγος", `${example.url}/`)).slice(0, 2), ["5", "10"]);
  assertEquals((await ask("&#60;script&#62;", `${example.url}/echo/%3Cscript%3E`))[0], "8");
  assertEquals((await ask("a/b", `${example.url}/echo/a%2Fb`))[0], "3");
  assert(!(await curl(example.url)).includes("<section"));
  await example.stop();
});
