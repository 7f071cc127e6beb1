/** The command line while it serves: what it prints, how it loads apps, how it stops. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { APP, Cli, cli, folder, Output, ROOT } from "./process.ts";
import { needs } from "../tools.ts";

const FILES = { "app.js": APP };

async function text(url: string, init?: RequestInit): Promise<string> {
  return await (await fetch(url, init)).text();
}

/** A server whose lines fill the pipe of standard output: a write waits in it until somebody reads. */
async function withLongLines(cwd: string): Promise<{ child: Deno.ChildProcess; stderr: Output; url: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${ROOT}cli.ts`, "app.js", "-p", "0", "--access-log", "-", "--access-log-format", `${"x".repeat(30_000)}%U`],
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Output(child.stderr);
  return { child, stderr, url: /Listening on (\S+) /.exec(await stderr.until(/Listening on \S+ /))![1]! };
}

Deno.test("cli prints a banner with address, engine, home, workers, TLS and environment", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["app.js", "-p", "0"], { cwd: files.path });
  const url = await server.url();
  assertMatch(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assertEquals(await text(`${url}x`), "/x");
  const { code, stdout, stderr } = await server.stop();
  assertEquals(code, 0);
  assertEquals(
    stderr.split("\n")[0],
    `Listening on ${url} (engine deno: the address is not public, node would add timeouts, limits and certificate reload; app in this process, no workers; TLS off; production)`,
  );
  assert(!stderr.includes("Ctrl+C"));
  assertEquals(stdout, "lifespan.startup\nlifespan.shutdown\n");
});

Deno.test("cli tells in development how to stop, and logs accesses to standard error", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["-E", "development", "app.js", "-p", "0"], { cwd: files.path });
  await text(`${await server.url()}x?y=1`);
  const { code, stderr } = await server.stop();
  assertEquals(code, 0);
  assertStringIncludes(stderr, "; development)\nPress Ctrl+C to stop");
  assertMatch(stderr, /^127\.0\.0\.1 - - \[[^\]]+ \+0000\] "GET \/x\?y=1" 200 \d+\.\d{3}s 2$/m);
});

Deno.test("cli --quiet prints nothing", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["app.js", "--socket", "s", "-q"], { cwd: files.path });
  await server.stdout.until("lifespan.startup\n");
  await untilExists(`${files.path}/s`);
  const { code, stderr } = await server.stop();
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});

Deno.test("cli takes the environment from --env, then PAGI_ENV, then the lack of a terminal; the app finds it", async () => {
  await using files = await folder({
    "app.js": "const env = Deno.env.get('PAGI_ENV');\nexport default { fetch: () => new Response(env) };\n",
  });
  for (
    const [args, env, expected] of [
      [["--env", "test"], { PAGI_ENV: "staging" }, "test"],
      [[], { PAGI_ENV: "staging" }, "staging"],
      [[], {}, "production"],
    ] as const
  ) {
    await using server = new Cli(["app.js", "-p", "0", ...args], { cwd: files.path, env: { PAGI_ENV: "", ...env } });
    assertEquals(await text(await server.url()), expected);
    assertEquals((await server.stop()).code, 0);
  }
});

Deno.test("cli serves a public address with the engine node, and warns where deno was asked for", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["app.js", "-p", "0", "-o", "0.0.0.0"], { cwd: files.path });
  const url = (await server.url()).replace("0.0.0.0", "127.0.0.1");
  assertEquals(await text(`${url}x`), "/x");
  await using asked = new Cli(["app.js", "-p", "0", "-o", "0.0.0.0", "--engine", "deno"], { cwd: files.path });
  assertEquals(await text(`${(await asked.url()).replace("0.0.0.0", "127.0.0.1")}y`), "/y");
  const quiet = (await server.stop()).stderr;
  assertStringIncludes(quiet, "(engine node: 0.0.0.0 is a public address, deno would take less CPU per request, without ");
  assert(!quiet.includes(" warn "), quiet);
  const { stderr } = await asked.stop();
  assertStringIncludes(
    stderr,
    "engine deno: as asked, node would add timeouts, limits and certificate reload;",
  );
  assertMatch(stderr, /warn The engine "deno" serves a public address: it has no timeout .* take the engine "node"/);
});

Deno.test("cli takes the engine node where an option asks for it, and that option does what it says", async () => {
  await using files = await folder(FILES);
  const limits = ["--max-target-size=20", "--max-header-size=600", "--max-header-count=9"];
  await using server = new Cli(["app.js", "-p", "0", ...limits], { cwd: files.path });
  const url = await server.url();
  assertEquals(await text(`${url}x`), "/x");
  const status = async (target: string, headers: HeadersInit) => {
    const response = await fetch(url + target, { headers });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await status("x".repeat(30), {}), 414);
  assertEquals(await status("x", { "x-a": "y".repeat(700) }), 431);
  assertEquals(await status("x", Array.from({ length: 9 }, (_, number) => [`x-${number}`, "y"])), 431);
  const { code, stderr } = await server.stop();
  assertStringIncludes(stderr, "(engine node: for what --max-target-size, --max-header-size and --max-header-count ask for, deno would");
  assertEquals(code, 0);
});

Deno.test("cli listens on all addresses that --listen names, and tells them all", async () => {
  await using files = await folder(FILES);
  for (const engine of ["deno", "node"]) {
    const args = [
      "app.js",
      "--engine",
      engine,
      "--listen",
      "127.0.0.1:0",
      "--listen=[::1]:0",
      "--listen",
      "unix:s",
      "--socket-mode",
      "0660",
    ];
    await using server = new Cli(args, { cwd: files.path });
    const banner = await server.stderr.until(/Listening on .*\(engine/);
    const [, first, second, third] = /Listening on (\S+), (\S+), (\S+) \(/.exec(banner)!;
    assertMatch(`${first} ${second} ${third}`, /^http:\/\/127\.0\.0\.1:\d+\/ http:\/\/\[::1\]:\d+\/ unix:s$/);
    assertEquals([await text(`${first}a`), await text(`${second}b`)], ["/a", "/b"]);
    const client = Deno.createHttpClient({ proxy: { transport: "unix", path: `${files.path}/s` } });
    assertEquals(await text("http://localhost/c", { client } as RequestInit), "/c");
    client.close();
    assertEquals((await Deno.lstat(`${files.path}/s`)).mode! & 0o777, 0o660);
    assertEquals((await server.stop()).code, 0, engine);
    assertEquals(await Deno.lstat(`${files.path}/s`).catch((error) => error.name), "NotFound", engine);
  }
});

Deno.test("cli runs what key=value arguments, module:export, fetch, toApp and text make an app", async (t) => {
  await using files = await folder({
    "factory.js": "export default ({ word, more }) => ({ fetch: () => new Response(word + '|' + more) });\n" +
      "export const plain = () => ({ toApp: () => async (scope, _r, send) => {\n" +
      "  if (scope.type !== 'http') throw new Error('no');\n" +
      "  await send({ type: 'http.response.start', status: 200 });\n  await send({ type: 'http.response.body', body: 'plain' });\n} });\n" +
      "export const ready = { fetch: async (request) => new Response(request.method + ' ' + await request.text()) };\n",
    "odd name%20#?.js": "export default { fetch: () => new Response('odd') };\n",
    "a:b.js": "export default { fetch: () => new Response('colon') };\n",
  });
  const answer = "{ fetch: () => new Response('text') }";
  for (
    const [args, expected] of [
      [["factory.js", "word=a=b", "more="], "a=b|"],
      [["factory.js:plain()"], "plain"],
      [["factory.js:ready"], "GET "],
      [[`file://${files.path}/factory.js:ready`], "GET "],
      [["./odd name%20#?.js"], "odd"],
      [["a:b.js"], "colon"],
      [["-e", answer], "text"],
      [["--eval", `export default ${answer}`], "text"],
      [["--eval", `({ word }) => ({ fetch: () => new Response(word) })`, "word=x"], "x"],
      [[`data:text/javascript,${encodeURIComponent(`export default ${answer}`)}`], "text"],
    ] as const
  ) {
    await t.step(args.join(" "), async () => {
      await using server = new Cli(["-p", "0", ...args], { cwd: files.path });
      assertEquals(await text(await server.url()), expected);
      assertEquals((await server.stop()).code, 0);
    });
  }
});

