/** What the access log costs. @module */

import { compare } from "../compare.ts";
import { wrkDriver } from "../load.ts";
import { ours, type Work } from "../work.ts";

/** With the JSON access log to a file at most 15 % more than without. */
export const accessLog: Work = {
  name: "access-log",
  async run(settings) {
    const path = await Deno.makeTempFile({ prefix: "bench-access-" });
    try {
      const row = await compare({
        title: "the same with the JSON access log to a file (floor: ours without)",
        bound: 1.15,
        ours: ours("hello.ts", ["--access-log", path, "--access-log-format", "json"]),
        floor: ours("hello.ts"),
        drive: ({ url }) => wrkDriver(url),
      }, settings);
      JSON.parse((await firstLine(path)) ?? "no line was written");
      return [row];
    } finally {
      await Deno.remove(path);
    }
  },
};

async function firstLine(path: string): Promise<string | undefined> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(4096);
  const count = await file.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, count)).split("\n")[0];
}
