/** HTTP/2: requests and their bodies. */

import { assert, assertEquals } from "@std/assert";
import { answer, echo, http, readBody, scopes, text } from "../apps.ts";
import { H2Peer } from "../h2_peer.ts";
import { elsewhere, later, row } from "../suite.ts";
import { Gate, Mailbox, settle } from "../waiting.ts";

const WIRE = { wire: true };
const CURL = { wire: true, tool: "curl" };

/** Runs curl over HTTP/2 in cleartext, and gives what it prints. */
async function curl(port: number, args: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command("curl", {
    args: ["-s", "--path-as-is", "--http2-prior-knowledge", ...args.map((arg) => arg.replace("{}", `http://127.0.0.1:${port}`))],
  }).output();
  return new TextDecoder().decode(stdout);
}

row("H2-001", "Each stream is a request of its own, with `http_version` 2", WIRE, async (target) => {
  const { app, seen } = scopes();
  for (const tls of [false, true]) {
    await using server = await target.start(app, { tls });
    await using peer = await H2Peer.connect(server);
    await peer.request({ target: "/a" });
    const { type, http_version, path, scheme } = await seen.take();
    assertEquals([type, http_version, path, scheme], ["http", "2", "/a", tls ? "https" : "http"]);
  }
});

row("H2-001", "streams do not wait for each other", WIRE, async (target) => {
  const gate = new Gate();
  await using server = await target.start(http(async (scope, _receive, send) => {
    if (scope.path === "/slow") await gate.pass();
    await answer(send, scope.path);
  }));
  await using peer = await H2Peer.connect(server);
  const slow = peer.request({ target: "/slow" });
  const fast = await Promise.all(["/1", "/2", "/3"].map((path) => peer.request({ target: path })));
  assertEquals(fast.map((reply) => reply.text), ["/1", "/2", "/3"]);
  gate.open();
  assertEquals((await slow).text, "/slow");
});

row("H2-002", "Pseudo headers are not in `headers`", WIRE, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await using peer = await H2Peer.connect(server);
  await peer.request({ headers: { "x-a": "1" } });
  const { headers } = await seen.take();
  assertEquals(headers.filter(([name]) => name.startsWith(":")), []);
  assertEquals(new Map(headers).get("x-a"), "1");
});

row("H2-003", "`:authority` is the host, once, also where the client sends a Host", CURL, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const { port } = server.address as { port: number };
  await curl(port, ["{}/"]);
  assertEquals((await seen.take()).headers.filter(([name]) => name === "host"), [["host", `127.0.0.1:${port}`]]);
  await using peer = await H2Peer.connect(server);
  await peer.request({ headers: { ":authority": "real:1", "host": "other:2" } });
  assertEquals((await seen.take()).headers.filter(([name]) => name === "host"), [["host", "real:1"]]);
});

row("H2-004", "Method, path and query are decoded as over HTTP/1.1", CURL, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await curl((server.address as { port: number }).port, ["-X", "PATCH", "{}/caf%C3%A9/../%FF//x?a=%20b"]);
  const { method, path, raw_path, query_string } = await seen.take();
  assertEquals([method, path, raw_path, query_string], ["PATCH", "/caf\xc3\xa9/../\xff//x", "/caf%C3%A9/../%FF//x", "a=%20b"]);
});

row("H2-005", "`scheme` comes from the connection, not from `:scheme`", WIRE, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await using peer = await H2Peer.connect(server);
  await peer.request({ headers: { ":scheme": "https" } }).catch(() => {});
  await peer.request();
  assertEquals((await seen.take()).scheme, "http");
});

row("H2-006", "Several cookie fields become one, joined with `; `", { wire: true, tool: "nghttp" }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const { port } = server.address as { port: number };
  await new Deno.Command("nghttp", { args: ["-H", "cookie: a=1", "-H", "cookie: b=2", `http://127.0.0.1:${port}/`], stdout: "null" })
    .output();
  assertEquals((await seen.take()).headers.filter(([name]) => name === "cookie"), [["cookie", "a=1; b=2"]]);
});

row("H2-007", "A request without a body gives one empty event", WIRE, async (target) => {
  const seen = new Mailbox<unknown>();
  await using server = await target.start(http(async (_scope, receive, send) => {
    seen.put(await receive());
    await answer(send);
  }));
  await using peer = await H2Peer.connect(server);
  await peer.request();
  assertEquals(await seen.take(), { type: "http.request", body: new Uint8Array(), more: 0 });
});

row("H2-008", "A body comes whole and in order, the last event alone with `more: 0`", CURL, async (target) => {
  await using server = await target.start(echo);
  await using peer = await H2Peer.connect(server);
  const body = Array.from({ length: 20_000 }, (_, index) => index.toString(36)).join();
  assertEquals((await peer.request({ method: "POST", body })).text === body, true);
  assertEquals(await curl((server.address as { port: number }).port, ["-d", "hello", "{}/"]), "hello");
  const stream = peer.open({ method: "POST", streams: true });
  stream.write("one ");
  await settle(5);
  stream.write("two");
  stream.end();
  assertEquals((await stream.finish()).text, "one two");
});

