import { assertEquals, assertStringIncludes } from "@std/assert";
import { unknownVariables } from "../../src/runner/unknown_variables.ts";
import { APP, Cli, folder } from "./process.ts";

Deno.test("unknownVariables() names what no option is read from, with the nearest name", () => {
  assertEquals(unknownVariables(["PATH", "PAGI_ENV", "PAGI_PORT", "PAGI_ACCESS_LOG_FORMAT"]), null);
  assertEquals(
    unknownVariables(["PAGI_QQQQQQQQQQ", "PAGI_PORT", "PAGI_PRT"]),
    "No option is read from PAGI_PRT (did you mean PAGI_PORT?), PAGI_QQQQQQQQQQ (--help lists all options)",
  );
});

Deno.test("cli warns once of a misspelt PAGI_ variable, and serves", async () => {
  await using files = await folder({ "app.js": APP });
  await using server = new Cli(["app.js", "-p", "0"], { cwd: files.path, env: { PAGI_PRT: "1" } });
  await server.url();
  const { code, stderr } = await server.stop();
  assertEquals(code, 0);
  assertStringIncludes(stderr, " warn No option is read from PAGI_PRT (did you mean PAGI_PORT?)");
  assertEquals(stderr.split("PAGI_PRT").length, 2);
});
