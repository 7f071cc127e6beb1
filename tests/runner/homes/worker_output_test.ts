import { assert, assertEquals } from "@std/assert";
import { OutputRelay } from "../../../src/runner/homes/output_relay.ts";
import { GuardedFilter, PlainFilter, Tail } from "../../../src/runner/homes/worker_output.ts";
import { Cli, folder, ROOT } from "../process.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A target that takes one write when it is told to. */
class Gate {
  text = "";
  #next = Promise.withResolvers<void>();

  async write(data: Uint8Array): Promise<number> {
    await this.#next.promise;
    this.text += new TextDecoder().decode(data);
    return data.byteLength;
  }

  open(): void {
    this.#next.resolve();
  }
}

/** A relay to an open target. */
function relay(): { relay: OutputRelay; gate: Gate; dropped: number[] } {
  const gate = new Gate();
  const dropped: number[] = [];
  gate.open();
  return { relay: new OutputRelay(gate, (count) => dropped.push(count)), gate, dropped };
}

Deno.test("OutputRelay keeps the order, holds a bounded amount for a reader that does not read, and says what it dropped", async () => {
  const gate = new Gate();
  const dropped: number[] = [];
  const relay = new OutputRelay(gate, (count) => dropped.push(count));
  const reused = bytes("b");
  relay.push(bytes("a"));
  relay.push(reused);
  reused[0] = 120;
  for (let i = 0; i < 30; i++) relay.push(new Uint8Array(65_536).fill(46));
  gate.open();
  await relay.end(1000);
  assertEquals(gate.text.slice(0, 3), "ab.");
  assert(gate.text.length <= 1_048_576 + 1);
  assertEquals(dropped, [2 + 30 * 65_536 - gate.text.length]);
});

Deno.test("OutputRelay.end() does not wait for ever", async () => {
  const gate = new Gate();
  const relay = new OutputRelay(gate, () => {});
  relay.push(bytes("a"));
  await relay.end(5);
  assertEquals(gate.text, "");
  gate.open();
});

Deno.test("PlainFilter forwards bytes unchanged, however they were cut", async () => {
  const { relay: to, gate } = relay();
  const filter = new PlainFilter(to);
  const text = "one\ntwo \x1b[31mé\x1b[0m\n\nlast without an end";
  for (const byte of bytes(text)) filter.take(new Uint8Array([byte]));
  filter.end();
  await to.end(1000);
  assertEquals(gate.text, text);
});

Deno.test("PlainFilter shows the beginning of a line whose end does not come", async () => {
  const shown = Promise.withResolvers<string>();
  const filter = new PlainFilter(
    new OutputRelay({
      write: (data) => {
        shown.resolve(new TextDecoder().decode(data));
        return Promise.resolve(data.byteLength);
      },
    }, () => {}),
  );
  filter.take(bytes("password: "));
  assertEquals(await shown.promise, "password: ");
});

Deno.test("GuardedFilter names the worker in each line, and shows control characters as text", async () => {
  const { relay: to, gate } = relay();
  const filter = new GuardedFilter(to, "[worker 1] ");
  filter.take(bytes("a\x1b[2J\tb\n[worker 2] c\n\xe2"));
  filter.take(bytes("x".repeat(10_000)));
  filter.end();
  await to.end(1000);
  const lines = gate.text.split("\n");
  assertEquals(lines.slice(0, 2), ["[worker 1] a\\x1b[2J\tb", "[worker 1] [worker 2] c"]);
  assert(lines.slice(0, -1).every((line) => line.startsWith("[worker 1] ") && line.length < 8300));
});

Deno.test("GuardedFilter shows so much in a second and counts the rest, and is read no faster", async () => {
  const { relay: to, gate, dropped } = relay();
  const filter = new GuardedFilter(to, "> ");
  const line = "y".repeat(97) + "\n";
  assertEquals(filter.pauseMs(), 0);
  for (let i = 0; i < 20; i++) filter.take(bytes(line.repeat(1000)));
  assert(filter.pauseMs() > 500);
  await to.end(1000);
  const shown = gate.text.split("\n").length - 1;
  assert(shown > 1000 && shown < 2000, `${shown} lines`);
  assertEquals(dropped, [(20_000 - shown) * 98]);
});

Deno.test("Tail keeps the last bytes", () => {
  const tail = new Tail(8);
  tail.push(bytes("abc"));
  assertEquals(tail.text, "abc");
  tail.push(bytes("defghi"));
  assertEquals(tail.text, "bcdefghi");
  tail.push(bytes("0123456789\n"));
  assertEquals(tail.text, "3456789");
  const coloured = new Tail(99);
  coloured.push(bytes("\x1b[31mred\x1b[0m\ta\x1b[2J\r\nb\x07\n\n"));
  assertEquals(coloured.text, "red\ta\\x1b[2J\nb\\x07");
});

const NOISY = `console.log("out 0");
console.error("err 0");
export default async (scope, receive, send) => {
  if (scope.type === "lifespan") throw new Error("no lifespan");
  if (scope.path === "/flood") for (let i = 0; i < 200_000; i++) console.error("flood ".repeat(20) + i);
  if (scope.path === "/crash") {
    for (let i = 1; i < 3000; i++) { console.log("out " + i); console.error("err " + i); }
    throw Deno.exit(3);
  }
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: "fine" });
};
`;

const numbered = (word: string, text: string) => text.split("\n").filter((line) => line.startsWith(`${word} `));

Deno.test("what an app in a worker process writes arrives unchanged and in order, up to the last line before its end", async () => {
  await using project = await folder({ "app.js": NOISY });
  await using server = new Cli([`${project.path}/app.js`, "--port", "0", "--workers", "1"]);
  const response = await fetch(`${await server.url()}crash`);
  assertEquals(response.status, 502);
  await response.body?.cancel();
  await server.stderr.until("(exit code 3)");
  const wanted = (word: string) => Array.from({ length: 3000 }, (_, i) => `${word} ${i}`);
  const { stdout, stderr } = await server.stop();
  assertEquals(numbered("out", stdout).slice(0, 3000), wanted("out"));
  assertEquals(numbered("err", stderr).slice(0, 3000), wanted("err"));
});

Deno.test("a worker process goes on where nobody reads the standard error of its server, and the server stays small", async () => {
  await using project = await folder({ "app.js": NOISY });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${ROOT}cli.ts`, `${project.path}/app.js`, "--workers", "1", "--port", "0"],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.getReader();
  let url: string | undefined;
  for (let text = ""; url === undefined; url = /Listening on (\S+?),? /.exec(text)?.[1]) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The server has ended: ${text}`);
    text += new TextDecoder().decode(value);
  }
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${child.pid}/status`))![1]);
  const before = rss();
  const response = await fetch(`${url}flood`);
  assertEquals(await response.text(), "fine");
  assert(rss() - before < 60_000, `${before} kB before, ${rss()} kB after`);
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
});

Deno.test("a worker process that fails at its start says its last words", async () => {
  await using project = await folder({ "app.js": 'console.error("first\\nthe key is missing"); Deno.exit(7);' });
  await using server = new Cli([`${project.path}/app.js`, "--port", "0", "--workers", "1"]);
  const { code, stderr } = await server.finished();
  assertEquals(code, 3);
  assert(/error: Worker 1 ended while it started: .*exit code 7\)?: first the key is missing/.test(stderr), stderr);
});
