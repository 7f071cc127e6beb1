/**
 * What the `deno` engine is told, and what it can do.
 *
 * Not here: options of the command line (runner/) and limits that a session keeps (`Limits` of the seam).
 *
 * @module
 */

import type { Capability, Level, Observer, Pairs } from "../exchange.ts";
import type { ListenerSettings, Trust } from "./listener_settings.ts";
import type { Placed } from "./open_list.ts";

/** Settings of a {@linkcode DenoServeEngine}. */
export interface DenoServeSettings {
  /** At least one. */
  readonly listeners: readonly ListenerSettings[];
  /** The mount point that every scope gets. */
  readonly rootPath: string;
  /** Largest request body; 0 is no limit. */
  readonly maxBodyBytes: number;
  /** From here on the buffer of an answer counts as full. */
  readonly highWaterBytes: number;
  /** Below this a full buffer counts as drained. */
  readonly lowWaterBytes: number;
  /** Headers for every answer that does not set them itself. */
  readonly headers: Pairs;
  /** Whose forwarding headers count; `null`, or left out: nobody's. */
  readonly trust?: Trust | null;
  /** Seconds after which a WebSocket peer that does not answer Deno's own ping is given up: 30, unless a test is in a hurry. */
  readonly wsPingTimeoutSeconds?: number;
}

/**
 * What `Deno.serve` can do of the list in the seam: nothing of it, as of Deno 2.9.6. Why, for each:
 *
 * | capability | why it is absent |
 * |---|---|
 * | `http-version` | no version is exposed; a missing Host header is the only hint |
 * | `raw-headers` | `Headers` sorts by name and joins repeated names |
 * | `missing-host` | an HTTP/1.1 request without Host looks like an HTTP/2 request and is served |
 * | `continue` | `100 Continue` leaves before the handler runs |
 * | `trailers`, `early-hints` | a `Response` has neither |
 * | `flush`, `delivery` | `Deno.serve` takes bytes and does not say when they were written |
 * | `force-close` | after `controller.error()` or `ws.close()` the socket of a client that does not read stays open |
 * | `post-disconnect` | over HTTP/1.1 nothing tells that the client of a pending request has left, unless its body came with its head |
 * | `timeouts`, `target-limits` | not settable; a head over 64 KiB is answered 400 |
 * | `client-certificates` | only `cert` and `key` are taken |
 * | `ws-ping` | no ping call and no pong event; only the built-in ping every 15 seconds |
 * | `ws-pause` | messages come as events, which can't be held back |
 * | `ws-close-codes` | a protocol error closes TCP without a close frame and looks like a lost connection |
 * | `ws-strict-frames` | unmasked frames are accepted |
 * | `ws-frame-limit` | fragments are joined without a limit; a single frame of 64 MiB resets the connection |
 * | `ws-deflate`, `ws-over-h2` | not offered |
 */
export const DENO_SERVE_CAPABILITIES: readonly Capability[] = Object.freeze([]);

/** What the exchanges of one engine share. */
export interface Wire {
  readonly observer: Observer;
  readonly settings: DenoServeSettings;
  /** Answers tell the client to go elsewhere next time. */
  readonly draining: boolean;
  /** Calls `listen` of an exchange soon, if nothing was answered by then. */
  watch(exchange: { listen(): void }): void;
  /** An exchange has become a WebSocket. */
  socketOpened(socket: OpenExchange): void;
  /** Calls `polled` every few milliseconds until it returns `true`. */
  poll(socket: { polled(): boolean }): void;
  /** The request body of an exchange, which was under way, is not any more. */
  uploaded(): void;
  /** An exchange is over. */
  over(exchange: OpenExchange): void;
}

/** An exchange as the engine sees it when it shuts down. */
export interface OpenExchange extends Placed {
  /** Its request body is still under way. */
  readonly isUploading: boolean;
  /** A line for the log that names the request. */
  note(level: Level, text: string): void;
  /** Ends it, with `server_shutdown`; a promise where the peer still has to answer. */
  shutdown(): Promise<void> | null;
}
