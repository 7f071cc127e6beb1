/**
 * The gate of the `node` engine when file descriptors run out: a process of its own under `ulimit -n 64`.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Output, ROOT } from "../runner/process.ts";
import { within } from "../conformance/waiting.ts";
import { needs } from "../tools.ts";
import { hear, say } from "./gate_keeper.ts";

class FewDescriptors implements AsyncDisposable {
  readonly output: Output;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(path = "") {
    this.#child = new Deno.Command("bash", {
      args: ["-c", `ulimit -n 64; exec "${Deno.execPath()}" run -A "${ROOT}tests/engines/descriptor_server.ts" ${path}`],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.output = new Output(this.#child.stdout);
    this.#input = this.#child.stdin.getWriter();
  }

  async port(): Promise<number> {
    return Number(/port (\d+)/.exec(await this.output.until(/port \d+/))![1]);
  }

  /** Obeys, and gives the answer. */
  async ask(line: string, answer: RegExp): Promise<RegExpMatchArray> {
    const from = this.output.text.length;
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return (await within(this.output.until(answer, from), `an answer to ${line}`)).slice(from).match(answer)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    assertEquals((await this.#child.status).code, 0);
    await this.output.done;
  }
}

/** Whether a connection is served; false where it is ended or answered otherwise. */
async function echoes(connection: Deno.Conn): Promise<boolean> {
  await say(connection, "x").catch(() => {});
  return await within(hear(connection, 1), "an echo").catch(() => "") === "x";
}

/** Connects again and again until a connection is served, as it must be before long. */
async function served(connect: () => Promise<Deno.Conn>): Promise<void> {
  const end = performance.now() + 5000;
  for (;;) {
    const connection = await connect().catch((error) => {
      // For a moment, a Unix listener that is opened anew has no file.
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused) return null;
      throw error;
    });
    const isServed = connection !== null && await echoes(connection);
    connection?.close();
    if (isServed) return;
    assert(performance.now() < end, "no connection is served");
  }
}

Deno.test(needs("bash", "more clients than descriptors: some are turned away, and all is well when they are gone"), async () => {
  await using server = new FewDescriptors();
  const port = await server.port();
  assertMatch(await server.output.until(/note .*/), /note At most \d+ connections instead of 10000: the limit of open files/);
  for (let round = 0; round < 2; round++) {
    const clients = await Promise.all(Array.from({ length: 150 }, () => Deno.connect({ hostname: "127.0.0.1", port })));
    const [, open] = await server.ask("open", /open (\d+)/);
    assert(Number(open) < 50);
    for (const client of clients) client.close();
    await served(() => Deno.connect({ hostname: "127.0.0.1", port }));
  }
});

Deno.test(needs("bash", "descriptors that others have taken: connections wait until they are back"), async () => {
  const folder = await Deno.makeTempDir();
  {
    await using tcp = new FewDescriptors();
    await using unix = new FewDescriptors(`${folder}/s`);
    const port = await tcp.port();
    await unix.port();
    const cases = [
      [tcp, { hostname: "127.0.0.1", port }],
      [unix, { transport: "unix", path: `${folder}/s` }],
    ] as const;
    for (const [server, address] of cases) {
      const connect = (): Promise<Deno.Conn> => "path" in address ? Deno.connect(address) : Deno.connect(address);
      for (let round = 0; round < 2; round++) {
        while ((await server.ask("open", /open (\d+)/))[1] !== "0") await new Promise((resolve) => setTimeout(resolve, 5));
        const [, ate] = await server.ask("eat", /ate (\d+)/);
        assert(Number(ate) > 10);
        const waiting = await Promise.all([connect(), connect(), connect()]);
        await server.ask("open", /note No file descriptor is left/);
        const [, open] = await server.ask("open", /open (\d+)/);
        assertEquals(open, "0");
        await server.ask("free", /freed/);
        for (const client of waiting) {
          // On a Unix socket, those that wait are cut off: their listener can't be told to go on.
          if (server === tcp) assert(await echoes(client));
          client.close();
        }
        await served(connect);
      }
    }
  }
  await Deno.remove(folder, { recursive: true });
});
