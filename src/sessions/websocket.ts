/**
 * One WebSocket: the handshake, the messages, the close. What is legal when stands in `websocket_table.ts`.
 *
 * Contract section 5.
 *
 * @module
 */

import { CLOSE, type End, type RequestHead, type SocketInbound, type SocketOutbound, type Timer } from "../exchange.ts";
import { EventError } from "../spec/errors.ts";
import type {
  WebSocketAcceptEvent,
  WebSocketCloseEvent,
  WebSocketDenialBodyEvent,
  WebSocketDenialStartEvent,
  WebSocketKeepaliveEvent,
  WebSocketReceiveEvent,
  WebSocketSendBytesEvent,
  WebSocketSendEvent,
  WebSocketSendTextEvent,
} from "../spec/events.ts";
import type { WebSocketScope } from "../spec/scope.ts";
import { closeTextProblem, isCloseCode } from "../wire/close_codes.ts";
import { checkEvent } from "../wire/events.ts";
import { isHandshakeHeader } from "../wire/handshake.ts";
import { isToken } from "../wire/headers.ts";
import { can, type Context, isBytes, noteFailure, RESOLVED, toBody, toBytes, toFlag, unknownEvent } from "./context.ts";
import { Drain } from "./drain.ts";
import { Flow, TransportHandle } from "./flow.ts";
import { IdleTimer } from "./idle_timer.ts";
import { Keepalive } from "./keepalive.ts";
import { MessageQueue } from "./message_queue.ts";
import { HeldResponse, sendAnswer, toPairs } from "./response.ts";
import { scopeExtensions, websocketScope } from "./scope.ts";
import { IGNORE, step } from "./table.ts";
import * as S from "./websocket_table.ts";

/** How long the peer may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 10_000;

/** The session of one WebSocket. */
export class WebSocketSession implements SocketInbound {
  readonly scope: WebSocketScope;
  readonly #out: SocketOutbound;
  readonly #head: RequestHead;
  readonly #context: Context;
  readonly #flow: Flow;
  readonly #drain: Drain;
  readonly #queue: MessageQueue;
  readonly #keepalive: Keepalive;
  #state = S.CONNECTING;
  /** The connection ended without a close handshake. */
  #abnormal = false;
  #denial: HeldResponse | null = null;
  #idle: IdleTimer | null = null;
  #closing: Timer | null = null;

