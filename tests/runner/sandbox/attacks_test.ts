/** Attacks from inside a sandbox: the real command line, real processes, an app that tries. Each says what it got, and that others are served. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Cli, cli, folder } from "../process.ts";

/** Runs the function of its own that the path names, and answers with what came of it. */
const APP = `
const tries = {
  ok: () => "ok",
  passwd: () => Deno.readTextFileSync("/etc/passwd"),
  nodeFs: async () => (await import("node:fs")).readFileSync("/etc/passwd"),
  stat: () => Deno.statSync("/etc/passwd").size,
  write: () => Deno.writeTextFileSync("/tmp/pagi-escaped", "x"),
  own: () => Deno.readTextFileSync(new URL(import.meta.url)),
  computed: () => import("/etc/" + "passwd", { with: { type: "text" } }),
  data: () => import("data:text/javascript," + encodeURIComponent('import t from "file:///etc/passwd" with { type: "text" }; export default t;')),
  require: async () => (await import("node:module")).createRequire(import.meta.url)("/etc/passwd"),
  evaluated: () => (0, eval)('import("/etc/passwd", { with: { type: "text" } })'),
  workerIn: () => new Promise((resolve, reject) => {
    const code = 'try { postMessage(Deno.readTextFileSync("/etc/passwd")); } catch (error) { postMessage(error.name); }';
    const worker = new Worker("data:text/javascript," + encodeURIComponent(code), { type: "module" });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => { event.preventDefault(); reject(new Error(event.message)); };
  }),
  npm: () => import("npm:" + "is-odd@3.0.1"),
  remote: () => import("https://example.com/" + "x.ts"),
  net: () => Deno.connect({ hostname: "127.0.0.1", port: 22 }),
  fetch: () => fetch("http://127.0.0.1:65000/"),
  listen: () => Deno.listen({ port: 0 }),
  dns: () => Deno.resolveDns("example.com", "A"),
  run: () => new Deno.Command("/bin/cat", { args: ["/etc/passwd"] }).outputSync(),
  ffi: () => Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {}),
  env: () => Deno.env.get("SECRET"),
  environment: () => Deno.env.toObject(),
  sys: () => Deno.hostname(),
  killParent: () => Deno.kill(Deno.ppid, "SIGKILL"),
  parentEnviron: () => Deno.readTextFileSync("/proc/" + Deno.ppid + "/environ"),
  parentMemory: () => Deno.openSync("/proc/" + Deno.ppid + "/mem"),
  sockets: () => [...Deno.readDirSync("/tmp")].length,
  inspector: async () => (await import("node:inspector")).open(0),
  request: async () => (await Deno.permissions.request({ name: "read" })).state,
  cwd: () => Deno.cwd(),
  store: () => { localStorage.setItem("who", "me"); return localStorage.getItem("who"); },
  stored: () => localStorage.getItem("who"),
  cache: async () => { await (await caches.open("c")).put("http://a/", new Response("mine")); return "kept"; },
  cached: async () => (await (await caches.open("c")).match("http://a/")) === undefined ? "nothing" : "something",
  exit: () => Deno.exit(0),
  busy: () => { for (;;); },
  heap: () => { const kept = []; for (;;) kept.push(new Array(100_000).fill(Math.random())); },
  buffers: async () => { const kept = []; for (;;) { kept.push(new Uint8Array(20_000_000).fill(1)); await new Promise((go) => setTimeout(go, 10)); } },
  wasm: async () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 60_000 });
    for (;;) { memory.grow(300); new Uint8Array(memory.buffer).fill(1); await new Promise((go) => setTimeout(go, 10)); }
  },
  logs: () => { for (let n = 0; n < 20_000; n++) console.error("flood ".repeat(20) + n); return "flooded"; },
  denials: () => { for (let n = 0; n < 200_000; n++) try { Deno.env.get("E" + n); } catch { /* as expected */ } return "flooded"; },
  stringify: () => { JSON.stringify = () => "[99,1,2]"; return "patched"; },
  huge: () => { const real = JSON.stringify; JSON.stringify = (value) => real(value) + " ".repeat(100_000_000); return "patched"; },
  parse: () => { JSON.parse = () => { throw new Error("no"); }; return "patched"; },
  bytes: () => { Uint8Array.prototype.set = () => {}; Uint8Array.prototype.subarray = () => new Uint8Array(9); return "patched"; },
  promise: () => { Promise.prototype.then = function () { return this; }; return "patched"; },
};
export default async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error("Unsupported scope type: " + scope.type);
  const name = scope.path.slice(1);
  if (name === "file") {
    await send({ type: "http.response.start", status: 200 });
    return await send({ type: "http.response.body", file: "/etc/passwd" });
  }
  if (name === "packets") {
    await send({ type: "http.response.start", status: 200 });
    for (let n = 0; n < 100_000; n++) send({ type: "http.response.body", body: new Uint8Array(4096), more: true }).catch(() => {});
    return;
  }
  let text;
  try {
    text = "got " + await tries[name]();
  } catch (error) {
    text = error.name + ": " + error.message;
  }
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: text });
};
`;

