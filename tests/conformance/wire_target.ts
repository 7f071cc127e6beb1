/**
 * A target with sockets: any engine, any home, and clients that are no code of the server.
 *
 * @module
 */

import type { ListenAddress, TlsSettings } from "../../src/engines/listener_settings.ts";
import { DEFAULT_WIRE_LIMITS } from "../../src/engines/node_settings.ts";
import type { App } from "../../src/spec/app.ts";
import { DEFAULT_LIMITS } from "../../src/testing/client_options.ts";
import { type Certificate, certificate, clientCertificates } from "./certificate.ts";
import { H2WebSocket } from "./h2_websocket.ts";
import type { Launched, Launcher } from "./launch.ts";
import type { Reply } from "./reply.ts";
import type { Address, Ask, Exchange, Finished, Note, Running, ServerOptions, Socket, SocketAsk, Target } from "./target.ts";
import { until } from "./waiting.ts";
import { WireConnection } from "./wire_connection.ts";
import { WireExchange } from "./wire_exchange.ts";
import { WireWebSocket } from "./wire_websocket.ts";

/** Makes a target of an engine and a home. */
export function wireTarget(launcher: Launcher): Target {
  const { engine, home } = launcher;
  return {
    name: `${engine.name} × ${home}`,
    engine: engine.name,
    home,
    capabilities: engine.capabilities,
    wire: true,
    start: (app, options = {}) => WireServer.start(launcher, app, options),
  };
}

/** A server with sockets. */
class WireServer implements Running {
  readonly address: Address;
  readonly addresses: readonly Address[];
  readonly cert: string;
  readonly #tls: boolean;
  readonly #launched: Launched;
  readonly #closers: (() => void | Promise<void>)[];
  #stopping: Promise<void> | null = null;

  private constructor(launched: Launched, tls: Certificate | undefined, closers: (() => void | Promise<void>)[]) {
    this.addresses = launched.addresses.map((address) =>
      address.transport === "tcp" ? { port: address.port } : { path: (address as Deno.UnixAddr).path }
    );
    this.address = this.addresses[0]!;
    this.cert = tls?.cert ?? "";
    this.#tls = tls !== undefined;
    this.#launched = launched;
    this.#closers = closers;
  }

  static async start(launcher: Launcher, app: App, options: ServerOptions): Promise<Running> {
    const { maxBodyBytes, ...limits } = { ...DEFAULT_LIMITS, ...options.limits };
    const tls = options.tls === true ? await certificate() : undefined;
    const settings: TlsSettings | null = tls === undefined ? null : {
      certificates: [tls],
      clientCertificates: options.clientCertificates ?? "none",
      ca: options.clientCertificates === undefined ? null : (await clientCertificates()).authority,
    };
    const folder = (options.unix ?? false) !== false ? await Deno.makeTempDir() : null;
    const closers = folder === null ? [] : [() => Deno.remove(folder, { recursive: true })];
    const launched = await launcher.launch(app, {
      listeners: addresses(options, folder).map((at) => ({ at, tls: settings, proxyProtocol: false })),
      rootPath: options.rootPath ?? "",
      maxBodyBytes: options.maxBodyBytes ?? maxBodyBytes,
      highWaterBytes: limits.highWaterBytes,
      lowWaterBytes: limits.lowWaterBytes,
      headers: options.headers ?? [],
      limits: { ...DEFAULT_WIRE_LIMITS, maxMessageBytes: limits.maxMessageBytes, ...options.wire },
      wsDeflate: options.wsDeflate ?? false,
    }, {
      isWorker: false,
      lifespan: options.lifespan ?? "off",
      lifespanStartupTimeoutMs: options.lifespanStartupTimeoutMs ?? 5000,
      limits,
      validateEvents: options.validateEvents ?? false,
    });
    return new WireServer(launched, tls, closers);
  }

  get notes(): readonly Note[] {
    return this.#launched.notes;
  }

  get finished(): readonly Finished[] {
    return this.#launched.finished;
  }

  async request(ask: Ask = {}): Promise<Reply> {
    return await (await this.exchange(ask)).finish();
  }

  async exchange(ask: Ask = {}): Promise<Exchange> {
    return await WireExchange.open(await this.connect(), ask);
  }

  async websocket(ask: SocketAsk = {}): Promise<Socket> {
    if (!("port" in this.address)) throw new Error("The WebSocket client of the suite needs a port");
    await this.#launched.settled();
    const [socket, close] = await (ask.httpVersion === "2" ? H2WebSocket.open(this, ask) : this.#upgraded(ask));
    this.#closers.push(close);
    return socket;
  }

  async connect(as?: Certificate): Promise<WireConnection> {
    await this.#launched.settled();
    const connection = new WireConnection(await this.#dial(as));
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
    this.#launched.drain();
  }

  stop(graceMs = 0): Promise<void> {
    return this.#stopping ??= this.#launched.stop(graceMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    await this.stop(1000);
  }

  #upgraded(ask: SocketAsk): Promise<[Socket, () => Promise<void>]> {
    const { port } = this.address as { port: number };
    const url = `${this.#tls ? "wss" : "ws"}://localhost:${port}${ask.target ?? "/"}`;
    return WireWebSocket.open(url, ask, this.cert === "" ? undefined : this.cert);
  }

  #dial(as?: Certificate): Promise<Deno.Conn> {
    if ("path" in this.address) return Deno.connect({ transport: "unix", path: this.address.path });
    const { port } = this.address;
    if (this.#tls) {
      return Deno.connectTls({ hostname: "localhost", port, caCerts: [this.cert], alpnProtocols: ["http/1.1"], ...as });
    }
    return Deno.connect({ hostname: "127.0.0.1", port });
  }
}

/** Where a server is to listen. */
function addresses({ unix }: ServerOptions, folder: string | null): readonly ListenAddress[] {
  const file: ListenAddress[] = folder === null ? [] : [{ kind: "unix", path: `${folder}/s`, mode: 0o600 }];
  return unix === true ? file : [{ kind: "tcp", host: "127.0.0.1", port: 0 }, ...file];
}