Deno.test("cli without an app lists the working directory and hides dotfiles", async () => {
  await using files = await folder({ "readme.txt": "hello", ".secret": "no" });
  await using server = new Cli(["-p", "0"], { cwd: files.path });
  const url = await server.url();
  const list = await text(url);
  assertStringIncludes(list, "readme.txt");
  assert(!list.includes(".secret"));
  assertEquals(await text(`${url}readme.txt`), "hello");
  assertEquals((await fetch(`${url}.secret`).then((response) => (response.body?.cancel(), response))).status, 404);
  assertEquals((await server.stop()).code, 0);
});

Deno.test(needs(["curl", "openssl"], "cli serves TLS with --ssl-cert and --ssl-key"), async () => {
  await using files = await folder(FILES);
  const made = await new Deno.Command("openssl", {
    args: "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost"
      .split(" "),
    cwd: files.path,
  }).output();
  assertEquals(made.code, 0);
  await using server = new Cli(["app.js", "-p", "0", "--ssl-cert", "cert.pem", "--ssl-key", "key.pem"], { cwd: files.path });
  const url = await server.url();
  assertMatch(url, /^https:/);
  const curl = await new Deno.Command("curl", { args: ["-sk", `${url}tls`] }).output();
  assertEquals(new TextDecoder().decode(curl.stdout), "/tls");
  assertStringIncludes((await server.stop()).stderr, "TLS on");
  const other = await new Deno.Command("openssl", {
    args: ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", "other.pem"],
    cwd: files.path,
  }).output();
  assertEquals(other.code, 0);
  const mismatch = await cli(["app.js", "-p", "0", "--ssl-cert", "cert.pem", "--ssl-key", "other.pem"], { cwd: files.path });
  assertEquals(mismatch, {
    code: 3,
    stdout: "",
    stderr: "error: The key in other.pem does not belong to the certificate in cert.pem\n",
  });
  const swapped = await cli(["app.js", "-p", "0", "--ssl-cert", "key.pem", "--ssl-key", "cert.pem"], { cwd: files.path });
  assertEquals(swapped, {
    code: 3,
    stdout: "",
    stderr: "error: key.pem holds a private key, not a certificate: are the two files swapped?\n",
  });
});

