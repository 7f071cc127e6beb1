/**
 * An app that attacks, and what a test needs to run it: with a deadline, so that what should end and does not is a failure.
 *
 * @module
 */

import { Cli, type Finished } from "../process.ts";

/** Runs the function of its own that the path names, and answers with what came of it. */
export const APP = `
let rejection = "none";
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
  rejection: () => rejection,
  fillDisk: async () => {
    const cache = await caches.open("c");
    for (let n = 0;; n++) await cache.put("http://a/" + n, new Response(new Uint8Array(8_000_000).fill(n)));
  },
  // Everything that has to do with sockets of links, known by name or by guess, again and again.
  rob: async () => {
    const got = new Set();
    const attempt = async (what, call) => {
      try { await call(); got.add(what); } catch (error) { got.add(what + " " + error.name); }
    };
    for (const until = performance.now() + 3000; performance.now() < until; await new Promise((go) => setTimeout(go, 1))) {
      let wards = ["/tmp"];
      await attempt("list", () => { wards = [...Deno.readDirSync("/tmp")].filter(({ name }) => name.includes("-" + Deno.ppid + "-")).map(({ name }) => "/tmp/" + name); });
      for (const ward of wards) {
        await attempt("look", () => [...Deno.readDirSync(ward)].length);
        for (let n = 1; n < 9; n++) {
          if (ward + "/" + n + "r/cwd" === Deno.cwd()) continue; // its own, which is allowed, and gone
          const path = ward + "/" + n + "/link";
          await attempt("connect", async () => (await Deno.connect({ transport: "unix", path })).close());
          await attempt("remove", () => Deno.removeSync(path));
          await attempt("move", () => Deno.renameSync(ward + "/" + n, "/tmp/pagi-taken-" + n));
          await attempt("listen", () => Deno.listen({ transport: "unix", path }).close());
          await attempt("room", () => Deno.writeTextFileSync(ward + "/" + n + "r/deno/x", "x"));
        }
      }
    }
    return [...got].sort().join(", ");
  },
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
    try {
      return await send({ type: "http.response.body", file: "/etc/passwd" });
    } catch (error) {
      rejection = error.name + ": " + error.message;
      throw error;
    }
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

/** Arguments of every attack. */
export const ARGS = ["app.js", "--port", "0", "--sandbox", "--shutdown-timeout", "2"];

/** Asks for what the path does; what goes wrong is told as text. */
export async function ask(url: string, name: string): Promise<string> {
  try {
    const response = await fetch(url + name, { signal: AbortSignal.timeout(20_000) });
    const text = await response.text();
    return response.status === 200 ? text : `${response.status}`;
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : error}`;
  }
}

/** The front serves: at once, or as soon as there is a new worker. */
export async function serves(url: string): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const answer = await ask(url, "ok");
    if (answer === "got ok") return;
    if (performance.now() > deadline) throw new Error(`The server does not serve: ${answer}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What an attack may take in all. */
const DEADLINE_MS = 25_000;

/** A command that is ended after a while: whoever waits for its output then hears that it ended. */
export class TimedCli extends Cli {
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(...args: ConstructorParameters<typeof Cli>) {
    super(...args);
    this.#timer = setTimeout(() => this.kill("SIGKILL"), DEADLINE_MS);
  }

  override async finished(): Promise<Finished> {
    const finished = await super.finished();
    clearTimeout(this.#timer);
    return finished;
  }
}

/** Runs a command that should end by itself, and ends it where it starts to serve. */
export async function refusal(args: readonly string[], options: ConstructorParameters<typeof Cli>[1]): Promise<Finished> {
  await using command = new TimedCli(args, options);
  void command.stderr.until(/Listening on /).then(() => command.kill("SIGKILL"), () => {});
  return await command.finished();
}
