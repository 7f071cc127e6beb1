/** TLS of the node engine, judged by `openssl s_client` and curl: what is negotiated, who gets in, and what the app is told. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type App, serve, type ServeOptions, type Server, type TlsInfo } from "../../mod.ts";
import { Certificates } from "../runner/certificates.ts";
import { needs } from "../tools.ts";

interface Told {
  readonly version: string;
  readonly scheme: string;
  readonly tls: TlsInfo;
}

/** Answers with what the scope says. */
const APP: App = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`Unsupported scope type: ${scope.type}`);
  const { http_version: version, scheme, extensions: { tls } } = scope;
  await send({ type: "http.response.start", status: 200, headers: [["connection", "close"]] });
  await send({ type: "http.response.body", body: `TOLD${JSON.stringify({ version, scheme, tls })}\n` });
};

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

async function start(options: ServeOptions): Promise<Server> {
  return await serve(APP, { port: 0, engine: "node", quiet: true, accessLog: false, env: "production", lifespan: "off", ...options });
}

/** What `openssl s_client` says of a connection over which it sent a request, and what the app was told; `null` without an answer. */
async function ask(server: Server, ...args: string[]): Promise<{ text: string; told: Told | null }> {
  const child = new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${(server.addr as Deno.NetAddr).port}`, "-ign_eof", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A handshake that fails ends it before it has read anything.
  await writer.write(new TextEncoder().encode(REQUEST)).catch(() => {});
  await writer.close().catch(() => {});
  const { stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const answer = /^TOLD(.*)$/m.exec(text)?.[1];
  return { text, told: answer === undefined ? null : JSON.parse(answer) as Told };
}

/** The common name of the certificate that a client was shown. */
function shown(text: string): string | undefined {
  return /^subject=.*CN ?= ?([^,\n]+)$/m.exec(text)?.[1];
}

function clientOf(made: Certificates, name: string): string[] {
  return ["-cert", made.cert(name), "-key", made.key(name)];
}

/** The numbers of suites, as openssl has them, by its names and those of IANA. */
async function suites(made: Certificates): Promise<Map<string, number>> {
  const list = await made.openssl("ciphers", "-V", "-stdname", "ALL:@SECLEVEL=0");
  const found = new Map<string, number>();
  for (const [, high, low, standard, own] of list.matchAll(/0x(..),0x(..) - (\S+)\s+- (\S+)/g)) {
    for (const name of [standard!, own!]) found.set(name, parseInt(high! + low!, 16));
  }
  return found;
}

/** The number of a key on the curve P-256, by which it signs, and the point that openssl takes for its public half without a look. */
async function forgeKey(made: Certificates, name: string, by: string, kind: string): Promise<void> {
  const der = async (name: string) => {
    await made.openssl("ec", "-in", made.key(name), "-outform", "DER", "-out", "key.der");
    return await Deno.readFile(`${made.path}/key.der`);
  };
  const forged = await der(by);
  forged.set((await der(name)).subarray(-POINT_BYTES), forged.byteLength - POINT_BYTES);
  await Deno.writeFile(`${made.path}/key.der`, forged);
  await made.openssl("ec", "-inform", "DER", "-in", "key.der", "-out", `${name}.${kind}`);
}

const POINT_BYTES = 65;

const shared: Promise<Certificates>[] = [];

/** The certificates of this run; they are made when they are first asked for. */
function certificates(): Promise<Certificates> {
  return shared[0] ??= make();
}

Deno.test.afterAll(async () => await (await shared[0])?.[Symbol.asyncDispose]());

/** An authority, the certificates of two hosts, and clients of all sorts. */
async function make(): Promise<Certificates> {
  const made = await Certificates.make();
  await made.add("ca", { isAuthority: true });
  await made.add("foreign", { isAuthority: true });
  await made.add("localhost", { names: "DNS:localhost,IP:127.0.0.1", signer: "ca" });
  await made.add("b", { names: "DNS:b.test,DNS:*.b.test", signer: "ca" });
  const client = { usage: "clientAuth", signer: "ca" } as const;
  await made.add("good", { ...client, subject: '/C=DE/O=Kind, Ltd/OU=A\\+B/CN=Zoë "Z" <z>' });
  await made.add("expired", { ...client, dates: ["250101000000Z", "250201000000Z"] });
  await made.add("early", { ...client, dates: ["350101000000Z", "360101000000Z"] });
  await made.add("stranger", { ...client, signer: "foreign" });
  await made.add("self", { usage: "clientAuth" });
  await made.add("server", { signer: "ca" });
  return made;
}

Deno.test(needs("openssl", "node TLS: versions 1.2 and 1.3 with every suite, told as their numbers; 1.1 is refused"), async () => {
  const made = await certificates();
  await made.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", made.key("rsa"));
  await made.openssl("req", "-x509", "-new", "-key", made.key("rsa"), "-subj", "/CN=rsa", "-days", "2", "-out", made.cert("rsa"));
  const numbers = await suites(made);
  const modern = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];
  for (const [name, kind] of [["localhost", "ECDSA"], ["rsa", "RSA"]] as const) {
    await using server = await start({ sslCert: made.cert(name), sslKey: made.key(name) });
    const older = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"].map((suite) => `ECDHE-${kind}-${suite}`);
    for (const suite of [...modern, ...older]) {
      const isModern = modern.includes(suite);
      const { text, told } = await ask(server, ...isModern ? ["-tls1_3", "-ciphersuites", suite] : ["-tls1_2", "-cipher", suite]);
      assertStringIncludes(text, `Cipher is ${suite}`);
      assertEquals([told?.tls.tls_version, told?.tls.cipher_suite], [isModern ? 0x0304 : 0x0303, numbers.get(suite)], suite);
    }
    for (const old of [["-tls1_1"], ["-tls1"], ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"]]) {
      const { text, told } = await ask(server, ...old, ...old.length === 1 ? ["-cipher", "ALL:@SECLEVEL=0"] : []);
      assertEquals(told, null);
      assertMatch(text, /alert (?:protocol version|handshake failure)/, old.join(" "));
    }
    assertEquals((await ask(server)).told?.scheme, "https");
  }
});

Deno.test(needs("openssl", "node TLS: ALPN h2 before http/1.1, HTTP/1.1 without it, and an alert for what is unknown"), async () => {
  const made = await certificates();
  await using server = await start({ sslCert: made.cert("localhost"), sslKey: made.key("localhost") });
  const expected: [string[], string, string | undefined][] = [
    [["-alpn", "http/1.1"], "ALPN protocol: http/1.1", "1.1"],
    [["-alpn", "spdy/3,http/1.1"], "ALPN protocol: http/1.1", "1.1"],
    [[], "No ALPN negotiated", "1.1"],
    [["-alpn", "spdy/3"], "alert no application protocol", undefined],
  ];
  for (const [args, says, version] of expected) {
    const { text, told } = await ask(server, ...args);
    assertStringIncludes(text, says);
    assertEquals(told?.version, version, args.join(" "));
  }
  // Whoever agrees on HTTP/2 and speaks HTTP/1.1 gets no answer of the app.
  for (const offer of ["h2", "http/1.1,h2", "h2,http/1.1"]) {
    const { text, told } = await ask(server, "-alpn", offer);
    assertStringIncludes(text, "ALPN protocol: h2");
    assertEquals(told, null);
  }
});

Deno.test(needs(["openssl", "curl"], "node TLS: an HTTP/2 client is told of like any other"), async () => {
  const made = await certificates();
  await using server = await start({
    ...{ sslCert: made.cert("localhost"), sslKey: made.key("localhost") },
    ...{ sslCa: made.cert("ca"), sslVerifyClient: "optional" },
  });
  const url = `https://localhost:${(server.addr as Deno.NetAddr).port}/`;
  for (const [args, version] of [[["--http2"], "2"], [["--http1.1"], "1.1"]] as const) {
    const { success, stdout, stderr } = await new Deno.Command("curl", {
      args: ["-sS", "--cacert", made.cert("ca"), "--cert", made.cert("good"), "--key", made.key("good"), ...args, url],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const told = JSON.parse(new TextDecoder().decode(stdout).slice("TOLD".length)) as Told;
    assertEquals([told.version, told.scheme, told.tls.client_cert_error], [version, "https", null]);
    assertEquals(told.tls.client_cert_chain[0], await Deno.readTextFile(made.cert("good")));
  }
});

Deno.test(needs("openssl", "node TLS: the certificate of the named host, wildcards too, else the first"), async () => {
  const made = await certificates();
  await using server = await start({
    sslCert: [made.cert("localhost"), made.cert("b")],
    sslKey: [made.key("localhost"), made.key("b")],
  });
  const expected: [string[], string][] = [
    [["-servername", "b.test"], "b"],
    [["-servername", "B.Test"], "b"],
    [["-servername", "a.b.test"], "b"],
    [["-servername", "a.a.b.test"], "localhost"],
    [["-servername", "localhost"], "localhost"],
    [["-servername", "unknown.test"], "localhost"],
    [["-noservername"], "localhost"],
  ];
  for (const [args, name] of expected) {
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const { text, told } = await ask(server, version, ...args);
      assertEquals(shown(text), name, args.join(" "));
      assertEquals(told?.tls.server_cert, await Deno.readTextFile(made.cert(name)));
    }
  }
});

