/**
 * `deno task release`: writes what is really published to `dist/`, and checks it as far as that can be done without the registry.
 *
 * The repository's `deno.json` names the standard library by its `jsr:` addresses and links them to `links/std`, so that it can be run
 * where only npm can be reached. A user gets the real packages: the published configuration has no `links`, `links/` stays out, and
 * `imports` holds only what the published modules use.
 *
 * What is checked here: every file that is listed is there; published modules import nothing that is not published and no name that is
 * not mapped; every range takes the version that the tests ran with; and a project of somebody else's, with links to `dist/` and to the
 * standard library in place of the registry, type checks every export and runs the command line. What is not: that the registry accepts
 * the package and that the real standard library has these types. `deno publish --dry-run` in `dist/` says both, where the registry can
 * be reached.
 *
 * @module
 */

import { fromFileUrl, toFileUrl } from "@std/path";
import { type PackageConfig, readConfig, ROOT } from "./package.ts";

const DIST = new URL("dist/", ROOT);

/** A package by its whole name, which needs no entry: it also loads under the configuration of an app. */
const VERSIONED = /^npm:[^@]+@[\^~]?\d/;

const config = readConfig();
const links = (config.links ?? []).map((path) => new URL(`${path}/`, ROOT));
const include = config.publish.include.filter((path) => path !== "links/");
const problems: string[] = [];

await Deno.remove(DIST, { recursive: true }).catch((error) => {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
});
const files = await copy(include);
const used = await usedImports(files);
const { name, version, license, exports, compilerOptions } = config;
await writeJson(new URL("deno.json", DIST), { name, version, license, exports, imports: used, compilerOptions, publish: { include } });
for (const path of Object.values(exports)) {
  if (!files.includes(path.replace(/^\.\//, ""))) problems.push(`The export ${path} is not published`);
}
for (const link of links) checkVersion(link);
if (problems.length === 0) await tryAsConsumer();

for (const problem of problems) console.error(problem);
console.log(`dist/: ${files.length + 1} files of ${name}@${version}, ${problems.length} problems`);
Deno.exitCode = problems.length === 0 ? 0 : 1;

/** Copies what is published; returns its paths. */
async function copy(paths: readonly string[]): Promise<string[]> {
  const copied: string[] = [];
  for (const path of (await Promise.all(paths.map(list))).flat()) {
    const target = new URL(path, DIST);
    await Deno.mkdir(new URL("./", target), { recursive: true });
    await Deno.copyFile(new URL(path, ROOT), target);
    copied.push(path);
  }
  return copied;
}

async function list(path: string): Promise<string[]> {
  try {
    if (!(await Deno.stat(new URL(path, ROOT))).isDirectory) return [path];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    problems.push(`${path} is listed in publish.include and is not there`);
    return [];
  }
  const found: string[] = [];
  for await (const entry of Deno.readDir(new URL(path, ROOT))) {
    found.push(...await list(entry.isDirectory ? `${path}${entry.name}/` : `${path}${entry.name}`));
  }
  return found.sort();
}

/** The entries of `imports` that published modules need. */
async function usedImports(files: readonly string[]): Promise<Record<string, string>> {
  const used = new Set<string>();
  for (const file of files.filter((file) => file.endsWith(".ts"))) {
    for (const specifier of importsOf(await Deno.readTextFile(new URL(file, DIST)))) {
      const key = Object.keys(config.imports).find((key) => specifier === key || specifier.startsWith(`${key}/`));
      if (key !== undefined) used.add(key);
      else if (specifier.startsWith(".")) {
        const target = new URL(specifier, new URL(file, DIST)).href.slice(DIST.href.length);
        if (!files.includes(target)) problems.push(`${file} imports ${specifier}, which is not published`);
      } else if (!specifier.startsWith("node:") && !VERSIONED.test(specifier)) {
        problems.push(`${file} imports ${specifier}, which deno.json does not map`);
      }
    }
  }
  return Object.fromEntries(Object.entries(config.imports).filter(([key]) => used.has(key)));
}

/** The specifiers of a module's imports and re-exports; examples in comments are left out. */
function importsOf(source: string): string[] {
  const code = source.replace(/^ *\/\*\*[^]*?\*\//gm, "");
  const fixed = code.matchAll(/^(?:import|export)\s(?:[^;"']*?\sfrom\s)?["']([^"']+)["']/gm);
  return [...fixed, ...code.matchAll(/\bimport\("([^"]+)"\)/g)].map((match) => match[1]!);
}

/** A linked package must be one that the range in `imports` takes. */
function checkVersion(link: URL): void {
  const linked = JSON.parse(Deno.readTextFileSync(new URL("deno.json", link))) as Pick<PackageConfig, "name" | "version">;
  const range = config.imports[linked.name];
  const least = range?.match(/@\^([1-9]\d*)\.(\d+)\.(\d+)$/);
  const [major, minor, patch] = linked.version.split(".").map(Number) as [number, number, number];
  const takes = least && Number(least[1]) === major &&
    (minor > Number(least[2]) || (minor === Number(least[2]) && patch >= Number(least[3])));
  if (!takes) problems.push(`${linked.name} is linked in version ${linked.version}, which ${range} does not take`);
}

/** What a user would do: import everything, and run the command line. */
async function tryAsConsumer(): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await writeJson(toFileUrl(`${folder}/deno.json`), {
      imports: { [name]: `jsr:${name}@^${version}` },
      links: [DIST, ...links].map(fromFileUrl),
    });
    const modules = Object.keys(exports).map((key) => JSON.stringify(`${name}${key.slice(1)}`));
    await Deno.writeTextFile(`${folder}/all.ts`, modules.map((module) => `import ${module};\n`).join(""));
    await run(folder, ["check", "all.ts"]);
    await run(folder, ["run", "-A", "all.ts"]);
    const printed = await run(folder, ["run", "-A", `jsr:${name}`, "--version"]);
    if (!printed.includes(` ${version} `)) problems.push(`The command line says it is version ${JSON.stringify(printed)}, not ${version}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(cwd: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...args], cwd, env: { NO_COLOR: "1" } }).output();
  if (!success) problems.push(`As a user's project, deno ${args.join(" ")} fails:\n${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

function writeJson(path: URL, value: unknown): Promise<void> {
  return Deno.writeTextFile(path, JSON.stringify(value, null, 2) + "\n");
}
