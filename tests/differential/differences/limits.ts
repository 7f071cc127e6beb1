/** Limits that one engine has and the other has not, or has elsewhere. Written by hand. @module */

import type { Group } from "../difference.ts";

/** Limits that one engine has and the other has not, or has elsewhere. */
export const LIMITS: readonly Group[] = [
  {
    class: "limit",
    why:
      "`node` has `target-limits`: 8 KiB of target get 414, 32 KiB of headers or 100 of them 431. `deno` takes 64 KiB and about 120, and says 400 beyond",
    rows: {
      "target/length-8193": ["200 with a length; kept; the app saw GET 8193 characters", "414; closed; the app saw nothing"],
      "target/length-20000": ["200 with a length; kept; the app saw GET 20000 characters", "414; closed; the app saw nothing"],
      "target/length-60000": ["200 with a length; kept; the app saw GET 60000 characters", "414; closed; the app saw nothing"],
      "target/length-70000": ["400; closed", "414; closed"],
      "target/query-8193": ["200 with a length; kept; the app saw GET /", "414; closed; the app saw nothing"],
      "header/count-101": ["200 with a length; kept; the app saw GET /head", "431; closed; the app saw nothing"],
      "header/count-130": ["400; closed", "431; closed"],
      "header/count-5000": ["400; closed", "431; closed"],
      "header/size-32k-more": ["200 with a length; kept; the app saw GET /head", "431; closed; the app saw nothing"],
      "header/size-60k": ["200 with a length; kept; the app saw GET /head", "431; closed; the app saw nothing"],
      "header/size-70k": ["400; closed", "431; closed"],
      "header/size-1m": ["400; closed", "431; closed"],
      "h2-head/path-8193": ["200; kept; the app saw GET 8193 characters", "414; kept; the app saw nothing"],
    },
  },
  {
    class: "limit",
    why:
      "Heads over HTTP/2: `deno` takes 16 KiB (431 beyond) and any number of fields, `node` 32 KiB and 100 (431), and its stack resets what has twice as many",
    rows: {
      "h2-head/size-20k": ["431; kept; the app saw nothing", "200; kept; the app saw GET /h2"],
      "h2-head/headers-200": ["200; kept; the app saw GET /h2", "reset with ENHANCE_YOUR_CALM; kept; the app saw nothing"],
    },
  },
  {
    class: "limit",
    why:
      "`node` bounds the number of fragments of a message by the limit of its size (4 KiB here), since each takes more memory than its bytes",
    rows: {
      "frame/many-fragments": [
        "101, text 300, close 1000; closed; messages text 300 characters;; end 1000",
        "101, close 1008; closed; messages ; end 1008 protocol_error",
      ],
    },
  },
  {
    class: "limit",
    why: "`deno` breaks off behind an extension of 16 KiB and does not say why; `node` reads over it",
    rows: {
      "chunk/extension-long": ["500 cut; closed; body ; end http.disconnect", "200 with a length; kept; body abc; end whole"],
    },
  },
  {
    class: "limit",
    why: "`node` ends trailers of 70,000 bytes with 400; `deno` waits for their end",
    rows: {
      "chunk/trailer-big": ["no answer; open; body abc; end waits", "400; closed; body ; end http.disconnect"],
    },
  },
  {
    class: "limit",
    why: "Floods: `node` ends them all but those of WINDOW_UPDATE, `deno` resets and CONTINUATION alone",
    rows: {
      "h2-flood/ping": ["no answer; kept", "the end; closed"],
      "h2-flood/settings": ["no answer; kept", "the end; closed"],
      "h2-flood/data-empty": ["no answer; kept", "the end; closed"],
      "h2-flood/window": ["no answer; kept", "the end; closed"],
      "h2-flood/priority": ["no answer; kept", "the end; closed"],
    },
  },
];
