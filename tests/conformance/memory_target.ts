/**
 * The target in memory: the test client's engine, which has every capability that needs no bytes on a socket.
 *
 * @module
 */

import {
  ClosedError,
  RefusedError,
  type TestClient,
  testClient,
  type TestExchange,
  type TestResponse,
  type TestWebSocket,
} from "../../src/testing/mod.ts";
import { MEMORY_CAPABILITIES } from "../../src/testing/memory_engine.ts";
import type { App } from "../../src/spec/app.ts";
import type { HomeMaker } from "./launch.ts";
import { bytesOf, Cut, join, Refused, Reply } from "./reply.ts";
import type { Ask, Exchange, Finished, Note, Running, ServerOptions, Socket, SocketAsk, Target } from "./target.ts";
import { until } from "./waiting.ts";
import type { WireConnection } from "./wire_connection.ts";

/** Joins the engine in memory and a home. */
export function memoryTarget(home: HomeMaker): Target {
  return {
    name: `memory × ${home.name}`,
    engine: "memory",
    home: home.name,
    capabilities: MEMORY_CAPABILITIES,
    wire: false,
    start: async (app: App, options: ServerOptions = {}) => {
      const { limits, maxBodyBytes, unix, tls, rootPath } = options;
      return new MemoryServer(
        await testClient(app, {
          lifespan: options.lifespan ?? "off",
          validateEvents: options.validateEvents ?? false,
          timeoutMs: options.lifespanStartupTimeoutMs ?? 5000,
          limits: { ...limits, ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }) },
          ...(rootPath === undefined ? {} : { rootPath }),
          ...(tls === undefined ? {} : { tls }),
          ...(unix === true ? { client: null, server: ["/run/s", null] as const } : {}),
          host: (app, ports) => home.create(app, ports),
        }),
      );
    },
  };
}

/** A server in memory. */
class MemoryServer implements Running {
  readonly #client: TestClient;

  constructor(client: TestClient) {
    this.#client = client;
  }

  get address(): never {
    throw new Error("There is no address in memory");
  }

  get addresses(): never {
    throw new Error("There is no address in memory");
  }

  get cert(): never {
    throw new Error("There is no certificate in memory");
  }

  get notes(): readonly Note[] {
    return this.#client.notes;
  }

  get finished(): readonly Finished[] {
    return this.#client.finished;
  }

  async request(ask: Ask = {}): Promise<Reply> {
    return await (await this.exchange(ask)).finish();
  }

  async exchange(ask: Ask = {}): Promise<Exchange> {
    const { method = "GET", target = "/", headers, body, streams, httpVersion, stalled } = ask;
    return new MemoryExchange(
      await this.#client.open(method, target, {
        ...(headers === undefined ? {} : { headers }),
        ...(body === undefined ? {} : { body: bytesOf(body) }),
        ...(streams === undefined ? {} : { streams }),
        ...(httpVersion === undefined ? {} : { httpVersion }),
        ...(stalled === undefined ? {} : { stalled }),
      }),
    );
  }

  async websocket(ask: SocketAsk = {}): Promise<Socket> {
    const { target = "/", ...options } = ask;
    try {
      return new MemorySocket(await this.#client.websocket(target, options));
    } catch (error) {
      if (error instanceof RefusedError) throw new Refused(replyOf(error.response));
      if (error instanceof ClosedError) throw new Cut(error.message);
      throw error;
    }
  }

  connect(): Promise<WireConnection> {
    return Promise.reject(new Error("There are no bytes in memory"));
  }

  noted(text: RegExp): Promise<Note> {
    return until(() => this.notes.find((note) => text.test(note.text)), `a line in the log that matches ${text}`);
  }

  ended(count = 1): Promise<Finished> {
    return until(() => this.finished[count - 1], `the end of exchange number ${count}`);
  }

  drain(): void {
    this.#client.drain("shutdown");
  }

  stop(graceMs = 0): Promise<void> {
    return this.#client.shutdown(graceMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}

class MemoryExchange implements Exchange {
  readonly #exchange: TestExchange;
  #text = "";

  constructor(exchange: TestExchange) {
    this.#exchange = exchange;
  }

  get continued(): Promise<void> {
    return this.#exchange.continued;
  }

  write(data: string | Uint8Array): Promise<void> {
    return this.#exchange.write(data);
  }

  end(): Promise<void> {
    this.#exchange.end();
    return Promise.resolve();
  }

  async head(): Promise<Reply> {
    return new Reply(await told(this.#exchange.response));
  }

  read(): Promise<Uint8Array | null> {
    return told(this.#exchange.read());
  }

  async readUntil(text: string): Promise<string> {
    while (!this.#text.includes(text)) {
      const bytes = await this.read();
      if (bytes === null) throw new Cut(`The answer ended before ${JSON.stringify(text)}: ${JSON.stringify(this.#text)}`);
      this.#text += new TextDecoder().decode(bytes);
    }
    return this.#text;
  }

  async finish(): Promise<Reply> {
    return replyOf(await told(this.#exchange.finish()));
  }

  resume(): void {
    this.#exchange.resume();
  }

  leave(): void {
    this.#exchange.disconnect();
  }
}

class MemorySocket implements Socket {
  readonly #socket: TestWebSocket;

  constructor(socket: TestWebSocket) {
    this.#socket = socket;
  }

  get protocol(): string {
    return this.#socket.protocol ?? "";
  }

  header(name: string): string | null {
    return this.#socket.headers.get(name);
  }

  get pings(): number {
    return this.#socket.pings;
  }

  send(data: string | Uint8Array): void {
    if (typeof data === "string") this.#socket.sendText(data);
    else this.#socket.sendBytes(data);
  }

  receive(): Promise<string | Uint8Array> {
    return told(this.#socket.receive());
  }

  get closed(): Promise<{ readonly code: number; readonly reason: string }> {
    return this.#socket.closed;
  }

  close(code?: number, reason?: string): void {
    // A close frame without a code is what the client library sends for none too.
    this.#socket.close(code ?? 1005, reason);
  }

  stall(): void {
    this.#socket.stall();
  }

  resume(): void {
    this.#socket.resume();
  }

  leave(): void {
    this.#socket.drop();
  }
}

async function told<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw error instanceof ClosedError ? new Cut(error.message) : error;
  }
}

function replyOf(response: TestResponse): Reply {
  return new Reply({
    status: response.status,
    pairs: response.pairs,
    body: join([response.bytes()]),
    trailers: response.trailers === null ? null : [...response.trailers],
    hints: response.hints.map(({ status, headers }) => new Reply({ status, pairs: [...headers] })),
    cut: response.cut !== null,
  });
}
