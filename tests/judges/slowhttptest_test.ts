/** slowhttptest on the node engine: clients that are slow are ended, and others are served meanwhile. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "../conformance/waiting.ts";
import { needs } from "../tools.ts";
import { judge, judged } from "./judged.ts";

const CONNECTIONS = 100;
const LIMITS = ["--header-timeout", "500ms", "--body-timeout", "500ms", "--write-timeout", "500ms"];
const COMMON = ["-c", String(CONNECTIONS), "-r", "200", "-p", "2", "-v", "1"];

for (const [name, args] of [["heads", ["-H", "-i", "1"]], ["bodies", ["-B", "-i", "3", "-s", "100000"]]] as const) {
  Deno.test(
    needs("slowhttptest", `slowhttptest: ${CONNECTIONS} connections with slow ${name} are ended, and the service is available`),
    async () => {
      await using server = await judged(LIMITS);
      const { out } = await judge("slowhttptest", [...COMMON, ...args, "-l", "10", "-u", server.url]);
      // It gives up before its time only where no connection is left.
      assertMatch(out, /Exit status:.*No open connections left/);
      assert(!/service available:.*NO/.test(out), out);
    },
  );
}

// A client that reads a byte now and then does not see for long that it was ended: the server's sockets are counted.
Deno.test(
  needs("slowhttptest", `slowhttptest: ${CONNECTIONS} connections with slow reads are ended, and the service is available`),
  async () => {
    await using server = await judged(LIMITS);
    const sockets = () => Array.from(Deno.readDirSync(`/proc/${server.pid}/fd`)).length;
    const before = sockets();
    const slow = judge("slowhttptest", [
      ...COMMON,
      "-X",
      "-w",
      "256",
      "-y",
      "512",
      "-n",
      "1",
      "-z",
      "1",
      "-l",
      "5",
      "-u",
      `${server.url}/big`,
    ]);
    // On a busy machine the first are ended before the last have come.
    await until(() => sockets() >= before + CONNECTIONS / 2, "the slow readers");
    await until(() => sockets() <= before + 2, "the end of the slow readers", 10_000);
    assertEquals(await (await fetch(`${server.url}/x`)).text(), "1.1 GET /x 0");
    assert(!/service available:.*NO/.test((await slow).out));
  },
);
