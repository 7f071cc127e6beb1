/**
 * From what a test asks for to the head that a wire would have parsed, or to the answer that a wire would have given itself.
 *
 * Contract section 2; the classification and the target are those of `src/wire`.
 *
 * @module
 */

import type { Capability, Pairs, RequestHead } from "../exchange.ts";
import { PeerError } from "../spec/errors.ts";
import type { TlsInfo } from "../spec/scope.ts";
import { type Answer, answer } from "../wire/answers.ts";
import { classify } from "../wire/classify.ts";
import { handshakeProblem } from "../wire/handshake.ts";
import { isHost } from "../wire/host.ts";
import { splitTarget } from "../wire/target.ts";

/** A request as it would stand on the wire. */
export interface MemoryRequest {
  readonly method: string;
  /** In origin form, or `*`. */
  readonly target: string;
  readonly httpVersion: "1.0" | "1.1" | "2";
  /** In wire order, names in any case. */
  readonly headers: Pairs;
  /** Whether a body follows. */
  readonly hasBody: boolean;
  /** An extended CONNECT of HTTP/2 (RFC 8441). */
  readonly isExtendedConnect?: boolean;
  readonly client: readonly [host: string, port: number] | null;
  readonly server: readonly [host: string, port: number | null];
  readonly rootPath: string;
  readonly tls: TlsInfo | null;
}

/** A head, and what the wire answers without asking the app: `null` for nothing. */
export interface Parsed {
  readonly head: RequestHead;
  readonly refusal: Answer | null;
}

/**
 * Parses a request.
 *
 * @param maxBodyBytes 0 is no limit.
 */
export function parseRequest(request: MemoryRequest, id: number, capabilities: readonly Capability[], maxBodyBytes: number): Parsed {
  const headers = joinCookies(request.headers);
  const get = (name: string): string | null => joined(headers, name);
  const { target, refusal } = parseTarget(request.target);
  const isSocket = request.isExtendedConnect === true;
  const kind = isSocket ? "websocket" : classify(request.method, request.httpVersion, get);
  const expects = request.hasBody && request.httpVersion !== "1.0" && get("expect")?.toLowerCase() === "100-continue";
  const head: RequestHead = {
    kind,
    id,
    httpVersion: request.httpVersion,
    method: request.method.toUpperCase(),
    scheme: request.tls === null ? "http" : "https",
    ...target,
    rootPath: request.rootPath,
    headers,
    ...(request.client === null ? {} : { client: request.client }),
    server: request.server,
    body: !request.hasBody ? "none" : expects ? "expect" : "plain",
    capabilities,
    ...(request.tls === null ? {} : { tls: request.tls }),
  };
  return { head, refusal: refusal ?? problemOf(head, get, isSocket, maxBodyBytes) };
}

/** The first value of a header whose name is in lower case. */
export function find(headers: Pairs, name: string): string | null {
  for (const pair of headers) if (pair[0] === name) return pair[1];
  return null;
}

/** All values of a header, joined as a list (RFC 9110 section 5.2). */
function joined(headers: Pairs, name: string): string | null {
  const values = headers.filter(([other]) => other === name).map(([, value]) => value);
  return values.length === 0 ? null : values.join(", ");
}

function parseTarget(target: string): { target: Pick<RequestHead, "rawPath" | "path" | "query">; refusal: Answer | null } {
  try {
    return { target: splitTarget(target), refusal: null };
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return { target: { rawPath: target, path: target, query: "" }, refusal: answer(error.status) };
  }
}

function problemOf(
  head: RequestHead,
  get: (name: string) => string | null,
  isExtendedConnect: boolean,
  maxBodyBytes: number,
): Answer | null {
  const hosts = head.headers.filter(([name]) => name === "host");
  if (hosts.length > 1 || (hosts.length === 0 && head.httpVersion === "1.1")) return answer(400);
  if (hosts.length === 1 && !isHost(hosts[0]![1])) return answer(400);
  if (head.kind === "websocket") return isExtendedConnect ? null : handshakeProblem(head.method, head.httpVersion, get);
  if (maxBodyBytes > 0 && Number(get("content-length") ?? 0) > maxBodyBytes) return answer(413);
  return null;
}

/** Several `cookie` headers become one, at the place of the first. */
function joinCookies(pairs: Pairs): Pairs {
  const headers: [string, string][] = [];
  let cookie: [string, string] | null = null;
  for (const [given, value] of pairs) {
    const name = given.toLowerCase();
    if (name === "cookie" && cookie !== null) {
      cookie[1] += `; ${value}`;
      continue;
    }
    const pair: [string, string] = [name, value];
    if (name === "cookie") cookie = pair;
    headers.push(pair);
  }
  return headers;
}
