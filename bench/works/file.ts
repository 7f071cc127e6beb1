/** A file of 50 MB. @module */

import { compare } from "../compare.ts";
import { curlDriver } from "../load.ts";
import { bare, ours, type Work } from "../work.ts";

const BYTES = 50_000_000;

/** At most 1.15 × the same chunks, read from the file by a bare ReadableStream. */
export const file: Work = {
  name: "file",
  async run(settings) {
    const path = await Deno.makeTempFile({ prefix: "bench-file-" });
    try {
      await Deno.writeFile(path, new Uint8Array(BYTES).fill(0x62));
      const env = { BENCH_FILE: path };
      return [
        await compare({
          title: "file of 50 MB",
          bound: 1.15,
          ours: { ...ours("file.ts"), env },
          floor: { ...bare("file_floor.ts"), env },
          drive: ({ url }) => curlDriver(url, 15),
        }, settings),
      ];
    } finally {
      await Deno.remove(path);
    }
  },
};
