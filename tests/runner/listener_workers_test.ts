/** The command line with workers that listen themselves: real processes, real sockets, signals, and what is left when it is over. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { until as eventually, within } from "../conformance/waiting.ts";
import { ask, RawClient, request } from "../faults/raw_client.ts";
import { children, isAlive } from "../faults/processes.ts";
import { needs } from "../tools.ts";
import { Certificates } from "./certificates.ts";
import { Cli, cli, folder } from "./process.ts";

/** Tells which process and worker answers, where, and does what its path says. */
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
  if (scope.type === "websocket") {
    await receive();
    await send({ type: "websocket.accept" });
    const event = await receive();
    return await send({ type: "websocket.close", code: 4000 + num, reason: event.type });
  }
  if (scope.path === "/hang" || scope.path === "/wait") console.log("at", scope.path);
  if (scope.path === "/exit") Deno.exit(7);
  if (scope.path === "/block") while (true);
  if (scope.path === "/hang") await new Promise(() => {});
  if (scope.path === "/wait") await new Promise((resolve) => setTimeout(resolve, 300));
  if (scope.path === "/grow") globalThis.kept = [...(globalThis.kept ?? []), new Uint8Array(190_000_000).fill(1)];
  if (scope.path === "/spawn") new Deno.Command("sleep", { args: ["30"] }).spawn().unref();
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
  await send({ type: "http.response.body", body: [Deno.pid, num, scope.server.join(":"), scope.client[0], scope.scheme].join(" ") });
};
`;

const ENGINES = ["node", "deno"] as const;

interface Running extends AsyncDisposable {
  readonly cli: Cli;
  readonly url: string;
  readonly port: number;
  readonly path: string;
  workers(): number[];
}

/** Starts one, and ends all processes that it was ever seen to have. */
async function start(
  args: readonly string[],
  options: { workers?: number; env?: Record<string, string>; access?: string } = {},
): Promise<Running> {
  const project = await folder({ "app.js": APP });
  const { workers = 2, env = {}, access = "" } = options;
  const log = access === ""
    ? ["--no-access-log"]
    : ["--access-log", access.replace("FOLDER", project.path), "--access-log-format", "log %s %U %X"];
  const command = new Cli(
    ["app.js", "--port", "0", "--workers", String(workers), "--worker-type", "listener", "--shutdown-timeout", "5", ...log, ...args],
    { cwd: project.path, env },
  );
  const seen = new Set<number>();
  const look = () => {
    const now = children(command.pid);
    for (const pid of now) seen.add(pid);
    return now;
  };
  const end = async () => {
    look();
    await command[Symbol.asyncDispose]();
    for (const pid of seen) if (isAlive(pid)) Deno.kill(pid, "SIGKILL");
    await project[Symbol.asyncDispose]();
  };
  try {
    const url = await within(command.url(), "the banner", 10_000);
    look();
    return { cli: command, url, port: Number(new URL(url).port), path: project.path, workers: look, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw new Error(`${(error as Error).message}\n${command.stderr.text}`);
  }
}

/** Asks on connections of their own until each of so many processes has answered. */
async function answerers(url: string, wanted: number): Promise<Set<string>> {
  const found = new Set<string>();
  const deadline = performance.now() + 5000;
  while (found.size < wanted && performance.now() < deadline) {
    for (const { body } of await Promise.all(Array.from({ length: 8 }, () => ask(url, "/")))) found.add(body.split(" ")[0]!);
  }
  return found;
}

for (const engine of ENGINES) {
  Deno.test(`listeners on ${engine}: each worker answers on the same port, knows its number and the real addresses`, async () => {
    await using server = await start(["--engine", engine]);
    assertMatch(
      server.cli.stderr.text,
      new RegExp(`engine ${engine}: as asked.*app in 2 worker processes that listen themselves: as asked`),
    );
    assertEquals(await answerers(server.url, 2), new Set(server.workers().map(String)));
    const { body } = await ask(server.url, "/");
    const [pid, num, address, client, scheme] = body.split(" ");
    assert(server.workers().includes(Number(pid)));
    assertMatch(num!, /^[12]$/);
    assertEquals([address, client, scheme], [`127.0.0.1:${server.port}`, "127.0.0.1", "http"]);
    const { code, stdout } = await server.cli.stop();
    assertEquals(code, 0);
    assertEquals(stdout.match(/lifespan.startup 1 [12]\n/g)?.length, 2);
    assertEquals(stdout.match(/lifespan.shutdown 1 [12]\n/g)?.length, 2);
    assertEquals(server.workers().filter(isAlive), []);
  });

  Deno.test(`listeners on ${engine}: HUP replaces all workers, TTIN and TTOU change their number`, async () => {
    await using server = await start(["--engine", engine]);
    const before = server.workers();
    server.cli.kill("SIGHUP");
    await eventually(() => !server.workers().some((pid) => before.includes(pid)) && server.workers().length === 2, "new workers", 10_000);
    assertEquals((await ask(server.url, "/")).status, 200);
    server.cli.kill("SIGTTIN");
    await within(server.cli.stderr.until("Worker 3 is ready"), "a third worker", 10_000);
    server.cli.kill("SIGTTOU");
    await within(server.cli.stderr.until("Worker 3 has stopped (exit code 0)"), "its end", 10_000);
    assertEquals((await ask(server.url, "/")).status, 200);
    assertEquals((await server.cli.stop()).code, 0);
  });

  Deno.test(`listeners on ${engine}: an open exchange has the shutdown timeout, then it is cut, and the app still cleans up`, async () => {
    await using server = await start(["--engine", engine, "--shutdown-timeout", "0.6"], { workers: 1, access: "-" });
    using client = await RawClient.to(server.url, request("/hang"));
    using late = await RawClient.to(server.url, request("/wait"));
    await within(server.cli.stdout.until("at /hang\n"), "the first request");
    await within(server.cli.stdout.until("at /wait\n"), "the second request");
    server.cli.kill("SIGTERM");
    assertEquals(await late.status(), 200);
    const { code, stdout, stderr } = await server.cli.finished();
    assertEquals(code, 0);
    assertMatch(stderr, /SIGTERM: stopping/);
    assertMatch(stderr, /The shutdown timeout is over: 1 open exchange is ended/);
    assert(["closed", "reset"].includes((await client.rest()).end));
    assertMatch(stdout, /log 200 \/wait -\n/);
    assertMatch(stdout, /log 503 \/hang server_shutdown\n/);
    assertMatch(stdout, /lifespan.shutdown 1 1\n/);
  });
}

Deno.test("listeners: one that has to go finishes what it has, while another answers on the same port", async () => {
  await using server = await start(["--engine", "node"], { workers: 1 });
  const [pid] = server.workers();
  const waiting = ask(server.url, "/wait");
  await within(server.cli.stdout.until("at /wait\n"), "the request");
  Deno.kill(pid!, "SIGTERM");
  assertEquals((await waiting).body.split(" ")[0], String(pid));
  // How many are open is not known at that moment.
  await within(server.cli.stderr.until(/Worker 1 takes no more exchanges: it was asked to stop (?!.*open=).*\n/), "the drain");
  await within(server.cli.stderr.until(new RegExp(`Worker 1 has stopped \\(exit code 0\\) .*pid=${pid}`)), "its end");
  assert((await ask(server.url, "/")).body.split(" ")[0] !== String(pid));
});

Deno.test("listeners: one that ends, blocks or grows is replaced; connections wait for the next one", async () => {
  await using server = await start(["--engine", "node", "--heartbeat-timeout", "1", "--worker-memory", "180M"], { workers: 1 });
  using exit = await RawClient.to(server.url, request("/exit"));
  assert(["closed", "reset"].includes((await exit.rest()).end));
  // Nobody serves now: it is answered all the same.
  assertEquals((await ask(server.url, "/")).status, 200);
  await within(server.cli.stderr.until(/Worker 1 is gone: .*exit code 7/), "its end");
  using block = await RawClient.to(server.url, request("/block"));
  await block.rest();
  await within(server.cli.stderr.until(/Worker 1 is killed: no sign of life for 1 s/), "its end");
  assertEquals((await ask(server.url, "/")).status, 200);
  using _grow = await RawClient.to(server.url, request("/grow"));
  await within(server.cli.stderr.until(/Worker 1 (is to be replaced|is killed): it takes \d+ MB of memory/), "the limit", 10_000);
  assertEquals((await ask(server.url, "/")).status, 200);
});

Deno.test("listeners: limits of requests and lifetime replace them", async () => {
  await using server = await start(["--engine", "node", "--max-requests", "5"], { workers: 1 });
  const [pid] = server.workers();
  for (let n = 0; n < 5; n++) await ask(server.url, "/");
  await within(server.cli.stderr.until(/Worker 1 is to be replaced: it has served \d+ exchanges/), "the limit");
  await within(server.cli.stderr.until(new RegExp(`Worker 1 has stopped .*pid=${pid}`)), "its end");
  await using old = await start(["--engine", "node", "--max-worker-lifetime", "0.2"], { workers: 1 });
  await within(old.cli.stderr.until(/Worker 1 is to be replaced: it is 0.2 s old/), "the lifetime");
});

Deno.test("listeners: a WebSocket is served where it was accepted, and counts", async () => {
  await using server = await start(["--engine", "node"], { workers: 1, access: "-" });
  const socket = new WebSocket(server.url.replace("http", "ws"));
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
  socket.addEventListener("open", () => socket.send("hi"));
  const { code, reason } = await within(closed, "the close");
  assertEquals([code, reason], [4001, "websocket.receive"]);
  await within(server.cli.stdout.until("log 101 / -\n"), "its line");
});

Deno.test("listeners: each writes the access log, whole lines, and HUP opens the file anew in all of them", async () => {
  await using server = await start(["--engine", "node"], { access: "FOLDER/access.log" });
  const path = `${server.path}/access.log`;
  assertEquals((await answerers(server.url, 2)).size, 2);
  for (let n = 0; n < 20; n++) await ask(server.url, `/${n}`);
  // Lines are written within a quarter of a second, by each worker for itself.
  await eventually(() => (Deno.readTextFileSync(path).match(/^log 200 \/\d+ -$/gm) ?? []).length === 20, "the lines");
  await Deno.rename(path, `${path}.1`);
  // One that does not end by the HUP: it is asked to go, and keeps what it has.
  const waiting = ask(server.url, "/wait");
  await within(server.cli.stdout.until("at /wait\n"), "the request");
  server.cli.kill("SIGHUP");
  await within(server.cli.stderr.until(`the access log is written to ${path}, opened anew`), "the new file");
  assertEquals((await waiting).status, 200);
  await within(server.cli.stderr.until(/has stopped[^]*has stopped/), "the old workers", 10_000);
  assertEquals((await ask(server.url, "/")).status, 200);
  assertEquals((await server.cli.stop()).code, 0);
  const [before, after] = [await Deno.readTextFile(`${path}.1`), await Deno.readTextFile(path)];
  assertMatch(before, /^(log 200 \/\d* -\n)+$/);
  assertMatch(after, /^log 200 \/wait -\nlog 200 \/ -\n$/);
});

Deno.test("listeners: their lines go to the standard output of the server where the access log does, and never get mixed", async () => {
  await using server = await start(["--engine", "node"], { access: "-" });
  await Promise.all(Array.from({ length: 200 }, () => ask(server.url, "/some-longer-path-than-that")));
  const { stdout } = await server.cli.stop();
  const lines = stdout.trimEnd().split("\n").filter((line) => !line.startsWith("lifespan."));
  assertEquals(new Set(lines), new Set(["log 200 /some-longer-path-than-that -"]));
  assertEquals(lines.length, 200);
});

function sockets(pid: number | "self"): string[] {
  const folder = `/proc/${pid}/fd`;
  const targets = [...Deno.readDirSync(folder)].flatMap(({ name }) => {
    try {
      return [Deno.readLinkSync(`${folder}/${name}`)];
    } catch {
      return []; // the one that reads the folder
    }
  });
  return targets.filter((target) => target.startsWith("socket:"));
}

Deno.test("listeners: a program that an app starts does not inherit the port", async () => {
  await using server = await start(["--engine", "node"], { workers: 1 });
  await ask(server.url, "/spawn");
  const [worker] = server.workers();
  const program = await eventually(() => children(worker!)[0], "the program");
  try {
    // Of this process it may have some, which the tests before have let through.
    const own = sockets("self");
    assertEquals(sockets(program).filter((socket) => !own.includes(socket)), []);
  } finally {
    Deno.kill(program, "SIGKILL");
  }
});

Deno.test("listeners: a worker that can't start is the server's error, and the port is free again", async () => {
  await using project = await folder({ "app.js": APP });
  const { code, stderr } = await cli(["app.js", "--port", "0", "--workers", "2", "--worker-type", "listener"], {
    cwd: project.path,
    env: { REFUSE: "1" },
  });
  assertEquals(code, 3);
  assertMatch(stderr, /error: .*no database/);
});

Deno.test("listeners: what can't be had is refused with the reason", async () => {
  await using project = await folder({ "app.js": APP });
  const refused = async (...args: string[]) => {
    const { code, stderr } = await cli(["app.js", "--workers", "2", "--worker-type", "listener", ...args], { cwd: project.path });
    return [code, stderr.trimEnd().split("\n").at(-1)];
  };
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  for (const engine of ENGINES) {
    const [code, message] = await refused("--port", String(port), "--engine", engine);
    assertEquals(code, 3);
    assertMatch(message as string, new RegExp(`^error: Port ${port} is already in use by process ${Deno.pid}`));
    assertEquals(await refused("--socket", `${project.path}/s`, "--engine", engine), [
      2,
      `error: Workers that listen themselves can't share the Unix socket ${project.path}/s: Deno never serves an inherited one. Give a TCP ` +
      "address, or take worker processes behind the server (--worker-type process)",
    ]);
  }
  taken.close();
  const [code, message] = await refused("--port", "0", "--sandbox");
  assertEquals(code, 2);
  assertMatch(message as string, /^error: A sandbox needs a server between its app and the wire/);
});

