/**
 * A worker as its server sees it: a home at the other end of a pipe.
 *
 * It believes nothing that comes from there. A packet that breaks the table, a field that is not what it must be, or more than there is
 * credit for, ends the link, and every open exchange is answered here. Packets for exchanges that have ended cross on the way, so they
 * are dropped.
 *
 * @module
 */

import type { Fields, Host, Inbound, Level, Outbound, RequestHead, SocketInbound, SocketOutbound, Start } from "../exchange.ts";
import { StartupError, WorkerError } from "../spec/errors.ts";
import { within } from "../wire/within.ts";
import { cut, cutFields } from "./notes.ts";
import { Outbox } from "./outbox.ts";
import { checkFields } from "./packet_kinds.ts";
import * as P from "./packets.ts";
import type { Pipe } from "./pipe.ts";
import { type Front, type LossReason, RemoteExchange, WORKER_LOST } from "./remote_exchange.ts";
import { RemoteSocket } from "./remote_socket.ts";
import { Allowance } from "./allowance.ts";
import { Slots } from "./slots.ts";
import { SharedValues } from "./shared_values.ts";

/** What the host is told and whom it tells. */
export interface RemoteHostOptions {
  /** What the worker is to load: plain data that it understands. */
  readonly load: unknown;
  /** How often the worker gives a sign of life; 0 is never. */
  readonly heartbeatMs: number;
  /** The worker takes exchanges by itself and tells how many; none is sent to it. */
  readonly listens?: boolean;
  /** Fields for the lines of exchanges, such as the number of the worker. */
  readonly marks?: Fields;
  /** A line of the worker that belongs to no open exchange. */
  note(level: Level, text: string, fields: Fields): void;
  /** An exchange is over. */
  ended(): void;
  /** The worker asks to be replaced. */
  asked?(what: "recycle"): void;
}

/** So much is worth a packet. */
const TELL_BYTES = 16_384;
/** Exchanges whose client was slow are looked at this often. */
const LOOK_MS = 50;
/** Packets for exchanges that have ended, in a second. */
const STRAYS_PER_SECOND = 100_000;
/** Packets that move nothing, in a second; those that come seldom count {@linkcode SELDOM} times. */
const IDLE_PER_SECOND = 200_000;
const SELDOM = 10;
/** Lines for the log, in a second, … */
const NOTES_PER_SECOND = 200;
/** … and their characters. */
const NOTE_CHARS_PER_SECOND = 1 << 18;
/** Empty WebSocket messages, in a second. */
const EMPTY_PER_SECOND = 1000;

/** A worker that stops is given that much less than there is, or a tenth less. */
const LAST_WORDS_MS = 100;

/** The home of an app in a worker. */
export class RemoteHost implements Host, Front {
  readonly lost: Promise<string>;
  readonly outbox: Outbox;
  /** Exchanges that are over. */
  completed = 0;
  /** When the worker was last heard of; `performance.now()`. */
  heardAt: number = performance.now();
  tellBytes = 0;
  maxClientBytes = 0;
  maxWorkerBytes = 0;
  readonly #pipe: Pipe;
  readonly #options: RemoteHostOptions;
  readonly #loss: PromiseWithResolvers<string> = Promise.withResolvers();
  readonly #exchanges = new Slots<RemoteExchange>();
  /** Those that the worker is told about at the end of the batch. */
  #changed: RemoteExchange[] = [];
  /** Those whose bytes wait for a client. */
  #waiting: RemoteExchange[] = [];
  readonly #shared: SharedValues;
  readonly #strays = new Allowance(STRAYS_PER_SECOND);
  readonly #idle = new Allowance(IDLE_PER_SECOND);
  readonly #notes = new Allowance(NOTES_PER_SECOND);
  readonly #noteChars = new Allowance(NOTE_CHARS_PER_SECOND);
  readonly #empty = new Allowance(EMPTY_PER_SECOND);
  #isAsked = false;
  #droppedNotes = 0;
  #look: ReturnType<typeof setTimeout> | null = null;
  #starting: PromiseWithResolvers<void> | null = null;
  #stopping: PromiseWithResolvers<void> | null = null;
  #isGone = false;
  /** Open exchanges of a worker that listens, those of it that are over, and whether more may come. */
  #taken = 0;
  #told = 0;
  #mayTake: boolean;

