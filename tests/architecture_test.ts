/**
 * The layer rule, on the edges that `deno info --json` prints:
 *
 *     spec <- exchange, wire <- sessions | engines | links | toolkit <- loading <- runner | testing | worker.ts <- mod.ts, cli.ts
 *
 * An arrow points at what may be imported; siblings never import each other.
 */

import { assertEquals } from "@std/assert";
import { fromFileUrl, toFileUrl } from "@std/path";

const ROOT = new URL("../", import.meta.url).href;
const FIXTURE = new URL("./fixtures/architecture/", import.meta.url).href;

/** What each layer may import beside itself. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  spec: [],
  exchange: ["spec"],
  wire: ["spec", "exchange"],
  sessions: ["spec", "exchange", "wire"],
  engines: ["spec", "exchange", "wire"],
  links: ["spec", "exchange", "wire"],
  toolkit: ["spec", "wire"],
  loading: ["spec", "exchange", "wire", "sessions", "engines", "links", "toolkit"],
  runner: ["spec", "exchange", "wire", "sessions", "engines", "links", "toolkit", "loading"],
  testing: ["spec", "exchange", "wire", "sessions", "engines", "links", "toolkit", "loading"],
  worker: ["spec", "exchange", "wire", "sessions", "links", "loading"],
  // A worker that listens itself: it has an engine, and writes its own access log.
  listener: ["spec", "exchange", "wire", "sessions", "engines", "links", "loading", "runner"],
  root: ["spec", "runner", "testing"],
};

/**
 * Layers that import nothing from outside the package, so that they run under anybody's configuration; but the files of the engine
 * `node`, see {@linkcode mayLeave}.
 */
const SELF_CONTAINED = ["spec", "exchange", "wire", "sessions", "engines", "links", "worker"];

interface Edge {
  /** As it is written. */
  readonly specifier: string;
  readonly code?: { specifier?: string };
  readonly type?: { specifier?: string };
  readonly isDynamic?: boolean;
}

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly Edge[];
}

/** The layer of a module of the package at `base`, `null` for what is outside. */
function layerOf(specifier: string, base: string): string | null {
  if (!specifier.startsWith(base)) return null;
  const path = specifier.slice(base.length);
  if (path === "mod.ts" || path === "cli.ts") return "root";
  return /^src\/([a-z]+)(?:\/|\.ts$)/.exec(path)?.[1] ?? null;
}

/** What is wrong with the edges of a module graph, one line each. */
function violations(modules: readonly Module[], base: string): string[] {
  const found: string[] = [];
  for (const { specifier, dependencies = [] } of modules) {
    const from = layerOf(specifier, base);
    if (from === null) continue;
    const may = MAY[from];
    if (!may) {
      found.push(`${specifier.slice(base.length)}: the layer ${from} is not in the rule`);
      continue;
    }
    for (const dependency of dependencies) {
      const target = targetOf(dependency);
      const to = layerOf(target, base);
      const name = `${specifier.slice(base.length)} imports ${target.startsWith(base) ? target.slice(base.length) : dependency.specifier}`;
      if (to === null) {
        if (SELF_CONTAINED.includes(from) && !mayLeave(specifier.slice(base.length), dependency)) found.push(name);
      } else if (to !== from && !may.includes(to)) found.push(name);
    }
  }
  return found.sort();
}

/** The files of the engine `node` stand on Deno's `node:` modules, and load `npm:ws`, of one version, once there is a WebSocket. */
function mayLeave(path: string, { specifier, isDynamic }: Edge): boolean {
  if (!/^src\/engines\/node_[a-z\d_]+\.ts$/.test(path)) return false;
  return /^node:[a-z\d/_]+$/.test(specifier) || (isDynamic === true && /^npm:ws@\^8\.21\.1(?:\/|$)/.test(specifier));
}

/** Every module that is loaded with an entry point at once; what it imports later, by `import()`, is left out. */
function loadedWith(entry: string, modules: ReadonlyMap<string, Module>): Set<string> {
  const found = new Set([entry]);
  for (const specifier of found) {
    for (const edge of modules.get(specifier)?.dependencies ?? []) {
      if (edge.code?.specifier !== undefined && !edge.isDynamic) found.add(edge.code.specifier);
    }
  }
  return found;
}