Deno.test(needs("curl", "cli --socket gives the file its mode, replaces a stale one and removes it at the end"), async () => {
  await using files = await folder(FILES);
  const path = `${files.path}/s`;
  for (const [args, mode] of [[[], 0o600], [["--socket-mode", "0660"], 0o660]] as const) {
    // A file that nobody listens on, as a killed server leaves it.
    {
      await using killed = new Cli(["app.js", "--socket", path], { cwd: files.path });
      await killed.url();
      killed.kill("SIGKILL");
      await killed.finished();
      assert((await Deno.lstat(path)).isSocket);
    }
    await using server = new Cli(["app.js", "--socket", path, "--access-log", "-", ...args], { cwd: files.path });
    assertEquals(await server.url(), `unix:${path}`);
    assertEquals((await Deno.lstat(path)).mode! & 0o777, mode);
    const curl = await new Deno.Command("curl", { args: ["-s", "--unix-socket", path, "http://localhost/u"] }).output();
    assertEquals(new TextDecoder().decode(curl.stdout), "/u");
    const second = await cli(["app.js", "--socket", path], { cwd: files.path });
    assertEquals(second.code, 3);
    assertStringIncludes(second.stderr, `error: Another server listens on ${path}`);
    const { code, stdout } = await server.stop();
    assertEquals(code, 0);
    assertMatch(stdout, /^unix - - \[/m);
    assertEquals(await exists(path), false);
  }
});

Deno.test("cli --header and --root-path reach the answer and the app", async () => {
  await using files = await folder({ "app.js": APP.replace("body: scope.path", "body: scope.root_path") });
  await using server = new Cli(["app.js", "-p", "0", "--header", "X-A: 1", "--header", "x-b:2", "--root-path", "/api"], {
    cwd: files.path,
  });
  const response = await fetch(await server.url());
  assertEquals([response.headers.get("x-a"), response.headers.get("x-b"), await response.text()], ["1", "2", "/api"]);
  assertEquals((await server.stop()).code, 0);
});

Deno.test("cli reads options from PAGI_ variables, the command line goes before them", async () => {
  await using files = await folder(FILES);
  const env = { PAGI_PORT: "1", PAGI_HEADER: "x-a:1\nx-b:2", PAGI_ACCESS_LOG: "access.log", PAGI_ACCESS_LOG_FORMAT: "%m %s" };
  await using server = new Cli(["app.js", "-p", "0"], { cwd: files.path, env });
  const response = await fetch(await server.url());
  await response.body?.cancel();
  assertEquals(response.headers.get("x-b"), "2");
  assertEquals((await server.stop()).code, 0);
  assertEquals(await Deno.readTextFile(`${files.path}/access.log`), "GET 200\n");
});

Deno.test("cli answers a request that is under way when TERM comes, then shuts the app down and exits 0", async () => {
  await using files = await folder({
    "app.js": APP.replace(
      "await new Promise(() => {})",
      "await new Promise((resolve) => scope.extensions.drain.signal.addEventListener('abort', resolve))",
    ),
  });
  await using server = new Cli(["app.js", "-p", "0", "--access-log", "-"], { cwd: files.path });
  const url = await server.url();
  const pending = text(`${url}hang`);
  // Answered after it on the same server, so the first request is being handled.
  await text(`${url}x`);
  server.kill("SIGTERM");
  assertEquals(await pending, "/hang");
  const { code, stdout } = await server.finished();
  assertEquals(code, 0);
  assertMatch(stdout, /"GET \/hang" 200/);
  assertStringIncludes(stdout, "lifespan.shutdown");
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`cli ends what is left when ${signal} has waited for the deadline, and exits 0`, async () => {
    await using files = await folder(FILES);
    await using server = new Cli(["app.js", "-p", "0", "--shutdown-timeout", "200ms", "--access-log", "-"], { cwd: files.path });
    const url = await server.url();
    const pending = fetch(`${url}hang`).then((response) => response.text(), (error) => String(error));
    await text(`${url}x`);
    server.kill(signal);
    await pending;
    const { code, stdout, stderr } = await server.finished();
    assertEquals(code, 0);
    assertMatch(stderr, /warn The shutdown timeout is over: 1 open exchange is ended/);
    assertMatch(stdout, /"GET \/hang" \S+ 0\.\d{3}s \S+ server_shutdown/);
    assertStringIncludes(stdout, "lifespan.shutdown");
  });
}

Deno.test("cli ends at once at a second INT, with status 1", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["app.js", "-p", "0", "--access-log", "access.log"], { cwd: files.path });
  const url = await server.url();
  const pending = fetch(`${url}hang`).then((response) => response.text(), (error) => String(error));
  await text(`${url}x`);
  server.kill("SIGINT");
  await server.stderr.until("SIGINT: stopping; 1 open exchange has at most 30 s, Ctrl+C ends it at once\n");
  server.kill("SIGINT");
  const { code, stdout, stderr } = await server.finished();
  await pending;
  assertEquals(code, 1);
  assertStringIncludes(stderr, "SIGINT while stopping: ended at once");
  assert(!stdout.includes("lifespan.shutdown"));
  assertMatch(await Deno.readTextFile(`${files.path}/access.log`), /"GET \/x" 200/);
});

