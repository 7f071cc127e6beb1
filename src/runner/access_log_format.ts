/**
 * Formats of the access log: a name or a format string becomes, once, a list of functions that write one line.
 *
 * Whatever a client controls is escaped: control bytes, quotes, backslashes and everything that is not ASCII become `\xHH` (in JSON
 * `\u00HH`), so no client can forge a line or a field.
 *
 * | atom | meaning |
 * |---|---|
 * | `%h` `%l` `%u` | client address (`unix` on a Unix socket), `-`, `-` |
 * | `%t` | time of the end, UTC, `10/Feb/2026:12:34:56 +0000` |
 * | `%r` `%m` `%U` `%q` `%H` | request line, method, path as sent, `?query` or nothing, protocol |
 * | `%s` | status, `-` where nothing was answered |
 * | `%b` `%B` | bytes of the body; `%b` writes `-` for 0 |
 * | `%d` `%D` `%T` | duration: seconds with 3 decimals, whole microseconds, whole seconds |
 * | `%X` | why the exchange ended early (`client_closed`, …), `-` where it did not |
 * | `%K` | kind: `http`, `sse` or `websocket` |
 * | `%{Name}i` | a request header, `-` where it is absent |
 * | `%%` | a percent sign |
 *
 * @module
 */

import type { End, RequestHead } from "../exchange.ts";
import { StartupError } from "../spec/errors.ts";

/** What a line is about. */
export interface AccessEntry {
  readonly head: RequestHead;
  /** 0 where nothing was answered. */
  readonly status: number;
  /** Payload bytes of the answer. */
  readonly bytes: number;
  readonly end: End;
  readonly durationMs: number;
  /** When it ended, milliseconds since 1970. */
  readonly timeMs: number;
}

/** Writes one line, without the newline. */
export type Formatter = (entry: AccessEntry) => string;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The named formats; `json` is written by hand below. `clf` and `tiny` add why an exchange ended early, where it did. */
const NAMED: Readonly<Record<string, string>> = {
  clf: '%h %l %u [%t] "%m %U%q" %s %ds %b',
  combined: '%h %l %u [%t] "%r" %s %b "%{referer}i" "%{user-agent}i"',
  common: '%h %l %u [%t] "%r" %s %b',
  tiny: "%m %U%q %s %ems %b",
};

const ATOMS: Readonly<Record<string, () => Formatter>> = {
  h: () => ({ head }) => host(head),
  l: () => () => "-",
  u: () => () => "-",
  t: () => clfTime(),
  r: () => ({ head }) => `${escapeText(head.method)} ${target(head)} ${protocol(head)}`,
  m: () => ({ head }) => escapeText(head.method),
  U: () => ({ head }) => escapeText(head.rawPath),
  q: () => ({ head }) => head.query === "" ? "" : `?${escapeText(head.query)}`,
  H: () => ({ head }) => protocol(head),
  s: () => ({ status }) => status === 0 ? "-" : String(status),
  b: () => ({ bytes }) => bytes === 0 ? "-" : String(bytes),
  B: () => ({ bytes }) => String(bytes),
  d: () => ({ durationMs }) => (durationMs / 1000).toFixed(3),
  D: () => ({ durationMs }) => String(Math.round(durationMs * 1000)),
  T: () => ({ durationMs }) => String(Math.trunc(durationMs / 1000)),
  X: () => (entry) => escapeText(reasonOf(entry) ?? "-"),
  K: () => ({ head }) => head.kind,
  "%": () => () => "%",
};

/**
 * Builds the formatter of a named format or of a format string.
 *
 * @throws {StartupError} With exit code 2, where an atom is unknown.
 */
export function accessLogFormatter(format: string): Formatter {
  if (format === "json") return jsonFormatter();
  const named = Object.hasOwn(NAMED, format) ? NAMED[format]! : undefined;
  if (named === undefined && !format.includes("%")) {
    fail(`Unknown access log format "${format}": use clf, combined, common, tiny, json, or a string with % atoms`);
  }
  const parts = compile(named ?? format, named !== undefined);
  if (format === "clf" || format === "tiny") {
    parts.push((entry) => {
      const reason = reasonOf(entry);
      return reason === null ? "" : ` ${escapeText(reason)}`;
    });
  }
  return (entry) => {
    let line = "";
    for (const part of parts) line += typeof part === "string" ? part : part(entry);
    return line;
  };
}

/** Why it ended: a reason token, or what the app gave to `sse.close`. */
function reasonOf({ head, end }: AccessEntry): string | null {
  return end.reason ?? (head.kind === "sse" ? end.text ?? null : null);
}

