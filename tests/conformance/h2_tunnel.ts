/**
 * An extended CONNECT (RFC 8441) by Node's `http2`: a stream on which a test writes and reads the bytes of WebSocket frames itself.
 *
 * @module
 */

import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import { Cut, join, Refused, Reply } from "./reply.ts";
import type { Running, SocketAsk } from "./target.ts";
import { within } from "./waiting.ts";

const CANCEL = 8;

/** One stream, on a connection of its own or on that of another tunnel. */
export class H2Tunnel {
  /** The answer to the handshake: 200. */
  readonly answer: Reply;
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #pieces: Uint8Array[] = [];
  readonly #gone = Promise.withResolvers<void>();
  #ended = false;
  #wake: (() => void) | null = null;

  private constructor(session: ClientHttp2Session, stream: ClientHttp2Stream, answer: Reply) {
    this.#session = session;
    this.#stream = stream;
    this.answer = answer;
    stream.on("data", (bytes: Uint8Array) => {
      this.#pieces.push(new Uint8Array(bytes));
      this.#wake?.();
    });
    stream.on("end", () => this.#over());
    stream.on("close", () => {
      this.#over();
      this.#gone.resolve();
    });
  }

  /**
   * Asks for a WebSocket, and waits for the answer.
   *
   * @param early Bytes that are sent behind the request, before it is answered.
   * @throws {Refused} Where the server answers with anything but 200.
   */
  static async open(server: Running, ask: SocketAsk = {}, early?: Uint8Array, beside?: H2Tunnel): Promise<H2Tunnel> {
    const session = beside === undefined ? await connected(server) : beside.#session;
    const stream = session.request({
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":scheme": server.cert === "" ? "http" : "https",
      ":path": ask.target ?? "/",
      ":authority": "test",
      "sec-websocket-version": "13",
      ...((ask.subprotocols ?? []).length === 0 ? {} : { "sec-websocket-protocol": ask.subprotocols!.join(", ") }),
      ...Object.fromEntries(ask.headers ?? []),
    }, { endStream: false });
    // A reset is told by "close" too.
    stream.on("error", () => {});
    if (early !== undefined) stream.write(early);
    try {
      const answer = await within(answerOf(stream), "the answer to the handshake");
      if (answer.status !== 200) throw new Refused(new Reply({ ...answer, body: await bodyOf(stream) }));
      return new H2Tunnel(session, stream, answer);
    } catch (error) {
      if (beside === undefined) await destroyed(session);
      throw error;
    }
  }

  /** Sends bytes. */
  send(bytes: Uint8Array): Promise<void> {
    this.#stream.write(bytes);
    return Promise.resolve();
  }

  /** Reads at least one and at most so many bytes; `null` at the end of the stream. */
  async some(most: number): Promise<Uint8Array | null> {
    while (this.#pieces.length === 0) {
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const piece = this.#pieces.shift()!;
    if (piece.byteLength > most) this.#pieces.unshift(piece.subarray(most));
    return piece.subarray(0, most);
  }

  /** Sends END_STREAM. */
  end(): void {
    this.#stream.end();
  }

  /** Resets the stream. */
  reset(): void {
    this.#stream.close(CANCEL);
  }

  /** Takes nothing more from the wire, so that the window of the stream fills. */
  pause(): void {
    this.#stream.pause();
  }

  /** Takes on. */
  resume(): void {
    this.#stream.resume();
  }

  /** The code of the reset that ended the stream, 0 for none; waits for the end. */
  async code(): Promise<number> {
    await within(this.#gone.promise, "the end of the stream");
    return this.#stream.rstCode ?? 0;
  }

  /** Drops the connection. */
  async close(): Promise<void> {
    await destroyed(this.#session);
  }

  #over(): void {
    this.#ended = true;
    this.#wake?.();
  }
}

/** A connection whose server has said that it takes extended CONNECTs. */
async function connected(server: Running): Promise<ClientHttp2Session> {
  const { port } = server.address as { port: number };
  const session = server.cert === "" ? connect(`http://localhost:${port}`) : connect(`https://localhost:${port}`, { ca: server.cert });
  const settings = new Promise<boolean>((resolve, reject) => {
    session.once("remoteSettings", ({ enableConnectProtocol }) => resolve(enableConnectProtocol === true));
    session.once("error", reject);
  });
  const takes = await within(settings, "the settings of the server");
  session.on("error", () => {});
  if (takes) return session;
  await destroyed(session);
  throw new Cut("The server does not offer extended CONNECTs");
}

async function destroyed(session: ClientHttp2Session): Promise<void> {
  if (session.closed && session.destroyed) return;
  const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
  session.destroy();
  await closed;
}

function answerOf(stream: ClientHttp2Stream): Promise<Reply> {
  return new Promise((resolve, reject) => {
    stream.once("response", (headers) => resolve(new Reply({ status: Number(headers[":status"]), pairs: pairsOf(headers) })));
    stream.once("close", () => reject(new Cut(`The stream was reset with ${stream.rstCode}`)));
  });
}

function bodyOf(stream: ClientHttp2Stream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  stream.on("data", (bytes: Uint8Array) => pieces.push(new Uint8Array(bytes)));
  return within(new Promise((resolve) => stream.once("close", () => resolve(join(pieces)))), "the rest of the answer");
}

function pairsOf(headers: IncomingHttpHeaders): [string, string][] {
  return Object.entries(headers).filter(([name]) => !name.startsWith(":")).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, String(one)])
  );
}
