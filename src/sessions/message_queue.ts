/**
 * The receiving side of a WebSocket session: connect, messages, disconnect, to whoever waits, within the queue limits.
 *
 * Contract section 5.
 *
 * @module
 */

import type { Limits } from "../exchange.ts";
import type { Fairness } from "./fairness.ts";
import type { WebSocketDisconnectEvent, WebSocketReceiveEvent } from "../spec/events.ts";

/** The queue between the wire and `receive`. */
export class MessageQueue {
  readonly #limits: Limits;
  readonly #fairness: Fairness;
  readonly #events: WebSocketReceiveEvent[] = [{ type: "websocket.connect" }];
  readonly #waiting: ((event: WebSocketReceiveEvent) => void)[] = [];
  #messages = 0;
  #bytes = 0;
  #end: WebSocketDisconnectEvent | null = null;

  /** Creates the queue; `websocket.connect` is in it. */
  constructor(limits: Limits, fairness: Fairness) {
    this.#limits = limits;
    this.#fairness = fairness;
  }

  /** An event is there. */
  get ready(): boolean {
    return this.#events.length > 0;
  }

  /** The next event, now or later. The disconnect comes again and again. */
  receive(): Promise<WebSocketReceiveEvent> {
    const event = this.#events.shift();
    if (event) {
      if (event.type === "websocket.receive") {
        this.#messages--;
        this.#bytes -= sizeOf(event);
      }
      return Promise.resolve(event);
    }
    if (this.#end) {
      const end = this.#end;
      return this.#fairness.pass().then(() => ({ ...end }));
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Adds a message.
   *
   * @returns False where the queue is full; the message is dropped then.
   */
  push(data: string | Uint8Array): boolean {
    if (this.#end) return true;
    const event: WebSocketReceiveEvent = typeof data === "string"
      ? { type: "websocket.receive", text: data }
      : { type: "websocket.receive", bytes: data };
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting(event);
      return true;
    }
    const size = sizeOf(event);
    const { maxReceiveQueue, maxReceiveQueueBytes } = this.#limits;
    if (maxReceiveQueue > 0 && this.#messages >= maxReceiveQueue) return false;
    if (maxReceiveQueueBytes > 0 && this.#messages > 0 && this.#bytes + size > maxReceiveQueueBytes) return false;
    this.#events.push(event);
    this.#messages++;
    this.#bytes += size;
    return true;
  }

  /** Adds the disconnect behind what is queued. */
  end(event: WebSocketDisconnectEvent): void {
    if (this.#end) return;
    this.#end = event;
    for (const resolve of this.#waiting.splice(0)) resolve({ ...event });
  }
}

/** UTF-16 units stand in for the bytes of a text: near enough for a limit, and free. */
function sizeOf(event: { text?: string; bytes?: Uint8Array }): number {
  return event.text !== undefined ? event.text.length : event.bytes!.byteLength;
}
