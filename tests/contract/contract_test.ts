/** The contract as types: what is wrong does not compile, and its right twin does. */

import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";

const MARK = /\/\/ wrong: TS(\d+), /;

/** What is wrong by file, as `line: code`, in the order of the lines. */
type Problems = Record<string, string[]>;

/** What `deno check` finds in files of this folder. */
async function check(names: readonly string[]): Promise<Problems> {
  // The project's own checks leave `wrong.ts` out, and Deno then does not look at it even when asked: so copies are checked.
  const folder = await Deno.makeTempDir();
  try {
    for (const name of names) await Deno.copyFile(new URL(name, import.meta.url), `${folder}/${name}`);
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "check",
        "--frozen",
        "--config",
        fromFileUrl(new URL("../../deno.json", import.meta.url)),
        ...names.map((name) => `${folder}/${name}`),
      ],
      env: { NO_COLOR: "1" },
      stdout: "null",
      stderr: "piped",
    }).output();
    const text = new TextDecoder().decode(stderr);
    for (const name of names) assertMatch(text, new RegExp(`^Check \\S*${name}$`, "m"), text);
    return Object.fromEntries(names.map((name) => [name, problemsIn(text, name)]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function problemsIn(text: string, name: string): string[] {
  // The first place after a code is where the error is; what follows are places that explain it.
  const found = [...text.matchAll(/^ *TS(\d+) \[ERROR\][^]*?\bat file:\/\/\S*\/([^/:]+):(\d+):\d+/gm)];
  return found.filter(([, , file]) => file === name).map(([, code, , line]) => `${line}: ${code}`).sort(byLine);
}

function byLine(one: string, other: string): number {
  return parseInt(one) - parseInt(other);
}

Deno.test("deno check refuses every line that breaks the contract, for the reason given, and no line of its right twin", async () => {
  const source = (await Deno.readTextFile(new URL("wrong.ts", import.meta.url))).split("\n");
  const marked = source.flatMap((line, index) => MARK.test(line) ? [`${index + 1}: ${MARK.exec(line)![1]}`] : []);
  assertEquals(marked.length, 14);
  assertEquals(await check(["wrong.ts", "right.ts"]), { "wrong.ts": marked, "right.ts": [] });
});
