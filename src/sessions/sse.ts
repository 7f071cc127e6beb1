/**
 * One sse exchange: a stream of events, or a response that declines it. What is legal when stands in `sse_table.ts`.
 *
 * Contract section 6.
 *
 * @module
 */

import type { End, Inbound, Outbound, Pairs, RequestHead, Timer } from "../exchange.ts";
import { EventError, StateError } from "../spec/errors.ts";
import type {
  SseCloseEvent,
  SseDeclineBodyEvent,
  SseDeclineStartEvent,
  SseKeepaliveEvent,
  SseReceiveEvent,
  SseSendEvent,
  SseStartEvent,
  SseStreamEvent,
} from "../spec/events.ts";
import type { SseScope } from "../spec/scope.ts";
import { checkEvent } from "../wire/events.ts";
import { sseComment, sseEvent } from "../wire/sse.ts";
import { can, type Context, noteFailure, RESOLVED, toBody, toBytes, toFlag, toMs, unknownEvent } from "./context.ts";
import { Drain } from "./drain.ts";
import { Flow, TransportHandle } from "./flow.ts";
import { IdleTimer } from "./idle_timer.ts";
import { Receiver } from "./receiver.ts";
import { HeldResponse, sendAnswer } from "./response.ts";
import { scopeExtensions, sseScope } from "./scope.ts";
import * as S from "./sse_table.ts";
import { IGNORE, step } from "./table.ts";

/** What a stream supplies unless the app did. Contract section 6. */
const DEFAULTS: readonly (readonly [string, string])[] = [
  ["content-type", "text/event-stream"],
  ["cache-control", "no-cache"],
  ["connection", "keep-alive"],
];

/** The session of one request for an event stream. */
export class SseSession implements Inbound {
  readonly scope: SseScope;
  readonly #out: Outbound;
  readonly #head: RequestHead;
  readonly #context: Context;
  readonly #flow: Flow;
  readonly #drain: Drain;
  readonly #encoder: SseEncoder;
  #state = S.IDLE;
  #response: HeldResponse | null = null;
  #receiver: Receiver<SseReceiveEvent> | null = null;
  #reason = "";
  #idle: IdleTimer | null = null;
  #keepalive: { ms: number; bytes: Uint8Array } | null = null;
  #tick: Timer | null = null;
  #flushes: (() => void)[] = [];

