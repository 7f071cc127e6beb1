/** The command line with workers: real processes and threads, signals, and what is left when it is over. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Cli, cli, folder } from "./process.ts";

/** Tells which process and worker answers, and does what its path says. */
const APP = `let num = 0;
export default async (scope, receive, send) => {
  if (scope.type === "lifespan") {
    num = scope.pagi.worker_num;
    for (;;) {
      const { type } = await receive();
      console.log(type, scope.pagi.is_worker, num);
      if (type === "lifespan.startup" && Deno.env.get("REFUSE") === "1") {
        return await send({ type: "lifespan.startup.failed", message: "no database" });
      }
      await send({ type: type + ".complete" });
      if (type === "lifespan.shutdown") return;
    }
  }
  if (scope.path === "/exit") Deno.exit(7);
  if (scope.path === "/block") while (true);
  if (scope.path === "/wait") await new Promise((resolve) => setTimeout(resolve, 500));
  if (scope.path === "/hang") await new Promise(() => {});
  if (scope.path === "/grow") globalThis.kept = [...(globalThis.kept ?? []), new Uint8Array(190_000_000).fill(1)];
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
  await send({ type: "http.response.body", body: Deno.pid + " " + num });
};
`;

const ARGS = ["app.js", "--port", "0", "--shutdown-timeout", "5"];

async function text(url: string, path = ""): Promise<string> {
  const response = await fetch(url + path);
  assertEquals(response.status, 200);
  return await response.text();
}