Deno.test("cli ends at once at an INT after TERM, with every finished line of an access log that is read late", async () => {
  await using files = await folder(FILES);
  const { child, stderr, url } = await withLongLines(files.path);
  const pending = ["a", "b"].map((name) => fetch(`${url}hang?${name}`).then((response) => response.text(), (error) => String(error)));
  for (let index = 0; index < 20; index++) await text(`${url}line-${index}-`);
  child.kill("SIGTERM");
  await stderr.until("SIGTERM: stopping; 2 open exchanges have at most 30 s, Ctrl+C ends them at once\n");
  // An INT right after the first signal counts as the same Ctrl+C.
  await new Promise((resolve) => setTimeout(resolve, 100));
  child.kill("SIGINT");
  const lines = (await new Response(child.stdout).text()).split("\n");
  assertEquals((await child.status).code, 1);
  await stderr.done;
  await Promise.all(pending);
  const ends = lines.flatMap((line) => /^x{30000}(.*)$/.exec(line)?.[1] ?? []);
  assertEquals(ends, Array.from({ length: 20 }, (_, index) => `/line-${index}-`));
});

Deno.test("cli ends at once at an INT after TERM even where nobody reads the access log", async () => {
  await using files = await folder(FILES);
  const { child, stderr, url } = await withLongLines(files.path);
  const pending = fetch(`${url}hang`).then((response) => response.text(), (error) => String(error));
  for (let index = 0; index < 20; index++) await text(`${url}${index}`);
  child.kill("SIGTERM");
  await stderr.until("SIGTERM: stopping; 1 open exchange has at most 30 s, Ctrl+C ends it at once\n");
  await new Promise((resolve) => setTimeout(resolve, 100));
  child.kill("SIGINT");
  assertEquals((await child.status).code, 1);
  await Promise.all([child.stdout.cancel(), stderr.done, pending]);
});

