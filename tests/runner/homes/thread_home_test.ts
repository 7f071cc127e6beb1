import { assert, assertEquals, assertMatch } from "@std/assert";
import { Cli, cli, folder } from "../process.ts";

const APP = `if (self.name === "pagi worker 2") await null;
export default async (scope, receive, send) => {
  if (scope.type === "lifespan") throw new Error("no lifespan");
  if (scope.path === "/exit") Deno.exit(5);
  if (scope.path === "/close") self.close();
  if (scope.path === "/timer") setTimeout(() => { throw new Error("in a timer"); }, 0);
  if (scope.path === "/garbage") self.postMessage({ garbage: true });
  if (["/close", "/garbage", "/hang"].includes(scope.path)) await new Promise(() => {});
  if (scope.path === "/loop") for (;;);
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: self.name });
};
`;

const THREAD = ["--port", "0", "--worker-type", "thread", "--heartbeat-timeout"];

async function get(url: string): Promise<[number, string]> {
  const response = await fetch(url, { signal: AbortSignal.timeout(15_000) });
  return [response.status, await response.text()];
}

Deno.test("a thread has a name with its number", async () => {
  await using project = await folder({ "app.js": APP });
  await using server = new Cli([`${project.path}/app.js`, "--workers", "1", ...THREAD, "30s"]);
  assertEquals(await get(await server.url()), [200, "pagi worker 1"]);
  assertEquals((await server.stop()).code, 0);
});

for (const [path, cause] of [["exit", "the worker has ended"], ["garbage", "no batch"]] as const) {
  Deno.test(`a thread that ends by /${path} is noticed at once, and another takes its place`, async () => {
    await using project = await folder({ "app.js": APP });
    await using server = new Cli([`${project.path}/app.js`, "--workers", "1", ...THREAD, "0"]);
    const url = await server.url();
    await server.stderr.until("Worker 1 is ready");
    assertEquals((await get(url + path))[0], 502);
    assertEquals(await get(url), [200, "pagi worker 1"]);
    const { code, stderr } = await server.stop();
    assertEquals(code, 0);
    assert(stderr.includes(`Worker 1 is gone: `) && stderr.includes(cause), stderr);
  });
}

for (const path of ["close", "loop"]) {
  Deno.test(`a thread that ends by /${path} is missed by its heartbeat, and another takes its place`, async () => {
    await using project = await folder({ "app.js": APP });
    await using server = new Cli([`${project.path}/app.js`, "--workers", "1", ...THREAD, "500ms"]);
    const url = await server.url();
    await server.stderr.until("Worker 1 is ready");
    assertEquals((await get(url + path))[0], 502);
    assertEquals(await get(url), [200, "pagi worker 1"]);
    await server.stderr.until("A thread was terminated; where its loop is blocked, it goes on");
    assertEquals((await server.stop()).code, 0);
  });
}

Deno.test("an error in a timer of a thread is logged, and ends neither the thread nor the server", async () => {
  await using project = await folder({ "app.js": APP });
  await using server = new Cli([`${project.path}/app.js`, "--workers", "1", ...THREAD, "30s"]);
  const url = await server.url();
  assertEquals((await get(`${url}timer`))[0], 200);
  await server.stderr.until("in a timer");
  assertEquals((await get(url))[0], 200);
  const { code, stderr } = await server.stop();
  assertEquals([code, stderr.includes("is gone")], [0, false]);
});

Deno.test("a thread that can't load its app fails the start with the text of the error", async () => {
  await using project = await folder({ "app.js": 'throw new Error("the key is missing");' });
  await using server = new Cli([`${project.path}/app.js`, "--workers", "2", ...THREAD, "30s"]);
  const { code, stderr } = await server.finished();
  assertEquals(code, 3);
  assert(/error: Cannot load .*the key is missing/.test(stderr), stderr);
});

Deno.test("a thread that ends while it loads its app is told as a process is, and nobody warns of a blocked loop", async () => {
  await using project = await folder({ "app.js": "Deno.exit(7);" });
  const { code, stderr } = await cli([`${project.path}/app.js`, "--workers", "2", ...THREAD, "30s"]);
  assertEquals(code, 3);
  assertMatch(stderr, /error: Worker \d ended while it started: .*\(exit code 7\)\n/);
  assert(!stderr.includes("was terminated"), stderr);
});
