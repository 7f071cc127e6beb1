/**
 * What the tests of `SocketExchange` share: a server whose handshakes are made by `node:http` and `node:http2` alone, and peers.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { createServer, type IncomingMessage } from "node:http";
import * as http2 from "node:http2";
import { type AddressInfo, connect as connectTcp, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Fields, Inbound, Level, Pairs, RequestHead } from "../../src/exchange.ts";
import type { Handshake, Upgraded } from "../../src/engines/node_handshake.ts";
import {
  DEFAULT_WIRE_LIMITS,
  NODE_CAPABILITIES,
  type NodeSettings,
  type NodeWire,
  type OpenNodeExchange,
} from "../../src/engines/node_settings.ts";
import { loadWebSockets, SocketExchange } from "../../src/engines/node_socket.ts";
import { frame, handshake as handshakeBytes } from "../conformance/frames.ts";
import { bytesOf, fromLatin1, join } from "../conformance/reply.ts";
import { until, within } from "../conformance/waiting.ts";
import { type Finished, Tap } from "./engine_peer.ts";

/** Settings with short times. */
export const SETTINGS: NodeSettings = {
  listeners: [],
  rootPath: "",
  maxBodyBytes: 0,
  highWaterBytes: 65_536,
  lowWaterBytes: 16_384,
  headers: [],
  trust: null,
  limits: { ...DEFAULT_WIRE_LIMITS, maxMessageBytes: 1_048_576 },
  wsDeflate: false,
  wsCloseTimeoutMs: 200,
};

/** A session that also keeps the tokens of pongs. */
export class SocketTap extends Tap {
  readonly pongs: number[] = [];
  override pong(token?: number): void {
    if (this.busy) this.brokenRules++;
    this.pongs.push(token!);
  }
}

/** A running server. */
export interface Server {
  readonly port: number;
  readonly wire: { readonly open: Set<OpenNodeExchange> };
  readonly finished: Finished[];
  /** Ends the connection of each peer, and waits for that. */
  readonly peers: (() => Promise<void>)[];
  /** The stream of the last handshake. */
  stream(): Duplex;
  /** The next session. */
  tap(): Promise<SocketTap>;
  /** Ends all peers; what they had open at the server has to end by that. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A handshake by hand. */
export class TestHandshake implements Handshake {
  place = -1;
  readonly request: RequestHead;
  readonly #leave: (headers: Pairs) => Upgraded;
  pending = true;
  readonly buffered = 0;
  readonly calls: string[] = [];

  constructor(request: RequestHead, leave: (headers: Pairs) => Upgraded) {
    this.request = request;
    this.#leave = leave;
  }

