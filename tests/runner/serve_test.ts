import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { serve } from "../../src/runner/serve.ts";
import type { LoggerLike } from "../../src/runner/logger.ts";
import type { App } from "../../src/spec/app.ts";
import { StartupError } from "../../src/spec/errors.ts";

const app: App = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`Unsupported scope type: ${scope.type}`);
  if (scope.path === "/hang") await new Promise<void>((resolve) => scope["pagi.connection"].onDisconnect(() => resolve()));
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: scope.path });
};

function recorder(): LoggerLike & { lines: string[] } {
  const lines: string[] = [];
  const method = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return { lines, debug: method("debug"), info: method("info"), warn: method("warn"), error: method("error") };
}

const OPTIONS = { port: 0, env: "production", quiet: true };

async function text(url: string): Promise<string> {
  return await (await fetch(url)).text();
}

Deno.test("serve() runs two servers in one process, each with its own end", async () => {
  await using first = await serve(app, OPTIONS);
  await using second = await serve(app, OPTIONS);
  assert(first.url !== second.url);
  assertEquals(await Promise.all([text(`${first.url}a`), text(`${second.url}b`)]), ["/a", "/b"]);
  await first.shutdown();
  await first.finished;
  await assertRejects(() => fetch(first.url), TypeError);
  assertEquals(await text(`${second.url}c`), "/c");
});

Deno.test("serve() gives addresses and URLs, with the port that was taken for 0", async () => {
  await using server = await serve(app, { ...OPTIONS, host: "::1" });
  const addr = server.addr as Deno.NetAddr;
  assertEquals([addr.transport, addr.hostname], ["tcp", "::1"]);
  assertEquals([server.url, server.urls, server.addrs], [`http://[::1]:${addr.port}/`, [server.url], [server.addr]]);
  assertEquals(await text(server.url), "/");
});

Deno.test("Server.engine is what serves", async () => {
  const logger = recorder();
  await using chosen = await serve(app, OPTIONS);
  await using asked = await serve(app, { ...OPTIONS, quiet: false, logger, engine: "node" });
  await using needed = await serve(app, { ...OPTIONS, maxConnections: 9 });
  assertEquals([chosen.engine, asked.engine, needed.engine], ["deno", "node", "node"]);
  assertStringIncludes(logger.lines.at(-1)!, `Listening on ${asked.url} (engine node: as asked, deno would take less CPU`);
  assertEquals(await Promise.all([text(`${chosen.url}a`), text(`${asked.url}b`)]), ["/a", "/b"]);
});

Deno.test("serve() says of limits that are given as none to the engine deno that they change nothing", async () => {
  const said = async (options: Parameters<typeof serve>[1]) => {
    const logger = recorder();
    await using _server = await serve(app, { ...OPTIONS, quiet: false, logger, ...options });
    return logger.lines.filter((line) => line.includes("nothing"));
  };
  assertEquals(await said({ headerTimeoutMs: 0 }), ['info headerTimeoutMs 0 changes nothing: the engine "deno" has no such limit']);
  assertEquals(await said({ engine: "deno", headerTimeoutMs: 0, maxConnections: 0, wsDeflate: false }), [
    'info headerTimeoutMs 0 and maxConnections 0 change nothing: the engine "deno" has no such limit',
  ]);
  assertEquals(await said({ engine: "node", headerTimeoutMs: 0 }), []);
});

