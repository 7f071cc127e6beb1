/**
 * Pings of one WebSocket: `websocket.keepalive`. Contract section 5.
 *
 * @module
 */

import type { Clock, Timer } from "../exchange.ts";
import { StateError } from "../spec/errors.ts";
import type { WebSocketKeepaliveEvent } from "../spec/events.ts";
import { toMs } from "./context.ts";

/** Sends pings and waits for pongs. */
export class Keepalive {
  readonly #clock: Clock;
  readonly #ping: (token: number) => void;
  readonly #expired: () => void;
  #token = 0;
  #tick: Timer | null = null;
  #deadline: Timer | null = null;

  /** `expired` is called when a pong does not come in time. */
  constructor(clock: Clock, ping: (token: number) => void, expired: () => void) {
    this.#clock = clock;
    this.#ping = ping;
    this.#expired = expired;
  }

  /**
   * Takes over an event; the last one wins.
   *
   * @throws {EventError} Where a duration is malformed.
   * @throws {StateError} Where the engine can't ping.
   */
  set(event: WebSocketKeepaliveEvent, canPing: boolean): void {
    const intervalMs = toMs(event.interval, event.type, "interval");
    const timeoutMs = event.timeout === undefined ? 0 : toMs(event.timeout, event.type, "timeout");
    if (intervalMs > 0 && !canPing) {
      throw new StateError(event.type, 'this engine cannot ping (capability "ws-ping"); the node engine can');
    }
    this.stop();
    if (intervalMs > 0) this.#arm(intervalMs, timeoutMs);
  }

  /** The peer is alive. */
  pong(): void {
    this.#deadline?.cancel();
    this.#deadline = null;
  }

  /** Ends the pings. */
  stop(): void {
    this.#tick?.cancel();
    this.#deadline?.cancel();
    this.#tick = this.#deadline = null;
  }

  #arm(intervalMs: number, timeoutMs: number): void {
    this.#tick = this.#clock.after(intervalMs, () => {
      this.#ping(this.#token++);
      if (timeoutMs > 0 && !this.#deadline) this.#deadline = this.#clock.after(timeoutMs, this.#expired);
      this.#arm(intervalMs, timeoutMs);
    });
  }
}
