/**
 * Workers as subprocesses: `deno run` of `src/worker.ts`, under the configuration of the app, each behind a Unix socket of its own.
 *
 * @module
 */

import { RemoteHost } from "../../links/remote_host.ts";
import { SocketListener } from "../../links/socket_listener.ts";
import type { Pipe } from "../../links/pipe.ts";
import type { AppModule } from "../../loading/load_module.ts";
import { WorkerError } from "../../spec/errors.ts";
import type { WorkerHandle, WorkerHome, WorkerHooks } from "../pool/ports.ts";
import { parentCommand, workerArguments } from "./worker_command.ts";

/** How subprocesses are started. */
export interface ProcessHomeOptions {
  readonly load: AppModule;
  /** How often a worker gives a sign of life; 0 is never. */
  readonly heartbeatMs: number;
  /** Its heap is held to that; 0 is no limit. */
  readonly memoryBytes: number;
  /** `PAGI_ENV` of the workers. */
  readonly env: string;
}

/** What a process may take from its start to its hello. */
const CONNECT_MS = 10_000;

/** The size of a page, which `/proc/PID/statm` counts in. */
const PAGE_BYTES = 4096;

/** The home. */
export class ProcessHome implements WorkerHome {
  readonly name = "process";
  readonly #options: ProcessHomeOptions;

  /** Nothing is started yet. */
  constructor(options: ProcessHomeOptions) {
    this.#options = options;
  }

  /**
   * Starts a process and waits for its hello.
   *
   * @throws {WorkerError} Where it ends first, or does not come.
   */
  async spawn(_workerNum: number, hooks: WorkerHooks): Promise<WorkerHandle> {
    const { load, heartbeatMs } = this.#options;
    const listener = await SocketListener.open();
    const child = this.#command();
    const exited = child.status.then(({ code, signal }) => signal === null ? `exit code ${code}` : `signal ${signal}`);
    let isOver = false;
    void exited.then(() => isOver = true);
    const kill = () => {
      if (!isOver) child.kill("SIGKILL");
    };
    try {
      const [pipe] = await Promise.all([firstOf(listener, exited), invite(child, listener)]);
      return {
        host: new RemoteHost(pipe, { load, heartbeatMs, ...hooks }),
        pid: child.pid,
        exited,
        kill,
        rssBytes: () => rssOf(child.pid),
      };
    } catch (error) {
      kill();
      await Promise.all([exited, listener.close()]);
      throw error;
    }
  }

  #command(): Deno.ChildProcess {
    const { load, memoryBytes, env } = this.#options;
    const args = workerArguments({ parent: parentCommand(), appPath: load.path, memoryBytes });
    const options: Deno.CommandOptions = {
      env: { PAGI_ENV: env },
      stdin: "piped",
      stdout: "inherit",
      stderr: "inherit",
    };
    // A worker ends with its link, unless its loop is blocked: then only the system can end it with its server.
    try {
      return new Deno.Command("setpriv", { ...options, args: ["--pdeathsig", "KILL", Deno.execPath(), ...args] }).spawn();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable)) throw error;
      return new Deno.Command(Deno.execPath(), { ...options, args }).spawn();
    }
  }
}

async function firstOf(listener: SocketListener, exited: Promise<string>): Promise<Pipe> {
  const accepted = listener.accept(CONNECT_MS);
  const how = await Promise.race([accepted, exited]);
  if (typeof how !== "string") return how;
  await listener.close();
  await accepted.catch(() => {});
  throw new WorkerError(`A worker process ended before it connected: ${how}`);
}

async function invite({ stdin }: Deno.ChildProcess, { path, secret }: SocketListener): Promise<void> {
  const line = `${JSON.stringify({ path, secret })}\n`;
  try {
    await new Blob([line]).stream().pipeTo(stdin);
  } catch (error) {
    // It has ended; how, is told by its status.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

function rssOf(pid: number): number | null {
  try {
    return Number(Deno.readTextFileSync(`/proc/${pid}/statm`).split(" ")[1]) * PAGE_BYTES;
  } catch {
    return null; // it has ended, or the system does not tell
  }
}
