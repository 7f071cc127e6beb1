/**
 * The process and the thread of fronts: made once, before the first row, and used by all of them.
 *
 * A row brings the app, in the process of the suite, where the worker's end of the link runs as in any worker; its front is elsewhere.
 *
 * @module
 */

import { HELLO, VERSION } from "../../src/links/packets.ts";
import type { Pipe } from "../../src/links/pipe.ts";
import { PortPipe } from "../../src/links/port_pipe.ts";
import { SocketPipe } from "../../src/links/socket_pipe.ts";
import { type Channel, type Command, LineChannel, PortChannel, type Report } from "./front_messages.ts";

/** A front that waits for commands. */
export interface Front {
  readonly channel: Channel<Command, Report>;
  /** The worker's end of its link; `place` is where it said that a worker is awaited, if it did. */
  link(place: Place | null): Promise<Pipe>;
  /** Resolves when this process has let go of both. */
  gone(): Promise<void>;
}

/** Where a front awaits a worker. */
export interface Place {
  readonly path: string;
  readonly secret: string;
}

/** Gives fronts. */
export interface Fronts {
  /** `process` or `thread`: what lies between the front and the app. */
  readonly home: string;
  /** The front says where its worker is awaited, before it launches. */
  readonly invites: boolean;
  /** Makes the process or thread. What a test makes, a test must end: so this comes before all tests. */
  prepare(): Promise<void>;
  /** A front for one server. */
  connect(): Promise<Front>;
}

/** Fronts in a process of their own. It ends with this one, whose end of its stdin is closed then. */
export class ProcessFronts implements Fronts {
  readonly home = "process";
  readonly invites = true;
  #path: string | null = null;

  async prepare(): Promise<void> {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/fronts`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--frozen", new URL("./front_process.ts", import.meta.url).pathname, path],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read(); // it listens
    await reader.cancel();
    globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
    this.#path = path;
  }

  async connect(): Promise<Front> {
    const channel = new LineChannel<Command, Report>(await Deno.connect({ transport: "unix", path: this.#path! }));
    return {
      channel,
      link: async (place) => {
        const pipe = new SocketPipe(await Deno.connect({ transport: "unix", path: place!.path }));
        await pipe.send(JSON.stringify([HELLO, 0, VERSION, place!.secret, Deno.pid]), []);
        return pipe;
      },
      gone: () => channel.closed,
    };
  }
}

/** Fronts in a thread of this process. */
export class ThreadFronts implements Fronts {
  readonly home = "thread";
  readonly invites = false;
  #worker: Worker | null = null;

  prepare(): Promise<void> {
    this.#worker = new Worker(new URL("./front_thread.ts", import.meta.url), { type: "module" });
    return Promise.resolve();
  }

  connect(): Promise<Front> {
    const control = new MessageChannel();
    const link = new MessageChannel();
    this.#worker!.postMessage(null, [control.port2, link.port2]);
    const channel = new PortChannel<Command, Report>(control.port1);
    return Promise.resolve({
      channel,
      link: () => Promise.resolve(new PortPipe(link.port1)),
      gone: async () => {
        await channel.closed;
        link.port1.close();
      },
    });
  }
}
