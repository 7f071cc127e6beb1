/** TLS where the engine knows its connections: the version, the cipher, and certificates of clients. */

import { assert, assertEquals } from "@std/assert";
import { scopes, text } from "../apps.ts";
import { type Certificate, clientCertificates } from "../certificate.ts";
import { row } from "../suite.ts";
import type { Running, ServerOptions, Target } from "../target.ts";
import { WireExchange } from "../wire_exchange.ts";
import type { TlsInfo } from "../../../src/spec/scope.ts";

const CLIENTS = { wire: true, needs: ["client-certificates"] } as const;

/** What the app is told of a client with this certificate; `null` where the client is turned away. */
async function told(target: Target, ask: ServerOptions["clientCertificates"], as?: Certificate): Promise<TlsInfo | null> {
  const { app, seen } = scopes();
  await using server = await target.start(app, { tls: true, ...(ask === undefined ? {} : { clientCertificates: ask }) });
  if (!await served(server, as)) return null;
  return (await seen.take()).extensions.tls!;
}

/** Asks over TLS; false where there is no answer. TLS 1.3 tells a client of its certificate behind its own handshake. */
async function served(server: Running, as?: Certificate): Promise<boolean> {
  try {
    const connection = await server.connect(as);
    await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    return (await WireExchange.reply(connection)).status === 200;
  } catch {
    return false;
  }
}

row("TLS-003", "the number", {
  wire: true,
  tool: "curl",
  except: { deno: "`Deno.serve` does not tell the version: `null`" },
}, async (target) => {
  assertEquals(await versions(target, (tls) => tls.tls_version), [0x0303, 0x0304]);
});

row("TLS-004", "the number", {
  wire: true,
  tool: "curl",
  except: { deno: "`Deno.serve` does not tell the cipher: `null`" },
}, async (target) => {
  const [old, recent] = await versions(target, (tls) => tls.cipher_suite);
  // ECDHE_ECDSA with AES-GCM or ChaCha20, and those of TLS 1.3.
  assert([0xc02b, 0xc02c, 0xcca9].includes(old!), String(old));
  assert([0x1301, 0x1302, 0x1303].includes(recent!), String(recent));
});

/** Something of a connection of TLS 1.2 and of one of TLS 1.3. */
async function versions(target: Target, of: (tls: TlsInfo) => number | null): Promise<(number | null)[]> {
  const { app, seen } = scopes();
  await using server = await target.start(app, { tls: true });
  const { port } = server.address as { port: number };
  const found = [];
  for (const range of [["--tlsv1.2", "--tls-max", "1.2"], ["--tlsv1.3"]]) {
    const { success } = await new Deno.Command("curl", { args: ["-sk", ...range, `https://localhost:${port}/`], stdout: "null" }).output();
    assertEquals(success, true, range.join(" "));
    found.push(of((await seen.take()).extensions.tls!));
  }
  return found;
}

row("TLS-006", "with one: the chain, leaf first", CLIENTS, async (target) => {
  const { good } = await clientCertificates();
  for (const ask of ["optional", "require"] as const) {
    const tls = await told(target, ask, good);
    assertEquals(tls?.client_cert_chain[0]?.trim(), good.cert.trim());
    assertEquals(tls?.client_cert_chain.every((pem) => pem.startsWith("-----BEGIN CERTIFICATE-----")), true);
  }
});

row("TLS-007", "with one: its name as in RFC 4514", CLIENTS, async (target) => {
  const { good } = await clientCertificates();
  assertEquals((await told(target, "require", good))?.client_cert_name, "CN=client,O=Acme\\, Inc.,C=DE");
});

row("TLS-008", "with one that verifies: `null`; with one that does not: why", CLIENTS, async (target) => {
  const { good, stranger } = await clientCertificates();
  assertEquals((await told(target, "optional", good))?.client_cert_error, null);
  const { client_cert_error, client_cert_chain } = (await told(target, "optional", stranger))!;
  assertEquals([typeof client_cert_error, client_cert_chain.length], ["string", 1]);
});

row("TLS-008", "and `null` with none, where one was asked for", CLIENTS, async (target) => {
  const { client_cert_chain, client_cert_name, client_cert_error } = (await told(target, "optional"))!;
  assertEquals([client_cert_chain, client_cert_name, client_cert_error], [[], null, null]);
});

row("TLS-011", "Client certificates are demanded and checked", CLIENTS, async (target) => {
  const { good, stranger } = await clientCertificates();
  const { app, seen } = scopes();
  await using server = await target.start(app, { tls: true, clientCertificates: "require" });
  const outcomes = [];
  for (const as of [undefined, stranger, good]) outcomes.push(await served(server, as));
  assertEquals([outcomes, seen.waiting], [[false, false, true], 1]);
});

row("TLS-011", "over HTTP/2 too", { ...CLIENTS, tool: "curl" }, async (target) => {
  const { good } = await clientCertificates();
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/cert`, good.cert);
    await Deno.writeTextFile(`${folder}/key`, good.key);
    await using server = await target.start(text("ok"), { tls: true, clientCertificates: "require" });
    const { port } = server.address as { port: number };
    const asked = async (args: readonly string[]) => {
      const { stdout } = await new Deno.Command("curl", { args: ["-sk", "-w", " %{http_version}", ...args, `https://localhost:${port}/`] })
        .output();
      return new TextDecoder().decode(stdout);
    };
    assertEquals(await asked(["--cert", `${folder}/cert`, "--key", `${folder}/key`]), "ok 2");
    assertEquals((await asked([])).startsWith("ok"), false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
