/**
 * `deno task release`: writes what is really published to `dist/`, and checks it as far as that can be done without the registry.
 *
 * The repository's `deno.json` names the standard library by its `jsr:` addresses and links them to `links/std`, so that it can be run
 * where only npm can be reached. A user gets the real packages: the published configuration has no `links`, and `links/` stays out.
 * What is checked here: every published module is there, imports only names that the configuration maps, and none of them a link; every
 * range of a linked package takes the version that the tests ran with. What is not: that the registry accepts it, which only
 * `deno publish` in `dist/` can say.
 *
 * @module
 */

import { readConfig, ROOT } from "./package.ts";

const DIST = new URL("dist/", ROOT);
const { links = [], tasks: _tasks, publish, ...config } = readConfig();
const include = publish.include.filter((path) => path !== "links/");

await Deno.remove(DIST, { recursive: true }).catch((error) => {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
});
const files = (await Promise.all(include.map((path) => list(path)))).flat();
for (const file of files) {
  const target = new URL(file, DIST);
  await Deno.mkdir(new URL("./", target), { recursive: true });
  await Deno.copyFile(new URL(file, ROOT), target);
}
const development = /^(?:npm:)?(?:playwright-core|ws)/; // only tests and benchmarks use these
const used = Object.fromEntries(Object.entries(config.imports).filter(([name]) => !development.test(name)));
await Deno.writeTextFile(new URL("deno.json", DIST), JSON.stringify({ ...config, imports: used, publish: { include } }, null, 2) + "\n");

const problems: string[] = [];
for (const path of Object.values(config.exports)) {
  if (!files.includes(path.replace(/^\.\//, ""))) problems.push(`The export ${path} is not published`);
}
for (const file of files.filter((file) => file.endsWith(".ts"))) {
  for (const name of imports(await Deno.readTextFile(new URL(file, DIST)))) {
    if (name.startsWith(".")) {
      const target = new URL(name, new URL(file, DIST)).href.slice(DIST.href.length);
      if (!files.includes(target)) problems.push(`${file} imports ${name}, which is not published`);
    } else if (!/^(?:node:|npm:|jsr:|data:|https?:)/.test(name) && name !== config.name && !name.startsWith(`${config.name}/`)) {
      if (!Object.keys(used).some((key) => name === key || name.startsWith(`${key}/`))) {
        problems.push(`${file} imports ${name}, which is not mapped`);
      }
    }
  }
}
for (const link of links) {
  const linked = JSON.parse(await Deno.readTextFile(new URL(`${link}/deno.json`, ROOT))) as { name: string; version: string };
  const range = config.imports[linked.name]?.match(/@\^(\d+)\.(\d+)\.(\d+)$/);
  const [major, minor, patch] = linked.version.split(".").map(Number) as [number, number, number];
  const fits = range && Number(range[1]) === major &&
    (minor > Number(range[2]) || (minor === Number(range[2]) && patch >= Number(range[3])));
  if (!fits) problems.push(`${link} is version ${linked.version}, which ${config.imports[linked.name]} does not take`);
}
for (const problem of problems) console.error(problem);
console.log(`dist/: ${files.length + 1} files of ${config.name}@${config.version}, ${problems.length} problems`);
Deno.exitCode = problems.length === 0 ? 0 : 1;

async function list(path: string): Promise<string[]> {
  if (!path.endsWith("/")) return [path];
  const found: string[] = [];
  for await (const entry of Deno.readDir(new URL(path, ROOT))) {
    found.push(...await list(entry.isDirectory ? `${path}${entry.name}/` : `${path}${entry.name}`));
  }
  return found.sort();
}

/** The specifiers of a module's imports and re-exports; examples in comments are left out. */
function imports(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "");
  return [...code.matchAll(/^(?:import|export)\s(?:[^;"']*?\sfrom\s)?["']([^"']+)["']/gm), ...code.matchAll(/\bimport\("([^"]+)"\)/g)].map((
    m,
  ) => m[1]!);
}
