/**
 * A WebSocket over HTTP/2, of the suite's own frames: what `wire_websocket.ts` is over HTTP/1.1.
 *
 * @module
 */

import { BINARY, CLOSE, closing, CONTINUATION, FramePeer, PING, PONG, TEXT } from "./frames.ts";
import { H2Tunnel } from "./h2_tunnel.ts";
import { Cut, join } from "./reply.ts";
import type { Running, Socket, SocketAsk } from "./target.ts";
import { within } from "./waiting.ts";

/** A WebSocket on a stream. It answers pings and close frames. */
export class H2WebSocket implements Socket {
  pings = 0;
  readonly #peer: FramePeer<H2Tunnel>;
  readonly #messages: (string | Uint8Array)[] = [];
  readonly #closed = Promise.withResolvers<{ code: number; reason: string }>();
  #isClosed = false;
  #isClosing = false;
  #wake: (() => void) | null = null;

  private constructor(tunnel: H2Tunnel) {
    this.#peer = new FramePeer(tunnel, tunnel.answer);
  }

  /**
   * Opens one on a connection of its own.
   *
   * @throws {Refused} Where the server answers with a response.
   */
  static async open(server: Running, ask: SocketAsk): Promise<[H2WebSocket, () => Promise<void>]> {
    const tunnel = await H2Tunnel.open(server, ask);
    const socket = new H2WebSocket(tunnel);
    if (ask.stalled === true) tunnel.pause();
    void socket.#read();
    return [socket, async () => {
      await tunnel.close();
      await socket.closed;
    }];
  }

  get protocol(): string {
    return this.header("sec-websocket-protocol") ?? "";
  }

  header(name: string): string | null {
    return this.#peer.answer.get(name);
  }

  send(data: string | Uint8Array): void {
    void this.#peer.send(typeof data === "string" ? TEXT : BINARY, data);
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
    if (this.#isClosing) return;
    this.#isClosing = true;
    void this.#peer.send(CLOSE, code === undefined ? "" : closing(code, reason));
  }

  stall(): void {
    this.#peer.connection.pause();
  }

  resume(): void {
    this.#peer.connection.resume();
  }

  leave(): void {
    this.#peer.connection.reset();
  }

  async #read(): Promise<void> {
    let end = { code: 1006, reason: "" };
    let pieces: Uint8Array[] = [];
    let isText = false;
    for (let frame = await this.#peer.receive(); frame !== null; frame = await this.#peer.receive()) {
      const { opcode, payload, flags } = frame;
      if (opcode === CLOSE) {
        end = payload.byteLength === 0
          ? { code: 1005, reason: "" }
          : { code: payload[0]! * 256 + payload[1]!, reason: new TextDecoder().decode(payload.subarray(2)) };
        if (end.code === 1005) this.close();
        else this.close(end.code, end.reason);
        this.#peer.connection.end();
      } else if (opcode === PING) {
        this.pings++;
        void this.#peer.send(PONG, payload);
      } else if (opcode !== PONG) {
        if (opcode !== CONTINUATION) [pieces, isText] = [[], opcode === TEXT];
        pieces.push(payload);
        if ((flags & 0x80) === 0) continue;
        const whole = join(pieces);
        this.#messages.push(isText ? new TextDecoder("utf-8", { fatal: true }).decode(whole) : whole);
        this.#wake?.();
      }
    }
    this.#isClosed = true;
    this.#closed.resolve(end);
    this.#wake?.();
  }
}