const ARGS = ["app.js", "--port", "0", "--sandbox", "--shutdown-timeout", "2"];

/** Asks for what the path does; what goes wrong is told as text. */
async function ask(url: string, name: string): Promise<string> {
  try {
    const response = await fetch(url + name, { signal: AbortSignal.timeout(20_000) });
    const text = await response.text();
    return response.status === 200 ? text : `${response.status}`;
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : error}`;
  }
}

/** The front serves: at once, or as soon as there is a new worker. */
async function serves(url: string): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const answer = await ask(url, "ok");
    if (answer === "got ok") return;
    if (performance.now() > deadline) throw new Error(`The server does not serve: ${answer}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("a sandboxed app reads no file, variable, host or process, and starts none", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli(ARGS, { cwd: dir.path, env: { SECRET: "hidden" } });
  const url = await command.url();
  const refused = ["passwd", "nodeFs", "stat", "write", "own", "net", "fetch", "listen", "dns", "run", "ffi", "env", "environment", "sys"];
  for (const name of [...refused, "killParent", "parentEnviron", "parentMemory", "sockets", "inspector"]) {
    assertMatch(await ask(url, name), /^NotCapable: /, name);
  }
  for (const name of ["computed", "data", "evaluated"]) assertMatch(await ask(url, name), /^TypeError: Requires read access/, name);
  assertMatch(await ask(url, "require"), /^NotCapable: Requires read access/);
  assertEquals(await ask(url, "workerIn"), "got NotCapable");
  assertMatch(await ask(url, "npm"), /^TypeError: /);
  assertMatch(await ask(url, "remote"), /^TypeError: /);
  assertEquals(await ask(url, "request"), "got denied");
  await serves(url);
  assertEquals((await command.stop()).code, 0);
});

Deno.test("a sandboxed app gets no file served that it may not read", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli(ARGS, { cwd: dir.path });
  const url = await command.url();
  const answer = await ask(url, "file");
  assert(!answer.includes("root:"), answer);
  await serves(url);
  await command.stop();
});

Deno.test("a sandboxed app has the files and variables that flags give it, and a link keeps the sandbox no tighter than it is", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "--allow-read=/etc/passwd", "--env-var", "SECRET", "--allow-env=SECRET"], {
    cwd: dir.path,
    env: { SECRET: "shared" },
  });
  const url = await command.url();
  assertStringIncludes(await ask(url, "passwd"), "root:");
  assertEquals(await ask(url, "env"), "got shared");
  assertMatch(await ask(url, "environment"), /^NotCapable/);
  await command.stop();
});

Deno.test("flags that deny everything do not cut the link", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "--deny-read", "--deny-write", "--deny-net", "--deny-read=/tmp", "--ignore-env"], {
    cwd: dir.path,
  });
  const url = await command.url();
  await serves(url);
  assertEquals(await ask(url, "env"), "got undefined");
  await command.stop();
});

