import { assert, assertEquals, assertRejects } from "@std/assert";
import { cpuMicros, memoryOf, rssBytes, ServerProcess } from "../../bench/process.ts";

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

Deno.test("memoryOf() tells what is resident, and what of that is in no other process", () => {
  const rollup = "5581-7ffe ---p 00000000 00:00 0 [rollup]\nRss:               47308 kB\nPss:               20065 kB\n" +
    "Shared_Clean:      32000 kB\nPrivate_Clean:        36 kB\nPrivate_Dirty:     14300 kB\n";
  assertEquals(memoryOf(rollup), { rss: 47_308 * 1024, own: 14_336 * 1024 });
});

Deno.test("ServerProcess.cpuMicros() counts what the server has started, and ServerProcess.line() waits for what comes", async () => {
  const busy = `console.error("busy"); for (;;);`;
  const code = `const command = new Deno.Command(Deno.execPath(), { args: ["eval", ${JSON.stringify(busy)}] });
    console.error("Listening on http://127.0.0.1:1/");
    Deno.addSignalListener("SIGHUP", () => command.spawn());
    Deno.addSignalListener("SIGTTIN", () => Deno.kill(Deno.pid, "SIGKILL"));
    setInterval(() => {}, 1000);
    setTimeout(() => console.error("listens for signals"), 100);`;
  await using server = await ServerProcess.start({ program: Deno.execPath(), args: ["eval", code] });
  await server.line(/listens for signals/);
  const line = server.line(/^busy$/);
  server.signal("SIGHUP");
  await line;
  const [, child] = server.pids();
  assertEquals(server.pids(), [server.pid, child!]);
  try {
    const deadline = Date.now() + 30_000;
    while (server.cpuMicros() - cpuMicros(Deno.readTextFileSync(`/proc/${server.pid}/stat`)) < 200_000) {
      assert(Date.now() < deadline, "the CPU time of its child does not count");
      await new Promise((resolve) => setTimeout(resolve, 20)); // another process tells of no event
    }
  } finally {
    Deno.kill(child!, "SIGKILL");
  }
  const never = server.line(/never/);
  server.signal("SIGTTIN");
  await assertRejects(() => never, Error, "ended without a line");
});
