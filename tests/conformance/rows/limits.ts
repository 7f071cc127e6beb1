/** Limits. */

import { assert, assertEquals } from "@std/assert";
import { echo, http, readBody, scopes, text } from "../apps.ts";
import { elsewhere, row } from "../suite.ts";
import { Mailbox } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";

row("LIM-001", "A request line beyond the limit is refused, and the app is not called", { wire: true }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const connection = await server.connect();
  await connection.send(`GET /${"a".repeat(70_000)} HTTP/1.1\r\nHost: a\r\n\r\n`).catch(() => {});
  const got = await connection.rest();
  assert(/^(HTTP\/1\.1 (414|431|400) |$)/.test(got), got.slice(0, 100));
  assertEquals([(await server.request()).status, seen.waiting], [200, 1]);
});

row("LIM-002", "So is a header section beyond the limit", { wire: true }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app);
  const connection = await server.connect();
  await connection.send(`GET / HTTP/1.1\r\nHost: a\r\n${`X-A: ${"a".repeat(1000)}\r\n`.repeat(70)}\r\n`).catch(() => {});
  const got = await connection.rest();
  assert(/^(HTTP\/1\.1 (431|400) |$)/.test(got), got.slice(0, 100));
  assertEquals([(await server.request()).status, seen.waiting], [200, 1]);
});

row("LIM-005", "More headers than the limit are refused; 100 are served", { wire: true }, async (target) => {
  await using server = await target.start(text("ok"));
  const lines = (count: number) => Array.from({ length: count }, (_, index) => [`x-${index}`, "1"] as const);
  assertEquals((await server.request({ headers: lines(99) })).status, 200);
  assert([400, 431].includes((await server.request({ headers: lines(200) })).status));
});

row(
  "LIM-007",
  "A declared body over the limit is answered 413 on every kind of scope, before the app is called",
  { wire: true },
  async (target) => {
    const { app, seen } = scopes();
    await using server = await target.start(app, { maxBodyBytes: 100 });
    const upgrade =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (const lines of ["", "Accept: text/event-stream\r\n", upgrade]) {
      const connection = await server.connect();
      await connection.send(`${lines === upgrade ? "GET" : "POST"} / HTTP/1.1\r\nHost: a\r\n${lines}Content-Length: 101\r\n\r\n`);
      const { status } = await WireExchange.reply(connection);
      // A handshake with a body may be refused for having one.
      assert(status === 413 || (lines === upgrade && status === 400), `${status} for ${lines}`);
    }
    assertEquals(seen.waiting, 0);
  },
);

row("LIM-008", "A body that grows beyond the limit is answered 413, and the app is told `body_too_large`", {}, async (target) => {
  const seen = new Mailbox<unknown>();
  await using server = await target.start(
    http(async (scope, receive) => {
      scope["pagi.connection"].onDisconnect((reason) => seen.put(reason));
      seen.put((await readBody(receive)).events.at(-1)!.type);
    }),
    { maxBodyBytes: 100 },
  );
  const exchange = await server.exchange({ method: "POST", streams: true });
  const writing = (async () => {
    for (let count = 0; count < 4; count++) await exchange.write("x".repeat(40));
  })().catch(() => {});
  assertEquals((await exchange.finish()).status, 413);
  assertEquals([await seen.take(), await seen.take()], ["body_too_large", "http.disconnect"]);
  exchange.leave();
  await writing;
});

row("LIM-009", "A body of exactly the limit passes; 0 is no limit; the default is 10,000,000", {}, async (target) => {
  for (
    const [maxBodyBytes, bytes, status] of [[100, 100, 200], [100, 101, 413], [0, 11_000_000, 200], [undefined, 10_000_000, 200], [
      undefined,
      10_000_001,
      413,
    ]] as const
  ) {
    await using server = await target.start(echo, maxBodyBytes === undefined ? {} : { maxBodyBytes });
    const reply = await server.request({ method: "POST", body: new Uint8Array(bytes) });
    assertEquals(reply.status, status, `${maxBodyBytes}: ${bytes}`);
  }
});

row("LIM-010", "A chunk of any size counts towards the body, and has no limit of its own", { wire: true }, async (target) => {
  await using server = await target.start(echo, { maxBodyBytes: 0 });
  const exchange = await server.exchange({ method: "POST", streams: true });
  const bytes = new Uint8Array(11_000_000).fill(97);
  const writing = exchange.write(bytes).then(() => exchange.end());
  assertEquals((await exchange.finish()).body.byteLength, bytes.byteLength);
  await writing;
});

elsewhere(
  "LIM-013",
  "Without file descriptors the listener is opened anew, and open connections go on",
  "tests/engines/deno_serve_life_test.ts",
);
elsewhere(
  "LIM-014",
  "In production the server warns of the limits that its engine lacks, where the address is public",
  "tests/runner/engine_choice_test.ts",
);
