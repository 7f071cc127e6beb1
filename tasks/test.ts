/**
 * `deno task test`: every test, then what was skipped by name, and one line of sums: `N passed, N failed, N skipped`.
 *
 * A test that needs a tool which is absent (a browser, a load generator) carries the tool's name and is skipped; see `tests/tools.ts`.
 * Arguments are paths of tests, all of them by default.
 *
 * @module
 */

const paths = Deno.args.length > 0 ? Deno.args : ["tests"];
// Dots are for eyes; a log is better off with names.
const reporter = Deno.stdout.isTerminal() ? "dot" : "pretty";
const report = await Deno.makeTempFile({ suffix: ".xml" });
try {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "-A",
      "--frozen",
      "--sanitize-ops",
      "--sanitize-resources",
      `--reporter=${reporter}`,
      `--junit-path=${report}`,
      ...paths,
    ],
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  const xml = await Deno.readTextFile(report);
  const total = sum(xml, "tests");
  const failed = sum(xml, "failures") + sum(xml, "errors");
  const skipped = [...xml.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped/g)].map((match) => match[1]!);
  for (const name of skipped) console.log(`skipped: ${unescape(name)}`);
  // A module that does not load runs no test: that is a failure too.
  const broken = code !== 0 && failed === 0 ? 1 : 0;
  console.log(`${total - failed - skipped.length} passed, ${failed + broken} failed, ${skipped.length} skipped`);
  Deno.exitCode = code;
} finally {
  await Deno.remove(report);
}

/** The sums of one attribute stand on the outermost element. */
function sum(xml: string, attribute: string): number {
  return Number(/<testsuites [^>]*>/.exec(xml)?.[0].match(new RegExp(` ${attribute}="(\\d+)"`))?.[1] ?? 0);
}

function unescape(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&apos;", "'").replaceAll("&amp;", "&");
}
