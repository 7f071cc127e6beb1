import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { StartupError } from "../../src/spec/errors.ts";
import { isSameTls, readTls, type TlsFiles } from "../../src/runner/tls_files.ts";
import { tlsFilesOf } from "../../src/runner/tls_options.ts";
import { nodeNeeds } from "../../src/runner/node_needs.ts";
import { needs } from "../tools.ts";
import { Certificates } from "./certificates.ts";

const LOCAL = { names: "DNS:localhost,DNS:*.a.test,IP:127.0.0.1" };

async function withCertificates(test: (made: Certificates) => Promise<void>): Promise<void> {
  await using made = await Certificates.make();
  await test(made);
}

function filesOf(made: Certificates, ...names: string[]): TlsFiles {
  return { pairs: names.map((name) => ({ cert: made.cert(name), key: made.key(name) })), clientCertificates: "none", ca: null };
}

Deno.test(
  needs("openssl", "readTls() reads pairs and authorities, and tells for whom and how long"),
  () =>
    withCertificates(async (made) => {
      await made.add("ca", { isAuthority: true });
      await made.add("a", { ...LOCAL, signer: "ca" });
      await made.add("b", { names: "DNS:b.test", signer: "ca", dates: ["260101000000Z", "270101000000Z"] });
      const reading = readTls(
        { ...filesOf(made, "a", "b"), clientCertificates: "optional", ca: made.cert("ca") },
        Date.parse("2026-11-01T00:00:00Z"),
      );
      const pem = async (path: string) => (await Deno.readTextFile(path)).trim();
      const { certificates, clientCertificates, ca } = reading.tls;
      assertEquals(certificates.map(({ cert }) => cert.trim()), [await pem(made.cert("a")), await pem(made.cert("b"))]);
      assertEquals(certificates.map(({ key }) => key.trim()), [await pem(made.key("a")), await pem(made.key("b"))]);
      assertEquals([clientCertificates, ca?.trim()], ["optional", await pem(made.cert("ca"))]);
      assertEquals(reading.certificates[1], "b.test (until 2027-01-01)");
      assertMatch(reading.certificates[0]!, /^localhost, \*\.a\.test, 127\.0\.0\.1 \(until \d{4}-\d\d-\d\d\)$/);
    }),
);

Deno.test(
  needs("openssl", "readTls() takes every common kind of key, and what else a file may hold"),
  () =>
    withCertificates(async (made) => {
      const kinds = ["RSA -pkeyopt rsa_keygen_bits:2048", "EC -pkeyopt ec_paramgen_curve:P-384", "ED25519"];
      for (const [index, kind] of kinds.entries()) {
        const name = `k${index}`;
        await made.openssl("genpkey", "-algorithm", ...kind.split(" "), "-out", made.key(name));
        await Deno.chmod(made.key(name), 0o600);
        const args = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-text"];
        await made.openssl("req", "-x509", "-new", "-key", made.key(name), ...args, "-out", made.cert(name));
      }
      await made.openssl("rsa", "-in", made.key("k0"), "-traditional", "-out", made.key("k3"));
      await Deno.copyFile(made.cert("k0"), made.cert("k3"));
      const parameters = await made.openssl("ecparam", "-name", "secp384r1");
      await Deno.writeTextFile(made.key("k4"), parameters + await made.openssl("ec", "-in", made.key("k1")));
      await Deno.copyFile(made.cert("k1"), made.cert("k4"));
      // A key and its certificate in one file, given for both.
      const both = await Deno.readTextFile(made.key("k2")) + await Deno.readTextFile(made.cert("k2"));
      for (const path of [made.key("k5"), made.cert("k5")]) await Deno.writeTextFile(path, both, { mode: 0o600 });
      for (const name of ["k3", "k4"]) await Deno.chmod(made.key(name), 0o600);
      const { tls, warnings } = readTls(filesOf(made, "k0", "k1", "k2", "k3", "k4", "k5"));
      assertEquals(warnings, []);
      for (const { cert, key } of tls.certificates) {
        assertMatch(cert, /^-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n$/);
        assertMatch(key, /^-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----[^-]+-----END \1-----\n$/);
        using server = Deno.listenTls({ port: 0, cert, key });
        assertEquals(server.addr.transport, "tcp");
      }
    }),
);

