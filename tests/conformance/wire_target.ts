/**
 * A target with sockets: any engine, any home, and clients that are no code of the server.
 *
 * @module
 */

import type { Capability, Engine, Host, Pairs } from "../../src/exchange.ts";
import type { InlinePorts } from "../../src/sessions/inline_host.ts";
import { systemClock, systemFiles } from "../../src/loading/system.ts";
import type { App } from "../../src/spec/app.ts";
import { DEFAULT_LIMITS } from "../../src/testing/client_options.ts";
import { certificate } from "./certificate.ts";
import type { Reply } from "./reply.ts";
import type { Ask, Exchange, Finished, Note, Running, ServerOptions, Socket, SocketAsk, Target } from "./target.ts";
import { until } from "./waiting.ts";
import { WireConnection } from "./wire_connection.ts";
import { WireExchange } from "./wire_exchange.ts";
import { WireWebSocket } from "./wire_websocket.ts";

/** What every engine is told. */
export interface EngineSettings {
  readonly listen:
    | { readonly kind: "tcp"; readonly host: string; readonly port: number }
    | { readonly kind: "unix"; readonly path: string; readonly mode: number };
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly rootPath: string;
  readonly maxBodyBytes: number;
  readonly highWaterBytes: number;
  readonly lowWaterBytes: number;
  readonly headers: Pairs;
}

/** An engine under test. */
export interface EngineMaker {
  readonly name: string;
  readonly capabilities: readonly Capability[];
  create(settings: EngineSettings): Engine;
}

/** A home under test. */
export interface HomeMaker {
  readonly name: string;
  create(app: App, ports: InlinePorts): Host;
}

/** Joins an engine and a home. */
export function wireTarget(engine: EngineMaker, home: HomeMaker): Target {
  return {
    name: `${engine.name} × ${home.name}`,
    engine: engine.name,
    home: home.name,
    capabilities: engine.capabilities,
    wire: true,
    start: (app, options = {}) => WireServer.start(engine, home, app, options),
  };
}

/** A server with sockets. */
class WireServer implements Running {
  readonly notes: Note[] = [];
  readonly finished: Finished[] = [];
  address: { readonly port: number } | { readonly path: string } = { port: 0 };
  cert = "";
  readonly #options: ServerOptions;
  readonly #closers: (() => void | Promise<void>)[] = [];
  #engine: Engine | null = null;
  #host: Host | null = null;
  #stopping: Promise<void> | null = null;

  private constructor(options: ServerOptions) {
    this.#options = options;
  }

  static async start(maker: EngineMaker, home: HomeMaker, app: App, options: ServerOptions): Promise<Running> {
    const server = new WireServer(options);
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const tls = options.tls === true ? await certificate() : undefined;
    server.cert = tls?.cert ?? "";
    const path = options.unix === true ? `${await Deno.makeTempDir()}/s` : null;
    if (path !== null) server.#closers.push(() => Deno.remove(path.slice(0, -2), { recursive: true }));
    const engine = maker.create({
      listen: path === null ? { kind: "tcp", host: "127.0.0.1", port: 0 } : { kind: "unix", path, mode: 0o600 },
      ...(tls === undefined ? {} : { tls }),
      rootPath: options.rootPath ?? "",
      maxBodyBytes: options.maxBodyBytes ?? 10_000_000,
      highWaterBytes: limits.highWaterBytes,
      lowWaterBytes: limits.lowWaterBytes,
      headers: options.headers ?? [],
    });
    const host = home.create(app, {
      clock: systemClock,
      files: systemFiles,
      note: (level, text, fields = {}) => void server.notes.push({ level, text, fields }),
    });
    server.#engine = engine;
    server.#host = host;
    await host.start({
      isWorker: false,
      lifespan: options.lifespan ?? "off",
      lifespanStartupTimeoutMs: options.lifespanStartupTimeoutMs ?? 5000,
      limits,
      validateEvents: options.validateEvents ?? false,
    });
    const [addr] = await engine.listen(host, {
      opened: () => {},
      finished: (head, status, bytes, end) => void server.finished.push({ head, status, bytes, end }),
      note: (level, text, fields) => void server.notes.push({ level, text, fields: fields ?? {} }),
    });
    server.address = path === null ? { port: (addr as Deno.NetAddr).port } : { path };
    return server;
  }

  async request(ask: Ask = {}): Promise<Reply> {
    return await (await this.exchange(ask)).finish();
  }

  async exchange(ask: Ask = {}): Promise<Exchange> {
    return await WireExchange.open(await this.connect(), ask);
  }

  async websocket(ask: SocketAsk = {}): Promise<Socket> {
    if (!("port" in this.address)) throw new Error("The WebSocket client of the suite needs a port");
    if (ask.httpVersion === "2") throw new Error("The WebSocket client of the suite speaks HTTP/1.1 on a wire");
    const scheme = this.#options.tls === true ? "wss" : "ws";
    const url = `${scheme}://localhost:${this.address.port}${ask.target ?? "/"}`;
    const [socket, close] = await WireWebSocket.open(url, ask, this.cert === "" ? undefined : this.cert);
    this.#closers.push(close);
    return socket;
  }

  async connect(): Promise<WireConnection> {
    const connection = new WireConnection(await this.#dial());
    this.#closers.push(() => connection.close());
    return connection;
  }

  noted(text: RegExp): Promise<Note> {
    return until(() => this.notes.find((note) => text.test(note.text)), `a line in the log that matches ${text}`);
  }

  ended(count = 1): Promise<Finished> {
    return until(() => this.finished[count - 1], `the end of exchange number ${count}`);
  }

  drain(): void {
    this.#engine!.drain();
    this.#host!.drain("shutdown", 30);
  }

  stop(graceMs = 0): Promise<void> {
    return this.#stopping ??= this.#stop(graceMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    await this.stop(1000);
  }

  #dial(): Promise<Deno.Conn> {
    if ("path" in this.address) return Deno.connect({ transport: "unix", path: this.address.path });
    const { port } = this.address;
    if (this.#options.tls === true) {
      return Deno.connectTls({ hostname: "localhost", port, caCerts: [this.cert], alpnProtocols: ["http/1.1"] });
    }
    return Deno.connect({ hostname: "127.0.0.1", port });
  }

  async #stop(graceMs: number): Promise<void> {
    this.#engine!.drain();
    this.#host!.drain("shutdown", graceMs / 1000);
    await this.#engine!.close(graceMs);
    await this.#host!.stop(Math.max(graceMs, 1000));
  }
}