  /** Builds the session and its scope. */
  constructor(head: RequestHead, out: SocketOutbound, context: Context) {
    this.#head = head;
    this.#out = out;
    this.#context = context;
    this.#flow = new Flow(out, context.limits, context.clock);
    this.#queue = new MessageQueue(context.limits, context.fairness);
    this.#keepalive = new Keepalive(context.clock, (token) => out.ping(token), () => this.#cut("keepalive_timeout"));
    const { drain, extensions } = scopeExtensions(head, context);
    this.#drain = drain;
    this.scope = websocketScope(head, context, extensions, new TransportHandle(this.#flow));
  }

  /** The name of the state, as in the table. */
  get state(): string {
    return S.WEBSOCKET_TABLE.states[this.#state]!;
  }

  // ── the app's side ──

  /** `receive` of this scope. After a refused handshake it never settles: no disconnect is told then. */
  receive(): Promise<WebSocketReceiveEvent> {
    // Only a receive that waits wants to know: an app that just takes the connect event is about to answer.
    if (this.#state === S.CONNECTING && !this.#queue.ready) this.#out.watch();
    return this.#queue.receive();
  }

  /** `send` of this scope. */
  send(event: WebSocketSendEvent): Promise<void> {
    try {
      if (this.#context.strict) checkEvent(event, "websocket");
      this.#idle?.touch();
      switch (event?.type) {
        case "websocket.send":
          return this.#send(event);
        case "websocket.accept":
          return this.#accept(event);
        case "websocket.close":
          return this.#close(event);
        case "websocket.keepalive":
          return this.#keepAlive(event);
        case "websocket.http.response.start":
          return this.#denialStart(event);
        case "websocket.http.response.body":
          return this.#denialBody(event);
        default:
          throw unknownEvent(event, "websocket");
      }
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The app's promise resolved. */
  returned(): void {
    const before = this.#state;
    const next = step(S.WEBSOCKET_TABLE, before, S.RETURN, "return");
    if (next === before) return;
    if (before === S.OPEN) return this.#sendClose(1000, "");
    this.#out.note(
      "error",
      before === S.DENYING ? "The app returned before its denial was complete" : "The app returned without answering the handshake",
    );
    this.#refuse();
  }

  /** The app's promise rejected. */
  threw(error: unknown): void {
    const before = this.#state;
    if (before === S.GONE && this.#abnormal) return; // it ended first: whatever the app made of that is no failure
    noteFailure(this.#out, before === S.CONNECTING ? "The app failed" : "The app failed (after it answered the handshake)", error);
    const next = step(S.WEBSOCKET_TABLE, before, S.THROW, "throw");
    if (next === before) return;
    if (before === S.OPEN) this.#sendClose(1011, "");
    else this.#refuse();
  }

  // ── the wire's side ──

  /** A message of the peer. */
  message(data: string | Uint8Array): void {
    if (this.#state !== S.OPEN && this.#state !== S.CLOSING) return;
    this.#idle?.touch();
    const limit = this.#context.limits.maxMessageBytes;
    if (limit > 0 && isLonger(data, limit)) return this.#break(1009, "Message too big", "body_too_large");
    if (!this.#queue.push(data)) this.#break(1008, "Message queue overflow", "queue_overflow");
  }

  /** A handshake has no body. */
  body(): void {}

  /** The peer answered a ping. */
  pong(): void {
    this.#idle?.touch();
    this.#keepalive.pong();
  }

  /** The buffer has shrunk. */
  drained(): void {
    this.#flow.drained();
  }

  /** This scope has no flush. */
  flushed(): void {}

  /** The peer closed, or the connection was lost. */
  closed(end: End): void {
    const before = this.#state;
    if (before === S.GONE || step(S.WEBSOCKET_TABLE, before, S.LOST, "lost") !== S.GONE) return;
    const clean = end.clean === true;
    this.#state = S.GONE;
    if (before === S.DENYING) this.#over(); // a refused handshake is told to nobody
    else this.#lost(end.code ?? 1006, clean ? end.text ?? "" : end.reason ?? "client_closed", !clean);
  }

  // ── the connection ──

  #accept(event: WebSocketAcceptEvent): Promise<void> {
    const next = step(S.WEBSOCKET_TABLE, this.#state, S.ACCEPT, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    const protocol = event.subprotocol ?? null;
    if (protocol !== null && (typeof protocol !== "string" || !isToken(protocol))) {
      throw new EventError(event.type, "subprotocol", "must be a token (RFC 9110 section 5.6.2)");
    }
    if (protocol !== null && !this.scope.subprotocols.includes(protocol)) {
      throw new EventError(
        event.type,
        "subprotocol",
        `must be one that the client offers: ${this.scope.subprotocols.join(", ") || "it offers none"}`,
      );
    }
    const pairs = toPairs(event.type, event.headers);
    for (const [name] of pairs) {
      if (isHandshakeHeader(name)) {
        throw new EventError(event.type, "headers", `must not hold ${name}: it belongs to the handshake, which is the server's`);
      }
    }
    this.#state = next;
    this.#out.accept(protocol, pairs);
    const idleMs = this.#context.limits.wsIdleTimeoutMs;
    if (idleMs > 0) this.#idle = new IdleTimer(this.#context.clock, idleMs, () => this.#cut("idle_timeout"));
    return RESOLVED;
  }

  #send(event: WebSocketSendTextEvent | WebSocketSendBytesEvent): Promise<void> {
    const next = step(S.WEBSOCKET_TABLE, this.#state, S.SEND, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    const data = toMessage(event);
    this.#out.message(data);
    const wait = this.#flow.wrote(typeof data === "string" ? data.length * 3 : data.byteLength);
    if (wait) return wait;
    this.#out.note("warn", "The app sends without waiting: the send buffer is full");
    this.#cut("queue_overflow");
    return RESOLVED;
  }

  #keepAlive(event: WebSocketKeepaliveEvent): Promise<void> {
    const next = step(S.WEBSOCKET_TABLE, this.#state, S.KEEPALIVE, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    this.#keepalive.set(event, can(this.#head, "ws-ping"));
    return RESOLVED;
  }

  #close(event: WebSocketCloseEvent): Promise<void> {
    const next = step(S.WEBSOCKET_TABLE, this.#state, S.CLOSE, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    const code = event.code === undefined ? 1000 : event.code;
    if (!isCloseCode(code)) throw new EventError(event.type, "code", "must be 1000–1003, 1007–1014 or 3000–4999");
    const text = event.reason === undefined ? "" : event.reason;
    if (typeof text !== "string") throw new EventError(event.type, "reason", "must be a string");
    const problem = closeTextProblem(text);
    if (problem !== null) throw new EventError(event.type, "reason", problem);
    if (next === S.CLOSING) {
      this.#sendClose(code, text);
    } else {
      sendAnswer(this.#out, 403);
      this.#state = next;
      this.#over();
    }
    return RESOLVED;
  }

  #sendClose(code: number, text: string): void {
    this.#state = S.CLOSING;
    this.#keepalive.stop();
    this.#idle?.stop();
    this.#closing = this.#context.clock.after(CLOSE_TIMEOUT_MS, () => this.#cut("client_timeout"));
    this.#flow.end();
    this.#out.close(code, text);
  }

  // ── the denial ──

  #denialStart(event: WebSocketDenialStartEvent): Promise<void> {
    const next = step(S.WEBSOCKET_TABLE, this.#state, S.DENY_START, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    this.#denial = new HeldResponse(event.type, event.status, event.headers, this.#head);
    this.#state = next;
    return RESOLVED;
  }

  #denialBody(event: WebSocketDenialBodyEvent): Promise<void> {
    const more = toFlag(event.more, event.type, "more");
    const next = step(S.WEBSOCKET_TABLE, this.#state, more ? S.DENY_MORE : S.DENY_LAST, event.type);
    if (next === IGNORE) return this.#context.fairness.pass();
    const data = toBody(event.body, event.type);
    if (next === S.DENYING) {
      const bytes = this.#denial!.write(this.#out, event.type, toBytes(data));
      return this.#flow.wrote(bytes) ?? Promise.resolve(this.#cut("queue_overflow"));
    }
    this.#denial!.finish(this.#out, event.type, data, CLOSE);
    this.#state = next;
    this.#over();
    return RESOLVED;
  }

  // ── the ends ──

  /** The app's fault before the accept: a 500 where nothing has left, else a cut. */
  #refuse(): void {
    this.#state = S.REFUSED;
    if (this.#denial?.left) {
      this.#out.abort("server_error");
    } else {
      sendAnswer(this.#out, 500, "server_error");
    }
    this.#over();
  }

  /** The peer broke a limit: a close frame that says so, and the same for the app. */
  #break(code: number, text: string, reason: string): void {
    this.#out.note("warn", `The WebSocket was closed: ${text}`);
    this.#out.close(code, text);
    this.#lost(code, reason);
  }

  /** Ends the connection without a close handshake. */
  #cut(reason: string): void {
    this.#out.abort(reason);
    this.#lost(1006, reason);
  }

  #lost(code: number, reason: string, abnormal = true): void {
    this.#state = S.GONE;
    this.#abnormal = abnormal;
    this.#queue.end({ type: "websocket.disconnect", code, reason });
    this.#over();
  }

  #over(): void {
    this.#idle?.stop();
    this.#closing?.cancel();
    this.#keepalive.stop();
    this.#flow.end();
    Drain.release(this.#drain);
  }
}

function toMessage(event: WebSocketSendTextEvent | WebSocketSendBytesEvent): string | Uint8Array {
  const { text, bytes } = event;
  const hasText = text !== undefined && text !== null;
  const hasBytes = bytes !== undefined && bytes !== null;
  if (hasText === hasBytes) throw new EventError(event.type, "text", "or bytes must be given, exactly one of them");
  if (hasText) {
    if (typeof text !== "string") throw new EventError(event.type, "text", "must be a string");
    return text;
  }
  if (!isBytes(bytes)) throw new EventError(event.type, "bytes", "must be a Uint8Array");
  return bytes;
}

/** Whether a message has more bytes on the wire than `limit`. */
function isLonger(data: string | Uint8Array, limit: number): boolean {
  if (typeof data !== "string") return data.byteLength > limit;
  if (data.length > limit) return true;
  return data.length * 3 > limit && toBytes(data).byteLength > limit;
}
