/** What a home leaves behind: descriptors, directories, processes. */

import { assertEquals, assertRejects } from "@std/assert";
import { referTo } from "../../../src/loading/load_app.ts";
import { StartupError, WorkerError } from "../../../src/spec/errors.ts";
import { ProcessHome, type WorkerCell, type WorkerSandbox } from "../../../src/runner/homes/process_home.ts";
import { folder } from "../process.ts";

const hooks = { note: () => {}, ended: () => {}, asked: () => {} };
const linuxOnly = { ignore: Deno.build.os !== "linux" };

interface Held {
  readonly descriptors: number;
  readonly directories: string[];
  readonly children: string;
}

function held(): Held {
  return {
    descriptors: [...Deno.readDirSync("/proc/self/fd")].length,
    directories: [...Deno.readDirSync(Deno.env.get("TMPDIR") ?? "/tmp")].map(({ name }) => name)
      .filter((name) => name.startsWith(`pagi-link-${Deno.pid}-`)),
    children: Deno.readTextFileSync(`/proc/self/task/${Deno.pid}/children`),
  };
}

// Descriptors of pipes are closed a moment after their last read.
async function settled(before: Held): Promise<Held> {
  const deadline = performance.now() + 3000;
  for (;;) {
    const now = held();
    if (JSON.stringify(now) === JSON.stringify(before) || performance.now() > deadline) return now;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function home(path: string, sandbox: WorkerSandbox | null = null): ProcessHome {
  return new ProcessHome({ load: referTo({ app: path }), heartbeatMs: 0, memoryBytes: 0, env: "test", sandbox });
}

async function check(run: (path: string) => Promise<unknown>): Promise<void> {
  await using project = await folder({ "app.js": "export default async () => {};" });
  const path = `${project.path}/app.js`;
  // The first use of something may open what stays open.
  await run(path);
  const before = held();
  for (let i = 0; i < 5; i++) await run(path);
  assertEquals(await settled(before), before);
}

Deno.test({ ...linuxOnly, name: "ProcessHome leaves nothing of workers that were killed" }, () =>
  check(async (path) => {
    const workers = home(path);
    const handles = await Promise.all([workers.spawn(1, hooks), workers.spawn(2, hooks)]);
    for (const handle of handles) handle.kill();
    assertEquals(await Promise.all(handles.map(({ exited }) => exited)), ["signal SIGKILL", "signal SIGKILL"]);
    for (const handle of handles) handle.host.abandon("it was killed");
  }));

Deno.test(
  { ...linuxOnly, name: "ProcessHome leaves nothing of a worker whose link was closed: it ends by itself" },
  () =>
    check(async (path) => {
      const handle = await home(path).spawn(1, hooks);
      handle.host.abandon("a test");
      assertEquals(await handle.exited, "exit code 0");
      handle.kill();
    }),
);

/** A cell of workers that run some code and never connect. */
class Cell implements WorkerCell {
  readonly env: Readonly<Record<string, string>> = { ONLY: "this", NO_COLOR: "1" };
  readonly linkFolder = Deno.makeTempDirSync();
  readonly cwd: string;
  readonly #code: string;
  #isLeft = false;

  constructor(code: string, cwd: string) {
    this.#code = code;
    this.cwd = cwd;
  }

  admit(): Promise<readonly string[]> {
    return Promise.resolve(["eval", this.#code]);
  }

  started(): void {}

  async leave(): Promise<void> {
    this.#isLeft = true;
    // Its link is gone before.
    await assertRejects(() => Deno.lstat(this.linkFolder), Deno.errors.NotFound);
  }

  get isLeft(): boolean {
    return this.#isLeft;
  }
}

Deno.test(
  { ...linuxOnly, name: "ProcessHome leaves nothing of a worker that ends before it connects, and says how" },
  () =>
    check(async (path) => {
      const cell = new Cell('console.error("first\\nlast words"); Deno.exit(3)', "/");
      const workers = home(path, { enter: () => Promise.resolve(cell) });
      const error = await assertRejects(() => workers.spawn(1, hooks), WorkerError);
      assertEquals(error.message, "A worker process ended before it connected: exit code 3: first\nlast words");
      assertEquals(cell.isLeft, true);
    }),
);

Deno.test({ ...linuxOnly, name: "ProcessHome leaves nothing where a worker can't be started at all" }, () =>
  check(async (path) => {
    const cell = new Cell("", "/nowhere/at/all");
    await assertRejects(() => home(path, { enter: () => Promise.resolve(cell) }).spawn(1, hooks));
    assertEquals(cell.isLeft, true);
    const refusing = home(path, { enter: () => Promise.reject(new StartupError("not this one")) });
    await assertRejects(() => refusing.spawn(1, hooks), StartupError, "not this one");
  }));

Deno.test({ ...linuxOnly, name: "ProcessHome passes on the variables of a cell and no other" }, async () => {
  await using project = await folder({ "app.js": "" });
  const cell = new Cell("console.error(JSON.stringify(Deno.env.toObject()), Deno.cwd()); Deno.exit(3)", project.path);
  const workers = home(`${project.path}/app.js`, { enter: () => Promise.resolve(cell) });
  const { message } = await assertRejects(() => workers.spawn(1, hooks), WorkerError);
  const [, env, cwd] = /(\{.*\}) (.*)/.exec(message)!;
  // Deno itself adds two for its children.
  const { DENO_NODE_SHIM_ACTIVE: _shim, PATH: _path, ...rest } = JSON.parse(env!);
  assertEquals([rest, cwd], [{ ONLY: "this", NO_COLOR: "1" }, await Deno.realPath(project.path)]);
});
