/**
 * HTTP/1.0 and HTTP/1.1 on `node:http`: from a connection of the gate to exchanges.
 *
 * Node parses and frames. It is told of no limit and no timeout: sizes are checked where the head is read (`node_head.ts`), times by
 * looking at all connections now and then (`node_http1_connection.ts`), so that nothing has to be set for each request.
 *
 * @module
 */

import { createServer, IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Host, RequestHead } from "../exchange.ts";
import { PeerError } from "../spec/errors.ts";
import { answer } from "../wire/answers.ts";
import { classify } from "../wire/classify.ts";
import { handshakeProblem } from "../wire/handshake.ts";
import { failureOf } from "./node_failure.ts";
import type { HeadReader } from "./node_head.ts";
import { type Arrived, Http1Connection, type Http1Owner } from "./node_http1_connection.ts";
import { Http1Exchange } from "./node_http1_exchange.ts";
import type { GateConnection, NodeWire } from "./node_settings.ts";
import { SocketExchange } from "./node_socket.ts";
import { OpenList } from "./open_list.ts";

/** What a head may have at most where there is no limit. */
const MAX_HEAD_BYTES = 16_777_216;

/** A head that is too large by little is answered by what is too large: the parser lets so much more pass. */
const HEAD_MARGIN_BYTES = 16_384;

const NO_BYTES = new Uint8Array(0);

/** Where a socket keeps its connection. */
const CONNECTION = Symbol("connection");
type Marked = Socket & { [CONNECTION]?: Http1Connection };

/** What the parser says. */
interface ParserError extends Error {
  readonly code?: string;
  /** The bytes in which it met something that it can't read. */
  readonly rawPacket?: Uint8Array;
}

/** The layer. */
export class Http1 implements Http1Owner {
  readonly #wire: NodeWire;
  readonly #heads: HeadReader;
  readonly #host: Host;
  readonly #server: Server;
  readonly #connections = new OpenList<Http1Connection>();