Deno.test("cli takes a second TERM for nothing", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["app.js", "-p", "0", "--shutdown-timeout", "700ms"], { cwd: files.path });
  const url = await server.url();
  const pending = fetch(`${url}hang`).then((response) => response.text(), (error) => String(error));
  await text(`${url}x`);
  server.kill("SIGTERM");
  await server.stderr.until("SIGTERM: stopping");
  server.kill("SIGTERM");
  const { code, stdout } = await server.finished();
  await pending;
  assertEquals(code, 0);
  assertStringIncludes(stdout, "lifespan.shutdown");
});

Deno.test("cli exits with 0 at TERM while the app loads or starts", async (t) => {
  await using files = await folder({
    "loads.js": "console.log('loading'); setInterval(() => {}, 1000); await new Promise(() => {});\n",
    "starts.js": "setInterval(() => {}, 1000);\nexport default async () => { console.log('starting'); await new Promise(() => {}); };\n",
  });
  for (const [app, says] of [["loads.js", "loading"], ["starts.js", "starting"]] as const) {
    await t.step(app, async () => {
      await using server = new Cli([app, "-p", "0"], { cwd: files.path });
      await server.stdout.until(says);
      const { code, stderr } = await server.stop();
      assertEquals(code, 0);
      assertMatch(stderr, /^\S+ info SIGTERM: stopped during the startup\n$/);
    });
  }
});

Deno.test("cli says that HUP, TTIN, TTOU and USR2 have no effect, and goes on", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["app.js", "-p", "0"], { cwd: files.path });
  const url = await server.url();
  for (const signal of ["SIGHUP", "SIGTTIN", "SIGTTOU", "SIGUSR2"] as const) {
    server.kill(signal);
    await server.stderr.until(`warn ${signal} has no effect`);
  }
  assertEquals(await text(`${url}x`), "/x");
  assertEquals((await server.stop()).code, 0);
});

for (const args of [[], ["--workers", "1"]]) {
  Deno.test(`cli ${args.join(" ")} opens the access log anew at HUP, and loses no line of it`, async () => {
    await using files = await folder(FILES);
    const path = `${files.path}/access.log`;
    await using server = new Cli(["app.js", "-p", "0", "--access-log", path, "--access-log-format", "%U", ...args], { cwd: files.path });
    const url = await server.url();
    assertEquals(await text(`${url}one`), "/one");
    await Deno.rename(path, `${path}.1`);
    server.kill("SIGHUP");
    await server.stderr.until(`info SIGHUP: the access log is written to ${path}, opened anew`);
    assertEquals(await text(`${url}two`), "/two");
    assertEquals((await server.stop()).code, 0);
    // What still waited goes to the new file.
    assertEquals((await Deno.readTextFile(`${path}.1`)) + await Deno.readTextFile(path), "/one\n/two\n");
    assertEquals((await Deno.readTextFile(path)).endsWith("/two\n"), true);
  });
}

