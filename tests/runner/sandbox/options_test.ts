/** The options of a sandbox: what goes together, what is said where it does not, and what is printed. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { serve } from "../../../mod.ts";
import { cli, folder } from "../process.ts";

const APP = `export default async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error("Unsupported scope type: " + scope.type);
  let text = "read";
  try { Deno.readTextFileSync("/etc/passwd"); } catch (error) { text = error.name; }
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: text });
};
`;

const WRONG: readonly [args: string[], says: RegExp][] = [
  [["--allow-net=a.com"], /^error: --allow-net needs --sandbox: /],
  [["--permission-set", "x"], /^error: --permission-set needs --sandbox/],
  [["--env-var", "A=1"], /^error: --env-var needs --sandbox/],
  [["--worker-cwd", "/tmp"], /^error: --worker-cwd needs --sandbox/],
  [["--print-sandbox"], /^error: --print-sandbox needs --sandbox/],
  [["--sandbox", "--allow-all"], /^error: --allow-all gives an app everything/],
  [["--sandbox", "--allow-nett=a"], /^error: Unknown permission flag --allow-nett: Deno has/],
  [["--sandbox", "--allow-read="], /^error: Unknown permission flag --allow-read: .* need a value/],
  [["--sandbox", "--workers", "0"], /^error: A sandbox needs a worker/],
  [["--sandbox", "--worker-type", "thread"], /^error: A sandbox needs processes/],
  [["--sandbox", "--env-var", "PAGI_TEST_NOT_THERE"], /^error: There is no environment variable PAGI_TEST_NOT_THERE/],
  [["--sandbox", "--worker-cwd", "app.js"], /^error: --worker-cwd must be a directory, got "app\.js"/],
  [["--sandbox", "--permission-set", "none"], /^error: There is no permission set "none"/],
];

for (const [args, says] of WRONG) {
  Deno.test(`cli ${args.join(" ")} is refused in one line`, async () => {
    await using dir = await folder({ "app.js": APP });
    const { code, stderr } = await cli(["app.js", "--port", "0", ...args], { cwd: dir.path });
    assertEquals(code, 2, stderr);
    assertMatch(stderr, says);
    assertEquals(stderr.trim().split("\n").length, 1);
  });
}

Deno.test("cli --print-sandbox prints the flags as given, the link's own, and runs nothing", async () => {
  await using dir = await folder({
    "app.js": `console.log("it ran");\n${APP}`,
    "deno.json": `{ "permissions": { "app": { "env": ["A"] } } } // with a comment`,
  });
  const args = ["app.js", "--sandbox", "--allow-net=a.com:443", "--deny-net=a.com:22", "--allow-read=data", "--permission-set", "app"];
  const { code, stdout } = await cli([...args, "--env-var", "A=it's", "--print-sandbox"], { cwd: dir.path });
  assertEquals(code, 0);
  assertEquals(stdout.split("\n").length, 2);
  assertMatch(stdout, /^env -i 'A=it'\\''s' PAGI_ENV=production /);
  const link = "--allow-read=SOCKET_OF_THE_WORKER --allow-write=SOCKET_OF_THE_WORKER --deny-read=FOLDER_OF_SOCKETS " +
    "--deny-write=FOLDER_OF_SOCKETS --deny-write=DENO_DIR --allow-net=unix:SOCKET_OF_THE_WORKER";
  // The folder of Deno itself is where it is on this machine.
  assertStringIncludes(
    stdout.replace(/(?<=FOLDER_OF_SOCKETS --deny-write=)\/\S+/, "DENO_DIR"),
    `--allow-net=a.com:443 --deny-net=a.com:22 --allow-read=${dir.path}/data --allow-env=A ${link} --config `,
  );
  for (const flag of ["--no-prompt", "--cached-only", "--no-npm", "--no-remote"]) assertStringIncludes(stdout, ` ${flag} `);
});

Deno.test("serve() shuts an app in, and denials() tells what it was denied", async () => {
  await using dir = await folder({ "app.js": APP });
  await using server = await serve(`${dir.path}/app.js`, { port: 0, quiet: true, sandbox: true, permissions: ["--allow-net=a.com"] });
  assertEquals(await (await fetch(server.url)).text(), "NotCapable");
  const deadline = performance.now() + 5000;
  while (server.denials().length === 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  assertEquals(server.denials(), [{ worker: 1, permission: "read", target: "/etc/passwd", count: 1, derived: true }]);
  assert(server.workers().length === 1);
});

Deno.test({
  name: "cli --worker-user runs the workers as another user",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using dir = await folder({ "app.js": APP.replace("/etc/passwd", "/etc/shadow") });
    await Deno.chmod(dir.path, 0o755);
    const user = "nobody";
    const { code, stderr } = await cli(["app.js", "--sandbox", "--worker-user", "not-a-user", "--port", "0"], { cwd: dir.path });
    assertEquals(code, 2);
    assertMatch(stderr, /There is no user "not-a-user"/);
    await using server = await serve(`${dir.path}/app.js`, {
      port: 0,
      quiet: true,
      sandbox: true,
      permissions: ["--allow-read=/etc/shadow"],
      workerUser: user,
    });
    const [worker] = server.workers();
    assertEquals((await Deno.stat(`/proc/${worker!.pid}`)).uid, 65534);
    assertEquals(await (await fetch(server.url)).text(), "PermissionDenied");
  },
});
