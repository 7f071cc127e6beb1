/** Certificates of a running command: replaced by signals and by what certbot and Kubernetes do, under load, and kept where they are wrong. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { needs } from "../tools.ts";
import { Certificates } from "./certificates.ts";
import { Cli, cli, folder } from "./process.ts";

/** Answers with the certificate that the client was shown. */
const APP = `export default async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error("Unsupported scope type: " + scope.type);
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
  await send({ type: "http.response.body", body: scope.extensions.tls.server_cert });
};
`;

const LOCAL = { names: "DNS:localhost,IP:127.0.0.1", signer: "ca" };

/** An authority, some certificates of one host, and a place where one of them is in force. */
class Site implements AsyncDisposable {
  readonly made: Certificates;
  readonly path: string;

  private constructor(made: Certificates) {
    this.made = made;
    this.path = `${made.path}/site`;
  }

  static async make(...names: string[]): Promise<Site> {
    const site = new Site(await Certificates.make());
    await site.made.add("ca", { isAuthority: true });
    for (const name of names) await site.made.add(name, LOCAL);
    await Deno.mkdir(site.path);
    await Deno.writeTextFile(`${site.path}/app.js`, APP);
    return site;
  }

  get options(): string[] {
    return ["--ssl-cert", `${this.path}/cert.pem`, "--ssl-key", `${this.path}/key.pem`];
  }

  /** Copies a certificate and its key over those in force. */
  async put(name: string): Promise<void> {
    await Deno.copyFile(this.made.key(name), `${this.path}/key.pem`);
    await Deno.copyFile(this.made.cert(name), `${this.path}/cert.pem`);
  }

  serve(...args: string[]): Cli {
    return new Cli([`${this.path}/app.js`, "-p", "0", "--env", "production", "--lifespan", "off", ...this.options, ...args]);
  }