  /** Builds the session and its scope. */
  constructor(head: RequestHead, out: Outbound, context: Context, encoder: SseEncoder) {
    this.#head = head;
    this.#out = out;
    this.#context = context;
    this.#encoder = encoder;
    this.#flow = new Flow(out, context.limits, context.clock);
    const { drain, extensions } = scopeExtensions(head, context);
    this.#drain = drain;
    this.scope = sseScope(head, context, extensions, new TransportHandle(this.#flow));
  }

  /** The name of the state, as in the table. */
  get state(): string {
    return S.SSE_TABLE.states[this.#state]!;
  }

  // ── the app's side ──

  /** `receive` of this scope. After a decline it never settles: no disconnect is told then. */
  receive(): Promise<SseReceiveEvent> {
    if (!this.#receiver) {
      this.#receiver = new Receiver(this.#head, this.#out, this.#context.fairness, toRequest);
      if (this.#state === S.CLOSED || this.#state === S.GONE) this.#receiver.end(() => this.#disconnect());
    }
    return this.#state === S.DECLINED ? new Promise(() => {}) : this.#receiver.receive();
  }

  /** `send` of this scope. */
  send(event: SseStreamEvent): Promise<void> {
    try {
      if (this.#context.strict) checkEvent(event, "sse");
      this.#idle?.touch();
      switch (event?.type) {
        case "sse.send":
          return this.#send(event);
        case "sse.start":
          return this.#start(event);
        case "sse.comment":
          return this.#comment(event.type, event.comment);
        case "sse.keepalive":
          return this.#keepAlive(event);
        case "sse.close":
          return this.#close(event);
        case "sse.http.response.start":
          return this.#declineStart(event);
        case "sse.http.response.body":
          return this.#declineBody(event);
        case "http.fullflush":
          return this.#flush(event.type);
        default:
          throw unknownEvent(event, "sse");
      }
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The app's promise resolved. */
  returned(): void {
    const before = this.#state;
    const next = step(S.SSE_TABLE, before, S.RETURN, "return");
    if (next === before) return;
    if (before === S.OPEN) return this.#endStream("");
    this.#out.note(
      "error",
      before === S.IDLE ? "The app returned without starting a stream" : "The app returned before its decline was complete",
    );
    this.#fail(next);
  }

  /** The app's promise rejected. */
  threw(error: unknown): void {
    if (this.#state === S.GONE) return;
    const before = this.#state;
    noteFailure(
      this.#out,
      this.#response?.left === true || before === S.DECLINED ? "The app failed (after the response had left)" : "The app failed",
      error,
    );
    const next = step(S.SSE_TABLE, before, S.THROW, "throw");
    if (next !== before) this.#fail(next);
  }

  // ── the wire's side ──

  /** Body bytes of the request. */
  body(chunk: Uint8Array, more: boolean, trailers?: Pairs): void {
    this.#receiver?.push(chunk, more, trailers);
  }

  /** The buffer has shrunk. */
  drained(): void {
    this.#flow.drained();
  }

  /** The flush is done. */
  flushed(): void {
    this.#flushes.shift()?.();
  }

  /** The end of the exchange. */
  closed(end: End): void {
    if (step(S.SSE_TABLE, this.#state, S.LOST, "lost") !== S.GONE || this.#state === S.GONE) return;
    this.#lost(end.reason ?? "client_closed");
  }

  // ── the stream ──

  #start(event: SseStartEvent): Promise<void> {
    const next = step(S.SSE_TABLE, this.#state, S.START, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    const headers = withDefaults(event.headers, this.#head.httpVersion === "1.1");
    const response = new HeldResponse(event.type, event.status === undefined ? 200 : event.status, headers, this.#head);
    this.#response = response;
    this.#state = next;
    response.leave(this.#out);
    if (response.bodiless) {
      // Nothing can follow: a HEAD, or a status without a body, is over for the client.
      this.#out.end(null);
      this.#lost("client_closed");
      return RESOLVED;
    }
    const idleMs = this.#context.limits.sseIdleTimeoutMs;
    if (idleMs > 0) this.#idle = new IdleTimer(this.#context.clock, idleMs, () => this.#expired());
    this.#armKeepalive();
    return RESOLVED;
  }

  #send(event: SseSendEvent): Promise<void> {
    const next = step(S.SSE_TABLE, this.#state, S.SEND, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    return this.#write(event.type, this.#encoder.encode(event));
  }

  #comment(type: string, comment: unknown): Promise<void> {
    const next = step(S.SSE_TABLE, this.#state, S.COMMENT, type);
    if (next === IGNORE) return this.#context.fairness.pass();
    return this.#write(type, toBytes(sseComment(toText(comment, type, "comment"))));
  }

  #write(type: string, bytes: Uint8Array): Promise<void> {
    const wait = this.#flow.wrote(this.#response!.write(this.#out, type, bytes));
    if (wait) return wait;
    this.#out.note("warn", "The app sends without waiting: the send buffer is full");
    this.#cut("queue_overflow");
    return RESOLVED;
  }

  #keepAlive(event: SseKeepaliveEvent): Promise<void> {
    const next = step(S.SSE_TABLE, this.#state, S.KEEPALIVE, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    const ms = toMs(event.interval, event.type, "interval");
    const comment = event.comment === undefined ? "" : toText(event.comment, event.type, "comment");
    this.#keepalive = ms > 0 ? { ms, bytes: toBytes(sseComment(comment)) } : null;
    this.#armKeepalive();
    return RESOLVED;
  }

  #armKeepalive(): void {
    this.#tick?.cancel();
    this.#tick = null;
    if (!this.#keepalive || this.#state !== S.OPEN) return;
    this.#tick = this.#context.clock.after(this.#keepalive.ms, () => {
      this.#idle?.touch();
      // A client that does not read needs no sign of life, and must not fill the buffer with them.
      if (!this.#flow.high) void this.#write("sse.keepalive", this.#keepalive!.bytes);
      this.#armKeepalive();
    });
  }

  #close(event: SseCloseEvent): Promise<void> {
    const before = this.#state;
    const next = step(S.SSE_TABLE, before, S.CLOSE, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    const reason = event.reason === undefined ? "" : toText(event.reason, event.type, "reason");
    if (before === S.OPEN) {
      this.#endStream(reason);
    } else {
      this.#out.note("error", "The app closed the stream without starting it");
      this.#reason = reason;
      this.#fail(next);
    }
    return RESOLVED;
  }

  #endStream(reason: string): void {
    this.#state = S.CLOSED;
    this.#reason = reason;
    if (this.#response!.short) this.#out.abort("server_error");
    else this.#out.end(null, reason === "" ? undefined : reason);
    this.#over();
  }

  #flush(type: string): Promise<void> {
    if (!can(this.#head, "flush")) throw new StateError(type, 'the extension "fullflush" is not offered');
    const next = step(S.SSE_TABLE, this.#state, S.FLUSH, type);
    if (next === IGNORE) return this.#context.fairness.pass();
    if (next !== S.OPEN) return RESOLVED;
    this.#out.flush();
    return new Promise((resolve) => this.#flushes.push(resolve));
  }

  // ── the decline ──

  #declineStart(event: SseDeclineStartEvent): Promise<void> {
    const next = step(S.SSE_TABLE, this.#state, S.DECLINE_START, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    this.#response = new HeldResponse(event.type, event.status, event.headers, this.#head);
    this.#state = next;
    return RESOLVED;
  }

  #declineBody(event: SseDeclineBodyEvent): Promise<void> {
    const more = toFlag(event.more, event.type, "more");
    const next = step(S.SSE_TABLE, this.#state, more ? S.DECLINE_MORE : S.DECLINE_LAST, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    const data = toBody(event.body, event.type);
    if (next === S.DECLINING) return this.#write(event.type, toBytes(data));
    this.#response!.finish(this.#out, event.type, data, 0);
    this.#state = next;
    const wait = this.#flow.wait();
    this.#over();
    return wait;
  }

  // ── the ends ──

  /** The app's fault: a 500 where nothing has left, else a cut. */
  #fail(next: number): void {
    this.#state = next;
    if (this.#response === null || !this.#response.left) {
      sendAnswer(this.#out, 500, "server_error");
      if (this.#reason === "") this.#reason = "server_error";
      this.#over();
    } else this.#cut("server_error");
  }

  #expired(): void {
    this.#out.note("warn", "The stream was idle for too long");
    this.#cut("idle_timeout");
  }

  #cut(reason: string): void {
    this.#out.abort(reason);
    this.#lost(reason);
  }

  #lost(reason: string): void {
    this.#state = S.GONE;
    this.#reason = reason;
    this.#over();
  }

  #over(): void {
    this.#idle?.stop();
    this.#tick?.cancel();
    this.#tick = null;
    this.#flow.end();
    if (this.#state !== S.DECLINED) this.#receiver?.end(() => this.#disconnect());
    for (const resolve of this.#flushes.splice(0)) resolve();
    Drain.release(this.#drain);
  }

  #disconnect(): SseReceiveEvent {
    return { type: "sse.disconnect", reason: this.#reason === "" ? "client_closed" : this.#reason };
  }
}

/**
 * Encodes events, and remembers the last one: an event that goes to a thousand streams is encoded once.
 *
 * One for each home; the bytes are shared between streams and never changed.
 */
export class SseEncoder {
  #last: SseSendEvent = { type: "sse.send", data: "" };
  #bytes: Uint8Array | null = null;

  /** The bytes of an event. */
  encode(event: SseSendEvent): Uint8Array {
    const last = this.#last;
    if (
      this.#bytes !== null && event.data === last.data && event.event === last.event && event.id === last.id && event.retry === last.retry
    ) return this.#bytes;
    const bytes = toBytes(sseEvent(event));
    this.#last = { ...event };
    this.#bytes = bytes;
    return bytes;
  }
}

function withDefaults(headers: unknown, keepAlive: boolean): unknown {
  if (headers !== undefined && !Array.isArray(headers)) return headers; // refused where the response takes it
  const given = (headers ?? []) as (readonly [unknown, unknown])[];
  const names = new Set(given.map((pair) => typeof pair?.[0] === "string" ? pair[0].toLowerCase() : ""));
  const missing = DEFAULTS.filter(([name]) => !names.has(name) && (keepAlive || name !== "connection"));
  // A stream has no length: one that the app gives could only end it early.
  const kept = names.has("content-length") ? given.filter((pair) => String(pair?.[0]).toLowerCase() !== "content-length") : given;
  return [...kept, ...missing];
}

function toText(value: unknown, event: string, field: string): string {
  if (typeof value === "string") return value;
  throw new EventError(event, field, value === undefined ? "is missing: it must be a string" : "must be a string");
}

function toRequest(body: Uint8Array, more: 0 | 1, trailers: Pairs | null): SseReceiveEvent {
  return trailers === null ? { type: "sse.request", body, more } : { type: "sse.request", body, more, trailers };
}
