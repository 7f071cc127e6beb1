/** The README as a new user takes it: its apps are saved, checked, served by the command and asked; its commands name what exists. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { WebSocket } from "ws";
import { Cli, folder, ROOT } from "./runner/process.ts";

const README = await Deno.readTextFile(`${ROOT}README.md`);

/** The first block of TypeScript below a heading. */
function app(heading: string): string {
  const section = README.split(/^### /m).find((part) => part.startsWith(`${heading}\n`));
  assert(section !== undefined, `README.md needs a heading "### ${heading}"`);
  const code = /^```ts\n([\s\S]*?)^```$/m.exec(section)?.[1];
  assert(code !== undefined, `"### ${heading}" needs a block of ts`);
  return code;
}

/** Serves the app below a heading from a file of its own. */
async function serving(heading: string, ask: (url: string, command: Cli) => Promise<void>): Promise<void> {
  await using place = await folder({ "app.ts": app(heading) });
  const path = `${place.path}/app.ts`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args: ["check", "--config", `${ROOT}deno.json`, path] }).output();
  assert(success, new TextDecoder().decode(stderr));
  await using command = new Cli([path, "--port", "0"]);
  await ask(await command.url(), command);
  assertEquals((await command.stop()).code, 0);
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

Deno.test("the README's sse app sends events", () =>
  serving("Server-sent events", async (url) => {
    const response = await fetch(url, { headers: { accept: "text/event-stream" } });
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    let text = "";
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.includes("id: 1\n\n")) break;
    }
    assertMatch(text, /^data: \d{4}-\d\d-\d\dT\S+Z\nid: 1\n\n/);
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
