import { assertEquals, assertThrows } from "@std/assert";
import { chooseHome, type HomeFacts, homeText } from "../../src/runner/home_choice.ts";
import type { ServeOptions } from "../../src/runner/options.ts";
import { settle } from "../../src/runner/settings.ts";
import { StartupError } from "../../src/spec/errors.ts";

const FACTS: HomeFacts = { foreignConfig: null, isSandboxed: false, cpus: () => 3, name: (key) => key };

const choose = (options: ServeOptions, facts: Partial<HomeFacts> = {}) => chooseHome(settle(options).workers, { ...FACTS, ...facts });

Deno.test("chooseHome() takes this process unless workers are asked for", () => {
  assertEquals(choose({}), { name: "inline", workers: 0, why: "" });
  assertEquals(choose({ workers: 0 }), { name: "inline", workers: 0, why: "as asked" });
  assertEquals(choose({ workers: 1 }), { name: "process", workers: 1, why: "as asked" });
  assertEquals(choose({ workers: 4, workerType: "thread" }), { name: "thread", workers: 4, why: "as asked" });
  assertEquals(choose({ workers: 2, workerType: "listener" }), { name: "listener", workers: 2, why: "as asked" });
  assertEquals(choose({ workers: "auto" }), { name: "process", workers: 3, why: "one for each available CPU" });
});

Deno.test("chooseHome() takes one process for an app with a configuration of its own, unless none was asked for", () => {
  const foreign = { foreignConfig: "/srv/app/deno.json" };
  assertEquals(choose({}, foreign), { name: "process", workers: 1, why: "the app has a configuration of its own, /srv/app/deno.json" });
  assertEquals(choose({ workers: 0 }, foreign), { name: "inline", workers: 0, why: "as asked" });
  assertEquals(choose({ workers: 2 }, foreign), { name: "process", workers: 2, why: "as asked" });
  assertEquals(choose({ workers: 2, workerType: "listener" }, foreign), { name: "listener", workers: 2, why: "as asked" });
  assertThrows(
    () => choose({ workers: 2, workerType: "thread" }, foreign),
    StartupError,
    "leave workerType out, a process runs under that",
  );
});

Deno.test("chooseHome() takes one process for a sandbox, or as many as are asked for, and nothing else", () => {
  const sandboxed = { isSandboxed: true };
  assertEquals(choose({}, sandboxed), { name: "process", workers: 1, why: "sandboxed" });
  assertEquals(choose({ workerType: "process" }, sandboxed), { name: "process", workers: 1, why: "sandboxed" });
  assertEquals(choose({ workers: 2 }, sandboxed), { name: "process", workers: 2, why: "sandboxed, as asked" });
  assertThrows(() => choose({ workers: 2, workerType: "thread" }, sandboxed), StartupError, "A sandbox needs processes");
  assertThrows(() => choose({ workers: 2, workerType: "listener" }, sandboxed), StartupError, "A sandbox needs a server between its app");
  assertThrows(() => choose({ workers: 0 }, sandboxed), StartupError, "A sandbox needs a worker: leave workers out, or give at least 1");
});

Deno.test("chooseHome() refuses a type of worker without their number", () => {
  const error = assertThrows(() => choose({ workerType: "thread" }), StartupError, "workerType needs workers: say how many");
  assertEquals(error.exitCode, 2);
});

Deno.test("homeText() tells the home, the number and why", () => {
  const all = [{}, { workers: 1 }, { workers: "auto", workerType: "thread" }, { workers: 2, workerType: "listener" }] as const;
  assertEquals(all.map((options) => homeText(choose(options))), [
    "app in this process, no workers",
    "app in 1 worker process: as asked",
    "app in 3 worker threads: one for each available CPU",
    "app in 2 worker processes that listen themselves: as asked",
  ]);
});
