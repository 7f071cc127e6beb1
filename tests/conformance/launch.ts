/**
 * How a server of the suite comes to run: an engine with the app behind it, wherever each of them lives.
 *
 * @module
 */

import { systemClock, systemFiles } from "../../src/loading/system.ts";
import type { Host, Observer, Start } from "../../src/exchange.ts";
import type { InlinePorts } from "../../src/sessions/inline_host.ts";
import type { App } from "../../src/spec/app.ts";
import type { EngineMaker, EngineSettings } from "./engines.ts";
import type { Finished, Note } from "./target.ts";

/** A home under test. */
export interface HomeMaker {
  readonly name: string;
  create(app: App, ports: InlinePorts): Host;
}

/** Starts servers. */
export interface Launcher {
  readonly engine: EngineMaker;
  /** The name of the home. */
  readonly home: string;
  /**
   * Starts one.
   *
   * @throws {StartupError} As the engine or the home does.
   */
  launch(app: App, settings: EngineSettings, start: Start): Promise<Launched>;
}

/** A server that runs. */
export interface Launched {
  /** In the order of the listeners. */
  readonly addresses: readonly Deno.Addr[];
  /** The log. */
  readonly notes: readonly Note[];
  /** Exchanges that are over. */
  readonly finished: readonly Finished[];
  /** Resolves when what was asked for has begun, and what was told so far has come. */
  settled(): Promise<void>;
  /** Begins to drain. */
  drain(): void;
  /** Stops it in the order of the runner. */
  stop(graceMs: number): Promise<void>;
}

/** An engine and a home in this process. */
export function localLauncher(engine: EngineMaker, home: HomeMaker): Launcher {
  return {
    engine,
    home: home.name,
    launch: async (app, settings, start) => {
      const [notes, finished]: [Note[], Finished[]] = [[], []];
      const host = home.create(app, {
        clock: systemClock,
        files: systemFiles,
        note: (level, text, fields = {}) => void notes.push({ level, text, fields }),
      });
      const pair = await Pair.start(engine, settings, host, start, observer(notes, finished));
      return {
        addresses: pair.addresses,
        notes,
        finished,
        settled: () => Promise.resolve(),
        drain: () => pair.drain(),
        stop: (graceMs) => pair.stop(graceMs),
      };
    },
  };
}

/** An engine and its host, in the same process. */
export class Pair {
  readonly addresses: readonly Deno.Addr[];
  readonly #engine: ReturnType<EngineMaker["create"]>;
  readonly #host: Host;

  /** Starts the host, then the engine. */
  static async start(maker: EngineMaker, settings: EngineSettings, host: Host, start: Start, observer: Observer): Promise<Pair> {
    const engine = maker.create(settings);
    await host.start(start);
    return new Pair(engine, host, await engine.listen(host, observer));
  }

  private constructor(engine: ReturnType<EngineMaker["create"]>, host: Host, addresses: readonly Deno.Addr[]) {
    this.#engine = engine;
    this.#host = host;
    this.addresses = addresses;
  }

  drain(): void {
    this.#engine.drain();
    this.#host.drain("shutdown", 30);
  }

  async stop(graceMs: number): Promise<void> {
    this.#engine.drain();
    this.#host.drain("shutdown", graceMs / 1000);
    await this.#engine.close(graceMs);
    await this.#host.stop(Math.max(graceMs, 1000));
  }
}

/** Keeps what an engine tells. */
export function observer(notes: { push(note: Note): unknown }, finished: { push(record: Finished): unknown }): Observer {
  return {
    opened: () => {},
    finished: (head, status, bytes, end) => void finished.push({ head, status, bytes, end }),
    note: (level, text, fields) => void notes.push({ level, text, fields: fields ?? {} }),
  };
}