Deno.test("cli goes on with the old access log where it can't be opened anew", async () => {
  await using files = await folder({ ...FILES, "logs/x": "" });
  const path = `${files.path}/logs/access.log`;
  await using server = new Cli(["app.js", "-p", "0", "--access-log", path, "--access-log-format", "%U"], { cwd: files.path });
  const url = await server.url();
  await Deno.rename(`${files.path}/logs`, `${files.path}/moved`);
  server.kill("SIGHUP");
  await server.stderr.until("error SIGHUP: the access log goes on in its old file: Cannot write the access log");
  assertEquals(await text(`${url}one`), "/one");
  assertEquals((await server.stop()).code, 0);
  assertEquals(await Deno.readTextFile(`${files.path}/moved/access.log`), "/one\n");
});

Deno.test("cli knows a permission flag that is spelled wrongly", async () => {
  const { code, stderr } = await cli(["--alow-read=/tmp"]);
  assertEquals([code, stderr.includes("did you mean --allow-read?")], [2, true]);
});

Deno.test("cli warns of each option for workers that was given where there are none", async () => {
  await using files = await folder(FILES);
  const given = ["--max-queue=5", "--queue-timeout=1", "--max-requests=3", "--worker-memory=150M", "--heartbeat-timeout=30"];
  await using server = new Cli(["app.js", "-p", "0", ...given], { cwd: files.path });
  await server.url();
  const { stderr } = await server.stop();
  const warned = [...stderr.matchAll(/warn (--[a-z-]+) has no effect without --workers/g)].map(([, name]) => name);
  assertEquals(warned.sort(), given.map((option) => option.split("=")[0]).sort());
});

Deno.test("cli logs a rejection that nobody handles, and goes on", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["app.js", "-p", "0"], { cwd: files.path });
  const url = await server.url();
  assertEquals(await text(`${url}reject`), "/reject");
  await server.stderr.until("error A rejection was not handled");
  assertEquals(await text(`${url}x`), "/x");
  assertStringIncludes((await server.stop()).stderr, "Error: nobody handles it");
});

Deno.test("cli --log-format json writes each message as one JSON line", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["app.js", "-p", "0", "--log-format", "json", "--log-level", "error"], {
    cwd: files.path,
  });
  const [first] = (await server.stderr.until("\n")).split("\n");
  await text(`${JSON.parse(first!).urls[0]}throw`);
  const { stderr } = await server.stop();
  const [banner, line, ...others] = stderr.trimEnd().split("\n").map((text) => JSON.parse(text));
  assertEquals(others, []);
  assertMatch(banner.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const [url] = banner.urls;
  const { time: _time, ...facts } = banner;
  assertEquals(facts, {
    level: "info",
    message: `Listening on ${url}`,
    urls: [url],
    engine: "deno",
    why: "the address is not public",
    other: "node would add timeouts, limits and certificate reload",
    home: "inline",
    workers: 0,
    tls: false,
    environment: "production",
  });
  assertEquals([line.level, line.message], ["error", "The app failed"]);
  assertStringIncludes(line.error, "the app broke");
  assertEquals(line.request, "GET /throw");
});

Deno.test("cli writes the access log within 250 ms and goes on where the disk is full", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["app.js", "-p", "0", "--access-log", "-", "--access-log-format", "tiny"], { cwd: files.path });
  await text(`${await server.url()}x`);
  await server.stdout.until(/^GET \/x 200 \d+\.\d{3}ms 2$/m);
  assertEquals((await server.stop()).code, 0);
  await using full = new Cli(["app.js", "-p", "0", "--access-log", "/dev/full"], { cwd: files.path });
  const url = await full.url();
  await text(`${url}x`);
  await full.stderr.until("error Writing the access log failed: No space left on device");
  assertEquals(await text(`${url}x`), "/x");
  const { code, stderr } = await full.stop();
  assertEquals(code, 0);
  assertEquals(stderr.split("Writing the access log failed").length, 2);
});