  /** Connections come by {@linkcode take}. */
  constructor(wire: NodeWire, heads: HeadReader, host: Host) {
    this.#wire = wire;
    this.#heads = heads;
    this.#host = host;
    const { maxTargetBytes, maxHeaderBytes } = wire.settings.limits;
    const bounded = maxTargetBytes > 0 && maxHeaderBytes > 0;
    const options = {
      maxHeaderSize: bounded ? maxTargetBytes + maxHeaderBytes + HEAD_MARGIN_BYTES : MAX_HEAD_BYTES,
      requireHostHeader: false,
      keepAliveTimeout: 0,
      headersTimeout: 0,
      requestTimeout: 0,
      // Not in the types. Without it, Node lets go of a connection for any Upgrade header.
      shouldUpgradeCallback: isWebSocket,
    };
    const server = createServer(options);
    // Deno closes every connection behind its first answer where the server does not listen itself.
    Object.defineProperty(server, "listening", { get: () => true });
    // Node would end its own half at once, before an app that answers at once has.
    (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
    const arrived = (message: IncomingMessage, response: ServerResponse) => this.#arrived(message, response, NO_BYTES);
    server.on("request", arrived);
    server.on("checkContinue", arrived);
    server.on("checkExpectation", arrived);
    server.on("upgrade", (message: IncomingMessage, _socket: unknown, rest: Uint8Array) => this.#arrived(message, null, rest));
    server.on("connect", (message: IncomingMessage, _socket: unknown, rest: Uint8Array) => this.#arrived(message, null, rest));
    server.on("clientError", (error: ParserError, socket) => this.#unreadable(error, socket as Marked));
    this.#server = server;
  }

  /** Takes a connection over. */
  take(gate: GateConnection): void {
    const connection = new Http1Connection(gate, performance.now(), this);
    const { socket } = gate;
    (socket as Marked)[CONNECTION] = connection;
    this.#connections.add(connection);
    socket.on("end", () => connection.halfClosed());
    socket.on("close", () => {
      connection.gone = true;
      connection.forget();
      this.#connections.delete(connection);
      connection.exchange?.lost(connection.failure);
    });
    socket.on("error", (error) => connection.failure = failureOf(error));
    this.#server.emit("connection", socket);
  }

  /** Looks at what takes too long. */
  check(now: number): void {
    const { limits } = this.#wire.settings;
    for (const connection of this.#connections.all()) connection.check(now, limits);
  }

  /** Connections whose first request has not come yet, or whose next one has begun to come. */
  get arriving(): number {
    let count = 0;
    for (const connection of this.#connections.all()) if (connection.arriving) count++;
    return count;
  }

  /** Closes connections on which no request has begun to come. */
  closeIdle(): void {
    for (const connection of this.#connections.all()) if (connection.idle) connection.end();
  }

  /** Closes all, but for those of WebSockets. */
  closeAll(): void {
    for (const connection of this.#connections.all()) connection.socket.destroySoon();
  }

  #arrived(message: IncomingMessage, response: ServerResponse | null, rest: Uint8Array): void {
    (message.socket as Marked)[CONNECTION]!.arrived({ message, response, rest });
  }

  /** See {@linkcode Http1Owner}. */
  refuse(connection: Http1Connection, status: 400 | 408): void {
    this.#refuseUnread(connection, status, status === 408 ? "client_timeout" : "protocol_error", NO_BYTES);
  }

  /** See {@linkcode Http1Owner}. */
  start(connection: Http1Connection, { message, response, rest }: Arrived): void {
    if (response === null) {
      const before = (connection.socket as Marked & { _httpMessage?: ServerResponse })._httpMessage;
      // The answer before it is about to let go of the socket.
      if (before) return void before.once("finish", () => this.start(connection, { message, response, rest }));
      return this.#detached(connection, message, rest);
    }
    const head = this.#read(connection, message, response, null);
    if (head === null) return;
    // For an upgrade that is not offered, the parser stops behind the head and loses what came with it.
    if (message.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    const exchange = new Http1Exchange(this.#wire, connection, message, response, head);
    this.#opened(connection, exchange);
    const { expect } = message.headers;
    if (expect !== undefined && head.httpVersion === "1.1" && expect.toLowerCase() !== "100-continue") {
      return exchange.refuse(answer(417), "protocol_error");
    }
    if (exchange.isTooLarge) return exchange.refuse(answer(413), "body_too_large");
    exchange.run(this.#host.open(head, exchange));
  }

  // Node has let go of the connection: whatever is answered, it closes behind it, unless it becomes a WebSocket.
  #detached(connection: Http1Connection, message: IncomingMessage, rest: Uint8Array): void {
    const response = responseOn(connection.socket, message);
    const head = this.#read(connection, message, response, rest);
    if (head === null) return;
    const exchange = new Http1Exchange(this.#wire, connection, message, response, head).detached(rest);
    this.#opened(connection, exchange);
    const problem = handshakeProblem(head.method, head.httpVersion, (name) => valueOf(message, name));
    if (problem !== null) return exchange.refuse(problem, "protocol_error");
    if (head.body !== "none") return exchange.refuse(answer(400, "A WebSocket handshake has no body"), "protocol_error");
    const socket = new SocketExchange(this.#wire, exchange);
    socket.run(this.#host.openSocket(head, socket));
  }

  #read(connection: Http1Connection, message: IncomingMessage, response: ServerResponse, rest: Uint8Array | null): RequestHead | null {
    const { method = "", url = "", httpVersion, rawHeaders } = message;
    try {
      return this.#heads.http1(method, url, httpVersion, rawHeaders, connection.gate);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      const head = this.#heads.unreadable(method, url, httpVersion === "1.0" ? "1.0" : "1.1", rawHeaders, connection.gate);
      const exchange = new Http1Exchange(this.#wire, connection, message, response, head);
      if (rest !== null) exchange.detached(rest);
      this.#opened(connection, exchange);
      exchange.refuse(answer(error.status), error.reason);
      return null;
    }
  }

  #opened(connection: Http1Connection, exchange: Http1Exchange): void {
    connection.exchange = exchange;
    this.#wire.opened(exchange);
    this.#wire.observer.opened(exchange.request);
  }

  #unreadable({ code, rawPacket }: ParserError, socket: Marked): void {
    const connection = socket[CONNECTION];
    // Whatever is no word of the parser says that the connection is lost.
    if (connection === undefined || connection.gone || code === undefined || !code.startsWith("HPE_")) return void socket.destroy();
    if (connection.broken()) return;
    const packet = rawPacket ?? NO_BYTES;
    this.#refuseUnread(connection, code === "HPE_HEADER_OVERFLOW" ? this.#tooLarge(connection, packet) : 400, "protocol_error", packet);
  }

  // The parser counts the target and the headers together.
  #tooLarge({ unread }: Http1Connection, packet: Uint8Array): 414 | 431 {
    const { maxTargetBytes } = this.#wire.settings.limits;
    const end = packet.indexOf(LF);
    const isTarget = unread === packet.byteLength && maxTargetBytes > 0 && (end < 0 || end > maxTargetBytes + LINE_BYTES);
    return isTarget ? 414 : 431;
  }

  // What the parser could not read is answered all the same, and stands in the log.
  #refuseUnread(connection: Http1Connection, status: number, reason: string, packet: Uint8Array): void {
    const { socket, gate } = connection;
    if (!socket.writable) return void socket.destroy();
    if (!connection.refuses()) return;
    const [, method = "-", target = "-"] = REQUEST_LINE.exec(new TextDecoder("latin1").decode(packet.subarray(0, 256))) ?? [];
    const message = new IncomingMessage(socket);
    message.httpVersionMajor = message.httpVersionMinor = 1;
    const head = this.#heads.unreadable(method, target, "1.1", [], gate);
    const exchange = new Http1Exchange(this.#wire, connection, message, responseOn(socket, message), head).detached(NO_BYTES);
    this.#opened(connection, exchange);
    exchange.refuse(answer(status), reason);
  }
}

const LF = 0x0a;
/** What stands in a request line besides the target, at most. */
const LINE_BYTES = 64;
const REQUEST_LINE = /^([!-~]{1,32}) ([!-~]{1,200})/;

function responseOn(socket: Socket, message: IncomingMessage): ServerResponse {
  const response = new ServerResponse(message);
  response.assignSocket(socket);
  return response;
}

function isWebSocket(message: IncomingMessage): boolean {
  const { method = "", httpVersion } = message;
  return classify(method, httpVersion, (name) => valueOf(message, name)) === "websocket";
}

function valueOf({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name];
  return value === undefined ? null : Array.isArray(value) ? value.join(", ") : value;
}