  async caCerts(): Promise<string[]> {
    return [await Deno.readTextFile(this.made.cert("ca"))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.made[Symbol.asyncDispose]();
  }
}

async function portOf(server: Cli): Promise<number> {
  return Number(new URL(await server.url()).port);
}

/** The common name that `openssl s_client` is shown on a new connection. */
async function shown(port: number, ...args: string[]): Promise<string | undefined> {
  const { stdout } = await new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${port}`, ...args],
    stdin: "null",
    stderr: "null",
  }).output();
  return /^subject=.*CN ?= ?([^,\n]+)$/m.exec(new TextDecoder().decode(stdout))?.[1];
}

/** One request over a connection; the body of its answer. */
async function request(connection: Deno.Conn): Promise<string> {
  await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  const buffer = new Uint8Array(16_384);
  for (let text = "";;) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error(`The connection ended: ${text}`);
    text += new TextDecoder().decode(buffer.subarray(0, count));
    const [head, body] = text.split("\r\n\r\n") as [string, string | undefined];
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1]);
    if (body !== undefined && body.length >= length) {
      assertMatch(head, /^HTTP\/1\.1 200 /);
      return body;
    }
  }
}

Deno.test(
  needs("openssl", "cli --engine node: HUP and a changed file give new connections the new certificate, and open ones go on"),
  async () => {
    await using site = await Site.make("one", "two", "three");
    await site.put("one");
    await using server = site.serve("--engine", "node");
    const port = await portOf(server);
    const caCerts = await site.caCerts();
    using before = await Deno.connectTls({ hostname: "localhost", port, caCerts });
    const one = await request(before);
    assertEquals([one, await shown(port)], [await Deno.readTextFile(site.made.cert("one")), "one"]);

    server.kill("SIGHUP");
    await server.stderr.until("SIGHUP: the certificates have not changed");

    // No signal, then one.
    await site.put("two");
    await server.stderr.until(/The TLS files have changed: new connections get localhost, 127\.0\.0\.1 \(until \d{4}-\d\d-\d\d\)/);
    assertEquals([await shown(port, "-tls1_2"), await shown(port, "-tls1_3"), await request(before)], ["two", "two", one]);

    await Deno.writeTextFile(`${site.path}/cert.pem`, "not a certificate\n");
    const told = (await server.stderr.until(/certificates stay as they are: \S+cert\.pem holds no certificate in PEM form/)).length;
    assertEquals(await shown(port), "two");
    server.kill("SIGHUP");
    await server.stderr.until(/SIGHUP, the certificates stay as they are/, told);
    await site.put("three");
    server.kill("SIGHUP");
    await server.stderr.until(/(?:SIGHUP|have changed): new connections get/, told);
    assertEquals(await request(before), one);
    assertEquals((await server.stop()).code, 0);
  },
);

Deno.test(
  needs("openssl", "cli --engine node: 200 fresh connections while certificates are exchanged all the time, and none fails"),
  async () => {
    await using site = await Site.make("one", "two");
    // As certbot has it: links that are turned.
    for (const [file, kind] of [["cert.pem", "crt"], ["key.pem", "key"]] as const) {
      await Deno.symlink(
        `../one.${kind}`,
        `${site.path}/${file}`,
      );
    }
    await using server = site.serve("--engine", "node");
    const port = await portOf(server);
    const caCerts = await site.caCerts();
    const seen = new Map<string, number>();
    let left = 200;
    const client = async () => {
      while (left-- > 0) {
        using connection = await Deno.connectTls({ hostname: "localhost", port, caCerts });
        const cert = await request(connection);
        seen.set(cert, (seen.get(cert) ?? 0) + 1);
      }
    };
    const turn = async () => {
      for (let name = "two"; left > 0; name = name === "two" ? "one" : "two") {
        for (const [file, kind] of [["key.pem", "key"], ["cert.pem", "crt"]] as const) {
          await Deno.symlink(`../${name}.${kind}`, `${site.path}/new`);
          await Deno.rename(`${site.path}/new`, `${site.path}/${file}`);
        }
        const said = server.stderr.text.length;
        server.kill("SIGHUP");
        await server.stderr.until(/SIGHUP\b/, said);
      }
    };
    await Promise.all([client(), client(), client(), client(), turn()]);
    const pem = async (name: string) => await Deno.readTextFile(site.made.cert(name));
    assertEquals(new Set(seen.keys()), new Set([await pem("one"), await pem("two")]));
    assertEquals([...seen.values()].reduce((sum, count) => sum + count), 200);
    const { code, stderr } = await server.stop();
    assertEquals(code, 0);
    assert((stderr.match(/SIGHUP: new connections get/g) ?? []).length >= 5, stderr);
    assertEquals(/\b(?:error|warn)\b/i.test(stderr), false, stderr);
  },
);

Deno.test(needs("openssl", "cli --engine node: a folder that is exchanged, as Kubernetes does it, is noticed"), async () => {
  await using site = await Site.make("one", "two");
  for (const name of ["one", "two"]) {
    await Deno.mkdir(`${site.path}/..${name}`);
    await Deno.copyFile(site.made.cert(name), `${site.path}/..${name}/cert.pem`);
    await Deno.copyFile(site.made.key(name), `${site.path}/..${name}/key.pem`);
  }
  await Deno.symlink("..one", `${site.path}/..data`);
  for (const file of ["cert.pem", "key.pem"]) await Deno.symlink(`..data/${file}`, `${site.path}/${file}`);
  await using server = site.serve("--engine", "node");
  const port = await portOf(server);
  assertEquals(await shown(port), "one");
  await Deno.symlink("..two", `${site.path}/..new`);
  await Deno.rename(`${site.path}/..new`, `${site.path}/..data`);
  await Deno.remove(`${site.path}/..one`, { recursive: true });
  await server.stderr.until("The TLS files have changed: new connections get");
  assertEquals(await shown(port), "two");
  assertEquals((await server.stop()).code, 0);
});

Deno.test(needs("openssl", "cli --engine node: client certificates of an authority that was replaced get nobody in any more"), async () => {
  await using site = await Site.make("one");
  await site.put("one");
  for (const name of ["old", "new"]) {
    await site.made.add(name, { isAuthority: true });
    await site.made.add(`${name}_client`, { usage: "clientAuth", signer: name });
  }
  const ca = `${site.path}/ca.pem`;
  await Deno.copyFile(site.made.cert("old"), ca);
  await using server = site.serve("--engine", "node", "--ssl-ca", ca, "--ssl-verify-client", "require");
  const port = await portOf(server);
  const caCerts = await site.caCerts();
  const isIn = async (client: string) => {
    const cert = await Deno.readTextFile(site.made.cert(client));
    const key = await Deno.readTextFile(site.made.key(client));
    try {
      using connection = await Deno.connectTls({ hostname: "localhost", port, caCerts, cert, key });
      return (await request(connection)) !== "";
    } catch {
      return false;
    }
  };
  assertEquals([await isIn("old_client"), await isIn("new_client")], [true, false]);
  await Deno.copyFile(site.made.cert("new"), ca);
  server.kill("SIGHUP");
  await server.stderr.until("SIGHUP: new connections get");
  assertEquals([await isIn("old_client"), await isIn("new_client")], [false, true]);
  assertEquals((await server.stop()).code, 0);
});

Deno.test(needs("openssl", "cli --engine node --workers: HUP replaces the certificates and the workers"), async () => {
  await using site = await Site.make("one", "two");
  await site.put("one");
  await using server = site.serve("--engine", "node", "--workers", "1");
  const port = await portOf(server);
  assertEquals(await shown(port), "one");
  await site.put("two");
  server.kill("SIGHUP");
  await server.stderr.until(/(?:SIGHUP|have changed): new connections get/);
  assertEquals(await shown(port), "two");
  using connection = await Deno.connectTls({ hostname: "localhost", port, caCerts: await site.caCerts() });
  assertEquals(await request(connection), await Deno.readTextFile(site.made.cert("two")));
  assertEquals((await server.stop()).code, 0);
});

Deno.test(needs("openssl", "cli --engine deno keeps its certificate, and says so for each change and at each HUP"), async () => {
  await using site = await Site.make("one", "two");
  await site.put("one");
  await using server = site.serve("--engine", "deno");
  const port = await portOf(server);
  server.kill("SIGHUP");
  await server.stderr.until("SIGHUP has no effect");
  await site.put("two");
  server.kill("SIGHUP");
  const kept = "SIGHUP: this engine keeps the certificate that it has until the server starts again";
  const told = (await server.stderr.until(kept)).length;
  server.kill("SIGHUP");
  await server.stderr.until(kept, told);
  assertEquals(await shown(port), "one");
  assertEquals((await server.stop()).code, 0);
});

Deno.test(needs("openssl", "cli warns of a key that others may read and of a certificate that is out of date, and serves"), async () => {
  await using site = await Site.make();
  await site.made.add("old", { ...LOCAL, dates: ["250101000000Z", "250201000000Z"] });
  await site.put("old");
  await Deno.chmod(`${site.path}/key.pem`, 0o640);
  for (const engine of ["deno", "node"]) {
    await using server = site.serve("--engine", engine);
    await server.stderr.until(`The key ${site.path}/key.pem is open to other users (mode 0640): chmod 600 ${site.path}/key.pem`);
    await server.stderr.until(`The certificate ${site.path}/cert.pem has expired: it was valid until 2025-02-01`);
    assertEquals(await shown(await portOf(server)), "old");
    assertEquals((await server.stop()).code, 0);
  }
});

Deno.test(needs("openssl", "cli takes several certificates in pairs, from its arguments and from the environment"), async () => {
  await using site = await Site.make("one", "two");
  await site.put("one");
  const { made } = site;
  {
    await using server = site.serve("--ssl-cert", made.cert("two"), "--ssl-key", made.key("two"));
    // Nobody has named an engine: several certificates need this one.
    assertStringIncludes(await server.stderr.until("engine"), "node");
    assertEquals(await shown(await portOf(server)), "one");
    assertEquals((await server.stop()).code, 0);
  }
  await using files = await folder({ "app.js": APP });
  const env = {
    PAGI_SSL_CERT: `${made.cert("two")}\n${made.cert("one")}`,
    PAGI_SSL_KEY: `${made.key("two")}\n${made.key("one")}`,
  };
  await using server = new Cli(["app.js", "-p", "0", "--env", "production"], { cwd: files.path, env });
  assertEquals(await shown(await portOf(server)), "two");
  assertEquals((await server.stop()).code, 0);
  const wrong: [args: string[], code: number, message: RegExp][] = [
    [["--engine", "deno", "--ssl-cert", made.cert("two"), "--ssl-key", made.key("two")], 2, /more than one --ssl-cert/],
    [["--engine", "deno", "--ssl-ca", made.cert("ca"), "--ssl-verify-client", "require"], 2, /--ssl-ca/],
    [["--ssl-cert", made.cert("two")], 2, /^error: --ssl-cert and --ssl-key go in pairs, got 2 and 1 of them\n$/],
    [["--ssl-verify-client", "require"], 2, /^error: --ssl-verify-client require needs --ssl-ca, /],
    [["--ssl-verify-client", "maybe"], 2, /^error: --ssl-verify-client must be none, optional or require, got "maybe"\n$/],
  ];
  for (const [args, code, message] of wrong) {
    const finished = await cli([`${site.path}/app.js`, "-p", "0", ...site.options, ...args]);
    assertEquals(finished.code, code, finished.stderr);
    assertMatch(finished.stderr, message);
  }
});
