/** Every mistake before serving: one line that says what is wrong and what would be right, and the exit status. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { APP, Cli, cli, folder, ROOT } from "./process.ts";

interface Mistake {
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  readonly code: number;
  readonly says: string | RegExp;
}

const FILES = {
  "app.js": APP,
  "broken.ts": "export default async () => {\n  const a = ;\n};\n",
  "broken.js": "const await = 3;\nexport default 1;\n",
  "number.js": "export default 42;\n",
  "object.js": "export default { routes: [], name: 1 };\n",
  "class.js": "export default class App {}\n",
  "named.js": "export const app = () => {};\nexport const other = 1;\n",
  "nothing.js": "1;\n",
  "throws.js": "throw new RangeError('no\\nluck');\n",
  "import.js": "import './missing.js';\n",
  "bare.js": "import 'no-such-package-here';\n",
  "factory.js": "export const make = () => { throw new Error('no database'); };\nexport const gives = () => 42;\n",
  "to_app.js": "export default { toApp() { return 'x'; } };\n",
  "failed.js":
    "export default async (_s, receive, send) => { await receive(); await send({ type: 'lifespan.startup.failed', message: 'no database' }); };\n",
  "declines.js": "export default async (scope) => { throw new Error('no ' + scope.type); };\n",
  "empty.js": "export default async (scope, receive, send) => {};\n",
  "one.js": "export default async (scope) => {};\n",
  "silent.js": "export default () => new Promise(() => {});\n",
  "not_pem.txt": "hello\n",
  "folder/x": "",
};

const MISTAKES: readonly Mistake[] = [
  { args: ["app.js", "--prot", "1"], code: 2, says: "Unknown option --prot: did you mean --port?" },
  { args: ["--zzzzzzzz", "app.js"], code: 2, says: "Unknown option --zzzzzzzz (--help lists all options)" },
  { args: ["-p80", "app.js"], code: 2, says: "Unknown option -p80" },
  { args: ["app.js", "--port=abc"], code: 2, says: '--port must be a whole number from 0 to 65535, got "abc"' },
  { args: ["app.js", "--port", "-1"], code: 2, says: '--port must be a whole number from 0 to 65535, got "-1"' },
  { args: ["app.js", "--port", "65536"], code: 2, says: "--port must be a whole number from 0 to 65535" },
  { args: ["app.js", "--port="], code: 2, says: '--port must be a whole number from 0 to 65535, got ""' },
  { args: ["app.js", "--port"], code: 2, says: "--port needs a value" },
  {
    args: ["--port", "--host", "::1", "app.js"],
    code: 2,
    says: "--port needs a value (a whole number from 0 to 65535), got the option --host",
  },
  { args: ["app.js"], env: { PAGI_PORT: "abc" }, code: 2, says: 'PAGI_PORT must be a whole number from 0 to 65535, got "abc"' },
  { args: ["--help=foo"], code: 2, says: '--help takes no value, got "foo"' },
  { args: ["app.js", "--lifespan", "maybe"], code: 2, says: '--lifespan must be auto, on or off, got "maybe"' },
  { args: ["app.js", "--max-body-size", "10X"], code: 2, says: "--max-body-size must be a number of bytes, at least 0" },
  { args: ["app.js", "--shutdown-timeout", "soon"], code: 2, says: "--shutdown-timeout must be a time from 0 to 2147483 seconds" },
  { args: ["app.js", "--socket", "x", "--socket-mode", "660"], code: 2, says: "--socket-mode must be 0 and three octal digits" },
  { args: ["app.js", "--socket-mode", "0660"], code: 2, says: "--socket-mode needs --socket, or --listen unix:path" },
  { args: ["app.js", "--socket", "x", "--port", "1"], code: 2, says: "--socket and --port exclude each other" },
  { args: ["app.js", "--header", "no colon"], code: 2, says: "--header must be a header as name:value" },
  { args: ["app.js", "--header", "x-a:b\x01c"], code: 2, says: "--header must be a header as name:value" },
  { args: ["app.js", "--access-log-format", "%Z"], code: 2, says: 'Unknown access log format atom "%Z"' },
  {
    args: ["app.js", "--max-header-size", "1"],
    code: 2,
    says: '--max-header-size must be a number of bytes, at least 256 or 0 for no limit, such as 65536, 64k or 16Ki, got "1"',
  },
  { args: ["app.js", "--max-target-size", "15"], code: 2, says: "at least 16 or 0 for no limit, such as" },
  { args: ["app.js\x1b[2J\x07"], code: 3, says: "there is no file app.js\\x1b[2J\\x07 in " },
  { args: ["app.js", "--root-path", "api"], code: 2, says: "--root-path must be empty, or a path that begins with /" },
  {
    args: ["app.js", "--write-low-watermark", "100k"],
    code: 2,
    says: "--write-low-watermark (100000) must not be above --write-high-watermark (65536)",
  },
  { args: ["app.js", "--ssl-cert", "not_pem.txt"], code: 2, says: "--ssl-cert needs --ssl-key: give both or neither" },
  { args: ["app.js", "--ssl-cert", "a.pem", "--ssl-key", "b.pem"], code: 3, says: "TLS certificate a.pem not found" },
  {
    args: ["app.js", "--ssl-cert", "not_pem.txt", "--ssl-key", "not_pem.txt"],
    code: 3,
    says: "not_pem.txt holds no certificate in PEM form",
  },
  { args: ["app.js", "--engine", "fast"], code: 2, says: "--engine must be auto, deno or node" },
  {
    args: ["app.js", "--engine=deno", "--max-header-size", "900"],
    code: 2,
    says: 'The engine "deno" was asked for, and can\'t do what --max-header-size asks for: the engine "node" can (auto takes it)',
  },
  {
    args: ["app.js", "--engine", "deno", "--timeout=9", "--listen=[::1]:0,proxy", "--forwarded-allow-ips=::1"],
    code: 2,
    says: "can't do what --keep-alive-timeout and --listen [::1]:0,proxy ask for",
  },
  {
    args: ["app.js", "--listen", "8080"],
    code: 2,
    says: '--listen "8080": a port alone: write 127.0.0.1:8080, or :8080 for every address',
  },
  {
    args: ["app.js", "--listen", ":0", "-p", "0"],
    code: 2,
    says: "--listen and --port exclude each other: give all addresses with --listen",
  },
  { args: ["app.js"], env: { PAGI_LISTEN: ":1\n:1" }, code: 2, says: 'PAGI_LISTEN ":1": this address is there twice' },
  {
    args: ["app.js"],
    env: { PAGI_LISTEN: ":1,:2" },
    code: 2,
    says: 'PAGI_LISTEN ":1,:2": ":2" is none of the words tls, plain and proxy: one address on each line, or in each entry of a list',
  },
  { args: ["app.js"], env: { PAGI_MAX_HEADER_SIZE: "900", PAGI_ENGINE: "deno" }, code: 2, says: "can't do what PAGI_MAX_HEADER_SIZE asks" },
  { args: ["app.js", "--host", "256.1.1.1"], code: 2, says: "error: --host must be an address or a host name: 256.1.1.1 is no address\n" },
  { args: ["app.js", "-p", "0", "--host", "no.such.invalid"], code: 3, says: "error: The name no.such.invalid can't be resolved\n" },
  {
    args: ["app.js", "-p", "0", "--host", "no.such.invalid", "--engine", "deno"],
    code: 3,
    says: "error: The name no.such.invalid can't be resolved\n",
  },
  { args: ["app.js", "--workers", "many"], code: 2, says: '--workers must be a whole number from 0 to 1024, or auto, got "many"' },
  { args: ["app.js", "-w", "1025"], code: 2, says: "must be a whole number from 0 to 1024, or auto" },
  { args: ["app.js", "--worker-type", "fork"], code: 2, says: '--worker-type must be process, thread or listener, got "fork"' },
  { args: ["app.js", "--worker-memory", "256"], code: 2, says: "--worker-memory (256) must be at least 64000000 bytes (64M)" },
  {
    args: ["app.js", "--worker-memory=1G", "--worker-type=thread"],
    code: 2,
    says: "--worker-memory needs --worker-type process: threads share the memory of the server",
  },
  { args: ["app.js", "--max-requests-jitter=9"], code: 2, says: "--max-requests-jitter needs --max-requests: it is added to it" },
  { args: ["app.js", "extra"], code: 2, says: 'Unexpected argument "extra": the app is "app.js"' },
  { args: ["missing.js"], code: 3, says: /App not found: there is no file missing\.js in \/\S+\n/ },
  { args: ["1234"], code: 3, says: "there is no file 1234" },
  { args: ["folder"], code: 3, says: "folder is a directory: name the file of the app in it" },
  { args: ["broken.ts"], code: 3, says: /Cannot load broken\.ts: SyntaxError: Expression expected \(at broken\.ts:2:13\)\n/ },
  { args: ["broken.js"], code: 3, says: /Cannot load broken\.js: SyntaxError: Unexpected reserved word \(at broken\.js:1:7\)\n/ },
  { args: ["import.js"], code: 3, says: /Cannot load import\.js: Module not found "missing\.js" \(at import\.js:1:8\)\n/ },
  { args: ["bare.js"], code: 3, says: /Cannot load bare\.js: .*no-such-package-here.* \(at bare\.js:1:8\)/ },
  { args: ["throws.js"], code: 3, says: /Cannot load throws\.js: it threw RangeError: no \(at throws\.js:1:7\)\n/ },
  { args: ["number.js"], code: 3, says: "The default export of number.js is a number: an app is a function (scope, receive, send)" },
  { args: ["object.js"], code: 3, says: "The default export of object.js is an object with routes, name: an app is a function" },
  { args: ["class.js"], code: 3, says: "The default export of class.js is the class App" },
  { args: ["nothing.js"], code: 3, says: "nothing.js has no default export (it exports nothing)" },
  {
    args: ["named.js"],
    code: 3,
    says: 'named.js has no default export (it exports app, other): write "export default app", or name one as named.js:app',
  },
  { args: ["named.js:nope"], code: 3, says: "named.js has no export nope: it exports app, other" },
  { args: ["named.js:other", "a=b"], code: 3, says: "The export other of named.js is a number, not a factory" },
  { args: ["factory.js:make()"], code: 3, says: "The factory failed, the export make of factory.js: it threw Error: no database" },
  { args: ["factory.js:gives", "a=b"], code: 3, says: "What the factory gave, the export gives of factory.js, is a number: an app is" },
  {
    args: ["app.js", "a=b"],
    code: 3,
    says: "The default export of app.js looks like an app, not a factory: leave the key=value arguments out (called as a factory, it threw",
  },
  { args: ["app.js:default()"], code: 3, says: "The default export of app.js looks like an app, not a factory: leave the () out" },
  {
    args: ["empty.js", "a=b"],
    code: 3,
    says: "looks like an app, not a factory: leave the key=value arguments out (called as a factory, it gave nothing)",
  },
  {
    args: ["one.js", "a=b"],
    code: 3,
    says: "The factory gave nothing, the default export of one.js: it must return an app; where it is an app itself",
  },
  { args: ["app.js", "--reload"], code: 2, says: "Unknown option --reload: to start again when a file changes: deno run --watch -A" },
  { args: ["to_app.js"], code: 3, says: "toApp() of the default export of to_app.js gave a string" },
  { args: ["-e", "42"], code: 3, says: "The code of --eval is a number" },
  { args: ["-e", "async () => { )"], code: 3, says: "Cannot load the code of --eval: SyntaxError: " },
  { args: ["-e", "() => {}", "app.js"], code: 2, says: 'Unexpected argument "app.js": the app is the text of --eval' },
  { args: ["a=b"], code: 2, says: "The arguments a need an app" },
  { args: ["failed.js", "-p", "0"], code: 3, says: "Lifespan startup failed: no database" },
  { args: ["declines.js", "-p", "0", "--lifespan", "on"], code: 3, says: 'Lifespan is "on", but the app threw Error: no lifespan' },
  {
    args: ["silent.js", "-p", "0", "--lifespan-startup-timeout", "50ms"],
    code: 3,
    says: "Lifespan startup was not answered within 0.05 s",
  },
  {
    args: ["app.js", "-p", "0", "--access-log", "none/access.log"],
    code: 3,
    says: "Cannot write the access log none/access.log: its folder does not exist",
  },
  { args: ["app.js", "-p", "0", "--access-log", "folder"], code: 3, says: "Cannot write the access log folder: it is a directory" },
  { args: ["app.js", "-p", "0", "--host", "203.0.113.1"], code: 3, says: "203.0.113.1:0 is not an address of this machine" },
  { args: ["app.js", "--socket", "none/s"], code: 3, says: "none/s" },
  { args: ["app.js", "--socket", "app.js"], code: 3, says: "app.js exists and is not a socket" },
];

Deno.test("cli says in one line what is wrong, and exits with the status for it", async (t) => {
  await using files = await folder(FILES);
  for (const { args, env, code, says } of MISTAKES) {
    await t.step(args.join(" ") + (env === undefined ? "" : ` ${JSON.stringify(env)}`), async () => {
      const result = await cli(args, { cwd: files.path, ...(env === undefined ? {} : { env }) });
      const line = result.stderr;
      if (typeof says === "string") assertStringIncludes(line, says);
      else assertMatch(line, says);
      assertEquals(line.replace(/\n$/, "").split("\n").filter((text) => !text.includes(" info ")).length, 1, line);
      assertMatch(line, /^error: |\nerror: /);
      assertEquals(result.code, code);
      // Some get as far as the startup of the app, and then it must be shut down again.
      assertMatch(result.stdout, /^(lifespan\.startup\nlifespan\.shutdown\n)?$/);
    });
  }
});

Deno.test("cli prints a stack with --log-level debug alone", async () => {
  await using files = await folder(FILES);
  const { stderr, code } = await cli(["throws.js", "--log-level", "debug"], { cwd: files.path });
  assertMatch(stderr, /^error: Cannot load throws\.js: [^\n]*\n/);
  assertStringIncludes(stderr, "    at ");
  assertEquals(code, 3);
});

Deno.test("cli names the process that holds the port", async () => {
  await using files = await folder(FILES);
  await using first = new Cli(["app.js", "-p", "0"], { cwd: files.path });
  const { port } = new URL(await first.url());
  const { stderr, code } = await cli(["app.js", "-p", port], { cwd: files.path });
  assertEquals(
    stderr,
    `error: Port ${port} is already in use by process ${first.pid} (deno): stop it or choose another port (0 takes a free one)\n`,
  );
  assertEquals(code, 3);
  assertEquals((await first.stop()).code, 0);
});

Deno.test("cli names the two listeners that overlap, [::] and IPv4 too", async () => {
  await using files = await folder(FILES);
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr as Deno.NetAddr;
  free.close();
  const options = ["--listen", `127.0.0.1:${port}`, "--listen", `[::]:${port}`];
  for (const engine of ["node", "deno"]) {
    const { stderr, code } = await cli(["app.js", ...options, "--engine", engine], { cwd: files.path });
    assertMatch(stderr, new RegExp(`error: The listeners \\S+:${port} and \\S+:${port} overlap: leave one of them out\n$`));
    assertEquals(code, 3);
  }
});

Deno.test("cli says what it may not do, in one line", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-read", `${ROOT}cli.ts`, "app.js"],
    env: { NO_COLOR: "1" },
    stdin: "null",
  });
  const { code, stderr } = await command.output();
  assertMatch(new TextDecoder().decode(stderr), /^error: Requires env access [^\n]*\n$/);
  assertEquals(code, 1);
});

Deno.test("cli looks at an inherited descriptor before the app runs", { ignore: Deno.build.os !== "linux" }, async () => {
  await using files = await folder(FILES);
  const { stderr, stdout, code } = await cli(["app.js", "--listen", "fd:999"], { cwd: files.path });
  assertEquals([stderr, stdout, code], ["error: Descriptor 999 is not open: pass a TCP socket that listens\n", "", 3]);
});

Deno.test("cli says that a low port needs a privilege", async (t) => {
  if (Number((await Deno.readTextFile("/proc/sys/net/ipv4/ip_unprivileged_port_start").catch(() => "1024")).trim()) < 80) {
    return void await t.step({ name: "every user may take low ports here", ignore: true, fn() {} });
  }
  await using files = await folder(FILES);
  // Root has the privilege: it is taken away.
  const run = [Deno.execPath(), "run", "-A", `${ROOT}cli.ts`, "app.js", "-p", "80"];
  const command = new Deno.Command(Deno.uid() === 0 ? "setpriv" : run[0]!, {
    args: Deno.uid() === 0 ? ["--bounding-set=-net_bind_service", ...run] : run.slice(1),
    cwd: files.path,
    env: { NO_COLOR: "1" },
    stdin: "null",
  });
  const { code, stderr } = await command.output();
  assertStringIncludes(new TextDecoder().decode(stderr), "error: Port 80 needs a privilege");
  assertEquals(code, 3);
});

Deno.test("cli refuses to run an app whose own configuration would not apply in its own process, and says what to do", async () => {
  await using files = await folder({ "app.js": APP, "deno.json": '{ "imports": { "x/": "./x/" } }' });
  const { stderr, code } = await cli([`${files.path}/app.js`, "-p", "0", "--workers", "0"]);
  assertStringIncludes(stderr, `${files.path}/app.js has a configuration of its own, ${files.path}/deno.json, which would not apply`);
  assertStringIncludes(stderr, `then: cd ${files.path} && deno run -A @pagi/server app.js\n`);
  assertEquals(code, 3);
});

Deno.test("cli serves an app with a configuration of its own from one worker process, under it, and says so", async () => {
  const app = `import { text } from "it"; ${APP.replace("body: scope.path", "body: text")}`;
  await using files = await folder({
    "app.js": app,
    "it/mod.js": "export const text = 'mapped';",
    "deno.json": '{ "imports": { "it": "./it/mod.js" } }',
  });
  await using server = new Cli([`${files.path}/app.js`, "-p", "0"]);
  assertEquals(await (await fetch(await server.url())).text(), "mapped");
  assertStringIncludes(server.stderr.text, `; app in 1 worker process: the app has a configuration of its own, ${files.path}/deno.json;`);
  assertEquals((await server.stop()).code, 0);
});

Deno.test("cli serves an app whose configuration changes nothing", async () => {
  await using files = await folder({ "app.js": APP, "deno.json": '{ "fmt": { "lineWidth": 80 } }' });
  await using server = new Cli([`${files.path}/app.js`, "-p", "0"]);
  assertEquals(await (await fetch(await server.url())).text(), "/");
  assertEquals((await server.stop()).code, 0);
});
