/**
 * Hand-written ends for the memory engine: a host that a test plays itself, and clients that write down what they are told.
 *
 * @module
 */

import type { End, Host, Inbound, Observer, Outbound, Pairs, RequestHead, SocketInbound, SocketOutbound } from "../../src/exchange.ts";
import { MemoryEngine, type MemoryEngineSettings } from "../../src/testing/memory_engine.ts";
import type { MemoryRequest } from "../../src/testing/memory_request.ts";
import type { SocketPeer } from "../../src/testing/memory_socket.ts";
import { ManualClock } from "../../src/testing/clock.ts";

/** Writes down every call from the wire, and whether it came while the session was calling. */
export class Recorder implements SocketInbound {
  readonly calls: string[] = [];
  readonly ends: End[] = [];
  /** Set while the double calls its outbound. */
  busy = false;

  body(chunk: Uint8Array, more: boolean): void {
    this.#write(`body ${new TextDecoder().decode(chunk)} ${more ? "more" : "last"}`);
  }
  drained(): void {
    this.#write("drained");
  }
  flushed(): void {
    this.#write("flushed");
  }
  closed(end: End): void {
    this.ends.push(end);
    this.#write(`closed ${end.reason}`);
  }
  message(data: string | Uint8Array): void {
    this.#write(`message ${typeof data === "string" ? data : `[${data}]`}`);
  }
  pong(token: number): void {
    this.#write(`pong ${token}`);
  }

  #write(call: string): void {
    this.calls.push(this.busy ? `${call} (synchronous!)` : call);
  }
}

/** A host whose exchanges the test plays. */
export class DoubleHost implements Host {
  readonly #lost = Promise.withResolvers<string>();
  readonly lost: Promise<string> = this.#lost.promise;
  readonly recorder = new Recorder();
  head: RequestHead | null = null;
  out: Outbound | null = null;
  socket: SocketOutbound | null = null;
  /** Called inside `open`. */
  inOpen: (out: Outbound) => void = () => {};

  start(): Promise<void> {
    return Promise.resolve();
  }
  open(head: RequestHead, out: Outbound): Inbound {
    this.head = head;
    this.out = out;
    this.recorder.busy = true;
    this.inOpen(out);
    this.recorder.busy = false;
    return this.recorder;
  }
  openSocket(head: RequestHead, out: SocketOutbound): SocketInbound {
    this.socket = out;
    return this.open(head, out) as Recorder;
  }
  drain(): void {}
  stop(): Promise<void> {
    return Promise.resolve();
  }
  /** The home is gone. */
  lose(cause: string): void {
    this.#lost.resolve(cause);
  }
  /** Calls the wire as a session does, watching for synchronous answers. */
  call(play: (out: Outbound) => void): void {
    this.recorder.busy = true;
    try {
      play(this.out!);
    } finally {
      this.recorder.busy = false;
    }
  }
}

/** A client that writes down what it is told. */
export class RecordingPeer implements SocketPeer {
  readonly calls: string[] = [];
  pairs: Pairs = [];

  continued(): void {
    this.calls.push("continued");
  }
  hint(status: number): void {
    this.calls.push(`hint ${status}`);
  }
  head(status: number, headers: Pairs): void {
    this.pairs = headers;
    this.calls.push(`head ${status}`);
  }
  data(bytes: Uint8Array): void {
    this.calls.push(`data ${new TextDecoder().decode(bytes)}`);
  }
  end(trailers: Pairs | null): void {
    this.calls.push(trailers === null ? "end" : `end ${JSON.stringify(trailers)}`);
  }
  cut(reason: string): void {
    this.calls.push(`cut ${reason}`);
  }
  broken(error: Error): void {
    this.calls.push(`broken ${error.message}`);
  }
  accepted(protocol: string | null, status: number, headers: Pairs): void {
    this.pairs = headers;
    this.calls.push(`accepted ${protocol} ${status}`);
  }
  message(data: string | Uint8Array): void {
    this.calls.push(`message ${typeof data === "string" ? data : `[${data}]`}`);
  }
  ping(token: number): void {
    this.calls.push(`ping ${token}`);
  }
  closeFrame(code: number, text: string): void {
    this.calls.push(`close ${code} ${text}`);
  }
}

/** What the observer was told. */
export class RecordingObserver implements Observer {
  readonly calls: string[] = [];
  opened(head: RequestHead): void {
    this.calls.push(`opened ${head.rawPath}`);
  }
  finished(head: RequestHead, status: number, bytes: number, end: End): void {
    this.calls.push(`finished ${head.rawPath} ${status} ${bytes} ${end.reason}`);
  }
  note(level: string, text: string): void {
    this.calls.push(`${level} ${text}`);
  }
}

/** An engine that listens, with all its ends. */
export async function setUp(settings: Partial<MemoryEngineSettings> = {}) {
  const clock = new ManualClock();
  const engine = new MemoryEngine({ clock, ...settings });
  const host = new DoubleHost();
  const observer = new RecordingObserver();
  const addresses = await engine.listen(host, observer);
  return { clock, engine, host, observer, addresses, peer: new RecordingPeer() };
}

/** A request, by default `GET /` over HTTP/1.1. */
export function request(parts: Partial<MemoryRequest> = {}): MemoryRequest {
  return {
    method: "GET",
    target: "/",
    httpVersion: "1.1",
    headers: [["host", "a"]],
    hasBody: false,
    client: ["127.0.0.1", 1],
    server: ["127.0.0.1", 80],
    rootPath: "",
    tls: null,
    ...parts,
  };
}

/** The handshake of a WebSocket. */
export function handshake(parts: Partial<MemoryRequest> = {}): MemoryRequest {
  return request({
    headers: [
      ["host", "a"],
      ["connection", "Upgrade"],
      ["upgrade", "websocket"],
      ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
      ["sec-websocket-version", "13"],
      ["sec-websocket-protocol", "one, two"],
    ],
    ...parts,
  });
}

/** Text as bytes. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The value of a header. */
export function header(peer: { readonly pairs: Pairs }, name: string): string | undefined {
  return peer.pairs.find((pair) => pair[0] === name)?.[1];
}
