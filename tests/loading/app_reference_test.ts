import { assertEquals, assertThrows } from "@std/assert";
import { pathUrl, readReference } from "../../src/loading/app_reference.ts";
import { StartupError } from "../../src/spec/errors.ts";

Deno.test("readReference() reads URLs and specifiers, with and without an export", () => {
  const expected: [string, string, string, boolean][] = [
    ["https://example.com/app.ts", "https://example.com/app.ts", "default", false],
    ["https://example.com:8000/app.ts", "https://example.com:8000/app.ts", "default", false],
    ["https://example.com:8000/app.ts?v=1:create", "https://example.com:8000/app.ts?v=1", "create", false],
    ["jsr:@me/app@^1.0.0", "jsr:@me/app@^1.0.0", "default", false],
    ["jsr:@me/app/sub:create()", "jsr:@me/app/sub", "create", true],
    ["npm:express", "npm:express", "default", false],
    ["npm:hono@4:app", "npm:hono@4", "app", false],
    ["file:///srv/app.ts:app", "file:///srv/app.ts", "app", false],
    ["data:text/javascript,1:a", "data:text/javascript,1:a", "default", false],
    ["@me/app", "@me/app", "default", false],
    ["@me/app:create()", "@me/app", "create", true],
  ];
  for (const [argument, specifier, exportName, isCall] of expected) {
    const reference = readReference(argument);
    assertEquals([reference.specifier, reference.exportName, reference.isCall], [specifier, exportName, isCall], argument);
  }
});

Deno.test("readReference() finds files, from the working directory", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/app.ts`, "");
  await Deno.writeTextFile(`${folder}/a:b.ts`, "");
  const app = readReference(`${folder}/app.ts:create`);
  assertEquals([app.specifier, app.path, app.exportName], [`file://${folder}/app.ts`, `${folder}/app.ts`, "create"]);
  assertEquals(readReference(`${folder}/a:b.ts`).exportName, "default");
  assertThrows(() => readReference(`${folder}/none.ts:create`), StartupError, `there is no file ${folder}/none.ts`);
  assertThrows(() => readReference(folder), StartupError, "is a directory");
  assertThrows(() => readReference(""), StartupError, "The app is empty");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("pathUrl() keeps characters that mean something in a URL", () => {
  assertEquals(decodeURIComponent(pathUrl("/a b/50%#?\\x:y.ts").pathname), "/a b/50%#?\\x:y.ts");
  assertEquals(pathUrl("./x/../app.ts").href, new URL(`file://${Deno.cwd()}/app.ts`).href);
});
