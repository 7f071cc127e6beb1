/**
 * What the engine tests share: a host written by hand, whose sessions are the tests themselves, and a client of raw bytes.
 *
 * @module
 */

import type { End, Engine, Host, Inbound, RequestHead, SocketInbound, SocketOutbound } from "../../src/exchange.ts";
import type { CertificatePair, ListenAddress, ListenerSettings } from "../../src/engines/listener_settings.ts";
import { DenoServeEngine, type DenoServeSettings } from "../../src/engines/deno_serve.ts";
import { NodeEngine, type NodeSettings } from "../../src/engines/node_engine.ts";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "../../src/engines/node_settings.ts";

/** One call into a session. */
export type Call =
  | { readonly call: "body"; readonly text: string; readonly more: boolean }
  | { readonly call: "message"; readonly data: string | Uint8Array }
  | { readonly call: "drained" }
  | { readonly call: "closed"; readonly end: End };

/** A session that only writes down what it is told. */
export class Tap implements SocketInbound {
  readonly head: RequestHead;
  readonly out: SocketOutbound;
  readonly calls: Call[] = [];
  /** Set while an `Outbound` call or `open` runs: a call into the session is against the rules then. */
  busy = true;
  brokenRules = 0;
  #wake: (() => void)[] = [];
  #at = 0;

  constructor(head: RequestHead, out: SocketOutbound) {
    this.head = head;
    this.out = out;
  }

