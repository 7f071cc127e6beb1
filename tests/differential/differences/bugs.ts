/** Rules that one engine breaks, as far as its stack lets it. Written by hand. @module */

import type { Group } from "../difference.ts";

/** Rules that one engine breaks, as far as its stack lets it. */
export const BUGS: readonly Group[] = [
  {
    class: "bug",
    why:
      "nghttp2, below `node:http2`, reads over a stream whose number is lower than before, and PRIORITY on stream 0; both are to end the connection. The app sees nothing of it",
    rows: {
      "h2-frame/headers-lower": ["GOAWAY PROTOCOL_ERROR; closed", "200; kept"],
      "h2-frame/priority-0": ["GOAWAY PROTOCOL_ERROR; closed", "no answer; kept"],
    },
  },
  {
    class: "bug",
    why: "`node:http2` in Deno ends the whole connection where the fault is in one stream (Node resets the stream)",
    rows: {
      "h2-frame/priority-self": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-frame/window-stream-overflow": ["reset with FLOW_CONTROL_ERROR; kept", "GOAWAY FLOW_CONTROL_ERROR; closed"],
      "h2-head/connection": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/keep-alive": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/proxy-connection": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/transfer-encoding": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/upgrade": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/te-gzip": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/no-method": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/no-scheme": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/no-path": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/empty-authority": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/path-authority": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/space-authority": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/empty-path": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/space-path": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/control-path": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/response-pseudo": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/two-methods": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/two-paths": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/pseudo-behind": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/connect-path": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-body/length-less": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-body/length-more": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-body/length-no-body": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-body/length-bad": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-body/trailers-open": ["reset with PROTOCOL_ERROR; kept", "GOAWAY PROTOCOL_ERROR; closed"],
    },
  },
  {
    class: "bug",
    why:
      "`node:http2`, as in Node itself, drops a malformed header field and hands on the rest; RFC 9113 section 8.2.1 wants the request refused. The app sees nothing of the field",
    rows: {
      "h2-head/space-name": ["GOAWAY PROTOCOL_ERROR; closed", "200; kept"],
      "h2-head/colon-name": ["GOAWAY PROTOCOL_ERROR; closed", "200; kept"],
      "h2-head/empty-name": ["GOAWAY PROTOCOL_ERROR; closed", "200; kept"],
      "h2-head/nul-value": ["GOAWAY PROTOCOL_ERROR; closed", "200; kept"],
      "h2-head/lf-value": ["GOAWAY PROTOCOL_ERROR; closed", "200; kept"],
      "h2-head/cr-value": ["GOAWAY PROTOCOL_ERROR; closed", "200; kept"],
      "h2-head/control-value": ["GOAWAY PROTOCOL_ERROR; closed", "200; kept"],
      "h2-head/space-value": ["x:  a ", "no x"],
    },
  },
  {
    class: "bug",
    why: "`deno` takes trailers with a pseudo-header for the end of a whole body, and drops them",
    rows: {
      "h2-body/trailers-pseudo": ["200; kept", "GOAWAY PROTOCOL_ERROR; closed"],
    },
  },
];
