/**
 * What becomes of a `send`, at a glance, beside the reference. Printed into docs/compliance.md; docs/specs/states.md has every cell.
 *
 * @module
 */

/** One line: the state, the event, what happens here, and what the reference does where that differs. */
export type Outcome = readonly [state: string, event: string, here: string, there: string];

/** All lines. */
export const OUTCOMES: readonly Outcome[] = [
  ["any", "unknown or missing `type`", "rejects, `EventError`", ""],
  ["any", "a malformed field", "rejects, `EventError`", "with validation only"],
  ["any", "a known event at the wrong time", "rejects, `StateError`", "mostly a no-op"],
  ["the client is gone, a limit or the server ended it", "any known event", "resolves, without effect", ""],
  [
    "http, not started",
    "`http.response.start`",
    "starts; bad header bytes reject, and it stays unstarted",
    "stays neither started nor unstarted",
  ],
  ["http, not started", "body, trailers", "rejects", "no-op"],
  ["http, started", "`http.response.start` again", "rejects", "no-op"],
  ["http, started", "a file that cannot be opened", "rejects before any body byte; another body may follow", ""],
  ["http, started", "trailers that were not promised", "rejects", "no-op"],
  ["http, complete", "start, body, trailers", "rejects", "no-op"],
  ["http", "more bytes than `content-length` says", "rejects, none of them is sent", "sends them"],
  ["http or sse", "`http.fullflush` that is not advertised", "rejects", ""],
  ["websocket, connecting", "`websocket.send`, `websocket.keepalive`", "rejects", "no-op"],
  ["websocket, connecting", "accept with a bad header or subprotocol", "rejects, still connecting", ""],
  ["websocket, connecting", "`websocket.close`", "403", ""],
  ["websocket, accepted", "accept again", "rejects", "no-op"],
  ["websocket, accepted", "denial events", "resolves, without effect", ""],
  ["websocket, refused or denied", "accept, denial events", "rejects", "writes a 101 for an accept"],
  ["websocket, refused or denied", "send, keepalive, close", "resolves, without effect", ""],
  ["websocket, own close sent", "`websocket.send`", "resolves, without effect", "writes it"],
  ["sse, not started", "`sse.send`, `sse.comment`", "rejects", "no-op"],
  ["sse, not started", "`sse.close`", "500, logged; a later `sse.start` rejects", "closes without a byte"],
  ["sse, started", "`sse.start` again", "rejects", "no-op"],
  ["sse, started", "a decline", "rejects", ""],
  ["sse, started", "`sse.send` with a line end in event or id, or a bad retry", "rejects, the stream stays usable", ""],
  ["sse, declining", "stream events", "rejects", ""],
  ["sse, declining", "a second decline start", "rejects", "no-op"],
  ["sse, closed by the app", "stream events", "rejects", ""],
  ["sse, closed by the app", "`sse.close` again", "resolves, without effect", ""],
  ["lifespan", "an unknown event", "rejects, `EventError`", "ignores it"],
];
