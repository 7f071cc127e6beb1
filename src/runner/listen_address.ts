/**
 * What `--listen` takes: `host:port`, `[v6]:port`, `:port`, `unix:path` or `fd:N`, each with the words `,tls`, `,plain` and `,proxy`.
 *
 * Not here: what the other options make of it (`listeners.ts`).
 *
 * @module
 */

import { StartupError } from "../spec/errors.ts";
import { parseIp } from "../wire/ip.ts";

/** An address as it was written. */
export interface ListenText {
  readonly at:
    | { readonly kind: "tcp"; readonly host: string; readonly port: number }
    | { readonly kind: "unix"; readonly path: string }
    | { readonly kind: "fd"; readonly fd: number };
  /** `null` where nothing was said: the certificates decide. */
  readonly security: "tls" | "plain" | null;
  readonly proxyProtocol: boolean;
}

/** All that can be written, for messages. */
export const LISTEN_FORMS = "host:port, [v6]:port, :port, unix:path or fd:N, with ,tls or ,plain and ,proxy behind it where needed";

/** The address of `:port`: every one of the machine, IPv4. */
const ANY_HOST = "0.0.0.0";

/** The first descriptor that is not a standard stream. */
const FIRST_FD = 3;

const MAX_FD = 1_048_576;

const MAX_PORT = 65_535;

/**
 * Reads one.
 *
 * @param name How the option is called in messages.
 * @throws {StartupError} With exit code 2, saying what is wrong with it and what would be right.
 */
export function readListen(text: string, name: string): ListenText {
  const fail = (problem: string): never => {
    throw new StartupError(`${name} "${text}": ${problem}`, { exitCode: 2 });
  };
  const [address = "", ...words] = text.split(",");
  let security: ListenText["security"] = null;
  let proxyProtocol = false;
  for (const word of words) {
    if (word === "proxy") {
      if (proxyProtocol) fail(",proxy is there twice");
      proxyProtocol = true;
    } else if (word === "tls" || word === "plain") {
      if (security === word) fail(`,${word} is there twice`);
      if (security !== null) fail(",tls and ,plain exclude each other");
      security = word;
    } else fail(`"${word}" is none of the words tls, plain and proxy${wordHint(address, word, name)}`);
  }
  return { at: readAddress(address, fail), security, proxyProtocol };
}

function wordHint(address: string, word: string, name: string): string {
  if (address.startsWith("unix:")) return " (a path with a comma: --socket)";
  if (!word.includes(":")) return "";
  return name.startsWith("--") ? `: give each address with a ${name} of its own` : ": one address on each line, or in each entry of a list";
}

function readAddress(text: string, fail: (problem: string) => never): ListenText["at"] {
  if (text === "") fail(`an address is missing: ${LISTEN_FORMS}`);
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    return path === "" ? fail("unix: needs a path, such as unix:/run/app.sock") : { kind: "unix", path };
  }
  if (text.startsWith("fd:")) {
    const fd = numberOf(text.slice("fd:".length), MAX_FD);
    if (fd === null || fd < FIRST_FD) fail(`fd: needs the number of a descriptor from ${FIRST_FD} on, such as fd:3`);
    return { kind: "fd", fd: fd! };
  }
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(text)) fail("this is a URL: write host:port, and ,tls behind it for https");
  if (numberOf(text, MAX_PORT) !== null) fail(`a port alone: write 127.0.0.1:${text}, or :${text} for every address of this machine`);
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  const colon = text.lastIndexOf(":");
  const host = bracketed === null ? text.slice(0, colon) : bracketed[1]!;
  const port = bracketed === null ? text.slice(colon + 1) : bracketed[2];
  if (bracketed !== null) {
    if (!isIpv6(host)) fail(`[${host}] is no IPv6 address: what is not goes without brackets`);
  } else {
    if (colon < 0) fail(text.includes("/") ? `a path is written unix:${text}` : `the port is missing: ${text}:5000`);
    if (host.includes(":") && isIpv6(host)) fail(`an IPv6 address stands in brackets: [${host}]:${port}`);
    if (host.includes(":")) fail(isIpv6(text) ? `an IPv6 address stands in brackets: [${text}]:5000` : `it is none of ${LISTEN_FORMS}`);
    if (/[\s/[\]@?#\\\0]/.test(host)) fail(`"${host}" is no host name`);
  }
  const wrong = hostProblem(host);
  if (wrong !== null) fail(wrong);
  if (port === undefined || port === "") fail("the port is missing: a number from 0 to 65535 behind the colon");
  const number = numberOf(port!, MAX_PORT);
  if (number === null) fail(`the port must be a whole number from 0 to ${MAX_PORT}, got "${port}"`);
  return { kind: "tcp", host: host === "" ? ANY_HOST : host, port: number! };
}

/** What is wrong with a host that can be neither an address nor a name; `null` where it may be one. */
export function hostProblem(host: string): string | null {
  const isWrong = /^\d+(?:\.\d+){3}$/.test(host) ? parseIp(host) === null : host.includes(":") && !isIpv6(host);
  return isWrong ? `${host} is no address` : null;
}

/** Whether a text is an IPv6 address, with a zone or without. */
export function isIpv6(text: string): boolean {
  const [address, zone] = text.split("%", 2);
  if (!address!.includes(":") || zone === "") return false;
  return URL.canParse(`http://[${address}]/`);
}

function numberOf(text: string, max: number): number | null {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return value <= max ? value : null;
}
