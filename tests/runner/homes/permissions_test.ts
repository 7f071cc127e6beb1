/** A server that may not do everything: what its workers get, and what it says where it may not start them. */

import { assert, assertEquals } from "@std/assert";
import { folder, Output, ROOT } from "../process.ts";

const APP = `export default async (scope, receive, send) => {
  if (scope.type === "lifespan") throw new Error("no lifespan");
  let text = "read";
  try {
    Deno.readTextFileSync("/etc/passwd");
  } catch (error) {
    text = error.name;
  }
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: text });
};
`;

const TEMPORARY = Deno.env.get("TMPDIR") ?? "/tmp";
const DENO = Deno.execPath();

/** The answer of the app, or what the server said when it ended. */
async function run(flags: readonly string[], main: readonly string[], options: Deno.CommandOptions = {}): Promise<string> {
  const child = new Deno.Command(DENO, {
    args: ["run", "--no-prompt", ...flags, `${ROOT}cli.ts`, ...main, "--port", "0"],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    ...options,
  }).spawn();
  const stderr = new Output(child.stderr);
  try {
    const text = await stderr.until(/Listening on \S+?,? /).catch(() => null);
    if (text === null) return stderr.text;
    return await (await fetch(/Listening on (\S+?),? /.exec(text)![1]!)).text();
  } finally {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await child.status;
    await stderr.done;
  }
}

const READ = `--allow-read=${TEMPORARY},${ROOT}`;
const WRITE = `--allow-write=${TEMPORARY}`;
const RUN = `--allow-run=${DENO},cat`;
const linuxOnly = { ignore: Deno.build.os !== "linux" };

async function workers(flags: readonly string[], type = "process"): Promise<string> {
  await using project = await folder({ "app.js": APP });
  return await run(flags, [`${project.path}/app.js`, "--workers", "1", "--worker-type", type]);
}

const ANSWERS: Readonly<Record<string, [string, readonly string[]]>> = {
  "all": ["read", ["-A"]],
  "the least": ["NotCapable", ["--allow-env", "--allow-net", READ, WRITE, RUN]],
  "all but what is denied": ["NotCapable", ["-A", "--deny-read=/etc"]],
  "whole permissions": ["read", ["--allow-env", "--allow-net", "--allow-read", "--allow-write", "--allow-run"]],
};

for (const [name, [answer, flags]] of Object.entries(ANSWERS)) {
  Deno.test({ ...linuxOnly, name: `workers of a server with permissions get the same: ${name}` }, async () => {
    assertEquals(await workers(flags), answer);
  });
}

const REFUSALS: Readonly<Record<string, [RegExp, readonly string[]]>> = {
  "no --allow-run": [/error: Workers can't get the permissions of the server.* with cat in --allow-run/, [
    "--allow-env",
    "--allow-net",
    READ,
    WRITE,
  ]],
  "no program": [/error: The server may not start worker processes: Requires run access to .*--allow-run=/, [
    "--allow-env",
    "--allow-net",
    READ,
    WRITE,
    "--allow-run=cat",
  ]],
  "a list of hosts": [/error: The server may not start worker processes: Requires net access to "unix:.*They take --allow-net,/, [
    "--allow-env",
    "--allow-net=127.0.0.1",
    READ,
    WRITE,
    RUN,
  ]],
  "no folder to write to": [/error: The server may not start worker processes: Requires write access to/, [
    "--allow-env",
    "--allow-net",
    READ,
    RUN,
  ]],
};

for (const [name, [wanted, flags]] of Object.entries(REFUSALS)) {
  Deno.test({ ...linuxOnly, name: `a server that may not start workers says what is missing: ${name}` }, async () => {
    const text = await workers(flags);
    assert(wanted.test(text), text);
  });
}

Deno.test("threads take no more than the permission to read the server's modules and the app", async () => {
  assertEquals(await workers(["--allow-env", "--allow-net", READ], "thread"), "NotCapable");
  // Denied, since the project may lie in the temporary folder itself.
  const flags = ["--allow-env", "--allow-net", `--allow-read=${TEMPORARY}`, `--deny-read=${ROOT}src/worker.ts`];
  const text = await workers(flags, "thread");
  assert(/error: Worker 1 ended while it started: Requires read access to ".*worker\.ts"/.test(text), text);
});

Deno.test({ ...linuxOnly, name: "workers of a server with a permission set get it too" }, async () => {
  const own = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const permissions = { default: { env: true, net: true, read: [TEMPORARY, ROOT], write: [TEMPORARY], run: [DENO, "cat"] } };
  await using project = await folder({
    "app.js": APP,
    "deno.json": JSON.stringify({
      imports: own.imports,
      links: (own.links as string[]).map((link) => new URL(link, `file://${ROOT}`).pathname),
      permissions,
    }),
  });
  const flags = ["-P", "--no-lock", "--config", `${project.path}/deno.json`];
  assertEquals(await run(flags, [`${project.path}/app.js`, "--workers", "1"]), "NotCapable");
});

const FAKES: Readonly<Record<string, string | null>> = {
  "is missing": null,
  "knows no --pdeathsig": "#!/bin/sh\necho \"setpriv: unrecognized option '--pdeathsig'\" >&2\nexit 1\n",
};

for (const [name, script] of Object.entries(FAKES)) {
  Deno.test({ ...linuxOnly, name: `workers start where setpriv ${name}, and it is said once` }, async () => {
    await using project = await folder({ "app.js": APP, ...(script === null ? {} : { "bin/setpriv": script }) });
    if (script !== null) await Deno.chmod(`${project.path}/bin/setpriv`, 0o755);
    const child = new Deno.Command(DENO, {
      args: ["run", "-A", `${ROOT}cli.ts`, `${project.path}/app.js`, "--workers", "2", "--port", "0", "--log-level", "debug"],
      env: { NO_COLOR: "1", PATH: `${project.path}/bin` },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const stderr = new Output(child.stderr);
    await stderr.until("Worker 1 is ready");
    await stderr.until("Worker 2 is ready");
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
    await stderr.done;
    assertEquals(stderr.text.split("Workers are started without setpriv").length, 2, stderr.text);
  });
}