Deno.test("a worker has an empty directory of its own, removed with it; its socket and its secret are gone before the app runs", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "--allow-read=/tmp", "--allow-write=/tmp"], { cwd: dir.path });
  const url = await command.url();
  const cwd = (await ask(url, "cwd")).replace("got ", "");
  assertEquals([...Deno.readDirSync(cwd)], []);
  const mine = [...Deno.readDirSync("/tmp")].filter(({ name }) => name.startsWith(`pagi-link-${command.pid}-`));
  assertEquals(mine.map(({ name }) => `/tmp/${name}/cwd`), [cwd], "there is no socket to take over");
  await command.stop();
  assertEquals([...Deno.readDirSync("/tmp")].filter(({ name }) => name.startsWith(`pagi-link-${command.pid}-`)), []);
});

Deno.test("an app finds no localStorage and no cache of a neighbour, nor of the worker before", async () => {
  await using dir = await folder({ "app.js": APP });
  await using first = new Cli(ARGS, { cwd: dir.path });
  const url = await first.url();
  assertEquals(await ask(url, "store"), "got me");
  assertEquals(await ask(url, "cache"), "got kept");
  await using second = new Cli(ARGS, { cwd: dir.path });
  assertEquals(await ask(await second.url(), "stored"), "got null");
  assertEquals(await ask(await second.url(), "cached"), "got nothing");
  await ask(url, "exit");
  await serves(url);
  assertEquals(await ask(url, "stored"), "got null");
  await first.stop();
  await second.stop();
});

const IMPORTS: Readonly<Record<string, [app: string, says: RegExp]>> = {
  "a text import": [
    `import t from "/etc/passwd" with { type: "text" };`,
    /imports \/etc\/passwd, which is outside its folder.*\(as text, .*app\.js → \/etc\/passwd\)/,
  ],
  "a text import of a module": [`import "./lib/deep.js";`, /\(as text, .*app\.js → .*lib\/deep\.js → \/etc\/passwd\)/],
  "a dynamic import by name": [
    `const t = () => import("/etc/passwd", { with: { type: "text" } });`,
    /imports \/etc\/passwd, which is outside/,
  ],
  "a module outside": [`import "../x.js";`, /which is outside its folder: allow it with --allow-read=/],
  "a symbolic link": [`import "./link.js";`, /link\.js, a symbolic link to .*passwd outside its folder/],
  "a module on the network": [`import "http://127.0.0.1:1/x.js";`, /needs --allow-import=127\.0\.0\.1:1/],
  "a package that is not there": [`import "npm:nonexistent-pagi-package@9.9.9";`, /npm:nonexistent.* which is not in Deno's cache/],
};

for (const [what, [line, says]] of Object.entries(IMPORTS)) {
  Deno.test(`a sandbox refuses ${what} before the app runs`, async () => {
    await using dir = await folder({
      "app.js": `${line}\nconsole.log("it ran");\n${APP}`,
      "lib/deep.js": `import t from "/etc/passwd" with { type: "text" };`,
    });
    await Deno.symlink("/etc/passwd", `${dir.path}/link.js`);
    const { code, stdout, stderr } = await cli(ARGS, { cwd: dir.path });
    assertEquals([code, stdout], [3, ""], stderr);
    assertMatch(stderr, says);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
  });
}

Deno.test("a sandbox lets in a module that --allow-read names, unless --deny-read does too", async () => {
  await using dir = await folder({ "app.js": `import t from "/etc/hostname" with { type: "text" };\n${APP}` });
  await using command = new Cli([...ARGS, "--allow-read=/etc/hostname"], { cwd: dir.path });
  await serves(await command.url());
  await command.stop();
  const { code, stderr } = await cli([...ARGS, "--allow-read=/etc", "--deny-read=/etc/hostname"], { cwd: dir.path });
  assertEquals(code, 3);
  assertMatch(stderr, /\/etc\/hostname, which a --deny-read or --ignore-read covers/);
});

Deno.test("an app that writes itself another import is not started again", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, `--allow-write=${dir.path}`], { cwd: dir.path });
  const url = await command.url();
  await command.stderr.until(/may write to its own folder/);
  await Deno.writeTextFile(`${dir.path}/app.js`, `import t from "/etc/passwd" with { type: "text" };\n${APP}`);
  await ask(url, "exit");
  await command.stderr.until(/Worker 1 could not start: .*imports \/etc\/passwd, which is outside/);
  await command.stop();
});

