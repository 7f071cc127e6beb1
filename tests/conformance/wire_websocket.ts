/**
 * A WebSocket of an independent client library.
 *
 * @module
 */

import { WebSocket as Peer } from "ws";
import { Cut, Refused, Reply } from "./reply.ts";
import type { Socket, SocketAsk } from "./target.ts";
import { within } from "./waiting.ts";

/** What the library gives for a response. */
interface Incoming {
  readonly statusCode?: number;
  readonly rawHeaders: readonly string[];
  on(event: "data", listener: (bytes: Uint8Array) => void): void;
  on(event: "end" | "close", listener: () => void): void;
}

/** A WebSocket over a real connection. */
export class WireWebSocket implements Socket {
  pings = 0;
  readonly #peer: Peer;
  readonly #messages: (string | Uint8Array)[] = [];
  readonly #closed = Promise.withResolvers<{ code: number; reason: string }>();
  #isClosed = false;
  #wake: (() => void) | null = null;
  #answer: Reply | null = null;

  private constructor(peer: Peer) {
    this.#peer = peer;
    peer.on("message", (data: Uint8Array, binary: boolean) => {
      this.#messages.push(binary ? new Uint8Array(data) : new TextDecoder().decode(data));
      this.#wake?.();
    });
    peer.on("ping", () => this.pings++);
    peer.on("close", (code: number, reason: Uint8Array) => {
      this.#isClosed = true;
      this.#closed.resolve({ code, reason: new TextDecoder().decode(reason) });
      this.#wake?.();
    });
    // A reset is told by "close" too.
    peer.on("error", () => {});
  }

  /**
   * Opens one.
   *
   * @throws {Refused} Where the server answers with a response.
   */
  static async open(url: string, ask: SocketAsk, ca?: string): Promise<[WireWebSocket, () => Promise<void>]> {
    const peer = new Peer(url, [...(ask.subprotocols ?? [])], {
      headers: Object.fromEntries(ask.headers ?? []),
      perMessageDeflate: false,
      ...(ca === undefined ? {} : { ca }),
    });
    const socket = new WireWebSocket(peer);
    const opened = Promise.withResolvers<void>();
    peer.on("open", () => {
      if (ask.stalled === true) peer.pause();
      opened.resolve();
    });
    peer.on("upgrade", (response: Incoming) => socket.#answer = new Reply({ status: 101, pairs: pairsOf(response.rawHeaders) }));
    peer.on("unexpected-response", (request: { destroy(): void }, response: Incoming) => {
      const pieces: Uint8Array[] = [];
      response.on("data", (bytes) => pieces.push(new Uint8Array(bytes)));
      response.on("end", () => {
        const body = new Uint8Array(pieces.flatMap((piece) => [...piece]));
        opened.reject(new Refused(new Reply({ status: response.statusCode ?? 0, pairs: pairsOf(response.rawHeaders), body })));
        request.destroy();
      });
      response.on("close", () => {
        opened.reject(new Cut("The answer to the handshake was cut"));
        request.destroy();
      });
    });
    peer.on("error", (error: Error) => opened.reject(new Cut(error.message)));
    await within(opened.promise, "the answer to the handshake");
    return [socket, async () => {
      peer.terminate();
      await socket.closed;
    }];
  }

  get protocol(): string {
    return this.#peer.protocol;
  }

  header(name: string): string | null {
    return this.#answer?.get(name) ?? null;
  }

  send(data: string | Uint8Array): void {
    this.#peer.send(data);
  }

  async receive(): Promise<string | Uint8Array> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#isClosed) throw new Cut("The WebSocket has ended");
      await within(new Promise<void>((resolve) => this.#wake = resolve), "a message");
    }
  }

  get closed(): Promise<{ readonly code: number; readonly reason: string }> {
    return within(this.#closed.promise, "the end of the WebSocket");
  }

  close(code?: number, reason?: string): void {
    this.#peer.close(code, reason);
  }

  stall(): void {
    this.#peer.pause();
  }

  resume(): void {
    this.#peer.resume();
  }

  leave(): void {
    this.#peer.terminate();
  }
}

function pairsOf(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2]!, raw[index * 2 + 1]!]);
}
