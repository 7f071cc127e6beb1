/**
 * `pagi.connection`: the fate of one http request, told to whoever asks.
 *
 * Nothing is allocated or watched before one of its methods is called. Contract section 4.
 *
 * @module
 */

import type { Outbound } from "../exchange.ts";
import type { Connection } from "../spec/handles.ts";
import type { DisconnectReason } from "../spec/reasons.ts";
import { runCallbacks } from "./context.ts";

/** What the handle reads of its session. */
export interface Fate {
  readonly out: Outbound;
  /** The reason of an abnormal end. */
  readonly reason: DisconnectReason | null;
  /** Delivered in full. */
  readonly delivered: boolean;
  /** The app's or the server's start was accepted. */
  readonly started: boolean;
  /** All of the response was accepted. */
  readonly complete: boolean;
  /** Somebody asks: from now on the wire is to report an end. */
  listen(): void;
}

/** The listeners of one request, and the handle that registers them. */
export class ConnectionHandle implements Connection {
  readonly #fate: Fate;
  #onDisconnect: ((reason: DisconnectReason) => void)[] | null = null;
  #onComplete: (() => void)[] | null = null;
  #future: PromiseWithResolvers<DisconnectReason> | null = null;
  #controller: AbortController | null = null;

  /** Creates the handle of one request. */
  constructor(fate: Fate) {
    this.#fate = fate;
  }

  /** True until an end is known. */
  isConnected(): boolean {
    this.#fate.listen();
    return this.#fate.reason === null && !this.#fate.delivered;
  }

  /** The reason after an abnormal end. */
  disconnectReason(): DisconnectReason | undefined {
    this.#fate.listen();
    return this.#fate.reason ?? undefined;
  }

  /** Registers a callback for an abnormal end. */
  onDisconnect(callback: (reason: DisconnectReason) => void): void {
    this.#fate.listen();
    const reason = this.#fate.reason;
    if (reason !== null) runCallbacks([callback], this.#fate.out, reason);
    else (this.#onDisconnect ??= []).push(callback);
  }

  /** Registers a callback for the full delivery. */
  onComplete(callback: () => void): void {
    this.#fate.listen();
    if (this.#fate.delivered) runCallbacks([callback], this.#fate.out);
    else (this.#onComplete ??= []).push(callback);
  }

  /** True from the accepted start. */
  responseStarted(): boolean {
    return this.#fate.started;
  }

  /** True when all of the response was sent. */
  responseComplete(): boolean {
    return this.#fate.complete;
  }

  /** A promise of the reason of an abnormal end. */
  disconnectFuture(): Promise<DisconnectReason> {
    this.#fate.listen();
    if (!this.#future) {
      this.#future = Promise.withResolvers();
      if (this.#fate.reason !== null) this.#future.resolve(this.#fate.reason);
    }
    return this.#future.promise;
  }

  /** Aborts on an abnormal end. */
  get signal(): AbortSignal {
    this.#fate.listen();
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#fate.reason !== null) this.#controller.abort(abortReason(this.#fate.reason));
    }
    return this.#controller.signal;
  }

  /** Tells an abnormal end, in the order of the contract. */
  static lost(handle: ConnectionHandle, reason: DisconnectReason): void {
    handle.#future?.resolve(reason);
    handle.#controller?.abort(abortReason(reason));
    if (handle.#onDisconnect) runCallbacks(handle.#onDisconnect, handle.#fate.out, reason);
  }

  /** Tells the full delivery. */
  static delivered(handle: ConnectionHandle): void {
    if (handle.#onComplete) runCallbacks(handle.#onComplete, handle.#fate.out);
  }
}

function abortReason(reason: DisconnectReason): DOMException {
  return new DOMException(`The exchange ended: ${reason}`, "AbortError");
}