Deno.test(needs("openssl", "readTls() says in one line what is wrong, and in which file"), () =>
  withCertificates(async (made) => {
    await made.add("a", LOCAL);
    await made.add("b", LOCAL);
    const a = await Deno.readTextFile(made.cert("a"));
    const file = async (name: string, text: string) => {
      await Deno.writeTextFile(`${made.path}/${name}`, text);
      return `${made.path}/${name}`;
    };
    const cert = made.cert("a");
    const key = made.key("a");
    const none = `${made.path}/none`;
    const text = await file("text", "hello\n");
    const damaged = await file("damaged", "-----BEGIN CERTIFICATE-----\nMIIBxx\n-----END CERTIFICATE-----\n");
    const second = await file("second", await Deno.readTextFile(made.cert("b")) + a);
    const half = await file("half", a + await Deno.readTextFile(damaged));
    const badKey = await file("bad.key", "-----BEGIN PRIVATE KEY-----\nMIIBxx\n-----END PRIVATE KEY-----\n");
    const locked = `${made.path}/locked`;
    await made.openssl("pkcs8", "-topk8", "-in", key, "-passout", "pass:x", "-out", locked);
    await made.openssl("genrsa", "-out", `${made.path}/rsa`, "2048");
    const oldLocked = `${made.path}/old`;
    await made.openssl("rsa", "-in", `${made.path}/rsa`, "-aes128", "-passout", "pass:x", "-traditional", "-out", oldLocked);
    const wrong: [cert: string, key: string, ca: string | null, message: string][] = [
      [none, key, null, `TLS certificate ${none} not found`],
      [cert, none, null, `TLS key ${none} not found`],
      [cert, key, none, `TLS authorities ${none} not found`],
      [made.path, key, null, `TLS certificate ${made.path} is a directory`],
      [text, key, null, `${text} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`],
      [cert, text, null, `${text} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)`],
      [key, cert, null, `${key} holds a private key, not a certificate: are the two files swapped?`],
      [cert, cert, null, `${cert} holds a certificate, not a private key: are the two files swapped?`],
      [cert, key, key, `${key} holds a private key, not a certificate`],
      [damaged, key, null, `${damaged} holds a certificate that is damaged`],
      [half, key, null, `${half} holds a certificate that is damaged (number 2)`],
      [cert, badKey, null, `${badKey} holds a private key that is damaged, or of a kind that TLS does not know`],
      [cert, locked, null, `${locked} holds a key that is locked by a passphrase: give one without`],
      [cert, oldLocked, null, `${oldLocked} holds a key that is locked by a passphrase: give one without`],
      [cert, made.key("b"), null, `The key in ${made.key("b")} does not belong to the certificate in ${cert}`],
      [second, key, null, `The key in ${key} belongs to certificate number 2 in ${second}, it must be the first`],
    ];
    for (const [cert, key, ca, message] of wrong) {
      const files: TlsFiles = { pairs: [{ cert, key }], clientCertificates: ca === null ? "none" : "require", ca };
      const error = assertThrows(() => readTls(files), StartupError);
      assertEquals([error.message, error.exitCode], [message, 3]);
    }
  }));

Deno.test(
  needs("openssl", "readTls() warns of dates, of a certificate for no host, and of keys that others may read"),
  () =>
    withCertificates(async (made) => {
      const dates = ["260301000000Z", "260401000000Z"] as const;
      await made.add("ca", { isAuthority: true, dates, subject: "/O=Test/CN=The authority" });
      await made.add("a", { ...LOCAL, dates });
      await made.add("b", { subject: "/CN=b.test" });
      const at = (day: string) => Date.parse(`${day}T12:00:00Z`);
      const a = filesOf(made, "a");
      assertEquals(readTls(a, at("2026-03-15")).warnings, []);
      assertEquals(readTls(a, at("2026-04-01")).warnings, [
        `The certificate ${made.cert("a")} has expired: it was valid until 2026-04-01`,
      ]);
      assertEquals(readTls(a, at("2026-02-28")).warnings, [`The certificate ${made.cert("a")} is not valid yet: it begins on 2026-03-01`]);
      assertEquals(readTls(a, at("2026-03-28")).warnings, []);
      assertEquals(readTls(a, at("2026-03-29")).warnings, [`The certificate ${made.cert("a")} expires on 2026-04-01`]);
      assertEquals(readTls(filesOf(made, "b")).warnings, [
        `The certificate ${made.cert("b")} (CN=b.test) names no host in its subjectAltName: clients look nowhere else and refuse it`,
      ]);
      const [authority, ...more] = readTls({ ...a, clientCertificates: "require", ca: made.cert("ca") }, at("2026-05-01")).warnings
        .toReversed();
      assertMatch(authority!, /^The certificate \S+ca\.crt \(.*CN=The authority.*\) has expired: it was valid until 2026-04-01$/);
      assertEquals(more.length, 1);
      for (const [mode, warns] of [[0o644, true], [0o640, true], [0o602, true], [0o400, false], [0o700, false]] as const) {
        await Deno.chmod(made.key("a"), mode);
        assertEquals(
          readTls(a, at("2026-03-15")).warnings,
          warns ? [`The key ${made.key("a")} is open to other users (mode 0${mode.toString(8)}): chmod 600 ${made.key("a")}`] : [],
        );
      }
    }),
);

