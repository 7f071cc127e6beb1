/**
 * What a worker runs: it connects to its server, loads an app when it is told which, and serves it as the server itself would.
 *
 * In a subprocess, one line of JSON on standard input says where the server listens and what to tell it; in a Web Worker, the link is the
 * worker's own port. It runs under the configuration and with the permissions of the app, so its modules import each other by relative
 * paths and nothing else.
 *
 * @module
 */

import { HELLO, VERSION } from "./links/packets.ts";
import type { Pipe } from "./links/pipe.ts";
import { type Port, PortPipe } from "./links/port_pipe.ts";
import { ServedHost } from "./links/served_host.ts";
import { SocketPipe } from "./links/socket_pipe.ts";
import { watchFaults } from "./loading/faults.ts";
import { type AppModule, loadModule } from "./loading/load_module.ts";
import { systemClock, systemFiles } from "./loading/system.ts";
import { InlineHost } from "./sessions/inline_host.ts";

/** What comes on standard input. */
interface Invitation {
  /** Of the server's socket. */
  readonly path: string;
  readonly secret: string;
}

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
  await serve(pipe).ended;
  close();
} else {
  // Ctrl+C goes to the whole group, and a service manager ends all processes of a service: what becomes of a worker is its server's business.
  let served: ServedHost | null = null;
  Deno.addSignalListener("SIGINT", () => {});
  Deno.addSignalListener("SIGTERM", () => served?.recycle());
  served = serve(await connect());
  await served.ended;
  exit(0);
}

async function connect(): Promise<Pipe> {
  const { path, secret } = JSON.parse(await readInput()) as Invitation;
  const pipe = new SocketPipe(await Deno.connect({ transport: "unix", path }));
  await pipe.send(JSON.stringify([HELLO, 0, VERSION, secret, Deno.pid]), []);
  return pipe;
}

// Not through a stream: the classes of streams and responses would cost a worker 3 MB.
async function readInput(): Promise<string> {
  const buffer = new Uint8Array(1024);
  let text = "";
  for (;;) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) return text;
    text += new TextDecoder().decode(buffer.subarray(0, count)); // it is ASCII
  }
}

function serve(pipe: Pipe): ServedHost {
  return new ServedHost(pipe, async (load, note) => {
    watchFaults(note);
    return new InlineHost(await loadModule(load as AppModule), { clock: systemClock, files: systemFiles, note });
  });
}
