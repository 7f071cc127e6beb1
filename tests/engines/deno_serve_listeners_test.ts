/** Several listeners of one `DenoServeEngine`, each with its own address and security; and listeners that it can't have. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DenoServeEngine } from "../../src/engines/deno_serve.ts";
import type { ListenerSettings } from "../../src/engines/listener_settings.ts";
import { StartupError } from "../../src/spec/errors.ts";
import { certificate } from "../conformance/certificate.ts";
import { needs } from "../tools.ts";
import { echoHead, listener, LOCAL, RawClient, run, SETTINGS, start } from "./engine_peer.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const observer = { opened() {}, finished() {}, note() {} };

async function ask(client: RawClient): Promise<number> {
  await client.send(GET);
  return (await client.response()).status;
}

Deno.test("LISN-003: each listener tells its own address and that of the client, and no two exchanges have the same id", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/s`;
  const at = [LOCAL, { kind: "tcp", host: "::1", port: 0 }, { kind: "unix", path, mode: 0o600 }] as const;
  await using server = await start(() => {}, { listeners: at.map((at) => listener(at)) });
  const [first, second, third] = server.addrs as [Deno.NetAddr, Deno.NetAddr, Deno.UnixAddr];
  assertEquals([first.hostname, second.hostname, third.path], ["127.0.0.1", "::1", path]);
  const connections = [
    await Deno.connect({ hostname: "127.0.0.1", port: first.port }),
    await Deno.connect({ hostname: "::1", port: second.port }),
    await Deno.connect({ transport: "unix", path }),
  ];
  const heads = [];
  for (const connection of connections) {
    await connection.write(new TextEncoder().encode(GET));
    heads.push((await server.tap()).head);
  }
  const clients = connections.map(({ localAddr }) => localAddr.transport === "tcp" ? [localAddr.hostname, localAddr.port] : undefined);
  assertEquals(heads.map(({ server }) => server), [["127.0.0.1", first.port], ["::1", second.port], [path, null]]);
  assertEquals<unknown>(heads.map(({ client }) => client), clients);
  assertEquals(new Set(heads.map(({ id }) => id)).size, 3);
  for (const connection of connections) connection.close();
  await server.engine.close(0);
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
  await Deno.remove(folder);
});

Deno.test(needs("openssl", "a listener with a certificate is TLS, one without is not"), async () => {
  const pair = await certificate();
  await using server = await start(echoHead, { listeners: [listener(LOCAL, pair), listener(LOCAL)] });
  const [secure, plain] = server.addrs as [Deno.NetAddr, Deno.NetAddr];
  const client = Deno.createHttpClient({ caCerts: [pair.cert] });
  for (const url of [`https://localhost:${secure.port}/`, `http://127.0.0.1:${plain.port}/`]) {
    assertEquals(await (await fetch(url, { client })).text(), "GET /?");
  }
  client.close();
  assertEquals(server.taps.map(({ head }) => [head.scheme, head.tls === undefined]), [["https", false], ["http", true]]);
});

Deno.test("drain() and close() are for all listeners", async () => {
  const server = await start(echoHead, { listeners: [listener(LOCAL), listener(LOCAL)] });
  const ports = server.addrs.map((addr) => (addr as Deno.NetAddr).port);
  for (const port of ports) {
    using client = await RawClient.connect(port);
    assertEquals(await ask(client), 200);
  }
  await server.engine.close(1000);
  for (const port of ports) await assertRejects(() => RawClient.connect(port), Deno.errors.ConnectionRefused);
});

Deno.test("an engine that can't open all listeners opens none", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const folder = await Deno.makeTempDir();
  const path = `${folder}/s`;
  const listeners = [listener({ kind: "unix", path, mode: 0o600 }), listener({ kind: "tcp", host: "127.0.0.1", port })];
  const engine = new DenoServeEngine({ ...SETTINGS, listeners });
  await assertRejects(() => engine.listen({ open: echoHead } as never, observer), StartupError, `127.0.0.1:${port} is in use`);
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
  await Deno.remove(folder);
});

Deno.test("a listener that needs the engine node is refused, and the message names that engine", () => {
  const pair = { cert: "c", key: "k" };
  const tls = { certificates: [pair], clientCertificates: "none", ca: null } as const;
  const unix = { kind: "unix", path: "s", mode: 0o600 } as const;
  const refusals: [Partial<ListenerSettings>, string][] = [
    [{ at: { kind: "fd", fd: 3 } }, "listen on an inherited descriptor"],
    [{ proxyProtocol: true }, "read the PROXY protocol"],
    [{ at: unix, backlog: 9 }, "set the backlog of a Unix socket"],
    [{ at: unix, reusePort: true }, "share a Unix socket"],
    [{ at: unix, tls }, "serve TLS on a Unix socket"],
    [{ tls: { ...tls, certificates: [pair, pair] } }, "choose among certificates"],
    [{ tls: { ...tls, clientCertificates: "optional" } }, "ask clients for certificates"],
    [{ tls: { ...tls, ca: "x" } }, "ask clients for certificates"],
  ];
  for (const [settings, lacking] of refusals) {
    const error = assertThrows(
      () => new DenoServeEngine({ ...SETTINGS, listeners: [{ ...listener(LOCAL), ...settings }] }),
      StartupError,
    );
    assertEquals([error.message, error.exitCode], [`The engine "deno" can't ${lacking}: the engine "node" can`, 2]);
  }
});

Deno.test(needs("ss", "the backlog of a listener is the one of its settings"), async () => {
  await using server = await start(echoHead, { listeners: [{ ...listener(LOCAL), backlog: 7 }, listener(LOCAL)] });
  const { out } = await run("ss", ["-ltn"]);
  const backlogs = server.addrs.map((addr) => new RegExp(`\\s(\\d+)\\s+127\\.0\\.0\\.1:${(addr as Deno.NetAddr).port}\\s`).exec(out)?.[1]);
  assertEquals(backlogs, ["7", "511"]);
});
