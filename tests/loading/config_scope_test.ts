import { assertEquals } from "@std/assert";
import { folderFor, nearestConfig } from "../../src/loading/config_scope.ts";

async function folder(files: Record<string, string>): Promise<string> {
  const path = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(`${path}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return path;
}

Deno.test("nearestConfig() finds the next configuration upwards, and whether it changes how an app runs", async () => {
  const cases: [Record<string, string>, string | null, boolean][] = [
    [{ "deno.json": '{ "imports": {} }', "a/b/app.ts": "" }, "deno.json", true],
    [{ "deno.json": '{ "fmt": {} }', "a/b/app.ts": "" }, "deno.json", false],
    [{ "deno.jsonc": '{ // why\n "compilerOptions": { "jsx": "react" } }', "a/b/app.ts": "" }, "deno.jsonc", true],
    [{ "a/package.json": '{ "dependencies": { "x": "1" } }', "deno.json": "{}", "a/b/app.ts": "" }, "a/package.json", true],
    [{ "a/package.json": '{ "name": "x" }', "a/b/app.ts": "" }, "a/package.json", false],
    [{ "a/package.json": '{ "dependencies": {} }', "a/deno.json": '{ "tasks": {} }', "a/b/app.ts": "" }, "a/package.json", true],
    [{ "a/b/app.ts": "" }, null, false],
  ];
  for (const [files, name, matters] of cases) {
    const path = await folder(files);
    const found = nearestConfig(`${path}/a/b`);
    assertEquals(
      [found?.file ?? null, found?.matters ?? false],
      [name === null ? null : `${path}/${name}`, matters],
      JSON.stringify(files),
    );
    await Deno.remove(path, { recursive: true });
  }
});

Deno.test("folderFor() tells a main path from a name that a configuration gave", async () => {
  const clone = await Deno.realPath(
    await folder({ "clone/deno.json": "{}", "clone/cli.ts": "", "own/deno.json": "{}", "own/c.json": "{}" }),
  );
  const [main, own, here] = [`${clone}/clone/cli.ts`, `${clone}/own`, nearestConfig(Deno.cwd())!.folder];
  const cases: [string[] | null, string | null, string | null | undefined][] = [
    [null, main, undefined],
    [["deno", "run", "-A", main], main, `${clone}/clone`],
    [["deno", "run", "-A", `${clone}/clone/cli`], main, `${clone}/clone`],
    [["deno", "run", "-A", `file://${main}`], main, `${clone}/clone`],
    [["deno", "run", "-A", "@pagi/server"], main, here],
    [["deno", "run", "-A", "jsr:@pagi/server"], main, here],
    [["deno", "run", "-A", "jsr:@pagi/server"], null, here],
    [["deno", "run", "-A", "https://example.com/cli.ts"], null, null],
    [["deno", "run", "--no-config", main], main, null],
    [["deno", "run", "--config", `${own}/c.json`, main], main, own],
    [["deno", "run", `--config=${own}/c.json`, main], main, own],
    [["deno", "run", "-Ac", `${own}/c.json`, "@pagi/server"], main, own],
  ];
  for (const [command, path, expected] of cases) assertEquals(folderFor(command, path), expected, command?.join(" ") ?? "null");
  await Deno.remove(clone, { recursive: true });
});
