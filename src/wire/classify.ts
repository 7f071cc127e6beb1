/**
 * Which scope type a request gets. Decided once, at the front, by headers alone. Contract sections 5 and 6.
 *
 * @module
 */

import type { GetHeader } from "./handshake.ts";

const QUOTED = /"(?:\\.|[^"\\])*"/g;

/**
 * `websocket` for a handshake, `sse` where Accept lists `text/event-stream` with a quality above 0, else `http`.
 *
 * A WebSocket wins over an event stream.
 */
export function classify(_method: string, httpVersion: string, get: GetHeader): "http" | "sse" | "websocket" {
  if (httpVersion !== "2") {
    const upgrade = get("upgrade");
    if (upgrade !== null && isWebSocket(upgrade, get)) return "websocket";
  }
  const accept = get("accept");
  return accept !== null && acceptsEvents(accept) ? "sse" : "http";
}

/** Whether an Accept header lists `text/event-stream`. RFC 9110 section 12.5.1. */
export function acceptsEvents(accept: string): boolean {
  if (!/event-stream/i.test(accept)) return false;
  // A quoted parameter may hold commas and semicolons; what it says never matters here.
  const bare = accept.includes('"') ? accept.replace(QUOTED, '""') : accept;
  return bare.split(",").some((range) => {
    const [type, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    if (type !== "text/event-stream") return false;
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    return quality === undefined || Number(quality.slice(2)) > 0;
  });
}

function isWebSocket(upgrade: string, get: GetHeader): boolean {
  return upgrade.trim().toLowerCase() === "websocket" &&
    (get("connection") ?? "").toLowerCase().split(",").some((option) => option.trim() === "upgrade") &&
    get("sec-websocket-key") !== null;
}