Deno.test("cli writes a line for each event stream and WebSocket when it has ended, with its bytes and why", async () => {
  await using files = await folder({
    "app.js": `export default async (scope, receive, send) => {
      if (scope.type === "sse") {
        await send({ type: "sse.start" });
        await send({ type: "sse.send", data: "hello" });
        while (scope.path === "/stay" && (await receive()).type !== "sse.disconnect");
        return;
      }
      if (scope.type !== "websocket") throw new Error("Unsupported scope type: " + scope.type);
      await receive();
      await send({ type: "websocket.accept" });
      const { text } = await receive();
      await send({ type: "websocket.send", text });
      await receive();
    };`,
  });
  await using server = new Cli([
    "app.js",
    "-p",
    "0",
    "--access-log",
    "-",
    "--access-log-format",
    "%K %m %U %s %B %X %T",
    "--shutdown-timeout",
    "200ms",
  ], {
    cwd: files.path,
  });
  const url = await server.url();
  const sse = { headers: { accept: "text/event-stream" } };
  assertEquals(await text(`${url}done`, sse), "data: hello\n\n");
  await server.stdout.until("sse GET /done 200 13 - 0\n");
  const stay = await fetch(`${url}stay`, sse);
  const reader = stay.body!.getReader();
  await reader.read();
  assert(!server.stdout.text.includes("/stay"));
  const socket = new WebSocket(`${url.replace("http", "ws")}ws`);
  const echoed = Promise.withResolvers<string>();
  const closed = Promise.withResolvers<void>();
  socket.onopen = () => socket.send("12345");
  socket.onmessage = ({ data }) => echoed.resolve(data);
  socket.onclose = () => closed.resolve();
  assertEquals(await echoed.promise, "12345");
  socket.close(1000);
  await closed.promise;
  await server.stdout.until("websocket GET /ws 101 5 - 0\n");
  const { code, stdout } = await server.stop();
  assertEquals(code, 0);
  await reader.read().catch((error) => error);
  assertMatch(stdout, /^sse GET \/stay 200 13 server_shutdown \d+$/m);
});

Deno.test("cli lets no client forge a line of the access log", async () => {
  await using files = await folder(FILES);
  await using server = new Cli(["app.js", "-p", "0", "--access-log", "access.log", "--access-log-format", "combined"], { cwd: files.path });
  const { port } = new URL(await server.url());
  using connection = await Deno.connect({ port: Number(port) });
  const request =
    'GET /a"b\\c?"q HTTP/1.1\r\nHost: x\r\nUser-Agent: evil" 200 1\\n\xff\t"x\r\nReferer: \xc2\x85\r\nConnection: close\r\n\r\n';
  await connection.write(Uint8Array.from(request, (character) => character.charCodeAt(0)));
  await new Response(connection.readable).text();
  assertEquals((await server.stop()).code, 0);
  const log = await Deno.readTextFile(`${files.path}/access.log`);
  assertEquals(log.trimEnd().split("\n").length, 1);
  assertMatch(log, /^[ -~]+\n$/);
  assertStringIncludes(log, '"GET /a\\x22b\\x5cc?\\x22q HTTP/1.1" 200 ');
  assertStringIncludes(log, '"evil\\x22 200 1\\x5cn\\xff\\x09\\x22x"');
});

Deno.test("cli prints its version and its help, and exits 0", async () => {
  const version = await cli(["--version"]);
  assertMatch(version.stdout, /^pagi \d+\.\d+\.\d+ \(deno \d+\.\d+\.\d+\)\n$/);
  assertEquals([version.code, version.stderr], [0, ""]);
  const help = await cli(["-h", "missing.js"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assertStringIncludes(help.stdout, "-p, --port PORT                  Port to listen on; 0 takes any free one [5000]");
  assertStringIncludes(help.stdout, "Usage: deno run -A jsr:@pagi/server [options]");
  assertStringIncludes(help.stdout, "Each option but --eval, --version and --help is also read from the environment");
  assert(help.stdout.split("\n").every((line) => line.length <= 100));
});

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

// The process is another one, and tells nothing: its file is looked for.
async function untilExists(path: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!await exists(path)) {
    if (performance.now() > deadline) throw new Error(`${path} did not appear`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
