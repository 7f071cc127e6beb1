/**
 * Which listeners the options ask for.
 *
 * Each `--listen` is one; without any, `--host` and `--port` or `--socket` are the short form of one. With a certificate, TCP listeners
 * are TLS unless they say `,plain`; Unix sockets are never.
 *
 * Not here: what a `--listen` may say (`listen_address.ts`), listeners that the process was started with (`socket_activation.ts`).
 *
 * @module
 */

import type { ListenAddress, ListenerSettings, TlsSettings } from "../engines/listener_settings.ts";
import { StartupError } from "../spec/errors.ts";
import { hostProblem, isIpv6, type ListenText, readListen } from "./listen_address.ts";
import { OPTIONS, type ServeOptions } from "./options.ts";

type ListenKey = "listen" | "host" | "port" | "socket" | "socketMode" | "listenerBacklog" | "proxyProtocol" | "sslCert";

/** The options that it depends on. */
export type ListenOptions = Pick<ServeOptions, ListenKey>;

/**
 * Decides.
 *
 * @param tls What TLS listeners get; `null` without a certificate.
 * @param name How an option is called in messages.
 * @throws {StartupError} With exit code 2 where they do not go together.
 */
export function listenersOf(options: ListenOptions, tls: TlsSettings | null, name: (key: ListenKey) => string): ListenerSettings[] {
  const texts = options.listen === undefined ? [shortForm(options, name)] : longForm(options.listen, options, name);
  const listeners = texts.map((text) => listenerOf(text, options, tls, name));
  const isUnix = listeners.map(({ at }) => at.kind === "unix");
  if (options.socketMode !== undefined && !isUnix.includes(true)) {
    fail(`${name("socketMode")} needs ${name("socket")}, or ${name("listen")} unix:path`);
  }
  if (tls !== null && listeners.every((listener) => listener.tls === null)) {
    const why = isUnix.includes(false) ? "each listener says ,plain" : "a Unix socket is served without TLS";
    fail(`${name("sslCert")} is for no listener: ${why}`);
  }
  return listeners;
}

/** A listener as `--listen` names it. */
export function listenText(at: ListenAddress): string {
  if (at.kind === "unix") return `unix:${at.path}`;
  if (at.kind === "fd") return `fd:${at.fd}`;
  return at.host.includes(":") ? `[${at.host}]:${at.port}` : `${at.host}:${at.port}`;
}

function shortForm(options: ListenOptions, name: (key: ListenKey) => string): ListenText {
  const plain = { security: null, proxyProtocol: false };
  if (options.socket === undefined) {
    // An address in brackets is how URLs write IPv6.
    const host = (options.host ?? OPTIONS.host.default!).replace(/^\[(.*)\]$/, "$1");
    const wrong = hostProblem(host);
    if (wrong !== null) fail(`${name("host")} must be an address or a host name: ${wrong}`);
    return { at: { kind: "tcp", host, port: options.port ?? OPTIONS.port.default! }, ...plain };
  }
  for (const key of ["host", "port"] as const) {
    if (options[key] !== undefined) fail(`${name("socket")} and ${name(key)} exclude each other: give one of them`);
  }
  return { at: { kind: "unix", path: options.socket }, ...plain };
}

function longForm(given: readonly string[], options: ListenOptions, name: (key: ListenKey) => string): ListenText[] {
  if (given.length === 0) fail(`${name("listen")} must have at least one address`);
  for (const key of ["host", "port", "socket"] as const) {
    if (options[key] !== undefined) {
      fail(`${name("listen")} and ${name(key)} exclude each other: give all addresses with ${name("listen")}`);
    }
  }
  const seen = new Set<string>();
  const others: ListenAddress[] = [];
  return given.map((text) => {
    const read = readListen(text, name("listen"));
    const identity = identityOf(read.at);
    if (identity !== null && seen.has(identity)) fail(`${name("listen")} "${text}": this address is there twice`);
    if (identity !== null) seen.add(identity);
    const at = settled(read.at, options);
    const other = others.find((other) => covers(other, at) || covers(at, other));
    if (other !== undefined) fail(`${name("listen")} ${listenText(other)} and ${listenText(at)} overlap: leave one of them out`);
    others.push(at);
    return read;
  });
}

// Whether [::] takes IPv4 too is a setting of the system: the engine finds out.
function covers(any: ListenAddress, one: ListenAddress): boolean {
  if (any.kind !== "tcp" || one.kind !== "tcp" || any.port === 0 || any.port !== one.port) return false;
  if (any.host === "0.0.0.0") return /^\d+(?:\.\d+){3}$/.test(one.host);
  return any.host === "::" && isIpv6(one.host);
}

// Port 0 is another one each time.
function identityOf(at: ListenText["at"]): string | null {
  if (at.kind !== "tcp") return JSON.stringify(at);
  if (at.port === 0) return null;
  const host = isIpv6(at.host) && !at.host.includes("%") ? new URL(`http://[${at.host}]/`).hostname : at.host.toLowerCase();
  return `${host}:${at.port}`;
}

function listenerOf(
  { at, security, proxyProtocol }: ListenText,
  options: ListenOptions,
  tls: TlsSettings | null,
  name: (key: ListenKey) => string,
): ListenerSettings {
  if (security === "tls" && at.kind === "unix") {
    fail(`${name("listen")} unix:${at.path}: a Unix socket is served without TLS, leave ,tls out`);
  }
  if (security === "tls" && tls === null) fail(`${name("listen")} ${listenText(settled(at, options))},tls needs ${name("sslCert")}`);
  return {
    at: settled(at, options),
    tls: at.kind === "unix" || security === "plain" ? null : tls,
    proxyProtocol: proxyProtocol || options.proxyProtocol === true,
    ...(options.listenerBacklog === undefined ? {} : { backlog: options.listenerBacklog }),
  };
}

function settled(at: ListenText["at"], { socketMode }: ListenOptions): ListenAddress {
  return at.kind === "unix" ? { ...at, mode: socketMode ?? OPTIONS.socketMode.default! } : at;
}

function fail(message: string): never {
  throw new StartupError(message, { exitCode: 2 });
}
