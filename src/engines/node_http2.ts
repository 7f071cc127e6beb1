/**
 * HTTP/2 on `node:http2`, cleartext and TLS: from a connection of the gate to exchanges, one for each stream.
 *
 * Node keeps the rules of frames; what a client may flood it with, and what waits for one that does not read, is bounded in
 * `node_http2_flow.ts`. RFC 9113, RFC 8441.
 *
 * @module
 */

import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream, type Settings } from "node:http2";
import type { Socket } from "node:net";
import type { Host, RequestHead } from "../exchange.ts";
import { PeerError } from "../spec/errors.ts";
import { answer } from "../wire/answers.ts";
import { handshakeProblem } from "../wire/handshake.ts";
import { failureOf } from "./node_failure.ts";
import type { HeadReader } from "./node_head.ts";
import { Http2Connection } from "./node_http2_connection.ts";
import { endQuietly } from "./node_http2_end.ts";
import { Http2Exchange } from "./node_http2_exchange.ts";
import { standBetween } from "./node_http2_flow.ts";
import type { GateConnection, NodeWire } from "./node_settings.ts";
import { SocketExchange } from "./node_socket.ts";
import { OpenList } from "./open_list.ts";

/** The flow-control window of a stream: what a client may send of a body that the app does not read. */
const WINDOW_BYTES = 262_144;

/** RFC 9113 section 6.5.2: what a header costs besides its bytes. */
const HEADER_OVERHEAD_BYTES = 32;

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = constants;

/** END_STREAM of a HEADERS frame. */
const END_STREAM = 1;

/** The layer. */
export class Http2 {
  readonly #wire: NodeWire;
  readonly #heads: HeadReader;
  readonly #host: Host;
  readonly #server: Http2Server;
  readonly #connections = new OpenList<Http2Connection>();
  /** What is being taken over. */
  #taking: GateConnection | null = null;

  /** Connections come by {@linkcode take}. */
  constructor(wire: NodeWire, heads: HeadReader, host: Host) {
    this.#wire = wire;
    this.#heads = heads;
    this.#host = host;
    const { maxStreams, maxHeaderBytes, maxHeaderCount, maxTargetBytes } = wire.settings.limits;
    const settings: Settings = { enableConnectProtocol: true, initialWindowSize: WINDOW_BYTES };
    if (maxStreams > 0) settings.maxConcurrentStreams = maxStreams;
    // What is a little larger is answered with 431; what is far larger ends the stream.
    if (maxHeaderBytes > 0) settings.maxHeaderListSize = 2 * (maxHeaderBytes + maxTargetBytes) + maxHeaderCount * HEADER_OVERHEAD_BYTES;
    const server = createServer({ settings, maxHeaderListPairs: Math.max(128, maxHeaderCount * 2), maxSettings: 32 });
    server.on("session", (session) => this.#session(session));
    // A session that breaks is told by its own events.
    server.on("sessionError", () => {});
    this.#server = server;
  }

  /** Takes a connection over. */
  take(gate: GateConnection): void {
    this.#taking = gate;
    this.#server.emit("connection", gate.socket as Socket);
    this.#taking = null;
  }

  /** Looks at what takes too long. */
  check(now: number): void {
    for (const connection of this.#connections.all()) connection.check(now, this.#wire.settings.limits);
  }

  /** Says that it is about to leave. A client opens no more streams then; those that have crossed this are served. RFC 9113 section 6.8. */
  drain(): void {
    for (const connection of this.#connections.all()) connection.announce();
  }

  /** Says goodbye: open streams go on, later ones are not served. */
  leave(): void {
    for (const connection of this.#connections.all()) connection.session.close();
  }

  /** Closes all. */
  closeAll(): void {
    for (const connection of this.#connections.all()) connection.session.destroy();
  }

  #session(session: ServerHttp2Session): void {
    const gate = this.#taking!;
    const connection = new Http2Connection(gate, session, performance.now());
    this.#connections.add(connection);
    session.on("close", () => this.#connections.delete(connection));
    gate.socket.on("error", (error) => connection.failure = failureOf(error));
    // Not by the server's event: a stream that is over already has lost its session. The types do not know of the raw headers.
    const stream = (...[stream, , flags, raw]: [ServerHttp2Stream, unknown, number, string[]]) =>
      this.#stream(connection, stream, flags, raw);
    session.on("stream", stream as unknown as (stream: ServerHttp2Stream) => void);
    session.on("error", () => {}); // its streams and its end follow
    endQuietly(session);
    if (!standBetween(session, gate.socket as Socket, () => this.#flooded(connection, "A client sends too many frames of no use"))) {
      this.#wire.observer.note("error", "HTTP/2 can't be served: the node engine does not know this version of Deno", {}, null);
      gate.socket.destroy();
    }
    if (this.#wire.draining) connection.announce();
  }

  #stream(connection: Http2Connection, stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    connection.began();
    // One that was opened and reset within one packet is over before it is told.
    if (stream.destroyed) return this.#ended(connection, true);
    if (connection.isFlooding || connection.hasTooMany(this.#wire.settings.limits.maxStreams)) {
      stream.on("error", () => {});
      stream.destroy();
      return this.#ended(connection, true);
    }
    stream.on("close", () => this.#ended(connection, stream.rstCode !== NGHTTP2_NO_ERROR));
    const head = this.#read(connection, stream, flags, raw);
    if (head === null) return;
    const exchange = this.#opened(connection, stream, head);
    if (exchange.isTooLarge) return exchange.refuse(answer(413), "body_too_large");
    if (head.kind !== "websocket") return exchange.run(this.#host.open(head, exchange));
    const problem = handshakeProblem("CONNECT", "2", (name) => valueOf(head, name));
    if (problem !== null) return exchange.refuse(problem, "protocol_error");
    const socket = new SocketExchange(this.#wire, exchange);
    socket.run(this.#host.openSocket(head, socket));
  }

  // RFC 9113 section 10.5: a client that opens streams and resets them makes the server work for nothing. Streams that the server has
  // to reset are no better.
  #ended(connection: Http2Connection, wasReset: boolean): void {
    if (!connection.ended(performance.now(), wasReset)) this.#flooded(connection, "Too many streams of a client were reset");
  }

  #flooded(connection: Http2Connection, what: string): void {
    if (connection.isFlooding) return;
    connection.isFlooding = true;
    const { session, gate } = connection;
    this.#wire.observer.note("warn", `${what}: its connection is closed`, { client: gate.client?.[0] ?? "" }, null);
    session.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #read(connection: Http2Connection, stream: ServerHttp2Stream, flags: number, raw: readonly string[]): RequestHead | null {
    try {
      return this.#heads.http2(raw, (flags & END_STREAM) === 0, connection.gate);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      const of = (name: string) => raw[raw.indexOf(name) + 1] ?? "-";
      const head = this.#heads.unreadable(of(":method"), of(":path"), "2", raw, connection.gate);
      this.#opened(connection, stream, head).refuse(answer(error.status), error.reason);
      return null;
    }
  }

  #opened(connection: Http2Connection, stream: ServerHttp2Stream, head: RequestHead): Http2Exchange {
    const exchange = new Http2Exchange(this.#wire, connection, stream, head);
    this.#wire.opened(exchange);
    this.#wire.observer.opened(head);
    return exchange;
  }
}

function valueOf({ headers }: RequestHead, name: string): string | null {
  return headers.find(([key]) => key === name)?.[1] ?? null;
}