Deno.test("symbolic links that leave an allowed folder are named at startup", async () => {
  await using dir = await folder({ "app.js": APP, "data/a.txt": "a" });
  await Deno.symlink("/etc/hostname", `${dir.path}/data/out`);
  await Deno.symlink("a.txt", `${dir.path}/data/in`);
  await using command = new Cli([...ARGS, "--allow-read=data"], { cwd: dir.path });
  await command.url();
  const text = await command.stderr.until(/data\/out leads out of the allowed folders, to \/etc\/hostname/);
  assert(!text.includes("data/in leads"), text);
  await command.stop();
});

Deno.test("what an app is denied is logged once for each target, and a flood of it is bounded", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli(ARGS, { cwd: dir.path });
  const url = await command.url();
  for (let n = 0; n < 3; n++) await ask(url, "passwd");
  const text = await command.stderr.until(/Worker 1 was denied read access to "\/etc\/passwd" \(derived from its flags\)/);
  assertEquals(text.split('denied read access to "/etc/passwd"').length, 2);
  const flood = ask(url, "denials");
  await command.stderr.until(/denied more than 100 targets/);
  await flood;
  await serves(url);
  const { stderr } = await command.stop();
  assert(stderr.split("was denied").length < 110, "it is bounded");
});

/** Attacks on the server's strength, with two workers: the other one goes on. */
const FLOODS: readonly [name: string, says: RegExp | null, more: readonly string[]][] = [
  ["exit", /is gone: .*exit code 0/, []],
  ["busy", /is killed: /, ["--heartbeat-timeout", "1"]],
  ["heap", /is gone: |is killed: /, ["--worker-memory", "128M"]],
  ["buffers", /is killed: |takes no more exchanges: /, ["--worker-memory", "128M"]],
  ["wasm", /is killed: |takes no more exchanges: /, ["--worker-memory", "128M"]],
  ["logs", null, []],
  ["packets", null, []],
];

for (const [name, says, more] of FLOODS) {
  Deno.test(`an attack by ${name} leaves the server and the other worker as they are`, async () => {
    await using dir = await folder({ "app.js": APP });
    await using command = new Cli([...ARGS, "--workers", "2", ...more], { cwd: dir.path });
    const url = await command.url();
    const attack = ask(url, name);
    // The other worker has fewer open exchanges.
    for (let n = 0; n < 20; n++) assertEquals(await ask(url, "ok"), "got ok");
    if (says !== null) await command.stderr.until(says);
    await attack;
    await serves(url);
    assertEquals((await command.stop()).code, 0);
  });
}

for (const name of ["stringify", "huge", "parse", "bytes", "promise"]) {
  Deno.test(`an app that patches globals (${name}) harms its own worker only`, async () => {
    await using dir = await folder({ "app.js": APP });
    await using command = new Cli([...ARGS, "--workers", "2", "--heartbeat-timeout", "2"], { cwd: dir.path });
    const url = await command.url();
    const attack = ask(url, name);
    let served = 0;
    for (let n = 0; n < 20; n++) {
      if (await Promise.race([ask(url, "ok"), new Promise((resolve) => setTimeout(() => resolve("late"), 3000))]) === "got ok") served++;
    }
    await attack;
    assert(served > 0, "the other worker served");
    await serves(url);
    assertEquals((await command.stop()).code, 0);
  });
}
