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

/** A thread that is killed and was silent for so many beats, or so long, is blocked. */
const BEATS = 2;
const SILENT_MS = 1000;

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
    let exit: string | null = null;
    // The last word of `Deno.exit()`, before the link hears of its end.
    worker.addEventListener("message", (event: MessageEvent) => {
      const code: unknown = event.data?.exitCode;
      if (typeof code !== "number") return;
      exit = `exit code ${code}`;
      event.stopImmediatePropagation();
    });
    const host = new RemoteHost(new PortPipe(worker as unknown as Port), { load, heartbeatMs, ...hooks });
    const end = Promise.withResolvers<string>();
    let fault: string | null = null;
    let isKilled = false;
    let isOver = false;
    // Not handled, it would end this process.
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      fault ??= event.message;
      host.abandon(fault);
    });
    const terminate = () => {
      worker.terminate();
      end.resolve(fault !== null ? "an error that it did not catch" : exit ?? (isKilled ? "terminated" : "the thread has ended"));
      isOver = true;
    };
    void host.lost.then(() => void setTimeout(terminate, SETTLE_MS));
    const kill = () => {
      if (isKilled || isOver) return;
      isKilled = true;
      const silentMs = performance.now() - host.heardAt;
      terminate();
      if (silentMs < (heartbeatMs > 0 ? BEATS * heartbeatMs : SILENT_MS)) return;
      hooks.note("warn", "A thread was terminated; where its loop is blocked, it goes on to use a CPU until the server ends", {});
    };
    return Promise.resolve({ host, pid: null, exited: end.promise, kill, rssBytes: () => null });
  }
}
