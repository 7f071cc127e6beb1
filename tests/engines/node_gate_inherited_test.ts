/**
 * Listeners of the `node` engine whose process gets them, or may not have them: inherited descriptors, permissions.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { within } from "../conformance/waiting.ts";
import { Output, ROOT } from "../runner/process.ts";
import { needs } from "../tools.ts";
import { hear, say } from "./gate_keeper.ts";

const SERVER = `${ROOT}tests/engines/descriptor_server.ts`;

/** Python opens a descriptor 3 and becomes the server. */
function inheriting(open: string): Deno.ChildProcess {
  const become = `os.execvp("${Deno.execPath()}", ["deno", "run", "-A", "${SERVER}", "fd:3"])`;
  const code = `import os, socket\n${open}\nif s.fileno() != 3: os.dup2(s.fileno(), 3)\nos.set_inheritable(3, True)\n${become}`;
  return new Deno.Command("python3", { args: ["-c", code], stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
}

Deno.test(needs("python3", "listens on an inherited TCP descriptor, and finds out its address"), async () => {
  for (const host of ["127.0.0.1", "0.0.0.0"]) {
    const child = inheriting(`s = socket.create_server(("${host}", 0))`);
    const output = new Output(child.stdout);
    const port = Number(/port (\d+)/.exec(await within(output.until(/port \d+\n/), "the server"))![1]);
    assert(port > 0);
    {
      using client = await Deno.connect({ hostname: "127.0.0.1", port });
      await say(client, "x");
      assertEquals(await hear(client, 1), "x");
    }
    await output.until(`from 127.0.0.1:${port}\n`);
    await child.stdin.close();
    await child.status;
    await output.done;
  }
});

Deno.test(needs("python3", "refuses an inherited descriptor of anything else"), async () => {
  const path = await Deno.makeTempFile();
  await Deno.remove(path);
  for (
    const [open, text] of [
      [
        `s = socket.socket(socket.AF_UNIX); s.bind("${path}"); s.listen()`,
        "error Descriptor 3 is a Unix socket, and Deno never serves an inherited one: let the server open its path itself\n",
      ],
      [`s = open("/dev/null")`, "error Descriptor 3 is no TCP socket that listens: pass one that does\n"],
      [`s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)`, "error Descriptor 3 is no TCP socket that listens: pass one that does\n"],
    ] as const
  ) {
    const child = inheriting(open);
    const output = new Output(child.stdout);
    assertEquals(await within(output.until("\n"), "the server"), text);
    assertEquals((await child.status).code, 3);
    await output.done;
    await child.stdin.close().catch(() => {});
  }
  await Deno.remove(path);
});

Deno.test("without the permission to listen it says so in one line", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net=127.0.0.1:1", SERVER],
    stdin: "null",
  }).output();
  assertEquals(code, 3);
  assertMatch(new TextDecoder().decode(stdout), /^error No permission to listen on 127\.0\.0\.1:0: .*--allow-net\n$/);
});
