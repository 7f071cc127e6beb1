/**
 * The life of a worker process: it connects to its server, waits to be started, and ends with its link.
 *
 * One line of JSON on standard input says where the server listens and what to tell it.
 *
 * @module
 */

import { HELLO, VERSION } from "./packets.ts";
import type { Pipe } from "./pipe.ts";
import { type Boot, ServedHost } from "./served_host.ts";
import { SocketPipe } from "./socket_pipe.ts";

/** What comes on standard input. */
interface Invitation {
  /** Of the server's socket. */
  readonly path: string;
  readonly secret: string;
}

/** Runs it. Resolves when the link is over, and nobody needs the process any more. */
export async function runWorkerProcess(boot: Boot): Promise<void> {
  // Ctrl+C goes to the whole group, and a service manager ends all processes of a service: what becomes of a worker is its server's business.
  let served: ServedHost | null = null;
  Deno.addSignalListener("SIGINT", () => {});
  Deno.addSignalListener("SIGTERM", () => served?.recycle());
  served = new ServedHost(await connect(), boot);
  await served.ended;
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
