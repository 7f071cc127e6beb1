/** 08-tls-introspection: the certificates, the server and the clients of its README. */

import { assertEquals, assertMatch } from "@std/assert";
import type { TlsInfo } from "../../src/spec/scope.ts";
import { needs } from "../tools.ts";
import { curl, run } from "./running.ts";

const README = new URL("../../examples/08-tls-introspection/README.md", import.meta.url);
const FILES = ["cert.pem", "key.pem", "ca.pem"];

type Told = Record<keyof TlsInfo, unknown>;

/** A folder with what the commands of the README make, their lines typed into a shell as they are. */
async function made(): Promise<AsyncDisposable & { path: string; readme: string }> {
  const readme = await Deno.readTextFile(README);
  const path = await Deno.makeTempDir({ prefix: "example_" });
  const commands = [...readme.matchAll(/^ {4}openssl (?:.*\\\n)*.*$/gm)].map(([command]) => command);
  assertEquals(commands.length, 3);
  for (const command of commands) await shell(command, path);
  return { path, readme, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function shell(command: string, cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("sh", { args: ["-c", command], cwd, stdin: "null" }).output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

function toldOf(answer: string): Told {
  assertMatch(answer, /^TLS info:\n/);
  return JSON.parse(answer.slice("TLS info:\n".length));
}

Deno.test(needs(["curl", "openssl"], "08-tls-introspection shows the whole extension, with a client certificate and without"), async () => {
  await using folder = await made();
  const replace = Object.fromEntries(FILES.map((name) => [name, `${folder.path}/${name}`]));
  await using example = await run("08-tls-introspection", [], replace);
  const pem = async (name: string) => await Deno.readTextFile(`${folder.path}/${name}`);
  const clients = [...folder.readme.matchAll(/^ {4}(curl .*)$/gm)].map(([, command]) =>
    `${command!.replace("5000", String(example.port))} -sS`
  );
  assertEquals(clients.length, 2);
  const [without, ada] = [toldOf(await shell(clients[0]!, folder.path)), toldOf(await shell(clients[1]!, folder.path))] as const;
  assertEquals(without, {
    server_cert: await pem("cert.pem"),
    client_cert_chain: [],
    client_cert_name: null,
    client_cert_error: null,
    tls_version: "0x0304",
    cipher_suite: without.cipher_suite,
  });
  assertMatch(String(without.cipher_suite), /^0x130[1-3]$/);
  assertEquals(ada, {
    ...without,
    client_cert_chain: [await pem("client.pem"), await pem("ca.pem")],
    client_cert_name: "CN=Ada,O=Example",
  });

  // TLS 1.2, and a certificate that nobody we know has signed.
  const other = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=Eve " +
    "-addext extendedKeyUsage=clientAuth -keyout other.key -out other.pem";
  await shell(other, folder.path);
  const eve = toldOf(await shell(`${clients[0]} --tls-max 1.2 --cert other.pem --key other.key`, folder.path));
  assertEquals([eve.client_cert_name, eve.client_cert_chain, eve.tls_version], ["CN=Eve", [await pem("other.pem")], "0x0303"]);
  assertMatch(String(eve.client_cert_error), /\w/);
  assertMatch(String(eve.cipher_suite), /^0xc0[0-9a-f]{2}$|^0xcca[89]$/);
  await example.stop();
});

Deno.test(needs("curl", "08-tls-introspection tells that there is no TLS"), async () => {
  const none = { "--ssl-cert": "--quiet", "--ssl-key": "--quiet", "--ssl-ca": "--quiet", "--ssl-verify-client": "--quiet" };
  const nothing = { "optional": "--no-quiet", ...Object.fromEntries(FILES.map((name) => [name, "--no-quiet"])) };
  await using example = await run("08-tls-introspection", [], { ...none, ...nothing, node: "deno" });
  assertEquals(await curl(example.url), "Connection is not using TLS\n");
  await example.stop();
});
