import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { StartupError } from "../../src/spec/errors.ts";
import { DenoServeEngine } from "../../src/engines/deno_serve.ts";
import { echoHead, listener, LOCAL, RawClient, run, SETTINGS, start } from "./engine_peer.ts";
import { needs } from "../tools.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const bytes = (text: string) => new TextEncoder().encode(text);

async function inTempDir(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("fact 26: a Unix socket gets its mode, replaces a stale file, names its path, and is removed at the end", async () => {
  await inTempDir(async (dir) => {
    const path = `${dir}/s.sock`;
    // A stale file: its listener was killed.
    const stale = `Deno.listen({ transport: "unix", path: ${JSON.stringify(path)} }); Deno.kill(Deno.pid, "SIGKILL");`;
    await run(Deno.execPath(), ["eval", stale]);
    assert((await Deno.lstat(path)).isSocket);
    const mask = Deno.umask();
    const server = await start(echoHead, { listeners: [listener({ kind: "unix", path, mode: 0o600 })] });
    assertEquals(Deno.umask(), mask);
    assertEquals((await Deno.lstat(path)).mode! & 0o777, 0o600);
    using client = await RawClient.connect(path);
    await client.send("GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals((await client.response()).body, "GET /a?b");
    const { head } = server.taps[0]!;
    assertEquals([head.scheme, head.client, head.server], ["http", undefined, [path, null]]);
    assert(!("client" in head));
    await client.send("GET /real HTTP/1.1\r\nHost: a/fake?q=\r\n\r\n");
    assertEquals((await client.response()).status, 400, "fact 67 holds here too");
    await server.engine.close(0);
    await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
  });
});

Deno.test("DenoServeEngine.listen() says in one line why it can't", async (t) => {
  const host = { open: echoHead } as never;
  const observer = { opened() {}, finished() {}, note() {} };
  const refused = async (settings: Partial<typeof SETTINGS>, text: string) => {
    const error = await assertRejects(() => new DenoServeEngine({ ...SETTINGS, ...settings }).listen(host, observer), StartupError);
    assertStringIncludes(error.message, text);
    assert(!error.message.includes("\n"));
  };
  await t.step("a port in use", async () => {
    await using server = await start();
    await refused({ listeners: [listener({ kind: "tcp", host: "127.0.0.1", port: server.port })] }, `127.0.0.1:${server.port} is in use`);
  });
  await t.step(
    "an address of another machine",
    () => refused({ listeners: [listener({ kind: "tcp", host: "192.0.2.1", port: 0 })] }, "not an address of this machine"),
  );
  await t.step("a certificate that is none", () => refused({ listeners: [listener(LOCAL, { cert: "x", key: "y" })] }, "Cannot listen"));
  await inTempDir(async (dir) => {
    const unix = (path: string) => ({ listeners: [listener({ kind: "unix", path, mode: 0o600 })] });
    await t.step("a live socket", async () => {
      const listener = Deno.listen({ transport: "unix", path: `${dir}/live` });
      await refused(unix(`${dir}/live`), "Another server listens");
      listener.close();
    });
    await t.step("a file", async () => {
      await Deno.writeTextFile(`${dir}/file`, "x");
      await refused(unix(`${dir}/file`), "is not a socket");
      assertEquals(await Deno.readTextFile(`${dir}/file`), "x");
    });
    await t.step("a long path", () => refused(unix(`${dir}/${"x".repeat(110)}`), "at most 107"));
    await t.step("a folder that is not there", () => refused(unix(`${dir}/no/s`), "does not exist"));
  });
});

Deno.test("fact 24: close() ends an open stream at the deadline and comes back, and nothing crashes", async () => {
  const server = await start(({ out }) => {
    out.head(200, [["content-type", "text/event-stream"]], 0);
    out.chunk(bytes("data: x\n\n"));
  });
  using client = await RawClient.connect(server.port);
  await client.send(GET);
  await client.readUntil((text) => text.includes("data: x"));
  server.engine.drain();
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port: server.port }));
  const tap = await server.tap();
  tap.do((out) => out.chunk(bytes("data: y\n\n")));
  assertStringIncludes(await client.readUntil((text) => text.includes("data: y")), "data: y");
  await server.engine.close(50);
  await server.engine.finished;
  assertEquals(await tap.end(), { reason: "server_shutdown" });
  assert(!(await client.rest()).includes("\r\n0\r\n"));
  assertEquals(server.finished.map(({ end }) => end.reason), ["server_shutdown"]);
});

