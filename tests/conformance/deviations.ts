/**
 * Where the reference implementation of the interface and the specification (or the standards under it) part: this server follows
 * the latter. Printed into docs/compliance.md.
 *
 * @module
 */

/** One of them. */
export interface Deviation {
  /** Ids of the checklist. */
  readonly rows: readonly string[];
  /** Who is followed: the specification, a standard, or what the reference documents of itself. */
  readonly follows: "specification" | "standard" | "documentation";
  /** What this server does. */
  readonly here: string;
  /** What the reference does. */
  readonly there: string;
}

/** All, D1 first. */
// deno-fmt-ignore
export const DEVIATIONS: readonly Deviation[] = [
  { rows: ["HTTP-016"], follows: "specification", here: "Several Cookie lines are one entry joined with `; `", there: "joins them with `, ` over HTTP/1.1" },
  { rows: ["HTTP-017", "HTTP-018"], follows: "specification", here: "The header list keeps each field; an underscore stays one (engines without `raw-headers` sort by name and join repeated names)", there: "joins repeated fields, loses the order, turns `_` into `-`" },
  { rows: ["HTTP-019"], follows: "specification", here: "The client's port is a number", there: "gives it as a string" },
  { rows: ["HTTP-051"], follows: "specification", here: "`receive` after the answer gives `http.disconnect`", there: "gives an unread body first, or waits until the client leaves" },
  { rows: ["HTTP-054"], follows: "specification", here: "A pipelined request is no disconnect", there: "any byte behind the body ends a waiting `receive`" },
  { rows: ["HTTP-055", "SEC-005"], follows: "standard", here: "An unread body is drained, or the connection is closed", there: "parses the rest of the body as the next request" },
  { rows: ["HTTP-059", "WS-021", "VAL-003", "VAL-019", "VAL-020"], follows: "specification", here: "A malformed event rejects its `send` on every version and in every environment; `validate_events` adds checks of what would do no harm on the wire. A body event may have none of body, file and fh", there: "checks in development only, and never over HTTP/2" },
  { rows: ["HTTP-061"], follows: "specification", here: "One Date: the app's, where it has one", there: "adds a second one over HTTP/1.1" },
  { rows: ["HTTP-064"], follows: "specification", here: "Transfer-Encoding of the app is dropped", there: "writes it beside its own" },
  { rows: ["HTTP-068", "SSE-016", "SSE-059"], follows: "specification", here: "A start that was refused has not started anything", there: "counts as started: a correct one is ignored, and no 500 is sent" },
  { rows: ["HTTP-074"], follows: "specification", here: "A body of the wrong kind fails its own `send`", there: "ends the whole process" },
  { rows: ["HTTP-078"], follows: "standard", here: "No body in any answer to HEAD", there: "writes the text of its own error answers" },
  { rows: ["HTTP-079"], follows: "standard", here: "204, 304 and 1xx have no body and no Transfer-Encoding", there: "writes both" },
  { rows: ["HTTP-080"], follows: "standard", here: "Too few bytes for the declared length cut the connection; too many fail the `send`, and none of them leaves", there: "leaves the connection open, or writes the surplus into the next answer" },
  { rows: ["HTTP-084", "HTTP-085", "FILE-017"], follows: "standard", here: "A chunked body has one end", there: "has none where promised trailers do not come, and two behind a file" },
  { rows: ["HTTP-097"], follows: "standard", here: "An answer that was started and not finished is cut, and logged", there: "keeps the connection; the next answer lands in the open body" },
  { rows: ["HTTP-100"], follows: "specification", here: "An HTTP/1.0 answer without length ends with its connection", there: "may announce the close and keep the connection" },
  { rows: ["HTTP-108", "WS-058", "SSE-046", "TIME-005"], follows: "specification", here: "A `send` after the end does nothing, and nothing more is written", there: "may still write, or raise an internal error" },
  { rows: ["H2-026"], follows: "specification", here: "Each HTTP/2 request has its terminal signal", there: "never tells of the end of one" },
  { rows: ["H2-009"], follows: "specification", here: "Behind the last part of a body `receive` waits", there: "gives empty parts again and again over HTTP/2" },
  { rows: ["H2-022", "H2-023", "H2-024"], follows: "specification", here: "Files, HEAD (and, where the engine has them, trailers and flush) are the same on every version", there: "lacks them over HTTP/2" },
  { rows: ["SSE-039"], follows: "specification", here: "An app that returns ends its event stream", there: "leaves it open over HTTP/2" },
  { rows: ["WSH2-016"], follows: "specification", here: "Unknown events fail and keepalive works on every transport", there: "ignores both over HTTP/2" },
  { rows: ["WSH2-011", "WSH2-013", "WSH2-014", "WSH2-015", "WSH2-017"], follows: "specification", here: "One set of rules for WebSockets on every transport", there: "has fewer checks and other reasons over HTTP/2" },
  { rows: ["WS-048"], follows: "specification", here: "A client that leaves before the accept is told as `websocket.disconnect`", there: "tells it as `http.disconnect`" },
  { rows: ["WS-057"], follows: "specification", here: "A handshake without an answer gets a 500", there: "closes the connection without a byte" },
  { rows: ["WS-050", "WS-067", "WS-070"], follows: "specification", here: "A refusal is final, and `send` says so", there: "an accept behind it writes a 101" },
  { rows: ["HTTP-005"], follows: "specification", here: "`method` is in upper case", there: "hands it on as it came" },
  { rows: ["HTTP-034", "SEC-009"], follows: "documentation", here: "An unfinished head is limited while it is read", there: "checks once it is complete" },
  { rows: ["HTTP-040"], follows: "standard", here: "Request trailers belong to their request", there: "parses them as the next one" },
  { rows: ["SSE-048", "SHUT-008"], follows: "specification", here: "An event stream ends with the reason that ended it", there: "always says `client_closed`" },
  { rows: ["SSE-028"], follows: "specification", here: "Events are UTF-8, and lengths count bytes", there: "counts characters, and wide ones end the process" },
  { rows: ["SSE-023", "SSE-032"], follows: "specification", here: "Empty data is an event; an empty comment is a colon and an empty line", there: "writes a lone line end" },
  { rows: ["SSE-008", "SSE-009", "SSE-010"], follows: "specification", here: "The request body of an event stream is that of any request", there: "drops chunked ones, ignores Expect, may end one early" },
  { rows: ["SSE-003"], follows: "specification", here: "Accept is parsed: exact type, any case, q above 0", there: "looks for the text in it" },
  { rows: ["SSE-017"], follows: "standard", here: "No chunks over HTTP/1.0, no body for HEAD", there: "writes chunks to both" },
  { rows: ["SSE-013"], follows: "specification", here: "Defaults are added only where the app gave nothing", there: "adds them beside the app's" },
  { rows: ["SSE-036", "TIME-007", "TIME-009"], follows: "documentation", here: "Keepalives keep an idle event stream alive; each stream has its own", there: "they do not count, and HTTP/2 streams share one" },
  { rows: ["FILE-006", "FILE-009", "FILE-010", "FILE-011"], follows: "specification", here: "A bad handle and a negative range fail; an offset past the end is an empty body", there: "ends in an empty success, and fails for the offset" },
  { rows: ["LIFE-019"], follows: "specification", here: "An app whose lifespan has ended is not waited for; a wait that ran out is logged", there: "waits in full, and says nothing" },
  { rows: ["LIFE-020", "LIFE-022"], follows: "specification", here: "Unknown, malformed and repeated lifespan events fail", there: "ignores them, or fails with an internal text" },
  { rows: ["TIME-002"], follows: "documentation", here: "No idle limit ends a request that is being worked on", there: "ends it over HTTP/1.1" },
  { rows: ["H2-046", "CONN-023", "SHUT-006", "SHUT-010"], follows: "documentation", here: "A drain closes connections as they turn idle, and what is cut is told `server_shutdown`", there: "waits the whole time, says `client_closed`, cuts HTTP/2" },
  { rows: ["WORK-012"], follows: "documentation", here: "Every option means the same with workers", there: "many fall back to their defaults" },
  { rows: ["SIG-007"], follows: "documentation", here: "HUP replaces workers one by one", there: "stops all at once" },
  { rows: ["TLS-001", "TLS-004", "TLS-007", "UNIX-008"], follows: "specification", here: "`tls` is there on TLS connections only; names are written as RFC 4514 says", there: "adds an empty one on a cleartext Unix socket, writes names with slashes" },
  { rows: ["LISN-012", "SYSD-010"], follows: "documentation", here: "IPv6 listeners work", there: "does not take them" },
  { rows: ["CLI-015", "CLI-029"], follows: "documentation", here: "A socket and a port exclude each other", there: "ignores the port; drops privileges before it binds" },
  { rows: ["LOG-005", "LOG-016", "LOG-017"], follows: "documentation", here: "`tiny` shows milliseconds; every request is logged, refused ones too", there: "shows microseconds; leaves out HTTP/2 and refusals" },
  { rows: ["CONN-013", "CONN-016"], follows: "specification", here: "The disconnect promise never settles on success; `responseComplete` is there", there: "settles where it is asked for late; has none" },
  { rows: ["CONN-024"], follows: "specification", here: "Failed writes and reads have tokens of their own, where the engine can tell", there: "says `client_closed`" },
  { rows: ["H2-021"], follows: "specification", here: "Nothing is answered or logged as an error for a client that has left", there: "does both over HTTP/2" },
  { rows: ["WS-024", "WS-041", "WS-053", "WS-054", "WS-055"], follows: "standard", here: "1005 is never written, nothing follows a close frame, an end has a close code: 1000 or 1011 from the app, 1001 or 1012 from the server", there: "echoes 1005, writes behind the close frame, leaves without one" },
  { rows: ["SEC-003", "SEC-004", "SEC-005"], follows: "standard", here: "A space before the colon, chunk data without CRLF and two Hosts are refused", there: "takes all of them" },
  { rows: ["H2-042"], follows: "standard", here: "A short HTTP/1 request is not held up by the look for HTTP/2", there: "waits for 24 bytes" },
  { rows: ["SSE-045", "SSE-058", "SSE-062"], follows: "specification", here: "An event stream that ends without an answer gets a 500", there: "closes without a byte" },
  { rows: ["H2-005"], follows: "specification", here: "`scheme` comes from the connection", there: "believes `:scheme`" },
  { rows: ["WS-003"], follows: "standard", here: "A handshake needs GET, version 13 and a 16-byte key: 426 or 400", there: "does not look" },
  { rows: ["WS-036", "WS-037"], follows: "standard", here: "Malformed frames end the connection, as far as the engine checks them (`ws-strict-frames`)", there: "takes them" },
  { rows: ["WSH2-018", "FLOW-001"], follows: "specification", here: "`pagi.transport` is on every scope", there: "is absent on WebSockets over HTTP/2" },
  { rows: ["SSE-018"], follows: "specification", here: "An event before `sse.start` fails", there: "is dropped in silence" },
  { rows: ["SSE-027"], follows: "standard", here: "NUL in an event id fails", there: "sends it; clients drop the id" },
  { rows: ["SSE-054", "SSE-057"], follows: "specification", here: "A declined stream has no `sse.disconnect`, and its events fail", there: "tells one; events resolve once the answer is whole" },
  { rows: ["FLOW-017"], follows: "specification", here: "Files and comments wait at the high mark like everything else", there: "do not wait" },
  { rows: ["LIFE-015"], follows: "specification", here: "What the lifespan writes at the top level of its state after the startup stays its own", there: "copies the live mapping for each request, so later writes show" },
  { rows: ["LIM-004"], follows: "documentation", here: "A limit on the head, where the engine has one, covers the request line", there: "limits that line to 8192 bytes whatever is set" },
  { rows: ["UNIX-006"], follows: "documentation", here: "A Unix socket is for its owner alone unless a mode is given: the safer of what the reference says and does", there: "says that the umask decides" },
  { rows: ["CONN-018"], follows: "specification", here: "A response is complete with its last byte, as far as the engine can tell, whenever the app returns", there: "judges when the app returns" },
];
