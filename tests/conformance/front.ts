/**
 * The front of a server of the suite: an engine and a `RemoteHost`, commanded over a channel. The app is at the other end of the link.
 *
 * Not here: the process or thread that it runs in (`front_process.ts`, `front_thread.ts`).
 *
 * @module
 */

import type { Pipe } from "../../src/links/pipe.ts";
import { RemoteHost } from "../../src/links/remote_host.ts";
import { StartupError } from "../../src/spec/errors.ts";
import { ENGINES } from "./engines.ts";
import type { Channel, Command, Report } from "./front_messages.ts";
import { observer, Pair } from "./launch.ts";

/** The link of a worker that comes soon. It may say where it is awaited. */
export type Await = (say: (report: Report) => void) => Promise<Pipe>;

const TURNS = 2;

/** Serves one server after the other, or many at once. */
export async function serveFront(channel: Channel<Report, Command>, awaitWorker: Await): Promise<void> {
  const front = new Front(channel, awaitWorker);
  channel.start((command) => front.obey(command));
  await channel.closed;
  await front.over();
}

/** One server. */
class Front {
  readonly #channel: Channel<Report, Command>;
  readonly #awaitWorker: Await;
  #pair: Pair | null = null;
  #host: RemoteHost | null = null;
  #stopping: Promise<void> | null = null;

  constructor(channel: Channel<Report, Command>, awaitWorker: Await) {
    this.#channel = channel;
    this.#awaitWorker = awaitWorker;
  }

  obey(command: Command): void {
    switch (command.do) {
      case "launch":
        return this.#report(this.#launch(command));
      case "drain":
        return this.#pair!.drain();
      case "stop":
        return this.#report(this.#stop(command.graceMs));
      case "settle":
        return this.#report(this.#settle(command.mark));
    }
  }

  /** Whoever commanded it is gone: it stops what is left. */
  async over(): Promise<void> {
    this.#host?.abandon("the suite has let go");
    if (this.#pair !== null) await (this.#stopping ??= this.#pair.stop(0));
  }

  async #launch({ engine, settings, start }: Command & { do: "launch" }): Promise<void> {
    const maker = ENGINES.find(({ name }) => name === engine);
    if (maker === undefined) throw new Error(`There is no engine ${engine}`);
    const notes = { push: (note: (Report & { is: "note" })["note"]) => this.#say({ is: "note", note }) };
    const finished = { push: (record: (Report & { is: "finished" })["record"]) => this.#say({ is: "finished", record }) };
    const host = new RemoteHost(await this.#awaitWorker((report) => this.#say(report)), {
      // The app is there already: what to load is said all the same, as to any worker.
      load: { app: "suite", args: {} },
      heartbeatMs: 0,
      note: (level, text, fields) => notes.push({ level, text, fields: fields ?? {} }),
      ended: () => {},
    });
    this.#host = host;
    void host.lost.then((cause) => this.#stopping ?? this.#say({ is: "lost", cause }));
    try {
      this.#pair = await Pair.start(maker, settings, host, start, observer(notes, finished));
    } catch (error) {
      this.#stopping = Promise.resolve();
      host.abandon("it did not start");
      throw error;
    }
    this.#say({ is: "launched", addresses: this.#pair.addresses });
  }

  async #stop(graceMs: number): Promise<void> {
    await (this.#stopping ??= this.#pair!.stop(graceMs));
    this.#host!.abandon("it was stopped");
    this.#say({ is: "stopped" });
  }

  // What was written to the link before the command is read in one of the next turns.
  async #settle(mark: number): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    this.#say({ is: "settled", mark });
  }

  #say(report: Report): void {
    this.#channel.send(report);
  }

  #report(work: Promise<void>): void {
    work.catch((error) => {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      this.#say({ is: "failed", name, message, exitCode: error instanceof StartupError ? error.exitCode : 1 });
    });
  }
}