Deno.test("DenoServeEngine.drain() lets a request body that is under way come to its end, and answers new requests 503", async () => {
  const server = await start(({ out }) => out.pull(65_536));
  using client = await RawClient.connect(server.port);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  const tap = await server.tap();
  assertEquals(await tap.next(), { call: "body", text: "ab", more: true });
  server.engine.drain();
  using other = await RawClient.connect(server.port);
  await other.send(GET);
  assertEquals((await other.response()).status, 503);
  tap.do((out) => out.pull(65_536));
  await client.send("cd");
  assertEquals(await tap.next(), { call: "body", text: "cd", more: false });
  tap.do((out) => out.respond(200, [], "whole", 0));
  assertEquals((await client.response()).body, "whole");
  await server.engine.close(1000);
  await server.engine.finished;
});

Deno.test("DenoServeEngine.close() waits for what ends in time, and answers 503 where nothing was answered", async () => {
  const server = await start();
  using early = await RawClient.connect(server.port);
  await early.send(GET);
  const tap = await server.tap();
  using late = await RawClient.connect(server.port);
  await late.send(GET);
  const hanging = await server.tap();
  const closing = server.engine.close(100);
  tap.do((out) => out.respond(200, [["content-type", "a/b"]], "in time", 0));
  const answer = await early.response();
  assertEquals([answer.status, answer.body], [200, "in time"]);
  assertStringIncludes(answer.head.toLowerCase(), "connection: close");
  await closing;
  assertEquals((await late.response()).status, 503);
  assertEquals(await hanging.end(), { reason: "server_shutdown" });
});

Deno.test("fact 68: close() comes back although a client does not read", async () => {
  const server = await start(({ out }) => out.head(200, [], 0));
  using client = await RawClient.connect(server.port);
  await client.send(GET);
  const tap = await server.tap();
  for (let count = 0; count < 100; count++) tap.do((out) => out.chunk(new Uint8Array(100_000)));
  const started = performance.now();
  await server.engine.close(10);
  assert(performance.now() - started < 3000);
  assertEquals(await tap.end(), { reason: "server_shutdown" });
});

