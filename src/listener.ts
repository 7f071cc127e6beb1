/**
 * What a worker runs that listens itself: it connects to its server, loads an app and an engine when it is told which, and serves.
 *
 * As `worker.ts` it runs under the configuration and with the permissions of the app.
 *
 * @module
 */

import { runWorkerProcess } from "./links/worker_process.ts";
import { watchFaults } from "./loading/faults.ts";
import { loadModule } from "./loading/load_module.ts";
import { systemClock, systemFiles } from "./loading/system.ts";
import { createEngine } from "./runner/create_engine.ts";
import { Libc } from "./runner/listening/libc.ts";
import { ListenerHost } from "./runner/listening/listener_host.ts";
import { engineFacts, type ListenerLoad } from "./runner/listening/listener_load.ts";
import { InlineHost } from "./sessions/inline_host.ts";

// The app can put another function in its place.
const exit = Deno.exit;
const hosts: ListenerHost[] = [];
await runWorkerProcess(async (data, note, counting) => {
  watchFaults(note);
  const load = data as ListenerLoad;
  // A program that the app starts would hold the port after this process, and the server, have ended.
  const fds = load.facts.listeners.flatMap(({ at }) => at.kind === "fd" ? [at.fd] : []);
  if (fds.length > 0) keep(fds);
  const engine = await createEngine(load.engine, engineFacts(load));
  const inline = new InlineHost(await loadModule(load.app), { clock: systemClock, files: systemFiles, note });
  const host = new ListenerHost({ load, inline, engine, counting, note });
  hosts.push(host);
  return host;
});
// Where its server was killed, it ends at once, but for what was answered already.
await Promise.all(hosts.map((host) => host.flush()));
exit(0);

function keep(fds: readonly number[]): void {
  const libc = new Libc();
  libc.keep(fds);
  libc.close();
}
