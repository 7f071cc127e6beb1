/**
 * Where the app lives and in how many workers: the one place that decides it.
 *
 * Not here: how it gets there (`app_home.ts`).
 *
 * @module
 */

import { StartupError } from "../spec/errors.ts";
import type { WorkerSettings } from "./settings.ts";

/** The decision, and why. */
export interface HomeChoice {
  readonly name: "inline" | "process" | "thread" | "listener";
  /** 0 for `inline`. */
  readonly workers: number;
  /** A few words for the banner; empty where nothing else was ever possible. */
  readonly why: string;
}

/** What the decision depends on besides the settings. */
export interface HomeFacts {
  /** The configuration that the app needs and this process does not run under, where there is one. */
  readonly foreignConfig: string | null;
  /** The app runs in a sandbox. */
  readonly isSandboxed: boolean;
  /** Available CPUs. */
  cpus(): number;
  /** How an option is called in messages. */
  name(key: "workers" | "workerType"): string;
}

/**
 * Decides.
 *
 * @throws {StartupError} Where the options do not go together.
 */
export function chooseHome({ count, type }: WorkerSettings, { foreignConfig, isSandboxed, cpus, name }: HomeFacts): HomeChoice {
  if (isSandboxed && type === "thread") fail(`A sandbox needs processes: a thread shares all of the server's permissions`);
  if (isSandboxed && count === 0) fail(`A sandbox needs a worker: leave ${name("workers")} out, or give at least 1`);
  if (isSandboxed && type === "listener") {
    fail(
      "A sandbox needs a server between its app and the wire: in a worker that listens itself, the app would share a process with the " +
        `sockets, the TLS keys and the access log. Leave ${name("workerType")} out`,
    );
  }
  if (count === null) {
    if (isSandboxed) return { name: "process", workers: 1, why: "sandboxed" };
    if (type !== null) fail(`${name("workerType")} needs ${name("workers")}: say how many`);
    if (foreignConfig === null) return { name: "inline", workers: 0, why: "" };
    return { name: "process", workers: 1, why: `the app has a configuration of its own, ${foreignConfig}` };
  }
  if (count === 0) return { name: "inline", workers: 0, why: "as asked" };
  if (type === "thread" && foreignConfig !== null) {
    fail(
      `A thread runs under the configuration of its server, and the app has its own, ${foreignConfig}: leave ${
        name("workerType")
      } out, a process runs under that of the app`,
    );
  }
  const why = count === "auto" ? "one for each available CPU" : "as asked";
  return { name: type ?? "process", workers: count === "auto" ? cpus() : count, why: isSandboxed ? `sandboxed, ${why}` : why };
}

/** The choice as the banner tells it. */
export function homeText({ name, workers, why }: HomeChoice): string {
  if (name === "inline") return "app in this process, no workers";
  return `app in ${workers} ${WORDS[name][workers === 1 ? 0 : 1]}: ${why}`;
}

/** One, and more. */
const WORDS: Readonly<Record<Exclude<HomeChoice["name"], "inline">, readonly [string, string]>> = {
  process: ["worker process", "worker processes"],
  thread: ["worker thread", "worker threads"],
  listener: ["worker process that listens itself", "worker processes that listen themselves"],
};

function fail(message: string): never {
  throw new StartupError(message, { exitCode: 2 });
}
