/** Attacks from inside a sandbox: the real command line, real processes, an app that tries. Each says what it got, and that others are served. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { folder } from "../process.ts";
import { APP, ARGS, ask, refusal, serves, TimedCli } from "./attacker.ts";

Deno.test("a sandboxed app reads no file, variable, host or process, and starts none", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new TimedCli(ARGS, { cwd: dir.path, env: { SECRET: "hidden" } });
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
  await using command = new TimedCli(ARGS, { cwd: dir.path });
  const url = await command.url();
  assertEquals(await ask(url, "file"), "500");
  assertMatch(await ask(url, "rejection"), /^got NotCapable: Requires read access to "\/etc\/passwd"/);
  await serves(url);
  await command.stop();
});

Deno.test("a sandboxed app has the files and variables that flags give it, and a link keeps the sandbox no tighter than it is", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new TimedCli([...ARGS, "--allow-read=/etc/passwd", "--env-var", "SECRET", "--allow-env=SECRET"], {
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
  await using command = new TimedCli([...ARGS, "--deny-read", "--deny-write", "--deny-net", "--deny-read=/tmp", "--ignore-env"], {
    cwd: dir.path,
  });
  const url = await command.url();
  await serves(url);
  assertEquals(await ask(url, "env"), "got undefined");
  await command.stop();
});

Deno.test("a worker has an empty directory of its own, removed with it; its socket and its secret are gone before the app runs", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new TimedCli([...ARGS, "--allow-read=/tmp"], { cwd: dir.path });
  const url = await command.url();
  const cwd = (await ask(url, "cwd")).replace("got ", "");
  assertEquals([...Deno.readDirSync(cwd)], []);
  const [mine, ...others] = [...Deno.readDirSync("/tmp")].filter(({ name }) => name.startsWith(`pagi-link-${command.pid}-`));
  assertEquals(others, []);
  assertEquals([...Deno.readDirSync(`/tmp/${mine!.name}`)].map(({ name }) => `/tmp/${mine!.name}/${name}/cwd`), [cwd], "no socket is left");
  await command.stop();
  assertEquals([...Deno.readDirSync("/tmp")].filter(({ name }) => name.startsWith(`pagi-link-${command.pid}-`)), []);
});

/** What the app of one worker may, and what it gets of the socket of another one while that exists. */
const ROBBERIES: readonly [flags: readonly string[], got: string][] = [
  [[], "connect NotCapable, list NotCapable, listen NotCapable, look NotCapable, move NotCapable, remove NotCapable, room NotCapable"],
  [
    ["--allow-read=/tmp", "--allow-net"],
    "connect NotCapable, list, listen NotCapable, look NotCapable, move NotCapable, remove NotCapable, room NotCapable",
  ],
  [
    ["--allow-read", "--allow-write", "--deny-net"],
    "connect NotCapable, list, listen NotCapable, look NotCapable, move NotCapable, remove NotCapable, room NotCapable",
  ],
];

for (const [flags, got] of ROBBERIES) {
  Deno.test(`an app (${flags.join(" ") || "no flags"}) gets nothing of another worker's socket while it exists`, async () => {
    await using dir = await folder({ "app.js": APP });
    await using command = new TimedCli([...ARGS, "--workers", "2", ...flags], { cwd: dir.path });
    const url = await command.url();
    const robbery = ask(url, "rob");
    // Goes to the other worker, and a new one comes.
    const from = command.stderr.text.length;
    await ask(url, "exit");
    await command.stderr.until(/Worker \d is ready/, from);
    assertEquals(await robbery, `got ${got}`);
    assert(!/could not start/.test(command.stderr.text), command.stderr.text);
    await serves(url);
    assertEquals((await command.stop()).code, 0);
  });
}

Deno.test("an app with --allow-read may read all but the rooms of workers", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new TimedCli([...ARGS, "--allow-read"], { cwd: dir.path });
  const url = await command.url();
  assertStringIncludes(await ask(url, "passwd"), "root:");
  assertStringIncludes(await ask(url, "own"), "const tries");
  await command.stop();
});

Deno.test("an app that fills the disk without a permission is killed", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new TimedCli([...ARGS, "--workers", "2"], { cwd: dir.path });
  const url = await command.url();
  const attack = ask(url, "fillDisk");
  await command.stderr.until(/Worker \d is killed: it has more than 256 MiB on the disk/);
  assertEquals(await attack, "502");
  await serves(url);
  // The system may take its time over the pages of a killed process that have not reached the disk: then its link tells first.
  await command.stderr.until(/is gone: (?:.*SIGKILL|the worker has ended)/);
  assertEquals((await command.stop()).code, 0);
  assertEquals([...Deno.readDirSync("/tmp")].filter(({ name }) => name.startsWith(`pagi-link-${command.pid}-`)), []);
});

Deno.test("an app finds no localStorage and no cache of a neighbour, nor of the worker before", async () => {
  await using dir = await folder({ "app.js": APP });
  await using first = new TimedCli(ARGS, { cwd: dir.path });
  const url = await first.url();
  assertEquals(await ask(url, "store"), "got me");
  assertEquals(await ask(url, "cache"), "got kept");
  await using second = new TimedCli(ARGS, { cwd: dir.path });
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
    const { code, stdout, stderr } = await refusal(ARGS, { cwd: dir.path });
    assertEquals([code, stdout], [3, ""], stderr);
    assertMatch(stderr, says);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
  });
}

Deno.test("a sandbox lets in a module that --allow-read names, unless --deny-read does too", async () => {
  await using dir = await folder({ "app.js": `import t from "/etc/hostname" with { type: "text" };\n${APP}` });
  await using command = new TimedCli([...ARGS, "--allow-read=/etc/hostname"], { cwd: dir.path });
  await serves(await command.url());
  await command.stop();
  const { code, stderr } = await refusal([...ARGS, "--allow-read=/etc", "--deny-read=/etc/hostname"], { cwd: dir.path });
  assertEquals(code, 3);
  assertMatch(stderr, /\/etc\/hostname, which a --deny-read or --ignore-read covers/);
});

Deno.test("an app that writes itself another import is not started again", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new TimedCli([...ARGS, `--allow-write=${dir.path}`], { cwd: dir.path });
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
  await using command = new TimedCli([...ARGS, "--allow-read=data"], { cwd: dir.path });
  await command.url();
  const text = await command.stderr.until(/data\/out leads out of the allowed folders, to \/etc\/hostname/);
  assert(!text.includes("data/in leads"), text);
  await command.stop();
});

Deno.test("what an app is denied is logged once for each target, and a flood of it is bounded", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new TimedCli(ARGS, { cwd: dir.path });
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
    await using command = new TimedCli([...ARGS, "--workers", "2", ...more], { cwd: dir.path });
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
    await using command = new TimedCli([...ARGS, "--workers", "2", "--heartbeat-timeout", "2"], { cwd: dir.path });
    const url = await command.url();
    const attack = ask(url, name);
    let served = 0;
    for (let n = 0; n < 20; n++) {
      const late = Promise.withResolvers<string>();
      const timer = setTimeout(() => late.resolve("late"), 3000);
      if (await Promise.race([ask(url, "ok"), late.promise]) === "got ok") served++;
      clearTimeout(timer);
    }
    await attack;
    assert(served > 0, "the other worker served");
    await serves(url);
    assertEquals((await command.stop()).code, 0);
  });
}
