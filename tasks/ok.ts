/**
 * `deno task ok`: everything but the tests that a change must pass: format, lint, types, documentation, its examples, the layer rule,
 * and what would be published. Ends with `N passed, N failed`.
 *
 * @module
 */

import { entryPoints } from "./package.ts";

interface Step {
  readonly name: string;
  readonly args: readonly string[];
}

const FOLDERS = ["mod.ts", "cli.ts", "src", "tests", "examples", "bench", "tasks", "links"];

const STEPS: readonly Step[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "types, with the lock file frozen", args: ["check", "--quiet", "--frozen", ...FOLDERS] },
  { name: "documentation", args: ["doc", "--lint", ...entryPoints()] },
  {
    name: "examples in the documentation",
    args: ["test", "-A", "--doc", "--frozen", "--reporter=dot", "mod.ts", "src", "docs", "README.md"],
  },
  { name: "layer rule", args: ["test", "-A", "--frozen", "--reporter=dot", "tests/architecture_test.ts"] },
  { name: "publish, dry run", args: ["publish", "--dry-run", "--allow-dirty"] },
  { name: "release configuration", args: ["run", "-A", "tasks/release.ts"] },
];

let failed = 0;
for (const { name, args } of STEPS) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...args], stdout: "piped", stderr: "piped" }).output();
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name}`);
  if (code === 0) continue;
  failed++;
  for (const output of [stdout, stderr]) console.log(new TextDecoder().decode(output).trimEnd());
}
console.log(`${STEPS.length - failed} passed, ${failed} failed`);
Deno.exitCode = failed === 0 ? 0 : 1;
