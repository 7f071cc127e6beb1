/**
 * Why an exchange ended early: the tokens of `disconnectReason()`, `sse.disconnect` and `websocket.disconnect`.
 *
 * Contract section 4. Tokens outside this list start with `x-`.
 *
 * @module
 */

/**
 * A reason token. The listed ones come from the specification; extensions start with `x-`
 * (ours: `x-worker-lost`).
 */
export type DisconnectReason =
  | "client_closed"
  | "client_timeout"
  | "idle_timeout"
  | "keepalive_timeout"
  | "write_timeout"
  | "write_error"
  | "read_error"
  | "protocol_error"
  | "server_shutdown"
  | "server_error"
  | "body_too_large"
  | "queue_overflow"
  | `x-${string}`;