/** The edges in the whole graph of an entry point that are no relative imports, one line each. */
function foreignEdges(entry: string, modules: ReadonlyMap<string, Module>, base: string): string[] {
  const found: string[] = [];
  const reached = new Set([entry]);
  for (const specifier of reached) {
    for (const edge of modules.get(specifier)?.dependencies ?? []) {
      if (/^\.\.?\//.test(edge.specifier)) reached.add(targetOf(edge));
      else found.push(`${specifier.slice(base.length)} imports ${edge.specifier}`);
    }
  }
  return found.sort();
}

function targetOf(edge: Edge): string {
  return edge.code?.specifier ?? edge.type?.specifier ?? edge.specifier;
}

async function graph(entries: readonly string[]): Promise<Map<string, Module>> {
  const modules = new Map<string, Module>();
  for (const entry of entries) {
    const { stdout, success } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", entry], stderr: "null" }).output();
    assertEquals(success, true, `deno info ${entry}`);
    for (const module of (JSON.parse(new TextDecoder().decode(stdout)) as { modules: Module[] }).modules) {
      modules.set(module.specifier, module);
    }
  }
  return modules;
}

async function sources(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await sources(path));
    else if (entry.name.endsWith(".ts")) found.push(path);
  }
  return found;
}

Deno.test("the modules of the package keep the layer rule, and none is out of its reach", async () => {
  const root = fromFileUrl(ROOT);
  const all = await sources(`${root}src`);
  // Entry points first; what they do not reach is asked for by itself.
  const modules = await graph([`${root}mod.ts`, `${root}cli.ts`, `${root}src/testing/mod.ts`]);
  const unreached = all.filter((path) => !modules.has(toFileUrl(path).href));
  for (const [specifier, module] of await graph(unreached)) modules.set(specifier, module);
  assertEquals(all.filter((path) => !modules.has(toFileUrl(path).href)), []);
  assertEquals(violations([...modules.values()], ROOT), []);
});

Deno.test("the layer rule finds a module that breaks it", async () => {
  const root = fromFileUrl(FIXTURE);
  const modules = await graph(
    ["engines/bad_engine", "engines/node_bad", "spec/bad_spec", "toolkit/bad_helper"].map((name) => `${root}src/${name}.ts`),
  );
  assertEquals(violations([...modules.values()], FIXTURE), [
    "src/engines/bad_engine.ts imports node:net",
    "src/engines/bad_engine.ts imports npm:ws@^8.21.1",
    "src/engines/bad_engine.ts imports src/sessions/session.ts",
    "src/engines/node_bad.ts imports @std/path",
    "src/engines/node_bad.ts imports npm:playwright-core@^1.56.0",
    "src/engines/node_bad.ts imports npm:ws@^8.21.1",
    "src/engines/node_bad.ts imports src/sessions/session.ts",
    "src/spec/bad_spec.ts imports node:fs",
    "src/spec/bad_spec.ts imports src/engines/bad_engine.ts",
    "src/toolkit/bad_helper.ts imports src/sessions/session.ts",
  ]);
});

Deno.test("the package as a library loads nothing from outside and no command line", async () => {
  const modules = await graph([fromFileUrl(`${ROOT}mod.ts`)]);
  const loaded = [...loadedWith(`${ROOT}mod.ts`, modules)];
  assertEquals(loaded.filter((specifier) => !specifier.startsWith(ROOT)), []);
  assertEquals(loaded.filter((specifier) => /\/(?:cli|src\/runner\/main)\.ts$/.test(specifier)), []);
  // As the main module it does.
  assertEquals(modules.has(`${ROOT}src/runner/main.ts`), true);
});

Deno.test("a worker's whole graph is relative imports, so that it runs under anybody's configuration", async () => {
  const worker = `${ROOT}src/worker.ts`;
  if (await exists(fromFileUrl(worker))) assertEquals(foreignEdges(worker, await graph([fromFileUrl(worker)]), ROOT), []);
  const bad = `${FIXTURE}src/worker.ts`;
  assertEquals(foreignEdges(bad, await graph([fromFileUrl(bad)]), FIXTURE), [
    "src/loading/load.ts imports @std/path",
    "src/worker.ts imports node:process",
  ]);
});

Deno.test("a worker that listens itself loads relative imports at once, and later only what its engine takes", async () => {
  const listener = `${ROOT}src/listener.ts`;
  const modules = await graph([fromFileUrl(listener)]);
  const loaded = [...loadedWith(listener, modules)];
  assertEquals(loaded.filter((specifier) => !specifier.startsWith(ROOT)), []);
  assertEquals(loaded.filter((specifier) => /\/src\/engines\//.test(specifier)), []);
});

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
