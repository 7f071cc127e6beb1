/**
 * Names of certificates, judged by openssl.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { subjectName } from "../../src/engines/node_tls_name.ts";
import { CertificateNames } from "../../src/engines/node_tls_names.ts";
import { needs } from "../tools.ts";

async function openssl(args: readonly string[], input = ""): Promise<string> {
  const child = new Deno.Command("openssl", { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function issue(...args: readonly string[]): Promise<string> {
  return await openssl([
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", "/dev/null"],
    ...["-utf8", ...args],
  ]);
}

function derOf(pem: string): Uint8Array {
  return Uint8Array.fromBase64(pem.replace(/-----[^-]+-----|\s/g, ""));
}

Deno.test(needs("openssl", "a subject as RFC 4514 has it: openssl writes the same"), async () => {
  for (
    const [subject, expected] of [
      ["/C=DE/O=Acme, Inc./OU=a\\+b/CN=client", "CN=client,OU=a\\+b,O=Acme\\, Inc.,C=DE"],
      ["/DC=org/DC=example/UID=u1/CN=#hash", "CN=\\#hash,UID=u1,DC=example,DC=org"],
      ["/CN= both ends ", "CN=\\ both ends\\ "],
      ['/CN=back\\\\slash"quote;<angle>=equals', 'CN=back\\\\slash\\"quote\\;\\<angle\\>=equals'],
      ["/ST=Bayern/L=München/street=Weg 1/CN=名前", "CN=名前,STREET=Weg 1,L=München,ST=Bayern"],
    ] as const
  ) {
    const pem = await issue("-subj", subject);
    assertEquals(subjectName(derOf(pem)), expected);
    // RFC 2253 is its forerunner; openssl leaves UTF-8 as it is without esc_msb.
    const said = await openssl(["x509", "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb,utf8"], pem);
    assertEquals(said.replace(/^subject=/, "").replace(/\n$/, "").replace("street=", "STREET="), expected);
  }
});

Deno.test(needs("openssl", "a subject with several values in one part, with an unknown type, and an empty one"), async () => {
  assertEquals(subjectName(derOf(await issue("-multivalue-rdn", "-subj", "/O=o/CN=c+UID=u"))), "CN=c+UID=u,O=o");
  const unknown = subjectName(derOf(await issue("-subj", "/emailAddress=a@b/CN=c")));
  assertEquals(unknown, "CN=c,1.2.840.113549.1.9.1=#1603614062");
  assertEquals(subjectName(derOf(await issue("-subj", "/"))), "");
});

Deno.test("bytes that are no certificate are refused", () => {
  for (const bytes of [[], [0x30, 0x05, 0], [0x30, 0x84, 0xff, 0xff, 0xff, 0xff], [0x30, 0x02, 0x30, 0x00]]) {
    assertThrows(() => subjectName(Uint8Array.from(bytes)), RangeError);
  }
});

Deno.test(needs("openssl", "finds the certificate for a name"), async () => {
  const names = new CertificateNames([
    await issue("-subj", "/CN=ignored.example", "-addext", "subjectAltName=DNS:a.example,DNS:*.b.example,IP:127.0.0.1"),
    await issue("-subj", "/CN=common.example"),
    await issue("-subj", "/CN=x", "-addext", "subjectAltName=DNS:*.a.example,DNS:a.example"),
  ]);
  for (
    const [name, place] of [
      ["a.example", 0],
      ["x.b.example", 0],
      ["common.example", 1],
      ["COMMON.example.", 1],
      ["x.a.example", 2],
      // The first one where there is none.
      ["ignored.example", 0],
      ["x.common.example", 0],
      ["y.x.a.example", 0],
      ["other", 0],
      ["", 0],
    ] as const
  ) assertEquals(names.find(name), place, name);
});
