/**
 * The two live objects of a scope: `pagi.connection` and `pagi.transport`.
 *
 * Contract sections 4 and 8. Both are built by the sessions only.
 *
 * @module
 */

import type { DisconnectReason } from "./reasons.ts";

/**
 * The fate of one http request, `scope["pagi.connection"]`.
 *
 * On an abnormal end `isConnected()` turns false, the reason is set, `disconnectFuture()` resolves and `signal` aborts, the
 * callbacks run in order of registration, and `http.disconnect` is queued. A callback that throws is logged and does not stop the
 * others. Contract section 4.
 */
export interface Connection {
  /**
   * True until an end is known. Watching starts with the first call of a method here, so an engine may learn of an end a moment
   * after the first answer.
   */
  isConnected(): boolean;
  /** The reason after an abnormal end, else `undefined`. */
  disconnectReason(): DisconnectReason | undefined;
  /** Calls back with the reason on an abnormal end, at once if that is past. */
  onDisconnect(callback: (reason: DisconnectReason) => void): void;
  /** Calls back when the response was delivered in full, at once if that is past. */
  onComplete(callback: () => void): void;
  /** True from the accepted `http.response.start`, also for a 500 that the server made. */
  responseStarted(): boolean;
  /** True when the response was sent in full. */
  responseComplete(): boolean;
  /** A promise of the reason; it never settles on a normal completion. */
  disconnectFuture(): Promise<DisconnectReason>;
  /** Aborts on an abnormal end, with an `Error` whose message holds the reason token. */
  readonly signal: AbortSignal;
}

/**
 * The outbound buffer of one exchange, `scope["pagi.transport"]`.
 *
 * `send` waits while the buffer is at or over the high mark, until it has fallen below the low mark. Contract section 8.
 */
export interface Transport {
  /** Bytes accepted from the app and not yet handed to the network. */
  bufferedAmount(): number;
  /** Bytes, 65536 by default. */
  highWaterMark(): number;
  /** Bytes, a quarter of the high mark by default. */
  lowWaterMark(): number;
  /** Calls back once for each crossing of the high mark, at once if the buffer is there already. */
  onHighWater(callback: () => void): void;
  /** Calls back once when the buffer has fallen below the low mark after having been high. */
  onDrain(callback: () => void): void;
}