  upgrade(headers: Pairs): Upgraded {
    this.pending = false;
    return this.#leave(headers);
  }
  run(_inbound: Inbound): void {}
  pull(): void {}
  watch(): void {
    this.calls.push("watch");
  }
  inform(): void {
    this.calls.push("inform");
  }
  respond(): void {
    this.calls.push("respond");
  }
  head(): void {
    this.calls.push("head");
  }
  chunk(): void {
    this.calls.push("chunk");
  }
  flush(): void {
    this.calls.push("flush");
  }
  end(): void {
    this.calls.push("end");
  }
  abort(): void {
    this.calls.push("abort");
  }
  note(_level: Level, text: string, _fields?: Fields): void {
    this.calls.push(`note ${text}`);
  }
  check(): void {}
  shutdown(): void {
    this.calls.push("shutdown");
  }
}

/** Where exchanges are counted. */
export function testWire(settings: NodeSettings, finished: Finished[]): NodeWire & { readonly open: Set<OpenNodeExchange> } {
  const open = new Set<OpenNodeExchange>();
  return {
    settings,
    draining: false,
    open,
    observer: { opened: () => {}, finished: (head, status, bytes, end) => finished.push({ head, status, bytes, end }), note: () => {} },
    opened: (exchange) => void open.add(exchange),
    over: (exchange) => void open.delete(exchange),
  };
}

/** The head of a handshake. */
export function headOf(httpVersion: "1.1" | "2", path: string, headers: Pairs): RequestHead {
  return {
    kind: "websocket",
    id: 1,
    httpVersion,
    method: "GET",
    scheme: "http",
    rawPath: path,
    path,
    query: "",
    rootPath: "",
    headers,
    server: ["127.0.0.1", 80],
    body: "none",
    capabilities: NODE_CAPABILITIES,
  };
}

/** Starts a server whose sessions are given to `session`: they accept where nothing else is said. */
export async function serve(
  version: "1.1" | "2",
  settings: Partial<NodeSettings> = {},
  session: (tap: SocketTap) => void = (tap) => tap.out.accept(null, []),
): Promise<Server> {
  await loadWebSockets();
  const finished: Finished[] = [];
  const wire = testWire({ ...SETTINGS, ...settings }, finished);
  const untaken: SocketTap[] = [];
  const takers: ((tap: SocketTap) => void)[] = [];
  const sockets = new Set<Socket>();
  const peers: (() => Promise<void>)[] = [];
  let last: Duplex | null = null;
  const begin = (head: RequestHead, leave: (headers: Pairs) => Upgraded): void => {
    const handshake = new TestHandshake(head, leave);
    wire.opened(handshake);
    const exchange = new SocketExchange(wire, handshake);
    const tap = new SocketTap(head, exchange);
    session(tap);
    exchange.run(tap);
    queueMicrotask(() => tap.busy = false);
    const taker = takers.shift();
    if (taker) taker(tap);
    else untaken.push(tap);
  };
  const server = version === "1.1" ? createServer() : http2.createServer({ settings: { enableConnectProtocol: true } });
  if (version === "1.1") {
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, rest: Uint8Array) => {
      last = socket;
      const pairs: [string, string][] = [];
      const { rawHeaders } = request;
      for (let at = 0; at < rawHeaders.length; at += 2) pairs.push([rawHeaders[at]!.toLowerCase(), rawHeaders[at + 1]!]);
      begin(headOf("1.1", request.url!, pairs), (headers) => {
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
        return { stream: socket, rest };
      });
    });
  } else {
    server.on("stream", (stream: http2.ServerHttp2Stream, fields: http2.IncomingHttpHeaders) => {
      last = stream;
      const pairs = Object.entries(fields).filter(([name]) => !name.startsWith(":")).map(([name, value]) => [name, `${value}`] as const);
      begin(headOf("2", fields[":path"] as string, pairs), (headers) => {
        stream.respond({ ":status": 200, ...Object.fromEntries(headers) });
        return { stream, rest: new Uint8Array() };
      });
    });
  }
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    wire,
    finished,
    peers,
    stream: () => last!,
    tap: () => {
      const tap = untaken.shift();
      return tap ? Promise.resolve(tap) : new Promise((resolve) => takers.push(resolve));
    },
    [Symbol.asyncDispose]: async () => {
      for (const end of peers) await end();
      try {
        await until(() => sockets.size === 0, "the end of the sockets whose peers are gone");
        await until(() => [...wire.open].every((exchange) => exchange instanceof TestHandshake), "the end of the exchanges");
      } finally {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

/** A frame of the server as it came. */
export interface CameFrame {
  readonly opcode: number;
  /** FIN and the reserved bits. */
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** Bytes in both directions. */
interface Pipe {
  send(bytes: Uint8Array): Promise<void>;
  /** `null` at the end. */
  read(): Promise<Uint8Array | null>;
  /** Ends the sending side. */
  end(): void;
  /** Leaves without a word. */
  drop(): void;
}

/** A peer that writes bytes as they are. */
export class FramePeer {
  readonly #pipe: Pipe;
  /** The head of the answer, as text; for HTTP/2 `status` and headers in lines. */
  readonly head: string;
  #bytes: Uint8Array = new Uint8Array();

  private constructor(pipe: Pipe, head: string, rest: Uint8Array) {
    this.#pipe = pipe;
    this.head = head;
    this.#bytes = rest;
  }

  /** Shakes hands; `early` bytes go out with the head. */
  static async open(server: Server, version: "1.1" | "2", headers: Pairs = [], early: Uint8Array = new Uint8Array()): Promise<FramePeer> {
    return version === "1.1" ? await FramePeer.#http1(server, headers, early) : await FramePeer.#http2(server, headers, early);
  }

  static async #http1(server: Server, headers: Pairs, early: Uint8Array): Promise<FramePeer> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const pipe: Pipe = {
      send: async (bytes) => {
        for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
      },
      read: async () => {
        const buffer = new Uint8Array(65_536);
        const count = await connection.read(buffer).catch(() => null);
        return count === null ? null : buffer.subarray(0, count);
      },
      end: () => void connection.closeWrite(),
      drop: () => {
        try {
          connection.close();
        } catch {
          // It was dropped before.
        }
      },
    };
    server.peers.push(() => Promise.resolve(pipe.drop()));
    await pipe.send(join([handshakeBytes(headers), early]));
    let text = "";
    for (let at = -1; at < 0; at = text.indexOf("\r\n\r\n")) {
      const bytes = await pipe.read();
      if (bytes === null) throw new Error(`No answer to the handshake: ${text}`);
      text += fromLatin1(bytes);
    }
    const at = text.indexOf("\r\n\r\n");
    return new FramePeer(pipe, text.slice(0, at), Uint8Array.from(text.slice(at + 4), (unit) => unit.charCodeAt(0)));
  }

  static async #http2(server: Server, headers: Pairs, early: Uint8Array): Promise<FramePeer> {
    const socket = connectTcp(server.port, "127.0.0.1");
    const session = http2.connect(`http://127.0.0.1:${server.port}`, { createConnection: () => socket });
    const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    server.peers.push(async () => {
      // Not with the session: it would say GOAWAY.
      socket.destroy();
      await within(gone, "the end of a peer");
    });
    await new Promise<void>((resolve) => session.once("remoteSettings", () => resolve()));
    const fields: Record<string, string> = {
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":scheme": "http",
      ":path": "/ws",
      ":authority": "test",
      "sec-websocket-version": "13",
      ...Object.fromEntries(headers),
    };
    const stream = session.request(fields, { endStream: false });
    // It takes from the stream only what is read.
    let ended = false;
    let wake: (() => void) | null = null;
    const woken = () => wake?.();
    stream.on("readable", woken);
    for (const event of ["end", "close"]) {
      stream.on(event, () => {
        ended = true;
        woken();
      });
    }
    stream.on("error", () => {});
    session.on("error", () => {});
    const pipe: Pipe = {
      send: (bytes) => new Promise((resolve) => stream.write(bytes, () => resolve())),
      read: async () => {
        for (;;) {
          const piece = stream.read() as Uint8Array | null;
          if (piece !== null || ended) return piece;
          await new Promise<void>((resolve) => wake = resolve);
        }
      },
      end: () => stream.end(),
      drop: () => stream.close(http2.constants.NGHTTP2_CANCEL),
    };
    if (early.length > 0) stream.write(early);
    const answer = await new Promise<http2.IncomingHttpHeaders>((resolve, reject) => {
      stream.once("response", resolve);
      stream.once("close", () => reject(new Error("No answer to the handshake")));
    });
    return new FramePeer(pipe, Object.entries(answer).map(([name, value]) => `${name}: ${value}`).join("\r\n"), new Uint8Array());
  }

  /** Sends a frame, or bytes as they are. */
  async send(opcode: number | Uint8Array, data: string | Uint8Array = "", options: Parameters<typeof frame>[2] = {}): Promise<void> {
    await this.#pipe.send(typeof opcode === "number" ? frame(opcode, data, options) : opcode);
  }

  /** Sends bytes in pieces of a size, each in a packet of its own. */
  async sendChopped(bytes: Uint8Array, size: number): Promise<void> {
    for (let at = 0; at < bytes.length; at += size) {
      await this.#pipe.send(bytes.subarray(at, at + size));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** The next frame; `null` at the end of the connection. */
  async receive(): Promise<CameFrame | null> {
    const start = await this.#exactly(2);
    if (start === null) return null;
    const short = start[1]! & 0x7f;
    const more = short === 126 ? 2 : short === 127 ? 8 : 0;
    const size = more === 0 ? short : (await this.#exactly(more))!.reduce((sum, byte) => sum * 256 + byte, 0);
    if (start[1]! & 0x80) throw new Error("A frame of the server is masked");
    const payload = await this.#exactly(size);
    return payload === null ? null : { opcode: start[0]! & 15, flags: start[0]! & 0xf0, payload };
  }

  /** The next frame as text, `opcode:flags:payload`; `null` at the end. */
  async next(): Promise<string | null> {
    const came = await this.receive();
    return came === null ? null : `${came.opcode}:${came.flags.toString(16)}:${fromLatin1(came.payload)}`;
  }

  /** The close frame that comes next: its code and its text, `null` for the end without one. */
  async closed(): Promise<[code: number, text: string] | null> {
    const came = await this.receive();
    if (came === null) return null;
    if (came.opcode !== 8) throw new Error(`A close frame was awaited, but ${came.opcode} came`);
    const { payload } = came;
    return payload.length === 0 ? [1005, ""] : [payload[0]! * 256 + payload[1]!, new TextDecoder().decode(payload.subarray(2))];
  }

  /** Reads on up to the end. */
  async ended(): Promise<void> {
    while (await this.#pipe.read() !== null);
  }

  /** Ends the sending side. */
  end(): void {
    this.#pipe.end();
  }

  /** Leaves without a word. */
  drop(): void {
    this.#pipe.drop();
  }

  [Symbol.dispose](): void {
    this.drop();
  }

  async #exactly(size: number): Promise<Uint8Array | null> {
    const pieces: Uint8Array[] = [this.#bytes];
    let have = this.#bytes.length;
    while (have < size) {
      const piece = await this.#pipe.read();
      if (piece === null) return null;
      pieces.push(piece);
      have += piece.length;
    }
    const all = pieces.length === 1 ? pieces[0]! : join(pieces);
    this.#bytes = all.subarray(size);
    return all.subarray(0, size);
  }
}

/** The payload of a close frame. */
export function closing(code: number, text: string | Uint8Array = ""): Uint8Array {
  return join([new Uint8Array([code >> 8, code & 255]), bytesOf(text)]);
}

/** A test over both protocols. */
export function both(name: string, test: (version: "1.1" | "2") => Promise<void>): void {
  for (const version of ["1.1", "2"] as const) Deno.test(`${name}, over HTTP/${version}`, () => test(version));
}

/** A session, and the peer that began it. */
export async function meet(server: Server, version: "1.1" | "2", headers: Pairs = []): Promise<[FramePeer, SocketTap]> {
  const peer = await FramePeer.open(server, version, headers);
  return [peer, await server.tap()];
}

/** Waits until nothing is open. The session must have been told its end once, last, and nothing too early. */
export async function over(server: Server, tap: SocketTap): Promise<void> {
  await until(() => server.wire.open.size === 0, "the exchange to be over");
  assertEquals(tap.brokenRules, 0, "calls into the session that came too early");
  assertEquals(tap.calls.filter(({ call }) => call === "closed").length, 1);
  assertEquals(tap.calls.at(-1)!.call, "closed");
}
