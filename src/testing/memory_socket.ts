/**
 * One WebSocket in memory: the handshake of {@linkcode MemoryExchange}, then messages, pings and the close handshake. RFC 6455.
 *
 * @module
 */

import type { End, Pairs, SocketInbound, SocketOutbound } from "../exchange.ts";
import { closeTextProblem } from "../wire/close_codes.ts";
import { splitSubprotocols } from "../wire/handshake.ts";
import { MemoryExchange, type Peer, Phase } from "./memory_exchange.ts";

/** The client of a WebSocket. */
export interface SocketPeer extends Peer {
  /** The handshake is complete. */
  accepted(protocol: string | null, status: number, headers: Pairs): void;
  /** A message. */
  message(data: string | Uint8Array): void;
  /** A ping; it is answered with {@linkcode MemorySocket.peerPong}. */
  ping(token: number): void;
  /** A close frame; the wire has done its part of the handshake. 1005 for one without a code. */
  closeFrame(code: number, text: string): void;
}

/** An exchange of either kind. */
export type AnyExchange = MemoryExchange | MemorySocket;

const ENCODER = new TextEncoder();

/** The wire of one WebSocket. */
export class MemorySocket extends MemoryExchange<SocketPeer, SocketInbound> implements SocketOutbound {
  // ── the session's side ──

  /** Completes the handshake. */
  accept(protocol: string | null, headers: Pairs): void {
    if (this.crossed("accept")) return;
    if (this.phase !== Phase.IDLE) this.guard.violate("accept", "the handshake was answered");
    this.guard.checkHeaders("accept", headers);
    if (protocol !== null && !this.#offered().includes(protocol)) {
      this.guard.violate("accept", `the client did not offer the protocol "${protocol}"`);
    }
    this.phase = Phase.OPEN;
    const isTwo = this.requestHead.httpVersion === "2";
    this.status = isTwo ? 200 : 101;
    const upgrade: Pairs = isTwo ? [] : [["upgrade", "websocket"], ["connection", "Upgrade"]];
    const chosen: Pairs = protocol === null ? [] : [["sec-websocket-protocol", protocol]];
    const all = [...upgrade, ...chosen, ...headers];
    this.pipe.push({ size: 0, kind: "mark", arrive: () => this.peer.accepted(protocol, this.status, all) });
  }

  /** A message. */
  message(data: string | Uint8Array): void {
    if (this.#ignores("message")) return;
    const size = typeof data === "string" ? ENCODER.encode(data).byteLength : data.byteLength;
    const copy = typeof data === "string" ? data : data.slice();
    this.pipe.push({ size, kind: "frame", arrive: () => this.peer.message(copy) });
  }

  /** A ping. */
  ping(token: number): void {
    if (this.#ignores("ping")) return;
    this.guard.require("ping", "ws-ping");
    this.pipe.push({ size: 0, kind: "frame", arrive: () => this.peer.ping(token) });
  }

  /** A close frame. The client answers it as soon as it has read it. */
  close(code: number, text: string): void {
    if (this.#ignores("close")) return;
    if (!isFrameCode(code)) this.guard.violate("close", `${code} cannot stand in a close frame`);
    const problem = closeTextProblem(text);
    if (problem !== null) this.guard.violate("close", problem);
    this.phase = Phase.CLOSING;
    this.pipe.push({
      size: 0,
      kind: "frame",
      arrive: () => {
        this.#end({ reason: null, code, text, clean: true });
        this.peer.closeFrame(code, text);
      },
    });
  }

  // ── the client's side ──

  /** The client sends a message. Nothing happens where the connection is over. */
  peerMessage(data: string | Uint8Array): void {
    if (this.phase !== Phase.OPEN && this.phase !== Phase.CLOSING) return;
    this.inbox.post("message", (inbound) => inbound.message(data));
  }

  /** The client answers a ping. */
  peerPong(token: number): void {
    if (this.phase !== Phase.OPEN && this.phase !== Phase.CLOSING) return;
    this.inbox.post("pong", (inbound) => inbound.pong(token));
  }

  /** The client sends a close frame, which the wire answers. 1005 sends one without a code. */
  peerClose(code: number, text: string): void {
    if (this.phase !== Phase.OPEN && this.phase !== Phase.CLOSING) return;
    this.#end({ reason: null, code, text, clean: true });
    this.peer.closeFrame(code, text);
  }

  /** The client breaks the protocol: the wire closes with 1002, or 1007 for text that is not UTF-8. */
  peerBreaks(code: 1002 | 1007): void {
    if (this.phase !== Phase.OPEN && this.phase !== Phase.CLOSING) return;
    this.#end({ reason: "protocol_error", code, clean: false });
    this.peer.closeFrame(code, "");
  }

  // ── the engine's side ──

  /** Ends the connection with a close code of the server, without waiting for the client. */
  shut(code: number, end: End): void {
    if (this.phase !== Phase.OPEN && this.phase !== Phase.CLOSING) return this.fail(end);
    this.#end({ ...end, code });
    this.peer.closeFrame(code, "");
  }

  #end(end: End): void {
    this.finish(end);
    this.inbox.close(end);
  }

  #ignores(call: string): boolean {
    if (this.crossed(call)) return true;
    if (this.phase === Phase.CLOSING) this.guard.violate(call, "a close frame was sent");
    if (this.phase !== Phase.OPEN) this.guard.violate(call, "the handshake was not accepted");
    return false;
  }

  #offered(): string[] {
    return this.requestHead.headers.flatMap(([name, value]) => name === "sec-websocket-protocol" ? splitSubprotocols(value) : []);
  }
}

/** Whether a code may stand in a close frame, or is 1005 for none (RFC 6455 section 7.4). */
function isFrameCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1006) || (code >= 3000 && code <= 4999);
}