/** Asks again until the answer is right; what goes wrong before is right to. */
async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!await ask()) {
    if (performance.now() > deadline) throw new Error(`It never came to pass: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The processes whose parent is `pid`. */
function children(pid: number): number[] {
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid) found.push(Number(name));
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

function isAlive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}

const count = (text: string, part: string) => text.split(part).length - 1;

Deno.test("cli --workers 2 serves from two processes, each with a lifespan of its own, and leaves none", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "--workers", "2"], { cwd: dir.path });
  const url = await command.url();
  assertMatch(await command.stderr.until("Listening"), /; app in 2 worker processes: as asked; TLS off; production\)/);
  const answers = new Set<string>();
  for (let n = 0; n < 4; n++) answers.add(await text(url));
  const pids = children(command.pid);
  assertEquals(pids.length, 2);
  assertEquals([...answers].map((answer) => Number(answer.split(" ")[0])).sort(), pids.sort());
  assertEquals([...answers].map((answer) => answer.split(" ")[1]).sort(), ["1", "2"]);
  const { code, stdout } = await command.stop();
  assertEquals(code, 0);
  assertEquals(stdout.trim().split("\n").sort(), [
    "lifespan.shutdown 1 1",
    "lifespan.shutdown 1 2",
    "lifespan.startup 1 1",
    "lifespan.startup 1 2",
  ]);
  assertEquals(pids.filter(isAlive), []);
});

Deno.test("cli --worker-type thread serves from threads of its own process", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "-w", "2", "--worker-type", "thread"], { cwd: dir.path });
  const url = await command.url();
  assertMatch(await command.stderr.until("Listening"), /; app in 2 worker threads: as asked;/);
  const answers = new Set<string>();
  for (let n = 0; n < 4; n++) answers.add(await text(url));
  assertEquals([...answers].sort(), [`${command.pid} 1`, `${command.pid} 2`]);
  command.kill("SIGHUP");
  await command.stderr.until(/Worker 2 has stopped/);
  await text(url);
  const { code, stdout } = await command.stop();
  assertEquals([code, count(stdout, "lifespan.startup"), count(stdout, "lifespan.shutdown")], [0, 4, 4]);
});

Deno.test("cli exits with 3 and the worker's own text where an app can't start in a worker", async () => {
  await using dir = await folder({ "app.js": APP, "broken.js": "export default (;", "exits.js": "Deno.exit(5);" });
  const failed = await cli([...ARGS, "-w", "2", "--lifespan", "on"], { cwd: dir.path, env: { REFUSE: "1" } });
  assertEquals(failed.code, 3);
  assertMatch(failed.stderr, /^error: .*no database$/m);
  const broken = await cli(["broken.js", "--port", "0", "-w", "2"], { cwd: dir.path });
  assertEquals(broken.code, 3);
  assertMatch(broken.stderr, /^error: Cannot load broken\.js: SyntaxError: .*broken\.js:1:17/m);
  const exits = await cli(["exits.js", "--port", "0", "-w", "1"], { cwd: dir.path });
  assertEquals(exits.code, 3);
  assertMatch(exits.stderr, /^error: Worker 1 ended while it started: .*exit code 5/m);
});

Deno.test("cli exits with 0 at TERM while its workers start, and leaves none", async () => {
  const starts = `console.log("loading"); export default async (scope, receive) => { await receive(); await new Promise(() => {}); };`;
  await using dir = await folder({ "app.js": starts });
  await using command = new Cli([...ARGS, "-w", "2"], { cwd: dir.path });
  await command.stdout.until(/loading\nloading/);
  const pids = children(command.pid);
  const { code, stderr } = await command.stop();
  assertEquals([code, pids.length, pids.filter(isAlive)], [0, 2, []]);
  assertMatch(stderr, /SIGTERM: stopped during the startup/);
});

Deno.test("cli replaces a worker that ends, under its number, and answers what it had with 502", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "-w", "1"], { cwd: dir.path });
  const url = await command.url();
  const [before] = children(command.pid);
  const response = await fetch(url + "exit");
  assertEquals([response.status, await response.text()], [502, "Bad Gateway\n"]);
  // It waits until there is a worker again.
  assertMatch(await text(url), / 1$/);
  const [after] = children(command.pid);
  assert(before !== after);
  Deno.kill(after!, "SIGKILL");
  await command.stderr.until(/Worker 1 is gone: .*signal SIGKILL/);
  assertMatch(await text(url), / 1$/);
  assertEquals((await command.stop()).code, 0);
});

Deno.test("cli at SIGHUP replaces all workers and refuses no request meanwhile", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "-w", "2"], { cwd: dir.path });
  const url = await command.url();
  const before = children(command.pid);
  const slow = text(url, "wait");
  let isOver = false;
  let answered = 0;
  const load = Promise.all(Array.from({ length: 4 }, async () => {
    for (; !isOver; answered++) await text(url);
  }));
  await until("the workers answer", () => answered > 10);
  command.kill("SIGHUP");
  await command.stderr.until(/Worker 2 has stopped/);
  isOver = true;
  await load;
  assertEquals((await slow).split(" ").length, 2);
  const after = children(command.pid);
  assertEquals([after.length, after.filter((pid) => before.includes(pid))], [2, []]);
  const { code, stdout } = await command.stop();
  assertEquals([code, count(stdout, "lifespan.startup"), count(stdout, "lifespan.shutdown")], [0, 4, 4]);
});

Deno.test("cli at SIGHUP stays with the old workers where a new one can't start", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "-w", "2"], { cwd: dir.path });
  const url = await command.url();
  const before = children(command.pid);
  await Deno.writeTextFile(`${dir.path}/app.js`, "throw new Error('not today');");
  command.kill("SIGHUP");
  await command.stderr.until(/SIGHUP: worker 1 could not be replaced, the old ones go on: .*not today/);
  await text(url);
  await until("the new one is gone", () => children(command.pid).length === 2);
  assertEquals(children(command.pid).sort(), before.sort());
  // One that dies is tried again, and the other serves.
  Deno.kill(before[0]!, "SIGKILL");
  await command.stderr.until(/Worker \d could not start: .*not today/);
  assertEquals((await text(url)).split(" ")[0], String(before[1]));
  await Deno.writeTextFile(`${dir.path}/app.js`, APP);
  command.kill("SIGHUP");
  await until("there are two new ones", () => {
    const now = children(command.pid);
    return now.length === 2 && !now.some((pid) => before.includes(pid));
  });
  await text(url);
  assertEquals((await command.stop()).code, 0);
});

Deno.test("cli at SIGTTIN has one worker more, at SIGTTOU one less, at least one", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "-w", "1"], { cwd: dir.path });
  await command.url();
  command.kill("SIGTTIN");
  await command.stderr.until(/Worker 2 is ready/);
  command.kill("SIGTTOU");
  await command.stderr.until(/Worker 2 has stopped/);
  command.kill("SIGTTOU");
  await command.stderr.until(/SIGTTOU: the last worker stays/);
  assertEquals(children(command.pid).length, 1);
  assertEquals((await command.stop()).code, 0);
});

Deno.test("cli replaces a worker after --max-requests, and refuses none", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "-w", "1", "--max-requests", "5"], { cwd: dir.path });
  const url = await command.url();
  const pids = new Set<string>();
  await until("four workers have answered", async () => {
    pids.add((await text(url)).split(" ")[0]!);
    return pids.size === 4;
  });
  assertMatch(command.stderr.text, /Worker 1 is to be replaced: it has served 5 exchanges/);
  assertEquals((await command.stop()).code, 0);
});

Deno.test("cli kills a worker whose loop is blocked, and the others do not feel it", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "-w", "2", "--heartbeat-timeout", "1"], { cwd: dir.path });
  const url = await command.url();
  const blocked = fetch(url + "block");
  for (let n = 0; n < 20; n++) await text(url);
  const response = await blocked;
  assertEquals(response.status, 502);
  await response.body?.cancel();
  await command.stderr.until(/Worker \d is killed: no sign of life for 1 s/);
  await until("there are two again", () => children(command.pid).length === 2);
  assertEquals((await command.stop()).code, 0);
});

Deno.test("cli replaces a worker that outgrows --worker-memory, and kills one that outgrows it by half", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "-w", "1", "--worker-memory", "200M"], { cwd: dir.path });
  const url = await command.url();
  await text(url, "grow");
  await command.stderr.until(/Worker 1 is to be replaced: it takes \d+ MB of memory, its limit is 200 MB/);
  await command.stderr.until(/Worker 1 has stopped/);
  const before = children(command.pid);
  // Three at once are more than the hard limit before the watch looks again.
  const grown = await Promise.all([0, 1, 2].map(() => fetch(url + "grow").then((response) => response.text())));
  assertEquals(grown.length, 3);
  await command.stderr.until(/Worker 1 is killed: it takes \d+ MB of memory/);
  await until("there is another", () => children(command.pid).some((pid) => !before.includes(pid)));
  await text(url);
  assertEquals((await command.stop()).code, 0);
});

Deno.test("cli stops once at a Ctrl+C that goes to the whole group", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "-w", "2"], { cwd: dir.path });
  await command.url();
  const pids = children(command.pid);
  // As a terminal does it: the signal goes to each of them.
  for (const pid of [command.pid, ...pids]) Deno.kill(pid, "SIGINT");
  const { code, stdout, stderr } = await command.finished();
  assertEquals([code, count(stdout, "lifespan.shutdown"), count(stderr, "SIGINT: stopping")], [0, 2, 1]);
  assert(!stderr.includes("is gone"), stderr);
  assertEquals(pids.filter(isAlive), []);
});

Deno.test("cli stops cleanly where a service manager sends TERM to every process", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "-w", "2"], { cwd: dir.path });
  await command.url();
  for (const pid of [command.pid, ...children(command.pid)]) Deno.kill(pid, "SIGTERM");
  const { code, stdout, stderr } = await command.finished();
  assertEquals(code, 0);
  assertEquals(count(stdout, "lifespan.startup"), count(stdout, "lifespan.shutdown"), stderr);
});

Deno.test("cli replaces a worker that gets a TERM of its own", async () => {
  await using dir = await folder({ "app.js": APP });
  await using command = new Cli([...ARGS, "-w", "1"], { cwd: dir.path });
  const url = await command.url();
  const [pid] = children(command.pid);
  Deno.kill(pid!, "SIGTERM");
  await command.stderr.until(/Worker 1 has stopped/);
  assert(await text(url) !== `${pid} 1`);
  assertEquals((await command.stop()).code, 0);
});

Deno.test("cli kills the workers that are left at the end of the shutdown timeout, and at a second Ctrl+C", async () => {
  await using dir = await folder({ "app.js": APP });
  for (const [isTwice, code, says] of [[false, 0, "is killed"], [true, 1, "ended at once"]] as const) {
    await using command = new Cli(["app.js", "--port", "0", "--shutdown-timeout", isTwice ? "60" : "0.3", "-w", "1"], { cwd: dir.path });
    const url = await command.url();
    const [pid] = children(command.pid);
    const hanging = fetch(url + "block").then((response) => response.body?.cancel(), () => {});
    await until("the worker is busy", () => isRunning(pid!));
    command.kill("SIGINT");
    await command.stderr.until(/SIGINT: stopping; 1 open exchange/);
    if (isTwice) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      command.kill("SIGINT");
    }
    const finished = await command.finished();
    await hanging;
    assertEquals(finished.code, code, finished.stderr);
    assert(finished.stderr.includes(says), finished.stderr);
    await until("the worker is gone", () => !isAlive(pid!));
  }
});

Deno.test("a worker whose server was killed ends by itself within a second", async () => {
  await using dir = await folder({ "app.js": APP });
  const command = new Cli([...ARGS, "-w", "2"], { cwd: dir.path });
  await command.url();
  const pids = children(command.pid);
  command.kill("SIGKILL");
  const started = performance.now();
  await until("they are gone", () => !pids.some(isAlive));
  assert(performance.now() - started < 1000);
  await command.finished();
});

// Uses a CPU right now.
function isRunning(pid: number): boolean {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2)[0] === "R";
}

Deno.test("cli names worker and request where an app in a worker fails", async () => {
  await using dir = await folder({ "app.js": `export default () => { throw new Error("broken"); };` });
  await using command = new Cli([...ARGS, "--workers", "1"], { cwd: dir.path });
  const response = await fetch(`${await command.url()}here`);
  await response.text();
  const text = await command.stderr.until(/The app failed .*\n.*broken/);
  assertMatch(text, /error The app failed .*request="GET \/here"/);
  assertMatch(text, /error The app failed .*worker=1/);
  assertEquals((await command.stop()).code, 0);
});

Deno.test("cli --sandbox without an app lists the working directory of its worker", async () => {
  await using dir = await folder({ "a.txt": "A" });
  const args = ["--port", "0", "--sandbox", `--allow-read=${dir.path}`, "--worker-cwd", dir.path];
  await using command = new Cli(args, { cwd: dir.path });
  assertEquals(await text(await command.url(), "a.txt"), "A");
  assertEquals((await command.stop()).code, 0);
});

for (const args of [[], ["--sandbox"], ["--workers", "0"]]) {
  Deno.test(`cli ${args.join(" ")} says what to write where an app imports the package and its configuration lacks it`, async () => {
    await using dir = await folder({
      "app.ts": `import { defineApp } from "@pagi/server"; export default defineApp({});`,
      "deno.json": `{"imports": {"x": "./x.ts"}}`,
    });
    const { code, stderr } = await cli([`${dir.path}/app.ts`, "--port", "0", ...args]);
    assertEquals(code, 3);
    assertMatch(stderr, /"imports": \{ "@pagi\/server": "jsr:@pagi\/server@\^0\.1\.0" \}.*"links" to (?:a|this) clone/);
    for (const no of ["deno add", "--workers 1"]) assert(!stderr.includes(no), stderr);
  });
}

Deno.test("cli --sandbox names the lock file that is out of date, and what brings it up to date", async () => {
  await using dir = await folder({
    "app.ts": `import "ws"; export default () => {};`,
    "deno.json": `{"imports": {"ws": "npm:ws@^8.21.1"}}`,
    "deno.lock": `{"version": "5"}`,
  });
  const { code, stderr } = await cli([`${dir.path}/app.ts`, "--port", "0", "--sandbox"]);
  assertEquals(code, 3);
  assert(stderr.includes(`error: ${dir.path}/deno.lock is out of date`) && stderr.includes("deno cache --frozen=false"), stderr);
});
