/**
 * Launches servers whose front is in another process or thread, while the app stays here, at the worker's end of the link.
 *
 * Where a row hears of its app, it has heard of the front too: a mailbox gives an item when what was told before has arrived.
 *
 * @module
 */

import type { Start } from "../../src/exchange.ts";
import type { Pipe } from "../../src/links/pipe.ts";
import { ServedHost } from "../../src/links/served_host.ts";
import { systemClock, systemFiles } from "../../src/loading/system.ts";
import { InlineHost } from "../../src/sessions/inline_host.ts";
import type { App } from "../../src/spec/app.ts";
import { StartupError, WorkerError } from "../../src/spec/errors.ts";
import type { EngineMaker, EngineSettings } from "./engines.ts";
import type { Report } from "./front_messages.ts";
import type { Front, Fronts, Place } from "./fronts.ts";
import type { Launched, Launcher } from "./launch.ts";
import type { Finished, Note } from "./target.ts";
import { settleFirst, within } from "./waiting.ts";

/** An engine elsewhere, and the app here. */
export function frontLauncher(engine: EngineMaker, fronts: Fronts): Launcher {
  return {
    engine,
    home: fronts.home,
    launch: async (app, settings, start) => {
      const server = new FrontServer(await fronts.connect());
      await server.launch(engine.name, fronts.invites, app, settings, start);
      return server;
    },
  };
}

/** A server in two halves. */
class FrontServer implements Launched {
  readonly notes: Note[] = [];
  readonly finished: Finished[] = [];
  addresses: readonly Deno.Addr[] = [];
  readonly #front: Front;
  readonly #invited = Promise.withResolvers<Place>();
  readonly #launched = Promise.withResolvers<readonly Deno.Addr[]>();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #marks: (() => void)[] = [];
  #served: ServedHost | null = null;
  #begun: Promise<void> | null = null;
  readonly #forget = settleFirst(() => this.settled());
  #isOver = false;
  #failed: ((error: Error) => void) | null = null;

  constructor(front: Front) {
    this.#front = front;
    front.channel.start((report) => this.#hear(report));
  }

  async launch(engine: string, invites: boolean, app: App, settings: EngineSettings, start: Start): Promise<void> {
    this.#failed = this.#launched.reject;
    this.#front.channel.send({ do: "launch", engine, settings, start });
    const place = invites ? await within(this.#invited.promise, "the invitation of a worker") : null;
    const pipe = await this.#front.link(place);
    this.#served = this.#serve(behind(pipe, () => this.#begun), app);
    try {
      this.addresses = await this.#launched.promise;
    } catch (error) {
      await this.#letGo();
      throw error;
    }
  }

  async settled(): Promise<void> {
    if (this.#isOver) return;
    await this.#served?.outbox.empty();
    await this.#heard();
  }

  // The front has read all commands.
  async #heard(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#marks.push(resolve);
    this.#front.channel.send({ do: "settle", mark: this.#marks.length });
    await within(promise, "the front");
  }

  drain(): void {
    this.#front.channel.send({ do: "drain" });
    this.#begin();
  }

  async stop(graceMs: number): Promise<void> {
    this.#failed = this.#stopped.reject;
    this.#front.channel.send({ do: "stop", graceMs });
    this.#begin();
    await this.#stopped.promise;
    await this.#letGo();
  }

  // In one process a drain begins before the app says its next word.
  #begin(): void {
    this.#begun = this.#heard();
  }

  #serve(pipe: Pipe, app: App): ServedHost {
    return new ServedHost(pipe, (_load, note) => new InlineHost(app, { clock: systemClock, files: systemFiles, note }));
  }

  #hear(report: Report): void {
    switch (report.is) {
      case "waiting":
        return this.#invited.resolve(report);
      case "launched":
        return this.#launched.resolve(report.addresses);
      case "failed":
        return this.#failed!(errorOf(report));
      case "note":
        return void this.notes.push(report.note);
      case "finished":
        return void this.finished.push(report.record);
      case "lost":
        return void this.notes.push({ level: "error", text: `The worker was lost: ${report.cause}`, fields: {} });
      case "stopped":
        return this.#stopped.resolve();
      case "settled":
        // One that crossed the end: whoever waited for it has been told by `#letGo`.
        return this.#isOver ? undefined : this.#marks.shift()!();
    }
  }

  async #letGo(): Promise<void> {
    this.#isOver = true;
    this.#forget();
    for (const done of this.#marks.splice(0)) done();
    await within(this.#served!.ended, "the end of the link");
    this.#front.channel.close();
    await this.#front.gone();
  }
}

/** A pipe that sends nothing before what was asked for has begun. */
function behind(pipe: Pipe, begun: () => Promise<void> | null): Pipe {
  return {
    closed: pipe.closed,
    close: (cause) => pipe.close(cause),
    start: (onBatch) => pipe.start(onBatch),
    send: async (text, parts) => {
      await begun();
      await pipe.send(text, parts);
    },
  };
}

function errorOf({ name, message, exitCode }: Report & { is: "failed" }): Error {
  if (name === "StartupError") return new StartupError(message, { exitCode });
  if (name === "WorkerError") return new WorkerError(message);
  return new Error(`${name}: ${message}`);
}
