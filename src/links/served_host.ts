/**
 * A home at the worker's end of a link: it turns packets into the calls of the seam on a `Host`, which is the one that a server runs
 * inline. No session knows that a link exists.
 *
 * @module
 */

import type { Capability, Fields, Host, Level, Pairs, RequestHead, SocketInbound, Start } from "../exchange.ts";
import { StartupError, WorkerError } from "../spec/errors.ts";
import type { TlsInfo } from "../spec/scope.ts";
import { cut, sendNote } from "./notes.ts";
import { Outbox } from "./outbox.ts";
import * as P from "./packets.ts";
import type { Pipe } from "./pipe.ts";
import { Slots } from "./slots.ts";
import { type Served, ServedExchange } from "./served_exchange.ts";

/** A host that can be told what has changed since its start. */
export interface ServingHost extends Host {
  /** Plain data. */
  tell?(what: unknown): void;
}

/** What a host that takes exchanges by itself says about it. */
export interface Counting {
  /** How many are open, how many are over, and whether more may come. */
  counts(open: number, completed: number, more: boolean): void;
  /** It asks to be replaced. */
  recycle(): void;
}

/** Builds the host once the front has said what to load. Lines for the log go to `note`. */
export type Boot = (
  load: unknown,
  note: (level: Level, text: string, fields?: Fields) => void,
  counting: Counting,
) => ServingHost | Promise<ServingHost>;

/** Serves one front. */
export class ServedHost implements Served, Counting {
  /** Resolves with the cause when the link is over. */
  readonly ended: Promise<string>;
  readonly outbox: Outbox;
  highWaterBytes = 0;
  readonly #pipe: Pipe;
  readonly #boot: Boot;
  readonly #exchanges = new Slots<ServedExchange>();
  readonly #shared: unknown[] = [];
  #host: ServingHost | null = null;
  #beat: ReturnType<typeof setInterval> | null = null;

  /** Waits for the front to start it. */
  constructor(pipe: Pipe, boot: Boot) {
    this.#pipe = pipe;
    this.#boot = boot;
    this.outbox = new Outbox(pipe);
    this.ended = pipe.closed.then((cause) => {
      if (this.#beat !== null) clearInterval(this.#beat);
      this.#lost();
      return cause;
    });
    pipe.start((text, bytes) => this.#receive(text, bytes));
  }

  /** Open exchanges. */
  get size(): number {
    return this.#exchanges.size;
  }

  /** Asks the front to replace this worker. */
  recycle(): void {
    this.outbox.items.push(P.RECYCLE, 0);
    this.outbox.added(8);
  }

  counts(open: number, completed: number, more: boolean): void {
    this.outbox.items.push(P.COUNTS, 0, open, completed, more ? 1 : 0);
    this.outbox.added(24);
  }

  over(exchange: ServedExchange): void {
    this.#exchanges.delete(exchange);
  }

  #receive(text: string, bytes: Uint8Array): void {
    const items = JSON.parse(text) as unknown[];
    let from = 0;
    // The app may do with them what it likes: they are its own.
    const take = (count: number): Uint8Array => {
      if (count === bytes.byteLength) return bytes;
      return bytes.slice(from, from += count);
    };
    for (let at = 0; at < items.length;) {
      const code = items[at] as number;
      const packet = P.PACKETS[code];
      if (packet === undefined || packet.from !== "front") throw new WorkerError(`A front sends no packet ${code}`);
      if (packet.states === 0) this.#control(code, items, at);
      else this.#call(code, items, at, take);
      at += 2 + packet.fields.length;
    }
  }

  #control(code: number, items: readonly unknown[], at: number): void {
    switch (code) {
      case P.OPENED:
        return this.#open(items, at);
      case P.SHARE:
        this.#shared[items[at + 2] as number] = items[at + 3];
        break;
      case P.START:
        void this.#start(items[at + 2] as number, items[at + 3], items[at + 4] as Start, items[at + 5] as number);
        break;
      case P.TELL:
        this.#host?.tell?.(items[at + 2]);
        break;
      case P.DRAIN:
        this.#host?.drain(items[at + 2] as string, items[at + 3] as number);
        break;
      case P.STOP:
        void this.#stop(items[at + 2] as number);
        break;
    }
  }