/** Writes control bytes, quotes, backslashes and what is not ASCII as `\xHH`, or `\uHHHH` above 0xFF. */
export function escapeText(text: string): string {
  if (!/[^ !#-[\]-~]/.test(text)) return text;
  return text.replace(/[^ !#-[\]-~]/g, (unit) => {
    const code = unit.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

function compile(format: string, named: boolean): (string | Formatter)[] {
  const parts: (string | Formatter)[] = [];
  const atom = /%(?:\{([^}]*)\}(.?)|([\s\S]?))/g;
  let at = 0;
  for (const match of format.matchAll(atom)) {
    if (match.index > at) parts.push(literal(format.slice(at, match.index)));
    at = match.index + match[0].length;
    const [whole, header, letter, plain] = match;
    if (header !== undefined) {
      if (letter !== "i" || header === "") fail(`Unknown access log format atom "${whole}": a request header is %{Name}i`);
      parts.push(headerPart(header.toLowerCase()));
    } else if (plain === "e" && named) {
      parts.push(({ durationMs }) => durationMs.toFixed(3));
    } else {
      const make = Object.hasOwn(ATOMS, plain!) ? ATOMS[plain!]! : undefined;
      if (make === undefined) fail(unknownAtom(plain!));
      parts.push(make!());
    }
  }
  if (at < format.length) parts.push(literal(format.slice(at)));
  return parts;
}

function unknownAtom(letter: string): string {
  if (letter === "") return "The access log format ends with a lone %: write %% for a percent sign";
  if (letter === "{") return "The access log format has a %{ without its }: a request header is %{Name}i";
  return `Unknown access log format atom "%${letter}": known are ${Object.keys(ATOMS).map((atom) => `%${atom}`).join(" ")} and %{Name}i`;
}

// A newline in the format itself would make two lines of one.
function literal(text: string): string {
  // deno-lint-ignore no-control-regex -- control bytes are what is looked for.
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(text)) fail("The access log format holds a control byte: a line must stay one line");
  return text;
}

function headerPart(name: string): Formatter {
  return ({ head }) => {
    const value = header(head, name);
    return value === null ? "-" : escapeText(value);
  };
}

function header(head: RequestHead, name: string): string | null {
  let found: string | null = null;
  for (const pair of head.headers) {
    if (pair[0] === name) found = found === null ? pair[1] : `${found}, ${pair[1]}`;
  }
  return found;
}

function host(head: RequestHead): string {
  return head.client === undefined ? "unix" : escapeText(head.client[0]);
}

function target(head: RequestHead): string {
  return escapeText(head.query === "" ? head.rawPath : `${head.rawPath}?${head.query}`);
}

function protocol(head: RequestHead): string {
  return `HTTP/${head.httpVersion}`;
}

// The text of a second is built once in that second.
function clfTime(): Formatter {
  let second = NaN;
  let text = "";
  return ({ timeMs }) => {
    const now = Math.floor(timeMs / 1000);
    if (now !== second) {
      second = now;
      const date = new Date(timeMs);
      const [day, month, year] = [two(date.getUTCDate()), MONTHS[date.getUTCMonth()], date.getUTCFullYear()];
      text = `${day}/${month}/${year}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
    }
    return text;
  };
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function jsonFormatter(): Formatter {
  let second = NaN;
  let start = "";
  const [client, method, path, refererText, agentText] = [remembering(), remembering(), remembering(), remembering(), remembering()];
  return (entry) => {
    const { head, status, bytes, end, durationMs, timeMs } = entry;
    const reason = reasonOf(entry);
    const now = Math.floor(timeMs / 1000);
    if (now !== second) {
      second = now;
      start = `{"time":"${new Date(now * 1000).toISOString().slice(0, 19)}.`;
    }
    let agent: string | null = null;
    let referer: string | null = null;
    for (const pair of head.headers) {
      if (pair[0] === "user-agent") agent = pair[1];
      else if (pair[0] === "referer") referer = pair[1];
    }
    const milliseconds = Math.floor(timeMs) - now * 1000;
    // Whole numbers become text at a tenth of what a fraction costs.
    const microseconds = Math.round(durationMs * 1000);
    const wholeMs = Math.floor(microseconds / 1000);
    return start + three(milliseconds) +
      'Z","kind":"' + head.kind +
      '","client":' + (head.client === undefined ? '"unix"' : client(head.client[0])) +
      ',"method":' + method(head.method) +
      ',"path":' + path(head.rawPath) +
      ',"query":' + (head.query === "" ? '""' : json(head.query)) +
      ',"protocol":"HTTP/' + head.httpVersion +
      '","status":' + (status === 0 ? "null" : status) +
      ',"bytes":' + bytes +
      ',"duration_ms":' + wholeMs + "." + three(microseconds - wholeMs * 1000) +
      ',"reason":' + (reason === null ? "null" : json(reason)) +
      (end.code === undefined ? "" : ',"close_code":' + end.code) +
      ',"referer":' + (referer === null ? "null" : refererText(referer)) +
      ',"user_agent":' + (agent === null ? "null" : agentText(agent)) + "}";
  };
}

/** Three digits. */
function three(value: number): string {
  return value < 10 ? `00${value}` : value < 100 ? `0${value}` : String(value);
}

/** What a field held last, it is likely to hold again. */
function remembering(): (text: string) => string {
  let last = "";
  let result = '""';
  return (text) => {
    if (text !== last) {
      result = json(text);
      last = text;
    }
    return result;
  };
}

function json(text: string): string {
  if (!/[^ !#-[\]-~]/.test(text)) return '"' + text + '"';
  const escaped = text.replace(/[^ !#-[\]-~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return '"' + escaped + '"';
}

function fail(message: string): never {
  throw new StartupError(message, { exitCode: 2 });
}
