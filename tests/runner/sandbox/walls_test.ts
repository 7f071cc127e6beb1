/** What a sandboxed app may not change or fill: the rooms of workers, and Deno's own folder with the modules that others run. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { folder } from "../process.ts";
import { ask, refusal, TimedCli } from "./attacker.ts";

const ARGS = ["app.js", "--port", "0", "--sandbox", "--shutdown-timeout", "2"];

const APP = `
const tries = {
  write: (path) => Deno.writeTextFileSync(path, "x"),
  link: () => Deno.writeTextFileSync(Deno.cwd() + "/../deno/remote/x", "x"),
  fill: async () => {
    for (let n = 0; n < 20; n++) await import("data:application/typescript," + encodeURIComponent("export const n: number = " + (n + Math.random())));
    return "filled";
  },
};
export default async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error("Unsupported scope type: " + scope.type);
  const [, name, ...rest] = scope.path.split("/");
  let text;
  try { text = "got " + await tries[name]("/" + rest.join("/")); } catch (error) { text = error.name; }
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: text });
};
`;

/** A folder for Deno, with what it has downloaded already. */
async function cacheIn(dir: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", "--no-config"] }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout));
  await Deno.mkdir(`${dir}/cache/gen`, { recursive: true });
  for (const name of ["npm", "remote"]) await Deno.symlink(`${denoDir}/${name}`, `${dir}/cache/${name}`);
  return `${dir}/cache`;
}

Deno.test("an app leaves nothing in Deno's own folder by modules that it makes", async () => {
  await using dir = await folder({ "app.js": APP });
  const denoDir = await cacheIn(dir.path);
  await using command = new TimedCli([...ARGS, "--log-level", "error"], { cwd: dir.path, env: { DENO_DIR: denoDir } });
  const url = await command.url();
  assertEquals(await ask(url, "fill"), "got filled");
  assert(![...Deno.readDirSync(`${denoDir}/gen`)].some(({ name }) => name === "data"), "nothing of the app is in it");
  assertEquals((await command.stop()).code, 0);
});

const REFUSED: readonly [what: string, path: (dir: string) => string, says: RegExp][] = [
  ["the folder of rooms", (dir) => `${dir}/tmp`, /covers \S+\/tmp, where the folders of workers are made: .*set TMPDIR elsewhere/],
  ["what holds the folder of rooms", (dir) => dir, /covers \S+\/tmp, where the folders of workers are made/],
  ["a link to it", (dir) => `${dir}/link`, /covers \S+\/tmp, where the folders of workers are made/],
  ["Deno's folder", (dir) => `${dir}/cache`, /covers the modules of Deno in \S+\/cache, which other programs run/],
  ["a part of Deno's folder", (dir) => `${dir}/cache/gen/x`, /covers the modules of Deno in \S+\/cache/],
];

for (const [what, path, says] of REFUSED) {
  Deno.test(`a sandbox refuses --allow-write of ${what}`, async () => {
    await using dir = await folder({ "app.js": APP });
    await Deno.mkdir(`${dir.path}/tmp`);
    await cacheIn(dir.path);
    await Deno.symlink("tmp", `${dir.path}/link`);
    const { code, stderr } = await refusal([...ARGS, `--allow-write=${path(dir.path)}`], {
      cwd: dir.path,
      env: { TMPDIR: `${dir.path}/tmp`, DENO_DIR: `${dir.path}/cache` },
    });
    assertEquals(code, 2, stderr);
    assertMatch(stderr, says);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
    assertEquals([...Deno.readDirSync(`${dir.path}/tmp`)], []);
  });
}

Deno.test("an app that may write everywhere is warned of, and does not write into Deno's folder or its room by their names", async () => {
  await using dir = await folder({ "app.js": APP });
  const denoDir = await cacheIn(dir.path);
  await using command = new TimedCli([...ARGS, "--allow-write", "--allow-read"], { cwd: dir.path, env: { DENO_DIR: denoDir } });
  const url = await command.url();
  await command.stderr.until(/--allow-write of everything ends the sandbox/);
  assertEquals(await ask(url, `write${dir.path}/own`), "got undefined");
  assertEquals(await ask(url, `write${denoDir}/x`), "NotCapable");
  assertEquals(await ask(url, "link"), "NotCapable");
  assert(![...Deno.readDirSync(denoDir)].some(({ name }) => name === "x"));
  await command.stop();
});