  /** The next call that has not been taken yet. */
  async next(): Promise<Call> {
    while (this.#at === this.calls.length) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.calls[this.#at++]!;
  }

  /** The end; calls before it are skipped. */
  async end(): Promise<End> {
    for (;;) {
      const call = await this.next();
      if (call.call === "closed") return call.end;
    }
  }

  /** Calls the wire, and counts what comes back too early. */
  do(action: (out: SocketOutbound) => void): void {
    this.busy = true;
    try {
      action(this.out);
    } finally {
      this.busy = false;
    }
  }

  body(chunk: Uint8Array, more: boolean): void {
    this.#told({ call: "body", text: new TextDecoder().decode(chunk), more });
  }
  message(data: string | Uint8Array): void {
    this.#told({ call: "message", data });
  }
  drained(): void {
    this.#told({ call: "drained" });
  }
  closed(end: End): void {
    this.#told({ call: "closed", end });
  }
  flushed(): void {}
  pong(): void {}

  #told(call: Call): void {
    if (this.busy) this.brokenRules++;
    this.calls.push(call);
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** What the observer heard of an exchange. */
export interface Finished {
  readonly head: RequestHead;
  readonly status: number;
  readonly bytes: number;
  readonly end: End;
}

/** A running engine under test. */
export interface Running {
  readonly engine: Engine;
  /** Of the first listener. */
  readonly port: number;
  readonly addrs: readonly Deno.Addr[];
  readonly taps: Tap[];
  readonly opened: RequestHead[];
  readonly finished: Finished[];
  readonly notes: string[];
  /** The next exchange. */
  tap(): Promise<Tap>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A listener; with a certificate, one of TLS. */
export function listener(at: ListenAddress, pair?: CertificatePair): ListenerSettings {
  const tls = pair === undefined ? null : { certificates: [pair], clientCertificates: "none", ca: null } as const;
  return { at, tls, proxyProtocol: false };
}

/** A free port of this machine. */
export const LOCAL: ListenAddress = { kind: "tcp", host: "127.0.0.1", port: 0 };

/** Settings as the runner makes them. */
export const SETTINGS: DenoServeSettings = {
  listeners: [listener(LOCAL)],
  rootPath: "",
  maxBodyBytes: 10_000_000,
  highWaterBytes: 65_536,
  lowWaterBytes: 16_384,
  headers: [],
};

/** Starts the engine `deno`, whose exchanges are given to `session`. */
export function start(session: (tap: Tap) => void = () => {}, settings: Partial<DenoServeSettings> = {}): Promise<Running> {
  return startEngine(new DenoServeEngine({ ...SETTINGS, ...settings }), session);
}

/** Starts the engine `node`, whose exchanges are given to `session`. */
export function startNode(
  session: (tap: Tap) => void = () => {},
  settings: Partial<NodeSettings> = {},
  limits: Partial<WireLimits> = {},
): Promise<Running> {
  const own = { trust: null, limits: { ...DEFAULT_WIRE_LIMITS, ...limits }, wsDeflate: false };
  return startEngine(new NodeEngine({ ...SETTINGS, ...own, ...settings }), session);
}

async function startEngine(engine: Engine, session: (tap: Tap) => void): Promise<Running> {
  const taps: Tap[] = [];
  const opened: RequestHead[] = [];
  const finished: Finished[] = [];
  const notes: string[] = [];
  const waiting: ((tap: Tap) => void)[] = [];
  const untaken: Tap[] = [];
  const open = (head: RequestHead, out: SocketOutbound): Inbound & SocketInbound => {
    const tap = new Tap(head, out);
    taps.push(tap);
    const taker = waiting.shift();
    if (taker) taker(tap);
    else untaken.push(tap);
    session(tap);
    queueMicrotask(() => tap.busy = false);
    return tap;
  };
  const host: Host = {
    start: () => Promise.resolve(),
    open: (head, out) => open(head, out as SocketOutbound),
    openSocket: open,
    drain: () => {},
    stop: () => Promise.resolve(),
    lost: new Promise(() => {}),
  };
  const addrs = await engine.listen(host, {
    opened: (head) => opened.push(head),
    finished: (head, status, bytes, end) => finished.push({ head, status, bytes, end }),
    note: (level, text) => notes.push(`${level}: ${text}`),
  });
  return {
    engine,
    port: (addrs[0] as Deno.NetAddr).port ?? 0,
    addrs,
    taps,
    opened,
    finished,
    notes,
    tap: () => {
      const tap = untaken.shift();
      return tap ? Promise.resolve(tap) : new Promise((resolve) => waiting.push(resolve));
    },
    [Symbol.asyncDispose]: () => engine.close(0),
  };
}

/** Answers everything with its method and target. */
export function echoHead({ head, out }: Tap): void {
  out.respond(200, [["content-type", "text/plain"]], `${head.method} ${head.rawPath}?${head.query}`, 0);
}

/** A connection that sends bytes as they are. */
export class RawClient {
  readonly connection: Deno.Conn;
  #text = "";
  #ended = false;

  private constructor(connection: Deno.Conn) {
    this.connection = connection;
  }

  static async connect(to: number | string): Promise<RawClient> {
    return new RawClient(
      typeof to === "number"
        ? await Deno.connect({ hostname: "127.0.0.1", port: to })
        : await Deno.connect({ transport: "unix", path: to }),
    );
  }

  /** Latin-1 text, so that any byte can be written. */
  async send(text: string): Promise<void> {
    await this.sendBytes(latin1(text));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.connection.write(bytes.subarray(at));
  }

  /** Reads until `done` says so, the peer closes, or the time is up. */
  async readUntil(done: (text: string) => boolean, ms = 5000): Promise<string> {
    const buffer = new Uint8Array(65_536);
    const deadline = Date.now() + ms;
    while (!done(this.#text) && !this.#ended) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), Math.max(0, deadline - Date.now())));
      const reading = this.#pending ??
        this.connection.read(buffer).then((n) => n === null ? null : fromLatin1(buffer.subarray(0, n)), () => null);
      this.#pending = reading;
      const got = await Promise.race([reading, late]);
      clearTimeout(timer);
      if (got === "late") break;
      this.#pending = null;
      if (got === null) this.#ended = true;
      else this.#text += got;
    }
    const text = this.#text;
    return text;
  }
  #pending: Promise<string | null> | null = null;

  /** One response with its body, and takes it out of what was read. */
  async response(method = "GET"): Promise<{ status: number; head: string; body: string }> {
    let size = -1;
    await this.readUntil((text) => (size = responseSize(text, method)) >= 0);
    if (size < 0) size = this.#text.length;
    const whole = this.#text.slice(0, size);
    this.#text = this.#text.slice(size);
    const at = whole.indexOf("\r\n\r\n");
    const head = at < 0 ? whole : whole.slice(0, at);
    return { status: Number(whole.slice(9, 12)), head, body: at < 0 ? "" : whole.slice(at + 4) };
  }

  /** Everything up to the end of the connection. */
  async rest(ms = 5000): Promise<string> {
    return await this.readUntil(() => false, ms);
  }

  /** The peer has closed. */
  get ended(): boolean {
    return this.#ended;
  }

  close(): void {
    try {
      this.connection.close();
    } catch {
      // A peer may have closed it first.
    }
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

/** The length of the first response in `text`, -1 where it is not whole. */
function responseSize(text: string, method: string): number {
  const at = text.indexOf("\r\n\r\n");
  if (at < 0) return -1;
  const head = text.slice(0, at).toLowerCase();
  const status = Number(text.slice(9, 12));
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return at + 4;
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
  if (length !== undefined) return text.length >= at + 4 + Number(length) ? at + 4 + Number(length) : -1;
  if (!head.includes("transfer-encoding: chunked")) return -1;
  const end = text.indexOf("\r\n0\r\n\r\n", at + 2);
  return end < 0 ? -1 : end + 7;
}

export function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

export function fromLatin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Runs a command to its end. */
export async function run(command: string, args: string[], stdin?: string): Promise<{ code: number; out: string; err: string }> {
  const child = new Deno.Command(command, { args, stdin: stdin === undefined ? "null" : "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(latin1(stdin));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}
