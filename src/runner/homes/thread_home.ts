/**
 * Workers as threads: Web Workers of this process. For trusted code: a thread shares the permissions and the memory of the server, one
 * that runs out of memory ends the whole process, and one whose loop is blocked can't be stopped: `terminate()` takes effect once it
 * goes on. A thread that ends itself, such as by `close()`, does so without an event: only its silence tells, after the
 * heartbeat timeout. `Deno.exit()` is told by `worker.ts`.
 *
 * @module
 */

import { type Port, PortPipe } from "../../links/port_pipe.ts";
import { RemoteHost } from "../../links/remote_host.ts";
import type { AppModule } from "../../loading/load_module.ts";
import type { WorkerHandle, WorkerHome, WorkerHooks } from "../pool/ports.ts";

/** How threads are started. */
export interface ThreadHomeOptions {
  readonly load: AppModule;
  /** How often a worker gives a sign of life; 0 is never. */
  readonly heartbeatMs: number;
}

/** A thread that has stopped ends by itself soon after its link; then it is terminated. */
const SETTLE_MS = 100;

/** The home. */
export class ThreadHome implements WorkerHome {
  readonly name = "thread";
  readonly #options: ThreadHomeOptions;

  /** Nothing is started yet. */
  constructor(options: ThreadHomeOptions) {
    this.#options = options;
  }

  /** Starts a thread. */
  spawn(workerNum: number, hooks: WorkerHooks): Promise<WorkerHandle> {
    const { load, heartbeatMs } = this.#options;
    const worker = new Worker(new URL("../../worker.ts", import.meta.url), { type: "module", name: `pagi worker ${workerNum}` });
    const host = new RemoteHost(new PortPipe(worker as unknown as Port), { load, heartbeatMs, ...hooks });
    const end = Promise.withResolvers<string>();
    let fault: string | null = null;
    let isKilled = false;
    // Not handled, it would end this process.
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      fault ??= event.message;
      host.abandon(fault);
    });
    const terminate = () => {
      worker.terminate();
      end.resolve(fault !== null ? "an error that it did not catch" : isKilled ? "terminated" : "the thread has ended");
    };
    void host.lost.then(() => void setTimeout(terminate, SETTLE_MS));
    const kill = () => {
      if (isKilled) return;
      isKilled = true;
      terminate();
      hooks.note("warn", "A thread was terminated; where its loop is blocked, it goes on to use a CPU until the server ends", {});
    };
    return Promise.resolve({ host, pid: null, exited: end.promise, kill, rssBytes: () => null });
  }
}
