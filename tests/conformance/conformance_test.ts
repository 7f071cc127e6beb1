/** Every row of the suite on every target. Run one with `deno test -A tests/conformance --filter HTTP-001`. */

import { loadRows, missesTool, skipped, testName } from "./suite.ts";
import { prepareTargets, TARGETS } from "./targets.ts";

await prepareTargets();
for (const row of await loadRows()) {
  if (row.kind !== "test") continue;
  for (const target of TARGETS) {
    Deno.test({
      name: testName(row, target),
      ignore: skipped(row, target) !== null || missesTool(row),
      fn: () => row.test(target),
    });
  }
}
