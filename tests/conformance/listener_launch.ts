/**
 * The home `listener` for the suite: what a worker that listens itself runs, behind the link to what its server has of it.
 *
 * Rows bring their apps, in the process of the suite, so the worker's half is here too: engine, `InlineHost` and `ListenerHost` on an
 * inherited descriptor, started, drained and stopped by packets. The server's half is what holds the port, and the `RemoteHost`. That
 * they live in processes of their own is proven elsewhere (`tests/runner/listener_workers_test.ts`).
 *
 * @module
 */

import type { Engine, Host, Observer } from "../../src/exchange.ts";
import { HELLO, VERSION } from "../../src/links/packets.ts";
import { RemoteHost } from "../../src/links/remote_host.ts";
import { ServedHost } from "../../src/links/served_host.ts";
import { SocketListener } from "../../src/links/socket_listener.ts";
import { SocketPipe } from "../../src/links/socket_pipe.ts";
import { systemClock, systemFiles } from "../../src/loading/system.ts";
import { type LeavingEngine, ListenerHost } from "../../src/runner/listening/listener_host.ts";
import type { ListenerLoad } from "../../src/runner/listening/listener_load.ts";
import { ListenerPorts } from "../../src/runner/listening/listener_ports.ts";
import { InlineHost } from "../../src/sessions/inline_host.ts";
import { within } from "../../src/wire/within.ts";
import type { EngineMaker } from "./engines.ts";
import { type Launcher, observer } from "./launch.ts";
import type { Finished, Note } from "./target.ts";

const ACCEPT_MS = 5000;

/** The app in a worker that listens itself. */
export function listenerLauncher(maker: EngineMaker): Launcher {
  return {
    engine: maker,
    home: "listener",
    launch: async (app, settings, start) => {
      const [notes, finished]: [Note[], Finished[]] = [[], []];
      const record = observer(notes, finished);
      const note = (level: Note["level"], text: string, fields: Note["fields"] = {}) => record.note(level, text, fields, null);
      const ports = ListenerPorts.open("node", settings.listeners);
      const engine = new Recorded(maker.create({ ...settings, listeners: heirsOf(ports) }) as LeavingEngine, record);
      const [front, worker] = await pipes();
      const served = new ServedHost(worker, (load, _note, counting) => {
        const inline = new InlineHost(app, { clock: systemClock, files: systemFiles, note });
        return new ListenerHost({ load: load as ListenerLoad, inline, engine, counting, note: () => {} });
      });
      const remote = new RemoteHost(front, {
        load: { accessLog: false, accessLogFormat: "clf" },
        heartbeatMs: 0,
        listens: true,
        note: (level, text, fields) => note(level, text, fields),
        ended: () => {},
      });
      const end = async (cause: string) => {
        ports.drain();
        remote.abandon(cause);
        await served.ended;
      };
      try {
        await remote.start(start);
      } catch (error) {
        await end("it did not start");
        throw error;
      }
      let draining: Promise<void> | null = null;
      const drain = (secondsLeft: number) => {
        ports.drain();
        // For rows it begins at once; the packet comes a moment later, and so does what else a drain does.
        engine.drain();
        if (draining === null) remote.drain("shutdown", secondsLeft);
        draining ??= engine.drained;
      };
      return {
        addresses: await ports.listen(),
        notes,
        finished,
        settled: () => draining ?? Promise.resolve(),
        drain: () => drain(30),
        stop: async (graceMs) => {
          drain(graceMs / 1000);
          // A server waits in any case, for requests on their way: here there are none.
          await within(graceMs, engine.empty());
          await remote.stop(Math.max(graceMs, 1000));
          await end("it was stopped");
        },
      };
    },
  };
}

/** An engine whose observer tells the suite too. */
class Recorded implements LeavingEngine {
  readonly name: string;
  readonly capabilities: Engine["capabilities"];
  readonly finished: Promise<void>;
  readonly drained: Promise<void>;
  readonly #engine: LeavingEngine;
  readonly #record: Observer;
  readonly #drain = Promise.withResolvers<void>();
  #open = 0;
  #empty: (() => void) | null = null;

  constructor(engine: LeavingEngine, record: Observer) {
    this.#engine = engine;
    this.#record = record;
    this.name = engine.name;
    this.capabilities = engine.capabilities;
    this.finished = engine.finished;
    this.drained = this.#drain.promise;
  }

  get left(): Promise<void> {
    return this.#engine.left;
  }

  listen(host: Host, observer: Observer): Promise<readonly Deno.Addr[]> {
    const record = this.#record;
    return this.#engine.listen(host, {
      opened: (head) => {
        this.#open++;
        observer.opened(head);
      },
      finished: (head, status, bytes, end) => {
        observer.finished(head, status, bytes, end);
        record.finished(head, status, bytes, end);
        if (--this.#open === 0) this.#empty?.();
      },
      note: (level, text, fields, head) => record.note(level, text, fields, head),
    });
  }

  /** Resolves when no exchange is open. */
  async empty(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#empty = resolve);
  }

  drain(): void {
    this.#engine.drain();
    this.#drain.resolve();
  }

  close(graceMs: number): Promise<void> {
    return this.#engine.close(graceMs);
  }
}

/** The sockets as another process would have them: the engine closes them, the ports theirs. */
function heirsOf(ports: ListenerPorts): ListenerPorts["listeners"] {
  const libc = Deno.dlopen("libc.so.6", { dup: { parameters: ["i32"], result: "i32" } });
  const listeners = ports.listeners.map((listener) => ({
    ...listener,
    at: listener.at.kind === "fd" ? { kind: "fd" as const, fd: libc.symbols.dup(listener.at.fd) } : listener.at,
  }));
  libc.close();
  return listeners;
}

/** A link as a worker process has it. */
async function pipes(): Promise<[front: SocketPipe, worker: SocketPipe]> {
  const socket = await SocketListener.open();
  const accepted = socket.accept(ACCEPT_MS);
  const worker = new SocketPipe(await Deno.connect({ transport: "unix", path: socket.path }));
  await worker.send(JSON.stringify([HELLO, 0, VERSION, socket.secret, Deno.pid]), []);
  return [await accepted as SocketPipe, worker];
}
