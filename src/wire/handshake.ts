/**
 * What makes a WebSocket handshake acceptable. RFC 6455 sections 4.1 and 4.2.
 *
 * @module
 */

import { type Answer, answer } from "./answers.ts";

/** Reads a request header; several of one name are joined by commas. */
export type GetHeader = (name: string) => string | null;

/** The answer to a malformed handshake, or `null`. Over HTTP/2 there is no key, and the method is CONNECT: RFC 8441 section 5. */
export function handshakeProblem(method: string, httpVersion: string, get: GetHeader): Answer | null {
  const isHttp2 = httpVersion === "2";
  if (method !== (isHttp2 ? "CONNECT" : "GET")) return answer(400, "A WebSocket handshake is a GET request");
  if (httpVersion === "1.0") return answer(400, "A WebSocket handshake needs HTTP/1.1");
  if (get("sec-websocket-version")?.trim() !== "13") {
    const { status, headers, body } = answer(426, "This server speaks WebSocket version 13");
    return { status, headers: [...headers, ["sec-websocket-version", "13"]], body };
  }
  if (isHttp2) return null;
  const key = get("sec-websocket-key")?.trim() ?? "";
  if (!/^[A-Za-z0-9+/]{21}[AQgw]==$/.test(key)) return answer(400, "Sec-WebSocket-Key must be 16 bytes in base64");
  return null;
}

/** The subprotocols that a client offers, in its order. */
export function splitSubprotocols(value: string | null): string[] {
  return (value ?? "").split(",").map((part) => part.trim()).filter((part) => part !== "");
}

/** Whether a header of the 101 is the server's, and no app can set it. RFC 6455 section 4.2.2; RFC 9112 section 6. */
export function isHandshakeHeader(name: string): boolean {
  return /^(?:sec-websocket-.*|connection|upgrade|transfer-encoding|content-length)$/i.test(name);
}
