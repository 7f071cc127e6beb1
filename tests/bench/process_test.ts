import { assert, assertEquals, assertRejects } from "@std/assert";
import { cpuMicros, rssBytes, ServerProcess } from "../../bench/process.ts";

Deno.test("cpuMicros() adds user and system time, whatever the program is called", () => {
  const stat = "4242 (my (odd) name) S 1 4242 4242 0 -1 4194304 900 0 1 0 150 25 7 8 20 0 7 0 123456 1000000 5000";
  assertEquals(cpuMicros(stat), 1_750_000);
});

Deno.test("rssBytes() reads VmRSS and nothing else", () => {
  assertEquals(rssBytes("Name:\tdeno\nVmHWM:\t  99999 kB\nVmRSS:\t   41512 kB\nRssAnon:\t   1 kB\n"), 41_512 * 1024);
});

Deno.test("ServerProcess.start() finds the URL, and a busy server's CPU time grows", async () => {
  const code = `console.error("Listening on http://127.0.0.1:1/"); for (;;);`;
  await using server = await ServerProcess.start({ program: Deno.execPath(), args: ["eval", code] });
  assertEquals(server.url, "http://127.0.0.1:1");
  assert(server.rssBytes() > 1_000_000);
  const deadline = Date.now() + 30_000;
  while (server.cpuMicros() < 200_000) {
    assert(Date.now() < deadline, "its CPU time does not grow");
    await new Promise((resolve) => setTimeout(resolve, 20)); // another process tells of no event
  }
});

Deno.test("ServerProcess.start() says what a server printed that did not start", async () => {
  const code = `console.error("no such port"); Deno.exit(3);`;
  await assertRejects(() => ServerProcess.start({ program: Deno.execPath(), args: ["eval", code] }), Error, "no such port");
});
