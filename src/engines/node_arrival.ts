/**
 * One connection on its way in: its PROXY header, its TLS handshake, its protocol.
 *
 * Not here: limits, the list of them all and their clock (`node_gate.ts`). A client that says nothing gets no answer: only from its first
 * byte on is it known to speak HTTP.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { TlsInfo } from "../spec/scope.ts";
import type { NodeListener } from "./node_listener.ts";
import { parseProxyHeader, unmapped } from "./node_proxy_header.ts";
import type { WireLimits } from "./node_settings.ts";
import type { AtDoor } from "./node_tls_door.ts";
import type { Placed } from "./open_list.ts";

/** Why a connection is not let in; each kind has its own level and its own count in the log. */
export type Refusal = "proxy" | "tls" | "silent";

/** What an arrival asks of its gate. */
export interface ArrivalOwner {
  readonly limits: WireLimits;
  /** Whether a peer may name a client; `null` is the peer of a Unix socket. */
  trusts(address: string | null): boolean;
  /** Whether its client may have one more connection. Counted from here on. */
  admits(arrival: Arrival): boolean;
  /** It is in. */
  enter(arrival: Arrival, socket: Socket, protocol: "http1" | "http2", tls: TlsInfo | null): void;
  /** It is not let in; its socket is destroyed. `text` is for the log. */
  refused(arrival: Arrival, kind: Refusal, text: string): void;
  /** Its socket is closed. */
  gone(arrival: Arrival): void;
}

/** What an HTTP/2 client says first. RFC 9113 section 3.4. */
const PREFACE = Uint8Array.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (character) => character.charCodeAt(0));

const AT_PROXY = 0;
const AT_DOOR = 1;
const AT_PROTOCOL = 2;
/** It is in, or it is not let in. */
const DECIDED = 3;

/** A connection that is not yet its engine's. */
export class Arrival implements Placed, AtDoor {
  place = -1;
  readonly listener: NodeListener;
  /** The accepted socket, below TLS. */
  readonly raw: Socket;
  /** See `GateConnection`. */
  client: readonly [host: string, port: number] | null;
  /** See `GateConnection`. */
  server: readonly [host: string, port: number | null];
  /** The address that is counted; `null` where none is. */
  counted: string | null = null;
  /** It is closed from then on; on the clock of its gate. */
  deadline = Infinity;
  readonly #owner: ArrivalOwner;
  #step = AT_PROTOCOL;
  #socket: Socket;
  #tls: TlsInfo | null = null;
  /** What was read and belongs to what comes after. */
  #head: Uint8Array | null = null;
  readonly #read = () => this.#readable();

  constructor(owner: ArrivalOwner, listener: NodeListener, socket: Socket) {
    const { remoteAddress, remotePort } = socket;
    this.#owner = owner;
    this.listener = listener;
    this.raw = socket;
    this.#socket = socket;
    this.client = remoteAddress === undefined || remotePort === undefined ? null : [unmapped(remoteAddress), remotePort];
    this.server = listener.fixed ?? [unmapped(socket.localAddress ?? ""), socket.localPort ?? null];
    socket.on("error", ignore);
    socket.on("close", () => owner.gone(this));
  }

