import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { LINK_DIRECTORY_PREFIX, linkOwner, makeLinkDirectory, ownerOf, startOf } from "../../../src/links/link_directory.ts";
import { sweepStaleDirectories } from "../../../src/runner/homes/stale_directories.ts";
import { APP, Cli, folder } from "../process.ts";

const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();
const linuxOnly = { ignore: Deno.build.os !== "linux" };

Deno.test({ ...linuxOnly, name: "makeLinkDirectory() names its owner" }, async () => {
  const path = await makeLinkDirectory();
  await Deno.remove(path);
  assertEquals(ownerOf(nameOf(path)), linkOwner());
  assertEquals(linkOwner()?.pid, Deno.pid);
});

Deno.test("ownerOf() takes no other name, and none that does not tell", () => {
  for (
    const name of ["pagi-link-", "pagi-link-1-2-x", "pagi-link-0-1-1-x", "pagi-link-7-0-0-x", "x-pagi-link-1-1-1-x", "pagi-link--1-1-1-x"]
  ) {
    assertEquals(ownerOf(name), null, name);
  }
});

Deno.test({ ...linuxOnly, name: "startOf() tells processes apart, and is null where there is none" }, async () => {
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  const startedAt = startOf(child.pid);
  assert(startedAt! > startOf(1)!);
  child.kill("SIGKILL");
  await child.status;
  assertEquals(startOf(child.pid), null);
});

Deno.test({ ...linuxOnly, name: "sweepStaleDirectories() removes what dead servers left, and nothing else" }, async () => {
  await using place = await folder();
  const self = linkOwner()!;
  const child = new Deno.Command("true").spawn();
  await child.status;
  const name = (pid: number, startedAt: number, namespace: number) =>
    `${LINK_DIRECTORY_PREFIX}${pid}-${startedAt.toString(36)}-${namespace.toString(36)}-x`;
  const stale = [
    name(child.pid, self.startedAt, self.namespace),
    // The number is in use again.
    name(Deno.pid, self.startedAt - 1, self.namespace),
  ];
  const kept = [
    name(Deno.pid, self.startedAt, self.namespace),
    name(child.pid, self.startedAt, self.namespace + 1),
    name(child.pid, 0, self.namespace),
    `${LINK_DIRECTORY_PREFIX}${child.pid}-x`,
    "other",
  ];
  for (const directory of [...stale, ...kept]) {
    await Deno.mkdir(`${place.path}/${directory}/in`, { recursive: true });
    Deno.listen({ transport: "unix", path: `${place.path}/${directory}/link` }).close();
  }
  // Neither a file nor a link to a directory is one of ours.
  const file = name(child.pid, self.startedAt + 1, self.namespace);
  const link = name(child.pid, self.startedAt + 2, self.namespace);
  await Deno.writeTextFile(`${place.path}/${file}`, "");
  await Deno.symlink(`${place.path}/other`, `${place.path}/${link}`);
  const notes: string[] = [];
  await sweepStaleDirectories(place.path, (level, text) => notes.push(`${level} ${text}`));
  assertEquals(names(place.path), [...kept, file, link].sort());
  assertEquals(names(`${place.path}/other`).includes("in"), true);
  assertEquals(notes, ["debug A directory of a dead server was removed", "debug A directory of a dead server was removed"]);
});

Deno.test({ ...linuxOnly, name: "sweepStaleDirectories() notes a folder that it can't read, and goes on" }, async () => {
  const notes: string[] = [];
  await sweepStaleDirectories("/nowhere/at/all", (level) => notes.push(level));
  assertEquals(notes, ["debug"]);
});

Deno.test({ ...linuxOnly, name: "what a server leaves that is killed while it starts a worker is removed by the next one" }, async () => {
  await using place = await folder();
  await using project = await folder({ "app.js": APP });
  const options = { env: { TMPDIR: place.path } };
  const args = [`${project.path}/app.js`, "--port", "0", "--workers", "1"];
  for (let tries = 0; names(place.path).length === 0 && tries < 10; tries++) {
    await using server = new Cli(args, options);
    const deadline = performance.now() + 10_000;
    while (names(place.path).length === 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 1));
    server.kill("SIGKILL");
    await server.finished();
  }
  assertNotEquals(names(place.path), []);
  await using server = new Cli([...args, "--log-level", "debug"], options);
  await server.url();
  await server.stderr.until("Worker 1 is ready");
  const deadline = performance.now() + 3000;
  while (names(place.path).length > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  const { code, stderr } = await server.stop();
  assertEquals([code, stderr.includes("A directory of a dead server was removed")], [0, true]);
  assertEquals(names(place.path), []);
});
