/**
 * One http exchange: the app's events in, calls on the wire out. What is legal when stands in `http_table.ts`.
 *
 * No socket, no clock and no file system is touched here; all come in through the seam and the context. Contract sections 3 and 4.
 *
 * @module
 */

import { type End, type Inbound, NOTIFY, type Outbound, type Pairs, type RequestHead } from "../exchange.ts";
import { EventError, StateError } from "../spec/errors.ts";
import type {
  HttpReceiveEvent,
  HttpResponseBodyEvent,
  HttpResponseStartEvent,
  HttpResponseTrailersEvent,
  HttpSendEvent,
} from "../spec/events.ts";
import type { DisconnectReason } from "../spec/reasons.ts";
import type { HttpScope } from "../spec/scope.ts";
import { checkEvent } from "../wire/events.ts";
import { ConnectionHandle, type Fate } from "./connection.ts";
import { can, type Context, noteFailure, RESOLVED, toBody, toFlag, unknownEvent } from "./context.ts";
import { Drain } from "./drain.ts";
import { type FileBody, isFileBody, openFileBody } from "./file_body.ts";
import { Flow, TransportHandle } from "./flow.ts";
import * as S from "./http_table.ts";
import { IdleTimer } from "./idle_timer.ts";
import { Receiver } from "./receiver.ts";
import { HeldResponse, sendAnswer, toPairs } from "./response.ts";
import { httpScope, scopeExtensions } from "./scope.ts";
import { IGNORE, step } from "./table.ts";

const DISCONNECT: HttpReceiveEvent = Object.freeze({ type: "http.disconnect" });

/** The session of one http request. */
export class HttpSession implements Inbound, Fate {
  readonly scope: HttpScope;
  readonly out: Outbound;
  reason: DisconnectReason | null = null;
  readonly #head: RequestHead;
  readonly #context: Context;
  readonly #flow: Flow;
  readonly #connection: ConnectionHandle;
  readonly #drain: Drain;
  readonly #idle: IdleTimer | null;
  #state = S.IDLE;
  #response: HeldResponse | null = null;
  #receiver: Receiver<HttpReceiveEvent> | null = null;
  /** The app promised trailers. */
  #promised = false;
  #listening = false;
  /** The wire has had its last call. Where it drops trailers, the app may still owe them. */
  #ended = false;
  #delivered = false;
  /** The server answered in the app's place. */
  #failed = false;
  #flushes: (() => void)[] = [];

