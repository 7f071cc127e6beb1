import { assertEquals } from "@std/assert";
import { availableCpus } from "../../../src/runner/homes/available_cpus.ts";
import { needs } from "../../tools.ts";
import { ROOT } from "../process.ts";

const MODULE = `import { availableCpus } from "${
  import.meta.resolve("../../../src/runner/homes/available_cpus.ts")
}"; console.log(availableCpus());`;

Deno.test(needs(["taskset", "nproc"], "availableCpus() counts the CPUs that the process may run on"), async () => {
  const run = async (program: string, args: string[]) => {
    const { stdout } = await new Deno.Command(program, { args, cwd: ROOT, stderr: "inherit", env: { NO_COLOR: "1" } }).output();
    return Number(new TextDecoder().decode(stdout));
  };
  assertEquals(await run("taskset", ["-c", "0", Deno.execPath(), "eval", MODULE]), 1);
  assertEquals(await run(Deno.execPath(), ["eval", MODULE]), await run("nproc", []));
  assertEquals(availableCpus() >= 1, true);
});