Deno.test("fact 23: without file descriptors listeners are opened anew, and open connections go on", async () => {
  const program = `
    import { echoHead, listener, LOCAL, start } from ${JSON.stringify(new URL("./engine_peer.ts", import.meta.url).href)};
    const server = await start(echoHead, { listeners: [listener(LOCAL), listener(LOCAL)] });
    console.log(server.addrs.map(({ port }) => port).join(" "));
    for await (const _ of Deno.stdin.readable) break;
    await server.engine.close(0);
    console.log(JSON.stringify(server.notes));
  `;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, program);
  const child = new Deno.Command("bash", {
    args: [
      "-c",
      'ulimit -n 64; exec "$0" run -A --no-check --config "$1" "$2"',
      Deno.execPath(),
      new URL("../../deno.json", import.meta.url).pathname,
      file,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let out = "";
  while (!out.includes("\n")) out += (await reader.read()).value;
  const ports = out.split(" ").map(Number);
  const port = ports[0]!;
  const first = await RawClient.connect(port);
  await first.send(GET);
  assertEquals((await first.response()).status, 200);
  const crowd: Deno.Conn[] = [];
  for (let count = 0; count < 80; count++) {
    await Deno.connect({ hostname: "127.0.0.1", port: ports[count % 2]! }).then((connection) => crowd.push(connection), () => {});
  }
  await first.send(GET);
  assertEquals((await first.response()).status, 200, "an open connection goes on");
  for (const connection of crowd) connection.close();
  for (const each of ports) {
    let status = 0;
    for (const deadline = Date.now() + 5000; status !== 200 && Date.now() < deadline;) {
      try {
        using client = await RawClient.connect(each);
        await client.send(GET);
        status = (await client.response()).status;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    assertEquals(status, 200, "new connections are taken again, on every listener");
  }
  first.close();
  const writer = child.stdin.getWriter();
  await writer.write(bytes("\n"));
  await writer.close();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    out += value;
  }
  await child.status;
  await Deno.remove(file);
  assertStringIncludes(out, "opened anew");
});

Deno.test("fact 4: Deno's warning about signals comes only where an app waits for a disconnect and answers late", async (t) => {
  for (const [ms, flag, warns] of [[3, "", false], [60, "", true], [60, "--unstable-no-legacy-abort", false]] as const) {
    await t.step(`${ms} ms ${flag}`, async () => {
      const program = `
        import { RawClient, start } from ${JSON.stringify(new URL("./engine_peer.ts", import.meta.url).href)};
        await using server = await start((tap) => {
          tap.out.watch();
          setTimeout(() => tap.out.respond(200, [], "x", 4), ${ms});
        });
        using client = await RawClient.connect(server.port);
        await client.send("GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n");
        await client.response();
        console.log(JSON.stringify(await server.taps[0].end()));
        console.log(server.taps[0].calls.length);
      `;
      const file = await Deno.makeTempFile({ suffix: ".ts" });
      await Deno.writeTextFile(file, program);
      const config = new URL("../../deno.json", import.meta.url).pathname;
      const { out, err } = await run(Deno.execPath(), [
        "run",
        "-A",
        "--no-check",
        ...(flag === "" ? [] : [flag]),
        "--config",
        config,
        file,
      ]);
      await Deno.remove(file);
      assertEquals(out, '{"reason":null}\n1\n', "a success is never taken for a disconnect");
      assertEquals(err.includes("legacy behavior"), warns, err);
    });
  }
});

const http2 = needs(["curl", "nghttp", "openssl"], "DenoServeEngine speaks HTTP/2 in cleartext and over TLS, with :authority as host");

Deno.test(http2, async (t) => {
  const dir = await Deno.makeTempDir();
  const certs = await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
    ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", `${dir}/key.pem`, "-out", `${dir}/cert.pem`],
  ]);
  assertEquals(certs.code, 0, certs.err);
  const tls = { cert: await Deno.readTextFile(`${dir}/cert.pem`), key: await Deno.readTextFile(`${dir}/key.pem`) };
  const rows: [string, string[], string][] = [
    ["h2c", ["--http2-prior-knowledge"], "2"],
    ["h1 over TLS", ["--http1.1", "--cacert", `${dir}/cert.pem`], "1.1"],
    ["h2 over TLS", ["--http2", "--cacert", `${dir}/cert.pem`], "2"],
  ];
  for (const [name, flags, version] of rows) {
    await t.step(name, async () => {
      const secure = name.includes("TLS");
      await using server = await start(echoHead, secure ? { listeners: [listener(LOCAL, tls)] } : {});
      const url = `${secure ? "https" : "http"}://localhost:${server.port}/p?q=1`;
      const { out } = await run("curl", [
        "-s",
        "--resolve",
        `localhost:${server.port}:127.0.0.1`,
        ...flags,
        "-w",
        " %{http_version} %{http_code}",
        url,
      ]);
      assertEquals(out, `GET /p?q=1 ${version} 200`);
      const { head } = server.taps[0]!;
      assertEquals([head.httpVersion, head.scheme], [version, secure ? "https" : "http"]);
      assertEquals(head.headers.filter(([name]) => name === "host"), [["host", `localhost:${server.port}`]]);
    });
  }
  await t.step("h2 413 and POST, by nghttp", async () => {
    await using server = await start((tap) => {
      tap.out.pull(65_536);
      tap.next().then((call) => tap.out.respond(200, [["content-type", "text/plain"]], call.call === "body" ? call.text : "", 0));
    }, { maxBodyBytes: 10 });
    for (const [body, expected] of [["small", "small"], ["much too large", "Content Too Large\n"]] as const) {
      await Deno.writeTextFile(`${dir}/body`, body);
      const { out } = await run("nghttp", ["-d", `${dir}/body`, `http://127.0.0.1:${server.port}/`]);
      assertEquals(out, expected);
    }
  });
  await t.step("fact 3: a reset of an h2 stream is seen, by node:http2", async () => {
    await using server = await start(({ out }) => {
      out.head(200, [["content-type", "text/plain"]], 0);
      out.chunk(bytes("one"));
    });
    const { connect } = await import("node:http2");
    const session = connect(`http://127.0.0.1:${server.port}`);
    const stream = session.request({ ":path": "/x", ":authority": "a.example", "host": "b.example" });
    await new Promise((resolve) => stream.once("data", resolve));
    stream.close(8);
    const tap = await server.tap();
    assertEquals(await tap.end(), { reason: "client_closed" });
    assertEquals(
      tap.head.headers.filter(([name]) => name === "host"),
      [["host", "a.example"]],
      "fact 27: :authority overrides host",
    );
    await new Promise<void>((resolve) => session.close(() => resolve()));
  });
  await Deno.remove(dir, { recursive: true });
});

Deno.test("an HTTP/2 client that cancels in the midst of its body leaves no part that passes for the whole", async (t) => {
  await using server = await start(({ out }) => out.pull(65_536));
  const { connect } = await import("node:http2");
  for (const length of [undefined, "9"]) {
    await t.step(length === undefined ? "without a length" : "with a length", async () => {
      const session = connect(`http://127.0.0.1:${server.port}`);
      session.on("error", () => {});
      const stream = session.request({ ":method": "POST", ":path": "/", ...(length === undefined ? {} : { "content-length": length }) });
      stream.on("error", () => {});
      stream.write("abc");
      const tap = await server.tap();
      assertEquals(await tap.next(), { call: "body", text: "abc", more: true });
      tap.out.pull(65_536);
      stream.close(8);
      assertEquals(await tap.next(), { call: "closed", end: { reason: "client_closed" } });
      await new Promise<void>((resolve) => session.close(() => resolve()));
    });
  }
});