  async #start(version: number, load: unknown, start: Start, beatMs: number): Promise<void> {
    try {
      if (version !== P.VERSION) throw new WorkerError(`The front speaks version ${version} of the link, this worker ${P.VERSION}`);
      this.highWaterBytes = start.limits.highWaterBytes;
      if (beatMs > 0) this.#beat = setInterval(() => this.#tell(P.BEAT), beatMs);
      this.#host = await this.#boot(load, (level, text, fields = {}) => this.#note(level, text, fields), this);
      await this.#host.start(start);
      this.#tell(P.READY);
    } catch (error) {
      const message = cut(error instanceof Error ? error.message : String(error));
      this.outbox.items.push(P.FAILED, 0, message, error instanceof StartupError ? error.exitCode : 1);
      this.outbox.added(64 + message.length);
    }
  }

  async #stop(graceMs: number): Promise<void> {
    await this.#host?.stop(graceMs);
    this.#tell(P.STOPPED);
  }

  #tell(code: number): void {
    this.outbox.items.push(code, 0);
    this.outbox.added(8);
  }

  #note(level: Level, text: string, fields: Fields): void {
    sendNote(this.outbox, 0, level, text, fields);
  }

  #open(items: readonly unknown[], at: number): void {
    const rawPath = items[at + 6] as string;
    const clientHost = items[at + 11] as string | null;
    const tls = items[at + 16] as number | null;
    const head: { -readonly [K in keyof RequestHead]: RequestHead[K] } = {
      kind: items[at + 2] as RequestHead["kind"],
      id: items[at + 1] as number,
      httpVersion: items[at + 3] as RequestHead["httpVersion"],
      method: items[at + 4] as string,
      scheme: items[at + 5] as RequestHead["scheme"],
      rawPath,
      path: items[at + 7] as string | null ?? rawPath,
      query: items[at + 8] as string,
      rootPath: items[at + 9] as string,
      headers: items[at + 10] as RequestHead["headers"],
      server: this.#shared[items[at + 13] as number] as RequestHead["server"],
      body: items[at + 14] as RequestHead["body"],
      capabilities: this.#shared[items[at + 15] as number] as readonly Capability[],
    };
    if (clientHost !== null) head.client = [clientHost, items[at + 12] as number];
    if (tls !== null) head.tls = this.#shared[tls] as TlsInfo;
    const exchange = new ServedExchange(head, this);
    this.#exchanges.add(exchange);
    exchange.inbound = head.kind === "websocket" ? this.#host!.openSocket(head, exchange) : this.#host!.open(head, exchange);
  }

  #call(code: number, items: readonly unknown[], at: number, take: (count: number) => Uint8Array): void {
    const exchange = this.#exchanges.get(items[at + 1] as number);
    const a = items[at + 2];
    const b = items[at + 3];
    const c = items[at + 4];
    const d = items[at + 5];
    // One that this side has ended: what crossed it is dropped, its bytes too.
    const bytes = code === P.BODY_BYTES ? take(b as number) : code === P.GOT_PART ? take(c as number) : null;
    if (exchange === undefined) return;
    const inbound = exchange.inbound!;
    switch (code) {
      case P.BODY_BYTES:
        return c === null ? inbound.body(bytes!, a === 1) : inbound.body(bytes!, a === 1, c as Pairs);
      case P.WRITTEN:
        return exchange.written(a as number, b as number);
      case P.FLUSHED:
        return inbound.flushed();
      case P.CLOSED:
        return exchange.closed({
          reason: a as string | null,
          ...(b === null ? null : { code: b as number }),
          ...(c === null ? null : { text: c as string }),
          ...(d === null ? null : { clean: d as boolean }),
        });
      case P.GOT_TEXT:
        return (inbound as SocketInbound).message(a as string);
      case P.GOT_PART:
        return exchange.gotPart(a === 1, b === 1, bytes!);
      case P.PONG:
        return (inbound as SocketInbound).pong(a as number);
    }
  }

  // The front is gone: nobody gets what the apps still send.
  #lost(): void {
    for (const exchange of this.#exchanges.clear()) exchange.closed({ reason: "server_shutdown" });
  }
}
