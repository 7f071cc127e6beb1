/** `--forwarded-allow-ips` from the command line to the access log. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { RawClient } from "../engines/engine_peer.ts";
import { APP, Cli, cli, folder } from "./process.ts";

const REQUEST = (peer: string) => `GET /a HTTP/1.1\r\nHost: inner\r\nX-Forwarded-For: 9.9.9.9, ${peer}\r\nConnection: close\r\n\r\n`;

for (const engine of ["deno", "node"]) {
  Deno.test(`the access log shows the client that a trusted proxy names, engine ${engine}`, async () => {
    await using files = await folder({ "app.ts": APP });
    for (const [given, client] of [["127.0.0.0/8,unix", "192.0.2.1"], ["10.0.0.1", "127.0.0.1"], ["*", "9.9.9.9"]] as const) {
      const args = ["--port", "0", "--engine", engine, "--forwarded-allow-ips", given, "--access-log", "-", "--env", "production"];
      await using server = new Cli([`${files.path}/app.ts`, ...args]);
      const { port } = new URL(await server.url());
      using peer = await RawClient.connect(Number(port));
      await peer.send(REQUEST("192.0.2.1"));
      assertEquals((await peer.response()).status, 200);
      assertMatch(await server.stdout.until(/"GET \/a"/), new RegExp(`^${client.replaceAll(".", "\\.")} - - `, "m"));
      const { stderr } = await server.stop();
      assertEquals(stderr.includes(" warn Forwarding headers are taken from everybody"), given === "*", stderr);
    }
  });
}

Deno.test("--forwarded-allow-ips with what is no address ends with code 2 and one line", async () => {
  const { code, stderr } = await cli(["--forwarded-allow-ips", "10.0.0.0/8,proxy.example", "-e", "{ fetch: () => new Response() }"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "--forwarded-allow-ips must be addresses such as");
  assertStringIncludes(stderr, '"proxy.example" is no address, and names are not resolved');
  assertEquals(stderr.trim().split("\n").length, 1, stderr);
});