  /** Takes over a pipe whose other end is a worker that waits to be started. */
  constructor(pipe: Pipe, options: RemoteHostOptions) {
    this.#pipe = pipe;
    this.#options = options;
    this.#mayTake = options.listens === true;
    this.outbox = new Outbox(
      pipe,
      P.MAX_BACKLOG,
      () => queueMicrotask(() => this.abandon("it takes nothing in, and too much waits for it")),
    );
    this.#shared = new SharedValues(this.outbox);
    this.lost = this.#loss.promise;
    pipe.start((text, bytes) => this.#receive(text, bytes));
    void pipe.closed.then((cause) => this.abandon(cause === "" ? "the worker has ended" : cause));
  }

  /** Open exchanges. */
  get size(): number {
    return this.#exchanges.size + this.#taken;
  }

  /** None is open, and none can come but by {@linkcode open}. */
  get idle(): boolean {
    return !this.#mayTake && this.size === 0;
  }

  /**
   * Loads the app in the worker and runs its lifespan startup.
   *
   * @throws {StartupError} With the text of the worker.
   * @throws {WorkerError} Where the worker is gone.
   */
  start(start: Start): Promise<void> {
    if (this.#isGone) return Promise.reject(new WorkerError("The worker is gone"));
    const { highWaterBytes, lowWaterBytes, maxReceiveQueueBytes, maxMessageBytes } = start.limits;
    // Less than the low mark, so that no send of the app waits for what is not told.
    this.tellBytes = Math.min(TELL_BYTES, lowWaterBytes / 2);
    this.maxClientBytes = highWaterBytes + P.WINDOW + 2 * P.PIECE;
    this.maxWorkerBytes = maxReceiveQueueBytes > 0 ? maxReceiveQueueBytes + maxMessageBytes : Infinity;
    this.#starting = Promise.withResolvers();
    this.outbox.items.push(P.START, 0, P.VERSION, this.#options.load, start, this.#options.heartbeatMs);
    this.outbox.added(1024);
    return this.#starting.promise;
  }

  open(head: RequestHead, out: Outbound): Inbound {
    const exchange = new RemoteExchange(this.#exchanges.number(), head, out, this);
    this.#open(exchange, head);
    return exchange;
  }

  openSocket(head: RequestHead, out: SocketOutbound): SocketInbound {
    const exchange = new RemoteSocket(this.#exchanges.number(), head, out, this);
    this.#open(exchange, head);
    return exchange;
  }

  drain(reason: string, secondsLeft: number): void {
    if (this.#isGone) return;
    this.outbox.items.push(P.DRAIN, 0, reason, secondsLeft);
    this.outbox.added(32);
  }

  /** Tells the host in the worker what has changed: plain data that it understands. */
  tell(what: unknown): void {
    if (this.#isGone) return;
    this.outbox.items.push(P.TELL, 0, what);
    this.outbox.added(1024);
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#isGone) return;
    if (this.#stopping === null) {
      this.#stopping = Promise.withResolvers();
      // The worker's last words come before the time is up here.
      this.outbox.items.push(P.STOP, 0, graceMs - Math.min(LAST_WORDS_MS, graceMs / 10));
      this.outbox.added(16);
    }
    await within(graceMs, this.#stopping.promise);
  }

  /**
   * The worker is gone, not to be trusted any more, or its time is over (`server_shutdown`): its exchanges are answered here, and nothing
   * of it is heard again.
   */
  abandon(cause: string, reason: LossReason = WORKER_LOST): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#pipe.close(cause);
    // Before the exchanges: whoever hears that the last one is over must not take this for an orderly end.
    this.#loss.resolve(cause);
    const exchanges = this.#exchanges.clear();
    this.#changed = this.#waiting = [];
    if (this.#look !== null) clearTimeout(this.#look);
    for (const exchange of exchanges) {
      try {
        exchange.lost(reason);
      } catch (error) {
        this.#options.note("error", "An exchange of a lost worker could not be ended", { error: String(error) });
      }
      this.completed++;
      this.#options.ended();
    }
    this.#mayTake = false;
    if (this.#taken > 0) this.#count(0, this.#told + this.#taken);
    this.#starting?.reject(new WorkerError(`The worker was lost during its start: ${cause}`));
    this.#stopping?.resolve();
  }

  // ── for the exchanges ──

  changed(exchange: RemoteExchange): void {
    if (exchange.isChanged) return;
    exchange.isChanged = true;
    this.#changed.push(exchange);
  }

  mayBeEmpty(): boolean {
    return this.#empty.spend();
  }

  over(exchange: RemoteExchange): void {
    // One that was lost is not there any more.
    if (!this.#exchanges.delete(exchange)) return;
    this.completed++;
    this.#options.ended();
  }

  // ── from the worker ──

  #receive(text: string, bytes: Uint8Array): void {
    if (this.#isGone) return;
    this.heardAt = performance.now();
    try {
      this.#dispatch(parse(text), bytes);
      this.#report();
    } catch (error) {
      this.abandon(error instanceof WorkerError ? error.message : `A packet could not be handled: ${error}`);
    }
  }

  // Some of it may still wait for the client, and not every engine tells when the last of it has gone: then there is another look.
  #report(): void {
    if (this.#changed.length === 0) return;
    const changed = this.#changed;
    this.#changed = [];
    for (const exchange of changed) {
      exchange.isChanged = false;
      if (this.#isOpen(exchange) && !exchange.report(false) && !exchange.isWaiting) {
        exchange.isWaiting = true;
        this.#waiting.push(exchange);
      }
    }
    this.#lookLater();
  }

  #lookAgain(): void {
    this.#look = null;
    if (this.#isGone) return;
    try {
      this.#waiting = this.#waiting.filter((exchange) => exchange.isWaiting = this.#isOpen(exchange) && !exchange.report(true));
      this.#lookLater();
    } catch (error) {
      this.abandon(error instanceof WorkerError ? error.message : `A look at an exchange failed: ${error}`);
    }
  }

  #lookLater(): void {
    if (this.#waiting.length > 0) this.#look ??= setTimeout(() => this.#lookAgain(), LOOK_MS);
  }

  #isOpen(exchange: RemoteExchange): boolean {
    return this.#exchanges.get(exchange.id) === exchange;
  }

  #dispatch(items: readonly unknown[], bytes: Uint8Array): void {
    if (items.length === 0) throw new WorkerError("A batch is empty");
    let at = 0;
    let from = 0;
    // Bytes are kept as long as a client may take: a small part must not keep a large batch with it.
    const take = (count: number): Uint8Array => {
      if (from + count > bytes.byteLength) throw new WorkerError("A packet names more bytes than there are");
      const part = count * 4 >= bytes.byteLength ? bytes.subarray(from, from + count) : bytes.slice(from, from + count);
      from += count;
      return part;
    };
    while (at < items.length) {
      const code = items[at] as number;
      const packet = typeof code === "number" ? P.PACKETS[code] : undefined;
      if (packet === undefined || packet.from !== "worker" || code === P.HELLO) {
        throw new WorkerError(`A worker sends no packet ${JSON.stringify(code)?.slice(0, 40)}`);
      }
      checkFields(code, items, at);
      if (packet.states === 0) this.#control(code, items, at);
      else this.#call(packet, code, items, at, take);
      if (this.#isGone) return;
      at += 2 + packet.fields.length;
    }
    if (from !== bytes.byteLength) throw new WorkerError("A batch holds bytes that no packet names");
  }

  #control(code: number, items: readonly unknown[], at: number): void {
    this.#spend(SELDOM);
    switch (code) {
      case P.READY:
        this.#starting?.resolve();
        this.#starting = null;
        break;
      case P.FAILED:
        this.#starting?.reject(new StartupError(cut(items[at + 2] as string), { exitCode: items[at + 3] === 2 ? 2 : 3 }));
        this.#starting = null;
        break;
      case P.STOPPED:
        this.#stopping?.resolve();
        break;
      case P.RECYCLE:
        if (this.#isAsked) break;
        this.#isAsked = true;
        this.#options.asked?.("recycle");
        break;
      case P.COUNTS:
        if (this.#options.listens !== true) throw new WorkerError("A worker that does not listen has nothing to count");
        this.#mayTake = items[at + 4] === 1;
        this.#count(items[at + 2] as number, items[at + 3] as number);
        break;
    }
  }

  #count(open: number, completed: number): void {
    if (completed < this.#told) throw new WorkerError("A worker counts backwards");
    this.#taken = open;
    this.completed += completed - this.#told;
    this.#told = completed;
    this.#options.ended();
  }

  #call(packet: P.Packet, code: number, items: readonly unknown[], at: number, take: (count: number) => Uint8Array): void {
    const exchange = this.#exchanges.get(items[at + 1] as number);
    // One by one: taking an array apart costs more than all the rest of it.
    const a = items[at + 2];
    const b = items[at + 3];
    const c = items[at + 4];
    const d = items[at + 5];
    const e = items[at + 6];
    // One that the front has cut is over too, however long its engine takes: what crossed the cut is no fault.
    if (exchange === undefined || exchange.state === P.CUT && code !== P.NOTE) return this.#stray(code, a, b, c, take);
    if ((packet.states & 1 << exchange.state) === 0) throw new WorkerError(`The packet "${packet.name}" came at the wrong time`);
    switch (code) {
      case P.RESPOND:
        return exchange.respond(a as number, b as Pairs, typeof c === "number" ? take(c) : c as string, d as number, e as string | null);
      case P.PULL:
        this.#spend(1);
        return exchange.pull(a as number);
      case P.WATCH:
        this.#spend(1);
        return exchange.watch();
      case P.NOTE:
        return this.#note(a as Level, b as string, c as NoteFields, exchange);
      case P.INFORM:
        return exchange.inform(a as number, b as Pairs);
      case P.HEAD:
        return exchange.start(a as number, b as Pairs, c as number);
      case P.CHUNK:
        return exchange.chunk(take(a as number));
      case P.FLUSH:
        this.#spend(1);
        return exchange.flush();
      case P.END:
        return exchange.end(a as Pairs | null, b as string | null);
      case P.ABORT:
        return exchange.abort(a as string);
    }
    if (!(exchange instanceof RemoteSocket)) throw new WorkerError(`The packet "${packet.name}" came for a request`);
    switch (code) {
      case P.ACCEPT:
        return exchange.accept(a as string | null, b as Pairs);
      case P.SEND_TEXT:
        return exchange.send(a as string);
      case P.SEND_PART:
        return exchange.sendPart(a === 1, b === 1, take(c as number));
      case P.PING:
        this.#spend(SELDOM);
        return exchange.ping(a as number);
      case P.CLOSE:
        return exchange.close(a as number, b as string);
    }
  }

  // No client is any further for it, and the front has work.
  #spend(amount: number): void {
    if (!this.#idle.spend(amount)) throw new WorkerError("Too many packets came that move nothing");
  }

  // Its exchange has ended; its bytes are still in the batch.
  #stray(code: number, a: unknown, b: unknown, c: unknown, take: (count: number) => Uint8Array): void {
    if (code === P.NOTE) return this.#note(a as Level, b as string, c as NoteFields, null);
    if (!this.#strays.spend()) throw new WorkerError("Too many packets came for exchanges that have ended");
    if (code === P.CHUNK) take(a as number);
    else if (code === P.SEND_PART || code === P.RESPOND && typeof c === "number") take(c as number);
  }

  #note(level: Level, text: string, fields: NoteFields, exchange: RemoteExchange | null): void {
    // An app that fails each request has many, too.
    this.#spend(2);
    if (!this.#notes.spend() || !this.#noteChars.spend(Math.min(charactersOf(text, fields), NOTE_CHARS_PER_SECOND))) {
      this.#droppedNotes++;
      return;
    }
    if (this.#droppedNotes > 0) {
      this.#options.note("warn", `${this.#droppedNotes} lines of the worker were dropped: there were too many`, {});
      this.#droppedNotes = 0;
    }
    if (exchange === null) this.#options.note(level, cut(text), cutFields(fields ?? {}));
    else exchange.note(level, cut(text), { ...cutFields(fields ?? {}), ...this.#options.marks });
  }

  #open(exchange: RemoteExchange, head: RequestHead): void {
    if (this.#isGone) return void queueMicrotask(() => exchange.lost(WORKER_LOST));
    // An engine may see the reset of a stream only from then on; the app's own wish comes a turn later, and a reset can come between.
    if (head.httpVersion === "2") exchange.watch();
    this.#exchanges.add(exchange);
    exchange.announce(
      this.#shared.index(head.server),
      this.#shared.index(head.capabilities),
      head.tls === undefined ? null : this.#shared.index(head.tls),
    );
  }
}

type Pairs = RequestHead["headers"];
type NoteFields = Fields | null;

function charactersOf(text: string, fields: NoteFields): number {
  let count = text.length;
  for (const value of Object.values(fields ?? {})) count += typeof value === "string" ? value.length : 8;
  return count;
}

function parse(text: string): readonly unknown[] {
  let items: unknown;
  try {
    items = JSON.parse(text);
  } catch (error) {
    throw new WorkerError("The text of a batch is not JSON", { cause: error });
  }
  if (!Array.isArray(items)) throw new WorkerError("The text of a batch is no list");
  return items;
}
