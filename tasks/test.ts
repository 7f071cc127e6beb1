/**
 * `deno task test`: every test, then what was skipped by name, and one line of sums: `N passed, N failed, N skipped`.
 *
 * A test that needs a tool which is absent (a browser, a load generator) carries the tool's name and is skipped; see `tests/tools.ts`.
 * Arguments are paths of tests, all of them by default.
 *
 * @module
 */

/** Without arguments, in two processes: the conformance suite is as long as half of the rest, and waits as much. */
const GROUPS = [["tests"], ["tests/conformance"]];

const groups = Deno.args.length > 0 ? [Deno.args] : GROUPS;
const results = await Promise.all(groups.map((paths, index) => run(paths, index === 0)));
const all = { tests: 0, failed: 0, skipped: [] as string[], code: 0 };
for (const { xml, output, code } of results) {
  // Its own lines come whole, behind those of the first.
  if (output.byteLength > 0) await write(output);
  const failed = sum(xml, "failures") + sum(xml, "errors");
  // A module that does not load runs no test: that is a failure too.
  all.failed += code !== 0 && failed === 0 ? 1 : failed;
  all.tests += sum(xml, "tests") - failed;
  all.skipped.push(...[...xml.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped/g)].map((match) => match[1]!));
  all.code ||= code;
}
for (const name of all.skipped) console.log(`skipped: ${unescape(name)}`);
console.log(`${all.tests - all.skipped.length} passed, ${all.failed} failed, ${all.skipped.length} skipped`);
Deno.exitCode = all.code;

/** One process of tests; its output is kept where it is not the first. */
async function run(paths: readonly string[], isFirst: boolean): Promise<{ xml: string; output: Uint8Array<ArrayBuffer>; code: number }> {
  // Dots are for eyes; a log is better off with names.
  const reporter = isFirst && Deno.stdout.isTerminal() ? "dot" : "pretty";
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const ignored = isFirst && groups.length > 1 ? [`--ignore=${GROUPS[1]!.join(",")}`] : [];
    const args = ["test", "-A", "--frozen", "--sanitize-ops", "--sanitize-resources", `--reporter=${reporter}`, `--junit-path=${report}`];
    const command = new Deno.Command(Deno.execPath(), {
      args: [...args, ...ignored, ...paths],
      stdout: isFirst ? "inherit" : "piped",
      stderr: "inherit",
    });
    const child = command.spawn();
    const output = isFirst ? new Uint8Array(0) : new Uint8Array(await new Response(child.stdout).arrayBuffer());
    return { output, code: (await child.status).code, xml: await Deno.readTextFile(report) };
  } finally {
    await Deno.remove(report);
  }
}

async function write(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) at += await Deno.stdout.write(bytes.subarray(at));
}

/** The sums of one attribute stand on the outermost element. */
function sum(xml: string, attribute: string): number {
  return Number(/<testsuites [^>]*>/.exec(xml)?.[0].match(new RegExp(` ${attribute}="(\\d+)"`))?.[1] ?? 0);
}

function unescape(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&apos;", "'").replaceAll("&amp;", "&");
}
