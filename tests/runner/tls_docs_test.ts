/** The recipe of docs/tls.md, typed into a shell as it stands there. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { needs } from "../tools.ts";
import { APP, Cli, folder, ROOT } from "./process.ts";

/** The shell blocks under a heading. */
async function blocks(heading: string): Promise<string[]> {
  const page = await Deno.readTextFile(`${ROOT}docs/tls.md`);
  const part = page.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;
  return [...part.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, text]) => text!);
}

async function shell(command: string, cwd: string): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command("sh", { args: ["-ec", command], cwd, stdin: "null" }).output();
  return { success, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test(needs(["openssl", "curl"], "docs/tls.md: its authority, its server and its clients do what it says"), async () => {
  const [make, serve, curls, handshake] = await blocks("Trying it out") as [string, string, string, string];
  await using files = await folder({ "app.js": APP });
  const made = await shell(make, files.path);
  assert(made.success, made.text);
  const args = /^deno run -A jsr:@pagi\/server app\.ts (.*)\n$/.exec(serve)![1]!.split(" ");
  await using server = new Cli(["app.js", "-p", "0", "--env", "production", ...args], { cwd: files.path });
  const { port } = new URL(await server.url());
  assertStringIncludes(server.stderr.text, "engine node");
  const [known, unknown] = curls.trim().split("\n").map((line) => `${line.replace("5000", port)} -sS`) as [string, string];
  assertEquals(await shell(known, files.path), { success: true, text: "/" });
  assertEquals((await shell(unknown, files.path)).success, false);
  const { text } = await shell(`${handshake.trim().replace("5000", port)} -verify_return_error`, files.path);
  for (const said of ["Verify return code: 0 (ok)", "ALPN protocol: h2", "Acceptable client certificate CA names\nCN = Test authority"]) {
    assertStringIncludes(text, said);
  }
  const { code, stderr } = await server.stop();
  assertEquals([code, /\bwarn\b/.test(stderr)], [0, false], stderr);
});
