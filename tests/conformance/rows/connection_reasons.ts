/** Rows of the checklist: the reasons of an abnormal end, one by one. */

import { assert, assertEquals } from "@std/assert";
import type { App } from "../../../src/spec/app.ts";
import type { DisconnectReason } from "../../../src/spec/reasons.ts";
import { answer } from "../apps.ts";
import { httpProbe } from "../probe.ts";
import { row } from "../suite.ts";
import { Gate, within } from "../waiting.ts";

/** Receives until the disconnect, and gives what it was told; the test may wait until the app has taken the first event. */
function waiter() {
  const ready = new Gate();
  const { app, outcome } = httpProbe(async (scope, receive) => {
    const connection = scope["pagi.connection"];
    const reason = connection.disconnectFuture();
    for (let event = await receive(); event.type !== "http.disconnect"; event = await receive()) ready.open();
    return { reason: await reason, token: connection.disconnectReason(), connected: connection.isConnected() };
  });
  return { app, outcome, ready };
}

const told = (token: DisconnectReason) => ({ reason: token, token, connected: false });

row("CONN-020", "A client that leaves a pending request without a body is client_closed", {}, async (target) => {
  const { app, outcome, ready } = waiter();
  await using server = await target.start(app);
  const exchange = await server.exchange();
  await ready.pass();
  exchange.leave();
  assertEquals(await outcome(), told("client_closed"));
  assertEquals((await server.ended()).end.reason, "client_closed");
});

row("CONN-020", "A client that leaves inside its body is client_closed", {}, async (target) => {
  const { app, outcome, ready } = waiter();
  await using server = await target.start(app);
  const exchange = await server.exchange({ method: "POST", streams: true });
  await exchange.write("part");
  await ready.pass();
  exchange.leave();
  assertEquals(await outcome(), told("client_closed"));
});

row("CONN-020", "A client that leaves a pending request whose body was read is client_closed", { needs: ["post-disconnect"] }, async (
  target,
) => {
  const { app, outcome, ready } = waiter();
  await using server = await target.start(app);
  const exchange = await server.exchange({ method: "POST", streams: true });
  await exchange.write("all");
  await exchange.end();
  await ready.pass();
  exchange.leave();
  assertEquals(await outcome(), told("client_closed"));
});

row("CONN-020", "A client that leaves a streamed response is client_closed, with any request body", {}, async (target) => {
  const { app, outcome } = httpProbe(async (scope, receive, send) => {
    await receive();
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "part", more: 1 });
    return await within(scope["pagi.connection"].disconnectFuture(), "the disconnect");
  });
  await using server = await target.start(app);
  for (const body of [undefined, "a body"]) {
    const exchange = await server.exchange(body === undefined ? {} : { method: "POST", body });
    await exchange.readUntil("part");
    exchange.leave();
    assertEquals(await outcome(), "client_closed");
  }
});

row("CONN-021", "A body that outgrows the limit is body_too_large, answered 413", {}, async (target) => {
  const { app, outcome } = waiter();
  await using server = await target.start(app, { maxBodyBytes: 10 });
  const exchange = await server.exchange({ method: "POST", streams: true });
  await exchange.write("x".repeat(20));
  assertEquals(await outcome(), told("body_too_large"));
  assertEquals((await exchange.head()).status, 413);
});

row("CONN-021", "Malformed chunks are protocol_error", {
  wire: true,
  except: {
    deno: "`Deno.serve` tells malformed chunks as a body that broke off, which can't be told from a client that leaves: client_closed",
  },
}, async (target) => {
  const { app, outcome } = waiter();
  await using server = await target.start(app);
  const connection = await server.connect();
  await connection.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n");
  assertEquals(await outcome(), told("protocol_error"));
  assertEquals((await server.ended()).end.reason, "protocol_error");
});

row("CONN-022", "A request on which nothing moves for the request timeout is client_timeout: 504 where nothing was answered", {}, async (
  target,
) => {
  const { app, outcome } = waiter();
  await using server = await target.start(app, { limits: { requestTimeoutMs: 60 } });
  assertEquals((await server.request()).status, 504);
  assertEquals(await outcome(), told("client_timeout"));
});

row("CONN-022", "A response on which nothing moves any more is cut", {}, async (target) => {
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "part", more: 1 });
    return await within(scope["pagi.connection"].disconnectFuture(), "the disconnect");
  });
  await using server = await target.start(app, { limits: { requestTimeoutMs: 60 } });
  const reply = await server.request();
  assertEquals([reply.status, reply.text, reply.cut], [200, "part", true]);
  assertEquals(await outcome(), "client_timeout");
});

row("CONN-023", "What a stop ends is server_shutdown: 503 where nothing was answered, else a cut", {}, async (target) => {
  const { app, outcome, ready } = waiter();
  await using server = await target.start(app);
  const pending = server.request().then(({ status }) => status, (error: Error) => error.name);
  await ready.pass();
  const stopping = server.stop(0);
  assertEquals(await outcome(), told("server_shutdown"));
  await stopping;
  const status = await pending;
  assert(status === 503 || status === "Cut", String(status));
  assertEquals((await server.ended()).end.reason, "server_shutdown");
});

row("CONN-023", "A stop that has time lets a request finish: no disconnect", {}, async (target) => {
  const called = new Gate();
  const calls: string[] = [];
  const app: App = async (scope, _receive, send) => {
    if (scope.type !== "http") throw new Error(`Unsupported scope type: ${scope.type}`);
    scope["pagi.connection"].onDisconnect((reason) => calls.push(reason));
    called.open();
    await new Promise((resolve) => scope.extensions.drain!.signal.addEventListener("abort", resolve));
    await answer(send, "finished");
  };
  await using server = await target.start(app);
  const pending = server.request();
  await called.pass();
  await server.stop(2000);
  assertEquals([(await pending).text, calls], ["finished", []]);
});

/** Hands on what comes, until one of the two is closed. */
async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) await to.write(buffer.subarray(0, count));
}

row("CONN-024", "What can't be read, as it is no TLS record, is read_error", {
  wire: true,
  except: { deno: "`Deno.serve` tells it as a client that has left" },
}, async (target) => {
  const { app, outcome, ready } = waiter();
  await using server = await target.start(app, { tls: true });
  using relay = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dialled = Deno.connectTls({ hostname: "localhost", port: relay.addr.port, caCerts: [server.cert], alpnProtocols: ["http/1.1"] });
  const near = await relay.accept();
  const far = await Deno.connect({ hostname: "127.0.0.1", port: (server.address as { port: number }).port });
  const pumps = Promise.allSettled([pump(near, far), pump(far, near)]);
  const client = await dialled;
  await client.write(new TextEncoder().encode("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart"));
  await ready.pass();
  await far.write(new TextEncoder().encode("no record at all"));
  assertEquals(await outcome(), told("read_error"));
  assertEquals((await server.ended()).end.reason, "read_error");
  for (const connection of [client, near, far]) connection.close();
  await pumps;
});