  /** Builds the session and its scope. */
  constructor(head: RequestHead, out: Outbound, context: Context) {
    this.#head = head;
    this.out = out;
    this.#context = context;
    this.#flow = new Flow(out, context.limits, context.clock);
    this.#connection = new ConnectionHandle(this);
    const { drain, extensions } = scopeExtensions(head, context);
    this.#drain = drain;
    this.scope = httpScope(head, context, extensions, this.#connection, new TransportHandle(this.#flow));
    const stallMs = context.limits.requestTimeoutMs;
    this.#idle = stallMs > 0 ? new IdleTimer(context.clock, stallMs, () => this.#stalled()) : null;
  }

  /** The name of the state, as in the table. */
  get state(): string {
    return S.HTTP_TABLE.states[this.#state]!;
  }

  // ── the app's side ──

  /** `receive` of this scope. */
  receive(): Promise<HttpReceiveEvent> {
    if (!this.#receiver) {
      this.#receiver = new Receiver(this.#head, this.out, this.#context.fairness, toRequest);
      if (this.#state >= S.SENT) this.#receiver.end(toDisconnect);
    }
    this.#idle?.touch();
    return this.#receiver.receive();
  }

  /** `send` of this scope. */
  send(event: HttpSendEvent): Promise<void> {
    try {
      if (this.#context.strict) checkEvent(event, "http");
      this.#idle?.touch();
      switch (event?.type) {
        case "http.response.start":
          return this.#start(event);
        case "http.response.body":
          return this.#body(event);
        case "http.response.trailers":
          return this.#trailers(event);
        case "http.response.early_hint":
          return this.#hint(event);
        case "http.fullflush":
          return this.#flush(event.type);
        default:
          throw unknownEvent(event, "http");
      }
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The app's promise resolved. */
  returned(): void {
    const before = this.#state;
    const next = step(S.HTTP_TABLE, before, S.RETURN, "return");
    if (before === S.TRAILING) {
      this.out.note("warn", "The app returned without the trailers that it promised");
      this.#sendTrailers([]);
      this.#state = this.#delivered ? S.DONE : next;
    } else if (next !== before) {
      this.#fail(before === S.IDLE ? "The app returned without starting a response" : "The app returned before its response was complete");
    }
  }

  /** The app's promise rejected. */
  threw(error: unknown): void {
    if (this.#state === S.GONE) return; // it ended first: whatever the app made of that is no failure
    const next = step(S.HTTP_TABLE, this.#state, S.THROW, "throw");
    noteFailure(
      this.out,
      this.#response?.left === true || this.#state >= S.SENT ? "The app failed (after the response had left)" : "The app failed",
      error,
    );
    if (next === this.#state) return;
    if (this.#ended) this.#state = this.#delivered ? S.DONE : S.SENT; // the client has it all, but for trailers that it can't get
    else this.#fail(null);
  }

  // ── the wire's side ──

  /** Body bytes. */
  body(chunk: Uint8Array, more: boolean, trailers?: Pairs): void {
    this.#idle?.touch();
    this.#receiver?.push(chunk, more, trailers);
  }

  /** The buffer has shrunk. */
  drained(): void {
    this.#idle?.touch();
    this.#flow.drained();
  }

  /** The flush is done. */
  flushed(): void {
    this.#flushes.shift()?.();
  }

  /** The end of the exchange. */
  closed(end: End): void {
    if (this.#delivered || this.#state === S.DONE || this.#state === S.GONE) return;
    if (end.reason !== null) return this.#lost(end.reason as DisconnectReason);
    this.#state = step(S.HTTP_TABLE, this.#state, S.DELIVERED, "delivered");
    if (this.#state === S.GONE) return this.#lost("server_error");
    this.#delivered = true;
    this.#over();
    ConnectionHandle.delivered(this.#connection);
  }

  // ── what the connection handle reads ──

  /** The response was delivered in full. */
  get delivered(): boolean {
    return this.#delivered || this.#state === S.DONE;
  }

  /** A start was accepted. */
  get started(): boolean {
    return this.#response !== null || this.#failed;
  }

  /** The response was accepted in full. */
  get complete(): boolean {
    return this.#state === S.SENT || this.#state === S.DONE || this.#failed;
  }

  /** Somebody asks for the fate of the request. */
  listen(): void {
    if (this.#listening || this.#ended || this.#state >= S.SENT) return;
    this.#listening = true;
    this.out.watch();
  }

  // ── the events ──

  #start(event: HttpResponseStartEvent): Promise<void> {
    const next = step(S.HTTP_TABLE, this.#state, S.START, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    const promised = toFlag(event.trailers, event.type, "trailers");
    const response = new HeldResponse(event.type, event.status, event.headers, this.#head);
    this.#promised = promised;
    response.trailers = promised && !response.bodiless && can(this.#head, "trailers");
    this.#response = response;
    this.#state = next;
    return RESOLVED;
  }

  #body(event: HttpResponseBodyEvent): Promise<void> {
    if (isFileBody(event)) return this.#file(event);
    const more = toFlag(event.more, event.type, "more");
    const next = step(S.HTTP_TABLE, this.#state, more ? S.MORE : this.#promised ? S.LAST_PROMISED : S.LAST, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    const data = toBody(event.body, event.type);
    return this.#write(data, next, event.type);
  }

  #write(data: Uint8Array | string, next: number, type: string): Promise<void> {
    const response = this.#response!;
    let bytes = 0;
    if (next === S.STREAMING || next === S.FILE) {
      bytes = response.write(this.out, type, data);
      this.#state = next;
    } else {
      const whole = !response.left && !response.trailers;
      bytes = response.finish(this.out, type, data, this.#listening ? NOTIFY : 0);
      this.#state = next;
      this.#ended = !response.trailers;
      if (next === S.SENT) this.#receiver?.end(toDisconnect);
      if (whole && !response.left && !this.#listening) {
        // A whole answer without a listener: the engine leaves `closed` out, so this is the end.
        this.#delivered = true;
        if (next === S.SENT) this.#state = S.DONE;
        this.#over();
        return RESOLVED;
      }
    }
    // Parts that leave nothing, to a HEAD or because they are empty, wait for nobody.
    if (bytes === 0 && next === S.STREAMING) return this.#context.fairness.pass();
    // The last event of a response is no flood: it waits like any other, and the wire has had its last call.
    return this.#flow.wrote(bytes) ?? (this.#ended ? this.#flow.wait() : this.#overflow());
  }

  async #file(event: HttpResponseBodyEvent): Promise<void> {
    const before = this.#state;
    const opening = step(S.HTTP_TABLE, before, S.OPEN, event.type);
    if (opening === IGNORE) return await this.#context.fairness.pass();
    if (this.#head.method === "HEAD") {
      return await this.#write("", step(S.HTTP_TABLE, before, this.#promised ? S.LAST_PROMISED : S.LAST, event.type), event.type);
    }
    this.#state = opening;
    let source: FileBody;
    try {
      source = await openFileBody(event, this.#context.files);
    } catch (error) {
      if (this.#state === opening) this.#state = step(S.HTTP_TABLE, opening, S.REFUSED, event.type);
      throw error;
    }
    try {
      await this.#pump(source, opening, event.type);
    } finally {
      source.close();
    }
  }

  async #pump(source: FileBody, opening: number, type: string): Promise<void> {
    if (this.#state !== opening) return;
    try {
      if (source.length >= 0) this.#response!.declare(type, source.length);
    } catch (error) {
      this.#state = step(S.HTTP_TABLE, opening, S.REFUSED, type);
      throw error;
    }
    this.#state = step(S.HTTP_TABLE, opening, S.OPENED, type);
    let held = await this.#read(source);
    while (held !== null && this.#state === S.FILE) {
      const following = await this.#read(source);
      if (this.#state !== S.FILE) return;
      if (following === null) break;
      await this.#write(held, S.FILE, type);
      held = following;
    }
    if (this.#state !== S.FILE) return;
    await this.#write(held ?? "", step(S.HTTP_TABLE, S.FILE, this.#promised ? S.FILE_END_PROMISED : S.FILE_END, type), type);
  }

  /** A read that fails cuts the response: its head has left, or its length was promised. */
  async #read(source: FileBody): Promise<Uint8Array | null> {
    try {
      return await source.next();
    } catch (error) {
      if (this.#state === S.FILE) this.#fail("The file body could not be read to its end");
      throw error;
    }
  }

  #trailers(event: HttpResponseTrailersEvent): Promise<void> {
    const next = step(S.HTTP_TABLE, this.#state, S.TRAILERS, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    const pairs = toPairs(event.type, event.headers);
    this.#state = this.#delivered ? S.DONE : next;
    this.#receiver?.end(toDisconnect);
    this.#sendTrailers(pairs);
    return this.#flow.wait();
  }

  #sendTrailers(pairs: readonly (readonly [string, string])[]): void {
    if (this.#response!.trailers) this.out.end(pairs);
  }

  #hint(event: { type: string; headers: unknown }): Promise<void> {
    const next = step(S.HTTP_TABLE, this.#state, S.HINT, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    if (!can(this.#head, "early-hints")) throw new StateError(event.type, 'the extension "http.response.early_hint" is not offered');
    if (event.headers === undefined) throw new EventError(event.type, "headers", "is missing: it must be a list of [name, value] pairs");
    this.out.inform(103, toPairs(event.type, event.headers));
    return RESOLVED;
  }

  #flush(type: string): Promise<void> {
    if (!can(this.#head, "flush")) throw new StateError(type, 'the extension "fullflush" is not offered');
    const next = step(S.HTTP_TABLE, this.#state, S.FLUSH, type);
    if (next === IGNORE) return this.#context.fairness.pass();
    if (next === S.IDLE) return RESOLVED;
    if (next === S.STREAMING) this.#response!.leave(this.out);
    this.#state = next;
    return this.#whenFlushed();
  }

  #whenFlushed(): Promise<void> {
    this.out.flush();
    return new Promise((resolve) => this.#flushes.push(resolve));
  }

  // ── the ends ──

  /** The app's fault: a 500 where nothing has left, else a cut. */
  #fail(text: string | null): void {
    if (text !== null) this.out.note("error", text);
    this.#failed = true;
    const unstarted = this.#response === null || !this.#response.left;
    this.#end(unstarted ? 500 : 0, "server_error");
  }

  #stalled(): void {
    if (this.#ended || this.#state >= S.SENT) return;
    const unstarted = this.#response === null || !this.#response.left;
    this.out.note("warn", "Nothing was read or written for the request timeout");
    this.#end(unstarted ? 504 : 0, "client_timeout");
  }

  #overflow(): Promise<void> {
    this.out.note("warn", "The app sends without waiting: the send buffer is full");
    this.#end(0, "queue_overflow");
    return RESOLVED;
  }

  /** Ends the exchange from this side: with a whole answer, or with a cut. */
  #end(status: number, reason: DisconnectReason): void {
    if (status > 0) {
      sendAnswer(this.out, status, reason);
    } else this.out.abort(reason);
    this.#lost(reason);
  }

  /** An abnormal end, told in the order of the contract. */
  #lost(reason: DisconnectReason): void {
    this.#state = S.GONE;
    this.reason = reason;
    ConnectionHandle.lost(this.#connection, reason);
    this.#over();
  }

  #over(): void {
    this.#idle?.stop();
    this.#flow.end();
    this.#receiver?.end(toDisconnect);
    for (const resolve of this.#flushes.splice(0)) resolve();
    Drain.release(this.#drain);
  }
}

function toRequest(body: Uint8Array, more: 0 | 1, trailers: Pairs | null): HttpReceiveEvent {
  return trailers === null ? { type: "http.request", body, more } : { type: "http.request", body, more, trailers };
}

function toDisconnect(): HttpReceiveEvent {
  return { ...DISCONNECT };
}