Deno.test("serve() takes what the command line takes: an object with fetch() or with toApp()", async () => {
  class Site {
    readonly #word = "site";
    fetch(request: Request): Response {
      return new Response(this.#word + new URL(request.url).pathname);
    }
  }
  await using first = await serve(new Site(), OPTIONS);
  assertEquals(await text(`${first.url}a`), "site/a");
  await using second = await serve({ toApp: () => Promise.resolve(app) }, OPTIONS);
  assertEquals(await text(`${second.url}b`), "/b");
});

Deno.test("serve() logs to the logger that it is given", async () => {
  const logger = recorder();
  const server = await serve(app, { ...OPTIONS, quiet: false, logger });
  await server.shutdown();
  assertEquals(logger.lines, [
    "info Lifespan is not supported (the app threw Error: Unsupported scope type: lifespan); the server goes on without it",
    `info Listening on ${server.url} (engine deno: the address is not public, node would add timeouts, limits and certificate reload)`,
  ]);
});

Deno.test("serve() runs the lifespan around everything else, and the shutdown once", async () => {
  const events: string[] = [];
  const alive: App = async (scope, receive, send) => {
    if (scope.type !== "lifespan") return await app(scope, receive, send);
    for (;;) {
      const { type } = await receive();
      events.push(type);
      await send({ type: `${type}.complete` } as { type: "lifespan.startup.complete" | "lifespan.shutdown.complete" });
      if (type === "lifespan.shutdown") return;
    }
  };
  const server = await serve(alive, OPTIONS);
  assertEquals(events, ["lifespan.startup"]);
  await text(server.url);
  await Promise.all([server.shutdown(), server.shutdown(), server[Symbol.asyncDispose]()]);
  await server.finished;
  assertEquals(events, ["lifespan.startup", "lifespan.shutdown"]);
});

Deno.test("serve() takes no connection before the lifespan startup is complete", async () => {
  const starting = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  const slow: App = async (scope, receive, send) => {
    if (scope.type !== "lifespan") return await app(scope, receive, send);
    await receive();
    starting.resolve();
    await ready.promise;
    await send({ type: "lifespan.startup.complete" });
  };
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr as Deno.NetAddr;
  free.close();
  const serving = serve(slow, { ...OPTIONS, port });
  await starting.promise;
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
  ready.resolve();
  await using server = await serving;
  assertEquals(await text(`${server.url}x`), "/x");
});

Deno.test("serve() shuts the app down where the port is taken, and names who has it", async () => {
  const events: string[] = [];
  const alive: App = async (scope, receive, send) => {
    assert(scope.type === "lifespan");
    for (;;) {
      const { type } = await receive();
      events.push(type);
      await send({ type: `${type}.complete` } as { type: "lifespan.startup.complete" | "lifespan.shutdown.complete" });
      if (type === "lifespan.shutdown") return;
    }
  };
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  await assertRejects(() => serve(alive, { ...OPTIONS, port }), StartupError, `Port ${port} is already in use by this process`);
  assertEquals(events, ["lifespan.startup", "lifespan.shutdown"]);
});

Deno.test("Server.shutdown() waits for what is open up to its grace, then ends it", async () => {
  const logger = recorder();
  const server = await serve(app, { ...OPTIONS, quiet: false, logger });
  const pending = fetch(`${server.url}hang`).then((response) => response.text(), (error: Error) => error);
  // An answer on another connection shows that the first request has been taken.
  await text(`${server.url}x`);
  const start = performance.now();
  await server.shutdown(100);
  assert(performance.now() - start < 2000);
  await pending;
  assertStringIncludes(logger.lines.join("\n"), "warn The shutdown timeout is over: 1 open exchange is ended");
});

Deno.test("serve() refuses wrong options before it calls the app", async () => {
  let calls = 0;
  const counted: App = () => {
    calls++;
    return Promise.resolve();
  };
  await assertRejects(() => serve(counted, { port: 70_000 }), StartupError, "port must be a whole number from 0 to 65535, got 70000");
  await assertRejects(() => serve(counted, { accessLog: "/nowhere/x", port: 0 }), StartupError, "Cannot write the access log /nowhere/x");
  await assertRejects(
    () => serve({} as App, OPTIONS),
    StartupError,
    "What serve() was given is an object without app: an app is a function (scope, receive, send), an object with toApp(), or one with fetch",
  );
  assertEquals(calls, 0);
});

Deno.test("serve() rejects with the message of a lifespan that fails", async () => {
  const fails: App = async (_scope, receive, send) => {
    await receive();
    await send({ type: "lifespan.startup.failed", message: "no database" });
  };
  const error = await assertRejects(() => serve(fails, OPTIONS), StartupError, "Lifespan startup failed: no database");
  assertEquals(error.exitCode, 3);
});
