/** `serve` with workers: real processes and threads. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { serve, type ServeOptions, type Server, StartupError } from "../../mod.ts";
import { folder } from "./process.ts";

const APP = `export default async (scope, receive, send) => {
  if (scope.type === "lifespan") {
    for (;;) {
      const { type } = await receive();
      let isBroken = false;
      try {
        Deno.statSync(new URL("./broken", import.meta.url));
        isBroken = true;
      } catch {}
      if (isBroken) return await send({ type: type + ".failed", message: "broken" });
      await send({ type: type + ".complete" });
      if (type === "lifespan.shutdown") return;
    }
  }
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
  await send({ type: "http.response.body", body: scope.path + " " + Deno.pid });
};
export const create = ({ name }) => async (_scope, _receive, send) => {
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: String(name) });
};
`;

const OPTIONS: ServeOptions = { port: 0, quiet: true, accessLog: false, env: "production", shutdownTimeoutMs: 5000 };

const get = async (server: Server, path = ""): Promise<string> => {
  const response = await fetch(server.url + path);
  assertEquals(response.status, 200);
  return await response.text();
};

async function until(what: string, ask: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!ask()) {
    if (performance.now() > deadline) throw new Error(`It never came to pass: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("serve() takes the URL of an app and serves it from worker processes, which workers() tells of", async () => {
  await using dir = await folder({ "app.js": APP });
  const server = await serve(new URL(`file://${dir.path}/app.js`), { ...OPTIONS, workers: 2 });
  const workers = server.workers();
  assertEquals(
    workers.map(({ pid: _, ...rest }) => rest),
    [1, 2].map((number) => ({
      number,
      state: "ready" as const,
      open: 0,
      restarts: 0,
      lastCause: null,
    })),
  );
  const answers = [await get(server, "a"), await get(server, "a")];
  assertEquals(answers.sort(), workers.map(({ pid }) => `/a ${pid}`).sort());
  Deno.kill(workers[0]!.pid!, "SIGKILL");
  await until("it is replaced", () => server.workers()[0]!.restarts === 1 && server.workers()[0]!.state === "ready");
  const [first] = server.workers();
  assert(first!.pid !== workers[0]!.pid);
  assert(first!.lastCause!.includes("signal SIGKILL"), first!.lastCause!);
  await server.shutdown();
  assertEquals(server.workers(), []);
});

Deno.test("serve() takes a path with an export, in threads too", async () => {
  await using dir = await folder({ "app.js": APP });
  for (const workerType of ["process", "thread"] as const) {
    await using server = await serve(`${dir.path}/app.js:create()`, { ...OPTIONS, workers: 1, workerType });
    assertEquals(await get(server), "undefined");
    const [worker] = server.workers();
    assertEquals([worker!.pid === null, worker!.state], [workerType === "thread", "ready"]);
  }
});

Deno.test("serve() takes a path without workers as well, and has none to tell of", async () => {
  await using dir = await folder({ "app.js": APP });
  await using server = await serve(`${dir.path}/app.js`, OPTIONS);
  assertEquals(await get(server, "x"), `/x ${Deno.pid}`);
  assertEquals(server.workers(), []);
});

Deno.test("serve() refuses workers for an app that no worker can load", async () => {
  const error = await assertRejects(
    () => serve(() => Promise.resolve(), { ...OPTIONS, workers: 2 }),
    StartupError,
    "workers (2) needs an app that a worker can load: give serve() its path, its URL or a specifier",
  );
  assertEquals(error.exitCode, 2);
  await assertRejects(() => serve("./no-such-file.ts", { ...OPTIONS, workers: 2 }), StartupError, "there is no file ./no-such-file.ts");
});

Deno.test("serve() answers 503 while no worker is ready and nothing may wait, and serves again", async () => {
  await using dir = await folder({ "app.js": APP });
  for (const [limits, leastMs] of [[{ maxQueue: 0 }, 0], [{ queueTimeoutMs: 300 }, 290]] as const) {
    await using server = await serve(`${dir.path}/app.js`, { ...OPTIONS, workers: 1, ...limits });
    await Deno.writeTextFile(`${dir.path}/broken`, "");
    const { pid } = server.workers()[0]!;
    Deno.kill(pid!, "SIGKILL");
    await until("it is gone", () => server.workers()[0]!.pid !== pid);
    const started = performance.now();
    const response = await fetch(server.url);
    assertEquals([response.status, response.headers.get("retry-after"), await response.text()], [503, "5", "Service Unavailable\n"]);
    assert(performance.now() - started >= leastMs);
    await Deno.remove(`${dir.path}/broken`);
    await until("there is one again", () => server.workers()[0]!.state === "ready");
    await get(server);
  }
});

Deno.test("serve() keeps no place for a client that has left while it waited", async () => {
  await using dir = await folder({ "app.js": APP });
  await using server = await serve(`${dir.path}/app.js`, { ...OPTIONS, workers: 1, maxQueue: 1 });
  await Deno.writeTextFile(`${dir.path}/broken`, "");
  const { pid } = server.workers()[0]!;
  Deno.kill(pid!, "SIGKILL");
  await until("it is gone", () => server.workers()[0]!.pid !== pid);
  const leaving = new AbortController();
  const first = fetch(server.url, { signal: leaving.signal });
  // Full as soon as the first has come.
  const status = async (): Promise<number> => {
    const timeout = AbortSignal.timeout(100);
    try {
      const response = await fetch(server.url, { signal: timeout });
      await response.body?.cancel();
      return response.status;
    } catch (error) {
      if (timeout.aborted) return 0;
      throw error;
    }
  };
  while (await status() !== 503);
  leaving.abort();
  await assertRejects(() => first);
  // From now on the next one waits, and is answered when there is a worker.
  while (await status() === 503);
  await Deno.remove(`${dir.path}/broken`);
  await get(server);
});

Deno.test("serve() logs each change of a worker", async () => {
  await using dir = await folder({ "app.js": APP });
  const lines: string[] = [];
  const keep = (text: string) => void lines.push(text);
  const server = await serve(`${dir.path}/app.js`, {
    ...OPTIONS,
    quiet: false,
    workers: 1,
    maxRequests: 1,
    logger: { debug: keep, info: keep, warn: keep, error: keep },
  });
  await get(server);
  await until("the old one is gone", () => lines.some((line) => line.startsWith("Worker 1 has stopped")));
  await server.shutdown();
  assertEquals(lines.map((line) => line.replace(/ on http.*/, "")), [
    "Worker 1 is ready",
    "Listening",
    "Worker 1 is to be replaced: it has served 1 exchange",
    "Worker 1 is ready",
    "Worker 1 takes no more exchanges: it has served 1 exchange",
    "Worker 1 has stopped (exit code 0)",
    "Worker 1 has stopped (exit code 0)",
  ]);
});
