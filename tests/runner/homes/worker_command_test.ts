import { assertEquals } from "@std/assert";
import { passedFlags, workerArguments } from "../../../src/runner/homes/worker_command.ts";
import { Cli, folder } from "../process.ts";

Deno.test("passedFlags() keeps permissions and what changes how modules run, and nothing else", () => {
  const command = [
    "run",
    "-A",
    "--watch",
    "--unstable-kv",
    "--cert",
    "ca.pem",
    "--allow-read=/srv",
    "--deny-net",
    "-RN=a.test",
    "-c",
    "x.json",
    "--inspect",
  ];
  assertEquals(passedFlags(command), ["-A", "--unstable-kv", "--cert=ca.pem", "--allow-read=/srv", "--deny-net", "-RN=a.test"]);
});

Deno.test("workerArguments() grants nothing where the parent shows no grant", () => {
  const args = workerArguments({ parent: ["run"], appPath: null, memoryBytes: 64 << 20 });
  assertEquals(args.slice(0, -1), ["run", "--no-prompt", "--no-config", "--v8-flags=--max-old-space-size=64"]);
});

const APP = `import word from "leaf";
export default async (scope, receive, send) => {
  if (scope.type === "lifespan") throw new Error("no lifespan");
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: word });
};
`;
const LEAF = { "leaf.js": 'export default "leaf";' };
const PACKAGE = {
  "package.json": '{"dependencies":{"leaf":"1.0.0"}}',
  "node_modules/leaf/package.json": '{"name":"leaf","version":"1.0.0","type":"module","main":"index.js"}',
  "node_modules/leaf/index.js": 'export default "leaf";',
};

const PROJECTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "imports of a deno.json": { ...LEAF, "deno.json": '{"imports":{"leaf":"./leaf.js"}}', "app.js": APP },
  "an import map file": { ...LEAF, "deno.json": '{"importMap":"map.json"}', "map.json": '{"imports":{"leaf":"./leaf.js"}}', "app.js": APP },
  "a configuration of a parent folder": { ...LEAF, "deno.json": '{"imports":{"leaf":"./leaf.js"}}', "src/app.js": APP },
  "a package.json with node_modules": { ...PACKAGE, "app.js": APP },
  "a deno.json and a package.json": { ...PACKAGE, "deno.json": "{}", "app.js": APP },
  "no configuration": { ...LEAF, "app.js": APP.replace('"leaf"', '"./leaf.js"') },
};

for (const [name, files] of Object.entries(PROJECTS)) {
  Deno.test(`a worker process resolves as the app's own project does: ${name}`, async () => {
    await using project = await folder(files);
    const app = "src/app.js" in files ? "src/app.js" : "app.js";
    await using server = new Cli([`${project.path}/${app}`, "--port", "0", "--workers", "1"]);
    const response = await fetch(await server.url());
    assertEquals(await response.text(), "leaf");
    assertEquals((await server.stop()).code, 0);
  });
}
