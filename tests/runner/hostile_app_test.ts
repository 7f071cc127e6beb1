/** Apps that would take the server down with them, as subprocesses: it goes on answering others, and stops when it is asked to. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { WebSocket } from "ws";
import { Cli, folder, ROOT } from "./process.ts";

const APP = `
const boom = () => { const error = new Error("x"); Object.defineProperty(error, "stack", { get() { throw new Error("inner"); } }); return error; };
export default async (scope, receive, send) => {
  if (scope.type === "lifespan") return;
  if (scope.type === "sse") {
    await send({ type: "sse.start" });
    for (;;) await send({ type: "sse.send", data: "x".repeat(1000) });
  }
  if (scope.type === "websocket") {
    await receive();
    await send({ type: "websocket.accept" });
    if (scope.path === "/receive") for (;;) await receive();
    for (;;) await send({ type: "websocket.send", text: "x".repeat(1000) });
  }
  const transport = scope["pagi.transport"];
  switch (scope.path) {
    case "/null": throw Object.create(null);
    case "/stack": throw boom();
    case "/proxy": throw new Proxy({}, { getPrototypeOf() { throw new Error("trap"); } });
    case "/later": setTimeout(() => { throw boom(); }); break;
    case "/rejected": Promise.reject(boom()); break;
    case "/callbacks": {
      const high = () => transport.onHighWater(high), drain = () => transport.onDrain(drain);
      transport.onHighWater(high);
      transport.onDrain(drain);
      await send({ type: "http.response.start", status: 200 });
      for (let part = 0; part < 3; part++) await send({ type: "http.response.body", body: "x".repeat(200_000), more: 1 });
      return await send({ type: "http.response.body" });
    }
    case "/big": {
      await send({ type: "http.response.start", status: 200 });
      for (let part = 0; part < 4; part++) await send({ type: "http.response.body", body: new Uint8Array(9_000_000), more: 1 });
      return await send({ type: "http.response.body" });
    }
    case "/handle": {
      await send({ type: "http.response.start", status: 200 });
      return await send({ type: "http.response.body", fh: { read: () => Promise.resolve("abc") } });
    }
  }
  await send({ type: "http.response.start", status: 200 });
  if (scope.path === "/endless" || scope.method === "HEAD") for (;;) await send({ type: "http.response.body", body: "x".repeat(1000), more: 1 });
  await send({ type: "http.response.body", body: "ok" });
};`;

async function start(): Promise<{ server: Cli; url: string } & AsyncDisposable> {
  const files = await folder({ "app.js": APP });
  const server = new Cli([`${files.path}/app.js`, "--port", "0", "--shutdown-timeout", "1"]);
  return {
    server,
    url: await server.url(),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
    },
  };
}

/** The server still answers, and TERM ends it. */
async function lives({ server, url }: { server: Cli; url: string }): Promise<void> {
  const response = await fetch(`${url}ok`, { signal: AbortSignal.timeout(5000) });
  assertEquals(await response.text(), "ok");
  const late = setTimeout(() => server.kill("SIGKILL"), 10_000);
  assertEquals((await server.stop()).code, 0);
  clearTimeout(late);
}

/** Opens a request, reads a little of the answer, and leaves. */
async function leave(url: string, path: string, init: RequestInit = {}): Promise<void> {
  const controller = new AbortController();
  const response = await fetch(`${url}${path}`, { ...init, signal: controller.signal });
  await response.body?.getReader().read();
  controller.abort();
}

Deno.test("cli goes on where a client leaves an app that never stops sending", async () => {
  await using running = await start();
  await leave(running.url, "endless");
  await leave(running.url, "", { headers: { accept: "text/event-stream" } });
  await leave(running.url, "head", { method: "HEAD" });
  await lives(running);
});

for (const path of ["send", "receive"]) {
  Deno.test(`cli goes on where a peer leaves an app that loops over its WebSocket's ${path}`, async () => {
    await using running = await start();
    const socket = new WebSocket(`${running.url.replace("http", "ws")}${path}`);
    await new Promise((resolve) => socket.once("open", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.close();
    await closed;
    await lives(running);
  });
}

Deno.test("cli goes on whatever an app throws, and the client gets its 500", async () => {
  await using running = await start();
  for (const path of ["null", "stack", "proxy"]) {
    const response = await fetch(`${running.url}${path}`, { signal: AbortSignal.timeout(5000) });
    assertEquals([response.status, await response.text()], [500, "Internal Server Error\n"]);
  }
  for (const path of ["later", "rejected"]) assertEquals(await (await fetch(`${running.url}${path}`)).text(), "ok");
  await running.server.stderr.until(/A rejection was not handled/);
  await running.server.stderr.until(/An error was not caught/);
  await lives(running);
});

Deno.test("cli goes on where a callback registers itself again", async () => {
  await using running = await start();
  const response = await fetch(`${running.url}callbacks`, { signal: AbortSignal.timeout(5000) });
  assertEquals((await response.bytes()).length, 600_000);
  await lives(running);
});

Deno.test("cli delivers parts of any size to an app that waits for its sends", async () => {
  await using running = await start();
  const response = await fetch(`${running.url}big`, { signal: AbortSignal.timeout(20_000) });
  assertEquals((await response.bytes()).length, 36_000_000);
  await lives(running);
});

Deno.test("cli refuses what a handle claims to have read", async () => {
  await using running = await start();
  const response = await fetch(`${running.url}handle`, { signal: AbortSignal.timeout(5000) });
  assertEquals(response.status, 500);
  await response.body?.cancel();
  assertStringIncludes(await running.server.stderr.until(/read\(\) must give/), "got abc");
  assert(running.server.pid > 0);
  await lives(running);
});

Deno.test("cli stops although nobody reads what it logs", async () => {
  const files = await folder({ "app.js": `export default async (scope) => { throw new Error("x".repeat(2000)); };` });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${ROOT}cli.ts`, `${files.path}/app.js`, "--port", "0", "--shutdown-timeout", "1", "--access-log", "-"],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.getReader();
  const banner = new TextDecoder().decode((await reader.read()).value);
  const url = /http:\S+\//.exec(banner)![0];
  // More than a pipe holds; nothing of it is read.
  for (let request = 0; request < 200; request++) await (await fetch(`${url}${"y".repeat(500)}`)).body?.cancel();
  const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
  child.kill("SIGTERM");
  assertEquals((await child.status).signal, null, "it had to be killed");
  clearTimeout(late);
  await reader.cancel();
  await child.stdout.cancel();
  await files[Symbol.asyncDispose]();
});
