/** What one engine takes and the other refuses, where both may. Written by hand. @module */

import type { Group } from "../difference.ts";

/** What one engine takes and the other refuses, where both may. */
export const LENIENCIES: readonly Group[] = [
  {
    class: "leniency",
    why: "The parser of `node:http` knows a list of methods and refuses others; `deno` takes every token, and turns it to upper case",
    rows: {
      "line/lower-case-method": ["200 with a length; kept; the app saw GET /", "400; closed; the app saw nothing"],
      "line/unknown-method": ["200 with a length; kept; the app saw FOO-BAR /", "400; closed; the app saw nothing"],
      "line/odd-method": ["200 with a length; kept; the app saw !#$%&'*+-.^_`|~9A /", "400; closed; the app saw nothing"],
      "line/long-method": [
        "200 with a length; kept; the app saw MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM /",
        "400; closed; the app saw nothing",
      ],
      "method/pri": ["200 with a length; kept; the app saw PRI /", "400; closed; the app saw nothing"],
    },
  },
  {
    class: "leniency",
    why: "`node` takes several spaces in a request line. RFC 9112 section 3 allows that",
    rows: {
      "line/two-spaces-target": ["400; closed; the app saw nothing", "200 with a length; kept; the app saw GET /"],
      "line/two-spaces-version": ["400; closed; the app saw nothing", "200 with a length; kept; the app saw GET /"],
    },
  },
  {
    class: "leniency",
    why: "`deno` takes a bare LF as the end of a line, as RFC 9112 section 2.2 allows; `node` does not",
    rows: {
      "line/bare-lf": ["200 with a length; kept; the app saw GET /lf", "400; closed; the app saw nothing"],
      "line/bare-lf-line": ["200 with a length; kept; the app saw GET /lf", "400; closed; the app saw nothing"],
      "header/lf-value": ["200 with a length; kept; the app saw GET /head", "400; closed; the app saw nothing"],
      "header/lf-end": ["200 with a length; kept; the app saw GET /", "400; closed; the app saw nothing"],
      "smuggling/te-lf": ["200 with a length; kept; the app saw POST /body", "400; closed; the app saw nothing"],
    },
  },
  {
    class: "leniency",
    why: "`node` takes RTSP for HTTP/1.0, since its parser does and does not tell",
    rows: {
      "version/other": ["400; closed; the app saw nothing", "200 with a length; closed; the app saw GET /"],
    },
  },
  {
    class: "leniency",
    why: "`node` waits for the head of what may be a request of HTTP/0.9, up to its time limit",
    rows: {
      "version/0.9-simple": ["400; closed", "no answer; open"],
    },
  },
  {
    class: "leniency",
    why: "`deno` takes bare UTF-8 in a target, `node` wants escapes",
    rows: {
      "target/utf8": ["200 with a length; kept; the app saw GET /café", "400; closed; the app saw nothing"],
      "target/utf8-query": ["200 with a length; kept; the app saw GET /", "400; closed; the app saw nothing"],
    },
  },
  {
    class: "leniency",
    why: "`deno` takes a target of absolute form without an authority for a path; `node` refuses it",
    rows: {
      "target/absolute-empty": ["200 with a length; kept; the app saw GET /http:///p", "400; closed; the app saw nothing"],
    },
  },
  {
    class: "leniency",
    why: "`node` takes no tab behind a length",
    rows: {
      "length/blanks": ["200 with a length; kept; the app saw POST /body", "400; closed; the app saw nothing"],
    },
  },
  {
    class: "leniency",
    why:
      "An unknown transfer coding is 501 on `node` (RFC 9112 section 6.1), 400 on `deno`; nothing behind it is taken for a request by either",
    rows: {
      "smuggling/te-identity": ["400; closed", "501; closed"],
      "smuggling/te-gzip": ["400; closed", "501; closed"],
      "smuggling/te-empty": ["400; closed", "501; closed"],
      "smuggling/te-empty-cl": ["400; closed", "501; closed"],
      "smuggling/te-quoted": ["400; closed", "501; closed"],
      "smuggling/te-parameter": ["400; closed", "501; closed"],
      "smuggling/te-prefix": ["400; closed", "501; closed"],
      "smuggling/te-suffix": ["400; closed", "501; closed"],
    },
  },
  {
    class: "leniency",
    why: "`node` reads over an empty member of a list, as RFC 9110 section 5.6.1.2 wants; `deno` refuses it",
    rows: {
      "smuggling/te-comma": ["400; closed; the app saw nothing", "200 with a length; kept; the app saw POST /body"],
    },
  },
  {
    class: "leniency",
    why:
      "Malformed chunks: `node` answers 400 and its app has seen the request; `deno` closes without a word, and its app has seen it only where the fault came in a later packet",
    rows: {
      "chunk/extension-lf": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/extension-control": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/tab-size": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/hex-prefix": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/plus": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/negative": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/word": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/empty": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/overflow": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/lf-size": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/lf-data": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/cr-size": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/data-long": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/data-short": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/trailer-bad": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
      "chunk/trailer-control": ["no answer; closed; the app saw nothing", "400; closed; the app saw POST /body"],
    },
  },
  {
    class: "leniency",
    why:
      "`deno` takes blanks around the size of a chunk, a quote that is not closed, or a length in trailers, which it drops; `node` does not",
    rows: {
      "chunk/extension-quoted-crlf": ["200 with a length; kept; body abc; end whole", "400; closed; body ; end http.disconnect"],
      "chunk/space-size": ["200 with a length; kept; body abc; end whole", "400; closed; body ; end http.disconnect"],
      "chunk/space-before": ["200 with a length; kept; body abc; end whole", "400; closed; body ; end http.disconnect"],
      "chunk/trailer-length": ["200 with a length; kept; body abc; end whole", "400; closed; body ; end http.disconnect"],
    },
  },
  {
    class: "leniency",
    why: "`deno` waits for the rest where the last end of a line is a bare LF",
    rows: {
      "chunk/lf-last": ["no answer; open; body abc; end waits", "400; closed; body ; end http.disconnect"],
    },
  },
  {
    class: "leniency",
    why: "`node` refuses an expectation that it does not know with 417, as RFC 9110 section 10.1.1 allows; `deno` reads over it",
    rows: {
      "expect/other": ["200 with a length; kept; the app saw POST /body", "417; closed; the app saw nothing"],
      "expect/list": ["200 with a length; kept; the app saw POST /body", "417; closed; the app saw nothing"],
    },
  },
  {
    class: "leniency",
    why: "The parser of `node:http` takes Proxy-Connection for Connection",
    rows: {
      "connection/proxy": ["200 with a length; kept", "200 with a length; closed"],
    },
  },
  {
    class: "leniency",
    why: "CONNECT with a path is malformed; `deno` says so, `node` says 501 as for every CONNECT",
    rows: {
      "method/connect-path": ["400; closed", "501; closed"],
    },
  },
  {
    class: "leniency",
    why: "`node` closes behind an upgrade that it does not do: what follows may be of either protocol",
    rows: {
      "upgrade/h2c": ["200 with a length; kept", "200 with a length; closed"],
      "upgrade/unknown": ["200 with a length; kept", "200 with a length; closed"],
      "upgrade/post": ["400; closed; the app saw nothing", "200 with a length; closed; the app saw POST /"],
      "upgrade/no-connection": ["200 with a length; kept", "200 with a length; closed"],
      "upgrade/unknown-behind": [
        "200 with a length, 200 with a length; kept; the app saw GET /, GET /behind",
        "200 with a length; closed; the app saw GET /",
      ],
      "handshake/no-key": ["200 with a length; kept", "200 with a length; closed"],
      "handshake/upgrade-list": ["200 with a length; kept", "200 with a length; closed"],
      "handshake/no-connection": ["200 with a length; kept", "200 with a length; closed"],
    },
  },
  {
    class: "leniency",
    why: "`node` closes a connection behind an event stream",
    rows: {
      "event-stream/plain": ["200 in chunks; kept", "200 in chunks; closed"],
      "event-stream/list": ["200 in chunks; kept", "200 in chunks; closed"],
      "event-stream/case": ["200 in chunks; kept", "200 in chunks; closed"],
      "event-stream/parameter": ["200 in chunks; kept", "200 in chunks; closed"],
      "event-stream/two": ["200 in chunks; kept", "200 in chunks; closed"],
      "event-stream/post": ["200 in chunks; kept", "200 in chunks; closed"],
      "event-stream/head": ["200 without a length; kept", "200 without a length; closed"],
    },
  },
  {
    class: "leniency",
    why: "`node` takes 1014, which was registered after RFC 6455",
    rows: {
      "close/code-1014": ["101, close 1002; closed; end 1006 client_closed", "101, close 1014; closed; end 1014"],
    },
  },
  {
    class: "leniency",
    why: "`deno` does not insist on SETTINGS as the first frame",
    rows: {
      "h2-preface/no-settings": ["200; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-preface/ping-first": ["200; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-preface/ack-only": ["200; kept", "GOAWAY PROTOCOL_ERROR; closed"],
    },
  },
  {
    class: "leniency",
    why: "`node` answers what came before a GOAWAY of its client, `deno` does not",
    rows: {
      "h2-frame/goaway": ["GOAWAY NO_ERROR; closed", "200, GOAWAY NO_ERROR; closed"],
    },
  },
  {
    class: "leniency",
    why: "`node` ends the connection at an acknowledgement of a PING that it never sent",
    rows: {
      "h2-frame/ping-ack": ["200; kept", "GOAWAY CANCEL; closed"],
    },
  },
  {
    class: "leniency",
    why: "`deno` answers 400 where `node` ends the connection",
    rows: {
      "h2-head/two-hosts": ["400; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/user-authority": ["400; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-body/length-two": ["400; kept", "GOAWAY PROTOCOL_ERROR; closed"],
    },
  },
  {
    class: "leniency",
    why: "`node` refuses a target that is no path, or a request without an authority; `deno` takes it for a path",
    rows: {
      "h2-head/no-authority": ["200; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/star-path": ["200; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/relative-path": ["200; kept", "GOAWAY PROTOCOL_ERROR; closed"],
      "h2-head/absolute-path": ["200; kept", "GOAWAY PROTOCOL_ERROR; closed"],
    },
  },
  {
    class: "leniency",
    why: "`deno` cuts a fragment off over HTTP/2, with what is behind it",
    rows: {
      "h2-head/fragment": ["path /a; raw_path /a; query ", "path /a#b; raw_path /a#b; query c"],
    },
  },
];
