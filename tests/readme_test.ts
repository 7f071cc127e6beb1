/** The README as a new user takes it: its apps are saved, checked, served by the command and asked; its commands name what exists. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { toFileUrl } from "@std/path";
import { WebSocket } from "ws";
import { testClient } from "../src/testing/mod.ts";
import { Cli, type Finished, folder, ROOT } from "./runner/process.ts";

const README = await Deno.readTextFile(`${ROOT}README.md`);

/** The first block of TypeScript below a heading. */
function app(heading: string): string {
  const section = README.split(/^### /m).find((part) => part.startsWith(`${heading}\n`));
  assert(section !== undefined, `README.md needs a heading "### ${heading}"`);
  const code = /^```ts\n([\s\S]*?)^```$/m.exec(section)?.[1];
  assert(code !== undefined, `"### ${heading}" needs a block of ts`);
  return code;
}

/** Serves the app below a heading from a file of its own; `ask` may stop it itself. */
async function serving(heading: string, ask: (url: string, command: Cli) => Promise<Finished | void>): Promise<void> {
  await using place = await folder({ "app.ts": app(heading) });
  const path = `${place.path}/app.ts`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args: ["check", "--config", `${ROOT}deno.json`, path] }).output();
  assert(success, new TextDecoder().decode(stderr));
  await using command = new Cli([path, "--port", "0"]);
  const finished = await ask(await command.url(), command) ?? await command.stop();
  assertEquals(finished.code, 0);
}

for (const heading of ["HTTP", "WebSocket", "Server-sent events", "Lifespan"]) {
  Deno.test(`the README's app for ${heading} has at most 20 lines`, () => {
    const lines = app(heading).trimEnd().split("\n");
    assert(lines.length <= 20, `it has ${lines.length}`);
  });
}

Deno.test("the README's http app answers", () =>
  serving("HTTP", async (url) => {
    const response = await fetch(url);
    assertEquals([response.status, await response.text()], [200, "Hello from PAGI\n"]);
  }));

Deno.test("the README's websocket app echoes text and bytes", () =>
  serving("WebSocket", async (url) => {
    const socket = new WebSocket(url.replace("http", "ws"));
    const messages: string[] = [];
    const closed = Promise.withResolvers<number>();
    socket.on("open", () => {
      socket.send("hello");
      socket.send(new Uint8Array([1, 2, 3]));
    });
    socket.on("message", (data: Uint8Array, isBinary: boolean) => {
      messages.push(isBinary ? `bytes ${[...data]}` : new TextDecoder().decode(data));
      if (messages.length === 2) socket.close(1000);
    });
    socket.on("close", (code: number) => closed.resolve(code));
    socket.on("error", closed.reject);
    assertEquals(await closed.promise, 1000);
    assertEquals(messages, ["echo: hello", "bytes 1,2,3"]);
  }));

Deno.test("the README's websocket app closes its socket when the server is about to stop", async () => {
  await using place = await folder({ "app.ts": app("WebSocket") });
  const { default: served } = await import(`${toFileUrl(place.path)}/app.ts`);
  await using client = await testClient(served);
  const socket = await client.websocket("/");
  client.drain();
  assertEquals(await socket.closed, { code: 1012, reason: "" });
});

Deno.test("the README's sse app sends events, and ends its stream when the server stops", () =>
  serving("Server-sent events", async (url, command) => {
    const response = await fetch(url, { headers: { accept: "text/event-stream" } });
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    let text = "";
    let stopped: Promise<Finished> | undefined;
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      stopped ??= command.stop(); // the app ends its stream; one that the server ends is cut, and reading it throws
      text += part;
    }
    assertMatch(text, /^data: \d{4}-\d\d-\d\dT\S+Z\nid: 1\n\n/);
    return await stopped;
  }));

Deno.test("the README's lifespan app shares its state and is told of the end", () =>
  serving("Lifespan", async (url, command) => {
    const response = await fetch(url);
    assertMatch(await response.text(), /^up since \w{3} \w{3} \d\d \d{4} /);
    assert(!command.stderr.text.includes("Lifespan is not supported"));
  }));

Deno.test("the README serves a handler given as text", async () => {
  const code = /-e '(.*)'/.exec(README)?.[1];
  assert(code !== undefined);
  await using command = new Cli(["-e", code, "--port", "0"]);
  const response = await fetch(await command.url());
  assertEquals(await response.text(), "hi");
  assertEquals((await command.stop()).code, 0);
});

Deno.test("the README's commands name an app and a Deno that exist", async () => {
  assertStringIncludes(README, `npx -y deno@${Deno.version.deno} run -A cli.ts examples/01-hello-http/app.ts`);
  assertStringIncludes(README, `npx -y deno@${Deno.version.deno} task test`);
  for (const [, path] of README.matchAll(/run -A cli\.ts (examples\/\S+)/g)) assert((await Deno.stat(`${ROOT}${path}`)).isFile);
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  for (const [, task] of README.matchAll(/ task (\w+)/g)) assert(task! in tasks, `deno.json has no task ${task}`);
});

Deno.test("the README's deno.json of an own project serves an app beside a clone", async () => {
  const section = README.split("## Your own project\n")[1]!;
  const config = JSON.parse(/^```json\n([\s\S]*?)^```$/m.exec(section)![1]!);
  const command = /^ {4}deno run -A (\S+) app\.ts$/m.exec(section)![1]!;
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  assertEquals(config.imports["@pagi/server"], `jsr:@pagi/server@^${version}`);
  delete config.imports.hono; // any other package does as well, and this one is at hand
  config.imports.ws = "npm:ws@^8.21.1";
  await using place = await folder({
    "project/deno.json": JSON.stringify(config),
    "project/app.ts": 'import { Receiver } from "ws";\nexport default { fetch: () => new Response(Receiver.name) };\n',
  });
  await Deno.symlink(ROOT, `${place.path}/server`);
  await using server = new Cli(["app.ts", "--port", "0"], { cwd: `${place.path}/project`, main: command });
  assertEquals(await (await fetch(await server.url())).text(), "Receiver");
  assertEquals((await server.stop()).code, 0);
});