Deno.test(needs("openssl", "isSameTls() sees each difference"), () =>
  withCertificates(async (made) => {
    await made.add("a", LOCAL);
    await made.add("b", LOCAL);
    const a = readTls(filesOf(made, "a")).tls;
    assertEquals(isSameTls(a, readTls(filesOf(made, "a")).tls), true);
    const others = [
      readTls(filesOf(made, "b")).tls,
      readTls(filesOf(made, "a", "b")).tls,
      readTls({ ...filesOf(made, "a"), ca: made.cert("b") }).tls,
    ];
    assertEquals(others.map((other) => isSameTls(a, other)), [false, false, false]);
  }));

Deno.test(
  needs("openssl", "tlsFilesOf() takes one pair or several, and authorities with what they are for"),
  () =>
    withCertificates(async (made) => {
      for (const name of ["a", "b"]) await made.add(name, LOCAL);
      const name = (key: string) => key;
      assertEquals(tlsFilesOf({}, name), null);
      assertEquals(tlsFilesOf({ sslVerifyClient: "none" }, name), null);
      const [cert, key] = [made.cert("a"), made.key("a")];
      assertEquals(tlsFilesOf({ sslCert: cert, sslKey: key }, name)!.files, {
        pairs: [{ cert, key }],
        clientCertificates: "none",
        ca: null,
      });
      const several = tlsFilesOf(
        { sslCert: [cert, made.cert("b")], sslKey: [key, made.key("b")], sslCa: cert, sslVerifyClient: "require" },
        name,
      )!;
      assertEquals(several.files, { pairs: filesOf(made, "a", "b").pairs, clientCertificates: "require", ca: cert });
      assertEquals(several.reading.tls.certificates.length, 2);
      const wrong: [Parameters<typeof tlsFilesOf>[0], string][] = [
        [{ sslCert: cert }, "sslCert needs sslKey: give both or neither"],
        [{ sslKey: key }, "sslKey needs sslCert: give both or neither"],
        [{ sslCert: [cert, cert], sslKey: key }, "sslCert and sslKey go in pairs, got 2 and 1 of them"],
        [{ sslCa: cert }, "sslCa needs sslCert"],
        [{ sslVerifyClient: "optional" }, "sslVerifyClient needs sslCert"],
        [
          { sslCert: cert, sslKey: key, sslVerifyClient: "require" },
          "sslVerifyClient require needs sslCa, the authorities that may have signed client certificates",
        ],
        [
          { sslCert: cert, sslKey: key, sslCa: cert },
          "sslCa needs sslVerifyClient optional or require: clients are asked for no certificate",
        ],
        [{ sslCert: cert, sslKey: key, socket: "s" }, "sslCert does not go with socket: a Unix socket is served without TLS"],
      ];
      for (const [options, message] of wrong) {
        const error = assertThrows(() => tlsFilesOf(options, name), StartupError);
        assertEquals([error.message, error.exitCode], [message, 2]);
      }
    }),
);

Deno.test("nodeNeeds() counts several certificates, authorities and the demand for client certificates", () => {
  const needs = (options: Parameters<typeof nodeNeeds>[0]) => nodeNeeds(options, [], (key) => key);
  assertEquals(needs({ sslCert: "a", sslKey: "b" }), []);
  assertEquals(needs({ sslCert: ["a"], sslKey: ["b"], sslVerifyClient: "none" }), []);
  assertEquals(needs({ sslCert: ["a", "b"], sslKey: ["c", "d"] }), ["more than one sslCert"]);
  assertEquals(needs({ sslCert: "a", sslCa: "b", sslVerifyClient: "optional" }), ["sslCa", "sslVerifyClient"]);
});
