/**
 * A project of somebody else's, with a deno.json of its own, an import alias and an npm dependency, served by
 * `deno run -A jsr:@pagi/server app.ts` in its own folder. The links stand in for the registry.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Cli, folder, ROOT } from "./process.ts";

function links(): string[] {
  const names = [...Deno.readDirSync(`${ROOT}links/std`)].filter((entry) => entry.isDirectory).map((entry) => entry.name).sort();
  return [ROOT, ...names.map((name) => `${ROOT}links/std/${name}`)];
}

const CONFIG = {
  imports: { "@pagi/server": "jsr:@pagi/server@^0.1.0", "words/": "./lib/", "logtape": "npm:@logtape/logtape@^2.4.2" },
  links: links(),
};

const FILES = {
  "deno.json": JSON.stringify(CONFIG),
  "lib/greeting.ts": 'export const greeting: string = "served with ";\n',
  "app.ts": 'import { defineApp } from "@pagi/server";\n' +
    'import { greeting } from "words/greeting.ts";\n' +
    'import { getLogLevels } from "logtape";\n' +
    'export default defineApp({\n  async http(_scope, _receive, send) {\n    await send({ type: "http.response.start", status: 200 });\n' +
    '    await send({ type: "http.response.body", body: greeting + getLogLevels().length });\n  },\n});\n',
  "lib/serve.ts": 'import { serve } from "@pagi/server";\nimport app from "../app.ts";\n' +
    "await using server = await serve(app, { port: 0, quiet: true });\nconsole.log(await (await fetch(server.url)).text());\n",
};

Deno.test("jsr:@pagi/server runs an app under the configuration of its own folder", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["app.ts", "-p", "0"], { cwd: files.path, main: "jsr:@pagi/server" });
  assertEquals(await (await fetch(await server.url())).text(), "served with 6");
  assertEquals((await server.stop()).code, 0);
});

Deno.test("@pagi/server, a name of the configuration in force, runs an app under it", async (t) => {
  await using files = await folder({ ...FILES, "apps/app.ts": 'export { default } from "../app.ts";\n' });
  await using elsewhere = await folder();
  const config = ["--config", `${files.path}/deno.json`];
  for (
    const [name, args, options] of [
      ["in its folder", ["app.ts"], { cwd: files.path }],
      ["in a folder below", ["app.ts"], { cwd: `${files.path}/apps` }],
      ["with --config, from elsewhere", [`${files.path}/app.ts`], { cwd: elsewhere.path, denoArgs: config }],
      ["with --config and the path of the clone", ["app.ts"], { cwd: files.path, denoArgs: config, main: `${ROOT}cli.ts` }],
    ] as const
  ) {
    await t.step(name, async () => {
      await using server = new Cli([...args, "-p", "0"], { main: "@pagi/server", ...options });
      assertEquals(await (await fetch(await server.url())).text(), "served with 6");
      assertEquals((await server.stop()).code, 0);
    });
  }
});

Deno.test("@pagi/server runs an app from a task", async () => {
  // It refuses to start, so the task ends by itself; whoever says so is the app.
  const refuses = 'import { greeting } from "words/greeting.ts";\nthrow new Error(greeting + "nothing");\n';
  await using files = await folder({
    ...FILES,
    "refuses.ts": refuses,
    "deno.json": JSON.stringify({ ...CONFIG, tasks: { serve: "deno run -A @pagi/server refuses.ts -p 0" } }),
  });
  const task = new Deno.Command(Deno.execPath(), { args: ["task", "serve"], cwd: files.path, stdin: "null", env: { NO_COLOR: "1" } });
  const { code, stderr } = await task.output();
  assertStringIncludes(new TextDecoder().decode(stderr), "served with nothing");
  assertEquals(code, 3);
});

Deno.test("jsr:@pagi/server/cli runs an app in a folder below, under the same configuration", async () => {
  await using files = await folder({ ...FILES, "apps/app.ts": 'export { default } from "../app.ts";\n' });
  await using server = new Cli(["./apps/app.ts", "-p", "0"], { cwd: files.path, main: "jsr:@pagi/server/cli" });
  assertEquals(await (await fetch(await server.url())).text(), "served with 6");
  assertEquals((await server.stop()).code, 0);
});

Deno.test("@pagi/server serves as a library of such a project", async () => {
  await using files = await folder(FILES);
  await using program = new Cli([], { cwd: files.path, main: "lib/serve.ts" });
  const { code, stdout, stderr } = await program.finished();
  assertEquals([code, stdout], [0, "served with 6\n"], stderr);
});

Deno.test("jsr:@pagi/server refuses an app of another project where no worker may take it, and says what to do", async () => {
  await using files = await folder(FILES);
  await using other = await folder(FILES);
  await using server = new Cli([`${other.path}/app.ts`, "-p", "0", "-w", "0"], { cwd: files.path, main: "jsr:@pagi/server" });
  const { code, stderr } = await server.finished();
  assertEquals(code, 3);
  assertStringIncludes(stderr, `${other.path}/app.ts has a configuration of its own, ${other.path}/deno.json, which would not apply`);
  assertStringIncludes(stderr, "Leave it to a worker process (--workers 1), which runs under it");
  assertStringIncludes(stderr, `then: cd ${other.path} && deno run -A @pagi/server app.ts\n`);
});

Deno.test("cli from a clone serves such a project from a worker process, under its own configuration", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["app.ts", "-p", "0"], { cwd: files.path });
  const response = await fetch(await server.url());
  assertEquals(response.status, 200);
  await response.body?.cancel();
  assertStringIncludes(server.stderr.text, `app in 1 worker process: the app has a configuration of its own, ${files.path}/deno.json`);
  assertEquals((await server.stop()).code, 0);
});
