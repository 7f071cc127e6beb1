/** What an app finds of its project, its packages and its environment: real processes. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { folder } from "../process.ts";
import { APP, ARGS, ask, refusal, serves, TimedCli } from "./attacker.ts";

const PACKAGE = { "package.json": `{ "dependencies": { "a": "1.0.0" } }` };
const A = {
  "node_modules/a/package.json":
    `{ "name": "a", "version": "1.0.0", "type": "module", "exports": { ".": "./index.js", "./link": "./link.js" } }`,
  "node_modules/a/index.js": `export default "the package";`,
  "node_modules/a/link.js": `import t from "./out.txt" with { type: "text" }; export default t;`,
};
/** Adds a try to the app. */
const trying = (code: string) => APP.replace("const tries = {", `const tries = {\n  more: async () => { ${code} },`);

Deno.test("a sandboxed app imports a package of its node_modules", async () => {
  await using dir = await folder({ ...PACKAGE, ...A, "app.js": `import a from "a";\n${trying("return a;")}` });
  await using command = new TimedCli(ARGS, { cwd: dir.path });
  assertEquals(await ask(await command.url(), "more"), "got the package");
  await command.stop();
});

Deno.test("a sandbox refuses packages with a symbolic link that leaves the project", async () => {
  await using dir = await folder({ ...PACKAGE, ...A, "app.js": `import a from "a/link";\n${trying("return a;")}` });
  await Deno.symlink("/etc/passwd", `${dir.path}/node_modules/a/out.txt`);
  const { code, stdout, stderr } = await refusal(ARGS, { cwd: dir.path });
  assertEquals([code, stdout], [3, ""], stderr);
  assertMatch(stderr, /out\.txt is a symbolic link to \/etc\/passwd outside of .*allow it with --allow-read=\/etc\/passwd/);
});

Deno.test("an app without packages reads nothing through a node_modules", async () => {
  const text = `return (await import(new URL("./node_modules/a/" + "out.txt", import.meta.url), { with: { type: "text" } })).default;`;
  await using dir = await folder({ ...PACKAGE, ...A, "app.js": trying(text) });
  await Deno.symlink("/etc/passwd", `${dir.path}/node_modules/a/out.txt`);
  await using command = new TimedCli(ARGS, { cwd: dir.path });
  assertMatch(await ask(await command.url(), "more"), /^TypeError: Requires read access/);
  await command.stop();
});

Deno.test("an app imports from the folder of its configuration, except what is hidden", async () => {
  const files = { "deno.json": "{}", "lib/x.js": `export default "mine";`, ".env": "SECRET=1" };
  await using dir = await folder({ ...files, "src/app.js": `import x from "../lib/x.js";\n${trying("return x;")}` });
  const args = ["src/app.js", ...ARGS.slice(1)];
  await using command = new TimedCli(args, { cwd: dir.path });
  assertEquals(await ask(await command.url(), "more"), "got mine");
  await command.stop();
  await Deno.writeTextFile(`${dir.path}/src/app.js`, `import x from "../.env" with { type: "text" };\n${trying("return x;")}`);
  const { code, stderr } = await refusal(args, { cwd: dir.path });
  assertEquals(code, 3, stderr);
  assertMatch(stderr, /\.env, a hidden file or in a hidden folder: allow it with --allow-read=/);
  await using allowed = new TimedCli([...args, "--allow-read=.env"], { cwd: dir.path });
  assertEquals(await ask(await allowed.url(), "more"), "got SECRET=1");
  await allowed.stop();
});

Deno.test("a worker has the environment it is given, and nothing of the server's", async () => {
  await using dir = await folder({ "app.js": trying("return Object.keys(Deno.env.toObject()).sort().join();") });
  await using command = new TimedCli([...ARGS, "--allow-env", "--env-var", "GIVEN=1"], { cwd: dir.path, env: { SECRET: "hidden" } });
  const names = await ask(await command.url(), "more");
  assertStringIncludes(names, "GIVEN");
  assertEquals(/SECRET|HOME|USER/.exec(names), null, names);
  await command.stop();
});

Deno.test("a real worker has what its permission set gives, and its link", async () => {
  await using dir = await folder({ "app.js": APP, "deno.json": `{ "permissions": { "app": { "read": ["/etc/passwd"] } } }` });
  await using command = new TimedCli([...ARGS, "--permission-set", "app"], { cwd: dir.path });
  const url = await command.url();
  assertStringIncludes(await ask(url, "passwd"), "root:");
  assertMatch(await ask(url, "sockets"), /^NotCapable/);
  await serves(url);
  await command.stop();
});
