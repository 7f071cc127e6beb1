/** The contract as types: what is wrong does not compile, and its right twin does. */

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

async function check(name: string): Promise<{ success: boolean; lines: number[] }> {
  // The project's own checks leave `wrong.ts` out, and Deno then does not look at it even when asked: so it is checked as a copy.
  const folder = await Deno.makeTempDir();
  await Deno.copyFile(new URL(name, import.meta.url), `${folder}/${name}`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--frozen", "--config", fromFileUrl(new URL("../../deno.json", import.meta.url)), `${folder}/${name}`],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  await Deno.remove(folder, { recursive: true });
  const found = [...new TextDecoder().decode(stderr).matchAll(new RegExp(`at file://\\S*/${name}:(\\d+):\\d+`, "g"))];
  return { success, lines: [...new Set(found.map((match) => Number(match[1])))].sort((a, b) => a - b) };
}

Deno.test("deno check refuses every line that breaks the contract, and only those", async () => {
  const source = (await Deno.readTextFile(new URL("wrong.ts", import.meta.url))).split("\n");
  const marked = source.flatMap((line, index) => line.includes("// wrong:") ? [index + 1] : []);
  assertEquals(marked.length, 14);
  assertEquals(await check("wrong.ts"), { success: false, lines: marked });
});

Deno.test("deno check takes the right twin of each", async () => {
  assertEquals(await check("right.ts"), { success: true, lines: [] });
});
