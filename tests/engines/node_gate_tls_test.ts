/**
 * TLS at the gate of the `node` engine: ALPN, names, client certificates, timeouts, other certificates while it runs.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { StartupError } from "../../src/spec/errors.ts";
import { type Certificate, certificate, clientCertificates } from "../conformance/certificate.ts";
import { within } from "../conformance/waiting.ts";
import { needs } from "../tools.ts";
import { EchoGate, hear, listener, say, tls } from "./gate_keeper.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

function connect(echo: EchoGate, caCerts: string[], alpnProtocols: string[] = [], hostname = "localhost"): Promise<Deno.TlsConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: echo.port() }).then((tcp) => Deno.startTls(tcp, { hostname, caCerts, alpnProtocols }));
}

/** Certificates for names, each its own authority. */
async function named(...names: readonly string[]): Promise<Certificate> {
  const folder = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command("openssl", {
      args: [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=a name"],
        ...["-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`, "-addext", "basicConstraints=critical,CA:FALSE"],
        ...["-keyout", `${folder}/key`, "-out", `${folder}/cert`],
      ],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return { cert: await Deno.readTextFile(`${folder}/cert`), key: await Deno.readTextFile(`${folder}/key`) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** One connection of openssl; whether its handshake was good to its end: the echo came. */
async function openssl(echo: EchoGate, ...args: readonly string[]): Promise<{ echoed: boolean }> {
  const child = new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${echo.port()}`, "-quiet", "-no_ign_eof", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  const said = writer.write(new TextEncoder().encode("hello\n")).catch(() => {});
  const stdout = child.stdout.getReader();
  const first = await within(stdout.read(), "openssl");
  await said;
  await writer.close().catch(() => {});
  for (let more = !first.done; more;) more = !(await stdout.read()).done;
  await child.status;
  return { echoed: !first.done && new TextDecoder().decode(first.value).includes("hello") };
}

async function withKeys<T>({ cert, key }: Certificate, work: (args: readonly string[]) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/cert`, cert);
    await Deno.writeTextFile(`${folder}/key`, key);
    return await work(["-cert", `${folder}/cert`, "-key", `${folder}/key`, "-cert_chain", `${folder}/cert`]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test(needs("openssl", "TLS: the protocol is that of ALPN, else it is read"), async () => {
  const own = await certificate();
  await using echo = await EchoGate.open([listener({ tls: tls(own) })]);
  const cases: readonly [string[], string, string][] = [
    [["h2"], "x", "http2"],
    [["http/1.1"], "x", "http1"],
    [["http/1.1", "h2"], "x", "http2"],
    [[], "GET", "http1"],
    [[], PREFACE, "http2"],
  ];
  for (const [alpn, text, protocol] of cases) {
    using client = await connect(echo, [own.cert], alpn);
    await say(client, text);
    const taken = await echo.connections.take();
    assertEquals([taken.protocol, taken.client?.[0]], [protocol, "127.0.0.1"]);
    assertEquals(await hear(client, text.length), text);
    const { socket } = taken;
    assertEquals([socket.bytesRead, socket.writableLength, socket.remoteAddress], [text.length, 0, "127.0.0.1"]);
  }
  await echo.opens(0);
});

Deno.test(needs("openssl", "TLS: what a connection says of itself is one object for all that are alike"), async () => {
  const own = await certificate();
  await using echo = await EchoGate.open([listener({ tls: tls(own) })]);
  using one = await connect(echo, [own.cert], ["h2"]);
  using two = await connect(echo, [own.cert], ["http/1.1"]);
  await one.handshake();
  await two.handshake();
  const { tls: info } = await echo.connections.take();
  assertStrictEquals((await echo.connections.take()).tls, info);
  assert(info !== null && info.cipher_suite !== null && info.cipher_suite >> 8 === 0x13);
  assertEquals({ ...info, cipher_suite: 0 }, {
    server_cert: own.cert,
    client_cert_chain: [],
    client_cert_name: null,
    client_cert_error: null,
    tls_version: 0x0304,
    cipher_suite: 0,
  });
});

Deno.test(needs("openssl", "TLS 1.2 and its suites"), async () => {
  await using echo = await EchoGate.open([listener({ tls: tls(await certificate()) })]);
  for (
    const [suite, number] of [
      ["ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b],
      ["ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c],
      ["ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9],
    ] as const
  ) {
    const { echoed } = await openssl(echo, "-tls1_2", "-cipher", suite);
    assert(echoed);
    const { tls: info } = await echo.connections.take();
    assertEquals([info?.tls_version, info?.cipher_suite], [0x0303, number]);
  }
  await echo.opens(0);
});

Deno.test(needs("openssl", "TLS: the certificate is that of the name that the client names"), async () => {
  const [first, exact, wild] = [await certificate(), await named("a.example.com", "b.example.com"), await named("*.example.com")];
  const certificates = [first, exact, wild];
  await using echo = await EchoGate.open([listener({ tls: tls(first, { certificates }) })]);
  const authorities = certificates.map(({ cert }) => cert);
  for (
    const [name, { cert }] of [["localhost", first], ["a.example.com", exact], ["B.Example.com", exact], ["c.example.com", wild]] as const
  ) {
    using client = await connect(echo, authorities, ["h2"], name);
    await client.handshake();
    assertEquals((await echo.connections.take()).tls?.server_cert, cert, name);
  }
  for (const args of [[], ["-noservername"], ["-servername", "d.c.example.com"], ["-servername", "example.com"]]) {
    await openssl(echo, ...args);
    assertEquals((await echo.connections.take()).tls?.server_cert, first.cert, args.join(" "));
  }
});

Deno.test(needs("openssl", "TLS: client certificates that are optional"), async () => {
  const { authority, good, stranger } = await clientCertificates();
  await using echo = await EchoGate.open([listener({ tls: tls(await certificate(), { clientCertificates: "optional", ca: authority }) })]);
  assert((await openssl(echo)).echoed);
  const none = (await echo.connections.take()).tls!;
  assertEquals([none.client_cert_chain, none.client_cert_name, none.client_cert_error], [[], null, null]);

  assert((await withKeys(good, (args) => openssl(echo, ...args))).echoed);
  const known = (await echo.connections.take()).tls!;
  assertEquals(known.client_cert_chain[0], good.cert);
  assertEquals([known.client_cert_name, known.client_cert_error], ["CN=client,O=Acme\\, Inc.,C=DE", null]);

  assert((await withKeys(stranger, (args) => openssl(echo, ...args))).echoed);
  const unknown = (await echo.connections.take()).tls!;
  assertEquals(unknown.client_cert_chain, [stranger.cert]);
  assertEquals(unknown.client_cert_name, "CN=stranger");
  assertEquals(unknown.client_cert_error, "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  await echo.opens(0);
});

Deno.test(needs("openssl", "TLS: client certificates that are required"), async () => {
  const { authority, good, stranger } = await clientCertificates();
  await using echo = await EchoGate.open([listener({ tls: tls(await certificate(), { clientCertificates: "require", ca: authority }) })]);
  for (const version of ["-tls1_2", "-tls1_3"]) {
    // Whether the client is told by an alert is left to Deno, which loses some.
    assertEquals((await openssl(echo, version)).echoed, false);
    assertEquals((await withKeys(stranger, (args) => openssl(echo, version, ...args))).echoed, false);
    assertEquals(echo.taken, version === "-tls1_2" ? 0 : 1);
    assert((await withKeys(good, (args) => openssl(echo, version, ...args))).echoed);
  }
  assertEquals(echo.taken, 2);
  assertMatch((await echo.noted(/TLS/)).text, /^The TLS handshake failed: /);
  await echo.opens(0);
});

Deno.test(needs("openssl", "TLS: a client that does not shake hands is ended"), async () => {
  await using echo = await EchoGate.open([listener({ tls: tls(await certificate()) })], {
    tlsHandshakeTimeoutMs: 100,
    headerTimeoutMs: 100,
  });
  using silent = await echo.connect();
  assertEquals(await within(hear(silent), "the end"), "");
  await echo.noted(/^The TLS handshake was not done in time$/);
  using clear = await echo.connect();
  await say(clear, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await within(hear(clear), "the end");
  await echo.opens(0);
  assertEquals(echo.taken, 0);
});

Deno.test(needs("openssl", "TLS: a client without ALPN that shakes hands and goes silent is ended"), async () => {
  const own = await certificate();
  await using echo = await EchoGate.open([listener({ tls: tls(own) })], { headerTimeoutMs: 100 });
  using client = await connect(echo, [own.cert]);
  await client.handshake();
  assertEquals(await within(hear(client), "the end"), "");
  await echo.opens(0);
  assertEquals(echo.taken, 0);
});

Deno.test(needs("openssl", "TLS: other certificates for connections from now on"), async () => {
  const [before, after] = [await certificate(), await named("localhost")];
  await using echo = await EchoGate.open([listener({ tls: tls(before) }), listener()]);
  using open = await connect(echo, [before.cert], ["h2"]);
  await open.handshake();
  assertEquals((await echo.connections.take()).tls?.server_cert, before.cert);
  assertThrows(() => echo.gate.replaceTls(tls({ cert: "no", key: "no" })), StartupError, "TLS can't be set up");
  echo.gate.replaceTls(tls(after));
  using next = await connect(echo, [after.cert], ["h2"]);
  await next.handshake();
  assertEquals((await echo.connections.take()).tls?.server_cert, after.cert);
  using wrong = await connect(echo, [before.cert]);
  await assertRejects(() => wrong.handshake());
  await say(open, "x");
  assertEquals(await hear(open, 1), "x");
  using clear = await echo.connect(1);
  await say(clear, "y");
  assertEquals(await hear(clear, 1), "y");
});

Deno.test(needs("openssl", "TLS: a connection too many is closed; stopping ends handshakes"), async () => {
  const own = await certificate();
  await using echo = await EchoGate.open([listener({ tls: tls(own) })], { maxConnections: 1 });
  using first = await echo.connect();
  await echo.opens(1);
  using second = await echo.connect();
  assertEquals(await within(hear(second), "the end"), "");
  echo.gate.stop();
  assertEquals(await within(hear(first), "the end"), "");
  await echo.opens(0);
});
