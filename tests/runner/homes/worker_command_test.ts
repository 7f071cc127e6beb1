import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { passedFlags, scopeFlags, workerArguments } from "../../../src/runner/homes/worker_command.ts";
import { StartupError } from "../../../src/spec/errors.ts";
import { Cli, folder, ROOT } from "../process.ts";

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

Deno.test("passedFlags() passes on a permission set, and scopeFlags() what belongs to a configuration", () => {
  assertEquals(passedFlags(["run", "-P=serve", "--permission-set=a", "-P", "main.ts"]), ["-P=serve", "--permission-set=a", "-P"]);
  const command = ["run", "--import-map", "map.json", "--frozen", "--lock=deno.lock", "--lock", "main.ts"];
  assertEquals(scopeFlags(command, true), ["--frozen"]);
  assertEquals(scopeFlags(command, false), ["--import-map=map.json", "--frozen", "--lock=deno.lock", "--lock"]);
});

Deno.test("workerArguments() grants nothing where the parent shows no grant, and runs a package under the configuration of this process", () => {
  const args = workerArguments({ parent: ["run"], appPath: null, memoryBytes: 64 << 20 });
  const config = `${ROOT}deno.json`;
  assertEquals(args.slice(0, -1), ["run", "--no-prompt", "--config", config, "--v8-flags=--max-old-space-size=64"]);
});

Deno.test("workerArguments() refuses a permission set of another configuration than the app's", async () => {
  await using project = await folder({ "deno.json": '{"imports":{}}', "app.js": "" });
  const make = () => workerArguments({ parent: ["run", "-P=serve"], appPath: `${project.path}/app.js`, memoryBytes: 0 });
  assertThrows(make, StartupError, "-P=serve names permissions of another configuration than the app's");
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
  "JSX settings": {
    "deno.json": '{"compilerOptions":{"jsx":"react","jsxFactory":"make"}}',
    "app.jsx": APP.replace('import word from "leaf";', "const make = (name) => name;\nconst word = <leaf />;"),
  },
  "a member of a workspace": {
    "deno.json": '{"workspace":["./site"]}',
    "site/deno.json": '{"imports":{"leaf":"./leaf.js"}}',
    "site/leaf.js": LEAF["leaf.js"],
    "site/app.js": APP,
  },
  "a deno.jsonc with comments": { ...LEAF, "deno.jsonc": '{ // where it is\n "imports": { "leaf": "./leaf.js" } }', "app.js": APP },
  "no configuration": { ...LEAF, "app.js": APP.replace('"leaf"', '"./leaf.js"') },
};

for (const [name, files] of Object.entries(PROJECTS)) {
  Deno.test(`a worker process resolves as the app's own project does: ${name}`, async () => {
    await using project = await folder(files);
    const app = Object.keys(files).find((name) => /app\.jsx?$/.test(name))!;
    await using server = new Cli([`${project.path}/${app}`, "--port", "0", "--workers", "1"]);
    const response = await fetch(await server.url());
    assertEquals(await response.text(), "leaf");
    assertEquals((await server.stop()).code, 0);
  });
}

async function answer(args: readonly string[], options: ConstructorParameters<typeof Cli>[1]): Promise<string> {
  await using server = new Cli([...args, "--port", "0"], options);
  const text = await (await fetch(await server.url())).text();
  assertEquals((await server.stop()).code, 0);
  return text;
}

for (const workers of ["0", "1"]) {
  Deno.test(`an app without a configuration resolves under that of its server, with ${workers} workers`, async () => {
    const text = APP.replace('word from "leaf"', '{ eTag } from "@std/http/etag"').replace("body: word", "body: typeof eTag");
    await using project = await folder({ "app.js": text });
    const app = `${project.path}/app.js`;
    assertEquals(await answer([app, "--workers", workers], {}), "function");
  });
}

Deno.test("a name of the configuration that the server was given is an app in a worker process too", async () => {
  await using project = await folder({
    "deno.json": JSON.stringify({ imports: { "@my/app": "./app.js", "leaf": "./leaf.js" } }),
    ...LEAF,
    "app.js": APP,
  });
  // The server itself is a file, so its configuration would be its own; the package is a name in the user's.
  const config = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const links = (config.links as string[]).map((link) => new URL(link, `file://${ROOT}`).pathname);
  const imports = { ...config.imports, "@my/app": "./app.js", "leaf": "./leaf.js" };
  await Deno.writeTextFile(`${project.path}/deno.json`, JSON.stringify({ imports, links }));
  const options = { cwd: project.path, denoArgs: ["--config", `${project.path}/deno.json`, "--no-lock"] };
  assertEquals(await answer(["@my/app", "--workers", "1"], options), "leaf");
});

for (const workers of ["0", "1"]) {
  Deno.test(`an app without a configuration may import a package by its specifier, with ${workers} workers`, async () => {
    const version = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)).imports["@logtape/logtape"];
    const text = APP.replace('word from "leaf"', `{ getLogger } from "${version}"`).replace("body: word", "body: typeof getLogger");
    await using project = await folder({ "app.js": text });
    assertEquals(await answer([`${project.path}/app.js`, "--workers", workers], { denoArgs: ["--frozen"] }), "function");
  });
}

Deno.test("--frozen of the server keeps a worker process from using what the lock file of the app lacks", async () => {
  const version = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)).imports["@logtape/logtape"];
  const text = APP.replace('word from "leaf"', `{ getLogger } from "${version}"`).replace("body: word", "body: typeof getLogger");
  await using project = await folder({ "deno.json": '{"imports":{}}', "deno.lock": '{"version":"5"}', "app.js": text });
  await using server = new Cli([`${project.path}/app.js`, "--port", "0", "--workers", "1"], { denoArgs: ["--frozen"] });
  const { code, stderr } = await server.finished();
  assertEquals(code, 3);
  assertMatch(stderr, /lockfile is out of date/);
});
