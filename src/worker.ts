/**
 * What a worker runs: it connects to its server, loads an app when it is told which, and serves it as the server itself would.
 *
 * In a subprocess the way to the server comes on standard input; in a Web Worker, the link is the worker's own port. It runs under the
 * configuration and with the permissions of the app, so its modules import each other by relative paths and nothing else.
 *
 * Not here: a worker that listens itself (`listener.ts`).
 *
 * @module
 */

import { type Port, PortPipe } from "./links/port_pipe.ts";
import { type Boot, ServedHost } from "./links/served_host.ts";
import { runWorkerProcess } from "./links/worker_process.ts";
import { watchFaults } from "./loading/faults.ts";
import { type AppModule, loadModule } from "./loading/load_module.ts";
import { systemClock, systemFiles } from "./loading/system.ts";
import { InlineHost } from "./sessions/inline_host.ts";

const boot: Boot = async (load, note) => {
  watchFaults(note);
  return new InlineHost(await loadModule(load as AppModule), { clock: systemClock, files: systemFiles, note });
};

// The app can put another function in its place.
const exit = Deno.exit;
if ("WorkerGlobalScope" in globalThis) {
  const pipe = new PortPipe(globalThis as unknown as Port);
  // It ends this thread only, and nobody would be told.
  Deno.exit = (code) => {
    (globalThis as unknown as Port).postMessage({ exitCode: code ?? Deno.exitCode });
    pipe.close();
    return exit(code);
  };
  await new ServedHost(pipe, boot).ended;
  close();
} else {
  await runWorkerProcess(boot);
  exit(0);
}
