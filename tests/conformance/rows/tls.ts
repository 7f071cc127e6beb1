/** TLS and what the scope says of it. */

import { assert, assertEquals } from "@std/assert";
import { scopes, text } from "../apps.ts";
import { elsewhere, later, row } from "../suite.ts";
import type { Running, Target } from "../target.ts";
import type { TlsInfo } from "../../../src/spec/scope.ts";

/** What the app is told of one request over TLS. */
async function info(target: Target): Promise<{ tls: TlsInfo; cert: string | null; scheme: string }> {
  const { app, seen } = scopes();
  await using server = await target.start(app, { tls: true });
  assertEquals((await server.request()).status, 200);
  const { extensions, scheme } = await seen.take();
  return { tls: extensions.tls!, cert: target.wire ? server.cert : null, scheme };
}

/** What `openssl s_client` says of a handshake, and whether it came to one. */
async function handshake(server: Running, args: readonly string[]): Promise<{ ok: boolean; text: string }> {
  const { port } = server.address as { port: number };
  const { success, stdout, stderr } = await new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost", ...args],
    stdin: "null",
  }).output();
  return { ok: success, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

row("TLS-001", "`extensions.tls` is there on a TLS connection, and only there", {}, async (target) => {
  assertEquals(typeof (await info(target)).tls, "object");
  const { app, seen } = scopes();
  await using server = await target.start(app);
  await server.request();
  assertEquals("tls" in (await seen.take()).extensions, false);
});

row("TLS-002", "It has exactly the six keys of the specification", {}, async (target) => {
  const keys = ["cipher_suite", "client_cert_chain", "client_cert_error", "client_cert_name", "server_cert", "tls_version"];
  assertEquals(Object.keys((await info(target)).tls).sort(), keys);
});

row("TLS-003", "`tls_version` is the number of the version, `null` where the engine can't tell", {}, async (target) => {
  const { tls_version } = (await info(target)).tls;
  assert(tls_version === null || tls_version === 0x0303 || tls_version === 0x0304, String(tls_version));
});

row("TLS-004", "`cipher_suite` is the number of the suite, `null` where the engine can't tell", {}, async (target) => {
  const { cipher_suite } = (await info(target)).tls;
  assert(cipher_suite === null || (Number.isInteger(cipher_suite) && cipher_suite > 0 && cipher_suite < 65_536), String(cipher_suite));
});

row("TLS-005", "`server_cert` is the certificate that is served, as PEM", { wire: true }, async (target) => {
  const { tls, cert } = await info(target);
  assertEquals(tls.server_cert?.trim(), cert!.trim());
});

row("TLS-006", "`client_cert_chain` is an empty list without a client certificate", {}, async (target) => {
  assertEquals((await info(target)).tls.client_cert_chain, []);
});

row("TLS-007", "`client_cert_name` is `null` without a client certificate", {}, async (target) => {
  assertEquals((await info(target)).tls.client_cert_name, null);
});

row("TLS-008", "`client_cert_error` is `null` without a client certificate", {}, async (target) => {
  assertEquals((await info(target)).tls.client_cert_error, null);
});

row("TLS-009", "The scheme is https", {}, async (target) => {
  assertEquals((await info(target)).scheme, "https");
});

row("TLS-010", "TLS 1.2 and 1.3 are spoken, TLS 1.1 is refused", { wire: true, tool: "openssl" }, async (target) => {
  await using server = await target.start(text("ok"), { tls: true });
  const seen = [];
  for (const version of ["-tls1_3", "-tls1_2", "-tls1_1"]) {
    // The client library takes TLS 1.1 at its lowest level alone.
    const { text } = await handshake(server, [version, "-cipher", "ALL:@SECLEVEL=0"]);
    seen.push(/New, TLSv1\.[23], Cipher is \S+/.test(text));
  }
  assertEquals(seen, [true, true, false]);
});

later(
  "TLS-010",
  "version and ciphers can be set",
  "TLS 1.2 and 1.3 with the suites of rustls, which are safe: `Deno.serve` takes neither option, and `node:tls` under Deno ignores `ciphers`",
);
elsewhere(
  "TLS-012",
  "A missing or unreadable certificate or key is an error before anything is served, and names the file",
  "tests/runner/cli_errors_test.ts",
);
elsewhere(
  "TLS-013",
  "There is no switch that leaves certificates unused: TLS is on with a certificate and a key, off without both, and one alone is an error",
  "tests/runner/cli_errors_test.ts",
);
elsewhere("TLS-014", "TLS is part of the runtime, never missing: the command serves it", "tests/runner/cli_run_test.ts");

row("TLS-015", "Connections at the same time are served", {}, async (target) => {
  await using server = await target.start(text("ok"), { tls: true });
  const replies = await Promise.all([server.request(), server.request(), server.request()]);
  assertEquals(replies.map((reply) => reply.text), ["ok", "ok", "ok"]);
});

elsewhere(
  "TLS-016",
  "TLS works with workers: the rows of this suite run with them in processes and threads",
  "tests/conformance/conformance_test.ts",
);

row("TLS-017", "Plain HTTP on a TLS port ends that connection alone", { wire: true }, async (target) => {
  const { app, seen } = scopes();
  await using server = await target.start(app, { tls: true });
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: (server.address as { port: number }).port });
  await plain.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  const buffer = new Uint8Array(1000);
  const count = await plain.read(buffer).catch(() => null);
  plain.close();
  assertEquals(new TextDecoder().decode(buffer.subarray(0, count ?? 0)).includes("HTTP/"), false);
  assertEquals([(await server.request()).status, seen.waiting], [200, 1]);
});
