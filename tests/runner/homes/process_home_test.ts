import { assertEquals } from "@std/assert";
import { Cli, folder } from "../process.ts";
import { needs } from "../../tools.ts";

const BLOCKED = `export default async (scope) => {
  if (scope.type === "lifespan") throw new Error("no lifespan");
  console.log("pid " + Deno.pid);
  for (;;);
};
`;

Deno.test(needs("setpriv", "a worker whose loop is blocked ends with its server"), async () => {
  await using project = await folder({ "app.js": BLOCKED });
  await using server = new Cli([`${project.path}/app.js`, "--port", "0", "--workers", "1"]);
  const response = fetch(await server.url()).catch(() => null);
  const pid = Number(/pid (\d+)/.exec(await server.stdout.until(/pid \d+/))![1]);
  server.kill("SIGKILL");
  await response;
  const deadline = Date.now() + 1000;
  while (isAlive(pid) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  const survived = isAlive(pid);
  if (survived) Deno.kill(pid, "SIGKILL");
  assertEquals(survived, false);
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
