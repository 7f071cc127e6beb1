import { assertEquals } from "@std/assert";
import { nearestConfig } from "../../src/loading/config_scope.ts";

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