row("H2-009", "Behind the body `receive` waits for the end", WIRE, async (target) => {
  const seen = new Mailbox<string>();
  await using server = await target.start(http(async (_scope, receive) => {
    await readBody(receive);
    seen.put("body");
    seen.put((await receive()).type);
  }));
  await using peer = await H2Peer.connect(server);
  const stream = peer.open({ method: "POST", body: "x" });
  assertEquals(await seen.take(), "body");
  await settle();
  assertEquals(seen.waiting, 0);
  stream.reset();
  assertEquals(await seen.take(), "http.disconnect");
});

row("H2-010", "A reset of the client ends that stream, and no other", WIRE, async (target) => {
  const seen = new Mailbox<unknown>();
  const gate = new Gate();
  await using server = await target.start(http(async (scope, receive, send) => {
    if (scope.path === "/other") {
      await gate.pass();
      return await answer(send, "fine");
    }
    const connection = scope["pagi.connection"];
    connection.onDisconnect((reason) => seen.put(reason));
    while ((await receive()).type !== "http.disconnect");
    seen.put(connection.isConnected());
  }));
  await using peer = await H2Peer.connect(server);
  const other = peer.request({ target: "/other" });
  const stream = peer.open({ target: "/reset" });
  await settle();
  stream.reset();
  assertEquals([await seen.take(), await seen.take()], ["client_closed", false]);
  gate.open();
  assertEquals((await other).text, "fine");
});

row("H2-035", "A declared body over the limit is answered 413, before the app is called", WIRE, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app, { maxBodyBytes: 100 });
  await using peer = await H2Peer.connect(server);
  const stream = peer.open({ method: "POST", streams: true, headers: { "content-length": "101" } });
  assertEquals(Number((await stream.head())[":status"]), 413);
  assertEquals(seen.waiting, 0);
});

row("H2-036", "A body that grows beyond the limit is answered 413; other streams go on", WIRE, async (target) => {
  const seen = new Mailbox<string>();
  await using server = await target.start(
    http(async (_scope, receive, send) => {
      const { events } = await readBody(receive);
      seen.put(events.at(-1)!.type);
      await answer(send);
    }),
    { maxBodyBytes: 100 },
  );
  await using peer = await H2Peer.connect(server);
  const stream = peer.open({ method: "POST", streams: true });
  for (let count = 0; count < 4; count++) stream.write("x".repeat(40));
  assertEquals(Number((await stream.head())[":status"]), 413);
  assertEquals(await seen.take(), "http.disconnect");
  assertEquals((await peer.request({ method: "POST", body: "x" })).status, 200);
});

row("H2-038", "All methods, one after the other on one connection", WIRE, async (target) => {
  await using server = await target.start(http((scope, _receive, send) => answer(send, `${scope.method} ${scope.client![1]}`)));
  await using peer = await H2Peer.connect(server);
  const ports = new Set<string>();
  for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const [got, port] = (await peer.request({ method })).text.split(" ");
    assertEquals(got, method);
    ports.add(port!);
  }
  assertEquals(ports.size, 1);
});

row("H2-039", "HTTP/2 needs no option: it is spoken wherever a client asks for it", CURL, async (target) => {
  await using server = await target.start(text("ok"));
  assertEquals(await curl((server.address as { port: number }).port, ["-w", " %{http_version}", "{}/"]), "ok 2");
});

row("H2-040", "Over TLS, ALPN offers h2 before http/1.1, and a client that wants HTTP/1.1 gets it", CURL, async (target) => {
  await using server = await target.start(text("ok"), { tls: true });
  const { port } = server.address as { port: number };
  const seen = [];
  for (const args of [[], ["--http1.1"], ["--no-alpn"]]) {
    const { stdout } = await new Deno.Command("curl", { args: ["-sk", ...args, "-w", " %{http_version}", `https://localhost:${port}/`] })
      .output();
    seen.push(new TextDecoder().decode(stdout));
  }
  assertEquals(seen, ["ok 2", "ok 1.1", "ok 1.1"]);
});

row("H2-041", "In cleartext a connection that begins with the preface is HTTP/2, any other is HTTP/1.1", CURL, async (target) => {
  await using server = await target.start(text("ok"));
  const { port } = server.address as { port: number };
  assertEquals(await curl(port, ["-w", " %{http_version}", "{}/"]), "ok 2");
  assertEquals((await server.request()).version, "HTTP/1.1");
});

row("H2-042", "A short HTTP/1.1 request is answered at once", WIRE, async (target) => {
  await using server = await target.start(text("ok"));
  for (const request of ["GET / HTTP/1.0\r\n\r\n", "P / HTTP/1.0\r\n\r\n", "PR / HTTP/1.0\r\n\r\n"]) {
    const connection = await server.connect();
    await connection.send(request);
    assert((await connection.rest()).startsWith("HTTP/1."), request);
  }
});

row("H2-043", "`Upgrade: h2c` is not taken", WIRE, async (target) => {
  await using server = await target.start(text("ok"));
  const reply = await server.request({
    headers: [["connection", "Upgrade, HTTP2-Settings"], ["upgrade", "h2c"], ["http2-settings", "AAMAAABkAAQAAP__"]],
  });
  assertEquals([reply.status, reply.text], [200, "ok"]);
});

later(
  "H2-045",
  "A published conformance suite passes",
  "its program is not at hand where this page is made; the rows around it use raw frames and three clients",
);
elsewhere("H2-047", "Requests count towards the limit of a worker, whatever their version", "tests/runner/pool/pool_test.ts");