Deno.test("listeners: options of the queue are said to have no effect", async () => {
  await using server = await start(["--max-queue", "5"], { workers: 1 });
  await within(server.cli.stderr.until("--max-queue has no effect: workers that listen themselves have no queue"), "the line");
  // Not said otherwise, they are on the engine that loses nothing.
  assertMatch(server.cli.stderr.text, /engine node: its workers share one socket/);
});

Deno.test(needs("openssl", "listeners: a new certificate reaches workers that run, and those that start later"), async () => {
  await using certificates = await Certificates.make();
  for (const name of ["one.test", "two.test"]) await certificates.add(name, { names: `DNS:${name}` });
  await using dir = await folder();
  const install = async (name: string) => {
    await Deno.copyFile(certificates.key(name), `${dir.path}/key.pem`);
    await Deno.copyFile(certificates.cert(name), `${dir.path}/cert.pem`);
  };
  await install("one.test");
  await using server = await start(["--engine", "node", "--ssl-cert", `${dir.path}/cert.pem`, "--ssl-key", `${dir.path}/key.pem`]);
  const subject = async () => {
    const command = new Deno.Command("openssl", {
      args: ["s_client", "-connect", `127.0.0.1:${server.port}`, "-servername", "one.test"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    });
    return /CN ?= ?([\w.]+)/.exec(new TextDecoder().decode((await command.output()).stdout))?.[1];
  };
  assertEquals(await subject(), "one.test");
  const before = server.workers();
  await install("two.test");
  await within(server.cli.stderr.until("new connections get"), "the new certificate", 10_000);
  for (let n = 0; n < 6; n++) assertEquals(await subject(), "two.test");
  assertEquals(server.workers(), before);
  server.cli.kill("SIGTTIN");
  await within(server.cli.stderr.until("Worker 3 is ready"), "a third worker", 10_000);
  for (let n = 0; n < 8; n++) assertEquals(await subject(), "two.test");
});