  /** Begins. */
  start(now: number): void {
    if (!this.listener.settings.proxyProtocol) return this.#admitted(now);
    const address = this.client?.[0] ?? null;
    if (!this.#owner.trusts(address)) return this.#refuse("proxy", `${address ?? "The peer of a Unix socket"} is no trusted proxy`);
    this.#step = AT_PROXY;
    this.#wait(now, this.#owner.limits.headerTimeoutMs);
    this.raw.on("readable", this.#read);
  }

  /** Its time is up. */
  late(): void {
    if (this.#step === DECIDED) this.raw.destroy();
    else if (this.#step === AT_PROXY) this.#refuse("proxy", "No PROXY header came in time");
    else if (this.#step === AT_DOOR) this.#refuse("tls", "The TLS handshake was not done in time");
    else this.#refuse("silent", "Nothing came in time");
  }

  /** Closes it, if it is still on its way. */
  drop(): void {
    this.#step = DECIDED;
    this.raw.destroy();
  }

  /** The handshake is done. */
  secured(socket: TLSSocket, protocol: "http1" | "http2" | null, tls: TlsInfo): void {
    socket.on("error", ignore);
    if (this.#step !== AT_DOOR) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    this.#tls = tls;
    if (protocol !== null) this.#enter(protocol);
    else this.#sniff(performance.now());
  }

  /** The handshake failed. */
  insecure(reason: string): void {
    if (this.#step === DECIDED) return;
    // The TLS socket ends the one below it by itself, behind the alert that says what was wrong. Only where it does not, we do.
    this.#step = DECIDED;
    this.deadline = performance.now();
    this.#owner.refused(this, "tls", `The TLS handshake failed: ${reason}`);
  }

  #admitted(now: number): void {
    if (!this.#owner.admits(this)) {
      this.drop();
      return;
    }
    const { door } = this.listener;
    if (door === null) return this.#sniff(now);
    this.#step = AT_DOOR;
    this.#wait(now, this.#owner.limits.tlsHandshakeTimeoutMs);
    this.#putBack();
    door.open(this.raw, this);
  }

  #sniff(now: number): void {
    this.#step = AT_PROTOCOL;
    this.#wait(now, this.#owner.limits.headerTimeoutMs);
    if (this.#head !== null) this.#tellProtocol(this.#head);
    if (this.#step === AT_PROTOCOL) this.#socket.on("readable", this.#read);
  }

  #readable(): void {
    const chunk = this.#socket.read() as Uint8Array | null;
    // The other side has ended, which is not worth a line.
    if (chunk === null) return this.drop();
    const head = this.#head === null ? chunk : Buffer.concat([this.#head, chunk]);
    this.#head = head;
    if (this.#step === AT_PROTOCOL) this.#tellProtocol(head);
    else if (this.#step === AT_PROXY) this.#tellClient(head);
  }

  #tellClient(head: Uint8Array): void {
    const header = parseProxyHeader(head);
    if (header.kind === "partial") return;
    if (header.kind === "bad") return this.#refuse("proxy", `The PROXY header ${header.problem}`);
    const { source, destination } = header;
    if (source !== null && destination !== null) {
      this.client = source[1] === null ? null : [source[0], source[1]];
      this.server = destination;
    }
    this.#head = header.length === head.byteLength ? null : head.subarray(header.length);
    this.raw.removeListener("readable", this.#read);
    this.#admitted(performance.now());
  }

  #tellProtocol(head: Uint8Array): void {
    const end = Math.min(head.byteLength, PREFACE.byteLength);
    for (let at = 0; at < end; at++) if (head[at] !== PREFACE[at]) return this.#enter("http1");
    if (end === PREFACE.byteLength) this.#enter("http2");
  }

  #enter(protocol: "http1" | "http2"): void {
    this.#step = DECIDED;
    this.#socket.removeListener("readable", this.#read);
    this.#putBack();
    // HTTP/2 has no use for a connection that is half closed.
    if (protocol === "http2") this.#socket.allowHalfOpen = false;
    this.#owner.enter(this, this.#socket, protocol, this.#tls);
  }

  #putBack(): void {
    if (this.#head !== null) this.#socket.unshift(this.#head);
    this.#head = null;
  }

  #refuse(kind: Refusal, text: string): void {
    if (this.#step === DECIDED) return;
    this.drop();
    this.#owner.refused(this, kind, text);
  }

  #wait(now: number, ms: number): void {
    this.deadline = ms === 0 ? Infinity : now + ms;
  }
}

/** Whoever has the socket hears of its errors too; `close` follows in any case. */
function ignore(): void {}