Deno.test(needs("openssl", "node TLS: with several certificates too, TLS 1.1 is refused and ALPN is agreed on"), async () => {
  const made = await certificates();
  await using server = await start({
    sslCert: [made.cert("localhost"), made.cert("b")],
    sslKey: [made.key("localhost"), made.key("b")],
  });
  // Deno closes without an alert where it has to choose a certificate.
  const old = await ask(server, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0");
  assertEquals([old.told, shown(old.text)], [null, undefined]);
  assertStringIncludes((await ask(server, "-servername", "b.test", "-alpn", "h2,http/1.1")).text, "ALPN protocol: h2");
  assertStringIncludes((await ask(server, "-servername", "b.test", "-alpn", "spdy/3")).text, "alert no application protocol");
  assertEquals((await ask(server, "-servername", "b.test")).told?.version, "1.1");
});

/** Clients, and what is told of them where they are let in: of a good one no error, of the others one that matches. */
const CLIENTS: readonly [name: string, error: RegExp][] = [
  ["expired", /^CERT_HAS_EXPIRED$/],
  ["early", /^CERT_NOT_YET_VALID$/],
  ["stranger", /^UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)/],
  ["self", /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/],
  // It is for servers. Deno does not tell that apart from a wrong signature.
  ["server", /^(?:INVALID_PURPOSE|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/],
];

Deno.test(needs("openssl", "node TLS: with optional, everybody gets in and the app is told who is not trusted"), async () => {
  const made = await certificates();
  await using server = await start({
    ...{ sslCert: [made.cert("localhost"), made.cert("b")], sslKey: [made.key("localhost"), made.key("b")] },
    ...{ sslCa: made.cert("ca"), sslVerifyClient: "optional" },
  });
  for (const args of [["-tls1_2"], ["-tls1_3"], ["-servername", "b.test"], ["-noservername"]]) {
    const none = (await ask(server, ...args)).told!.tls;
    assertEquals([none.client_cert_chain, none.client_cert_name, none.client_cert_error], [[], null, null]);
    const good = (await ask(server, ...args, ...clientOf(made, "good"))).told!.tls;
    assertEquals(good.client_cert_error, null);
    assertEquals(good.client_cert_chain[0], await Deno.readTextFile(made.cert("good")));
    // openssl writes the name by an older RFC, which differs in nothing that is in it.
    const name = await made.openssl("x509", "-in", made.cert("good"), "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb,utf8");
    assertEquals(good.client_cert_name, name.replace(/^subject=\s*/, "").trimEnd());
  }
  for (const [client, error] of CLIENTS) {
    const { tls } = (await ask(server, ...clientOf(made, client))).told!;
    assertEquals([tls.client_cert_name, tls.client_cert_chain[0]], [`CN=${client}`, await Deno.readTextFile(made.cert(client))]);
    assertMatch(String(tls.client_cert_error), error, client);
  }
});

Deno.test(needs("openssl", "node TLS: with require, only a good client certificate gets in"), async () => {
  const made = await certificates();
  await using server = await start({
    ...{ sslCert: [made.cert("localhost"), made.cert("b")], sslKey: [made.key("localhost"), made.key("b")] },
    ...{ sslCa: made.cert("ca"), sslVerifyClient: "require" },
  });
  for (const args of [["-tls1_2"], ["-tls1_3"], ["-servername", "b.test"], ["-noservername"]]) {
    assertEquals((await ask(server, ...args, ...clientOf(made, "good"))).told?.tls.client_cert_error, null);
    for (const client of [[], ...CLIENTS.map(([name]) => clientOf(made, name))]) {
      assertEquals((await ask(server, ...args, ...client)).told, null, `${args} ${client}`);
    }
  }
});

Deno.test(needs("openssl", "node TLS: a certificate without its key gets nobody in, trusted or not"), async () => {
  const made = await certificates();
  const options = { sslCert: made.cert("localhost"), sslKey: made.key("localhost"), sslCa: made.cert("ca") };
  for (const name of ["good", "self"]) {
    await forgeKey(made, name, "server", "forged");
    // Put together of its own halves it is a key.
    await forgeKey(made, name, name, "right");
  }
  for (const sslVerifyClient of ["optional", "require"] as const) {
    await using server = await start({ ...options, sslVerifyClient });
    for (const version of ["-tls1_2", "-tls1_3"]) {
      for (const name of ["good", "self"]) {
        const ends = async (kind: string) =>
          (await ask(server, version, "-cert", made.cert(name), "-key", `${made.path}/${name}.${kind}`)).told !== null;
        const isIn = name === "good" || sslVerifyClient === "optional";
        assertEquals([await ends("right"), await ends("forged")], [isIn, false], `${sslVerifyClient} ${version} ${name}`);
      }
    }
  }
});

Deno.test(needs("openssl", "node TLS: nobody is asked for a certificate without --ssl-verify-client"), async () => {
  const made = await certificates();
  await using server = await start({ sslCert: made.cert("localhost"), sslKey: made.key("localhost") });
  const { text, told } = await ask(server, ...clientOf(made, "good"));
  assertStringIncludes(text, "No client certificate CA names sent");
  assertEquals([told?.tls.client_cert_chain, told?.tls.client_cert_name], [[], null]);
});

Deno.test(needs("openssl", "node TLS: a session that is taken up again has its client certificate, or is none"), async () => {
  const made = await certificates();
  await using server = await start({
    ...{ sslCert: made.cert("localhost"), sslKey: made.key("localhost"), sslCa: made.cert("ca"), sslVerifyClient: "optional" },
  });
  for (const version of ["-tls1_2", "-tls1_3"]) {
    const session = `${made.path}/session${version}`;
    const first = (await ask(server, version, ...clientOf(made, "good"), "-sess_out", session)).told!.tls;
    assert(first.client_cert_name !== null);
    // Whoever has the session alone, and not the certificate.
    const { text, told } = await ask(server, version, "-sess_in", session);
    const isReused = /^Reused/m.test(text);
    assertEquals(told!.tls.client_cert_name, isReused ? first.client_cert_name : null);
    // With its own certificate it is known in any case.
    const again = await ask(server, version, ...clientOf(made, "good"), "-sess_in", session);
    assertEquals([again.told!.tls.client_cert_name, again.told!.tls.client_cert_error], [first.client_cert_name, null]);
    assertEquals(/Max Early Data: [^0]/.test(text), false);
  }
});
