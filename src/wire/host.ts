/**
 * What may stand in a Host header or an `:authority`. RFC 3986 section 3.2.
 *
 * A stack that builds a URL by putting Host before the target lets a client forge a path with `Host: a/fake?q=`; nothing but a host and
 * a port passes here.
 *
 * @module
 */

const HOST = /^(?:\[[0-9A-Fa-f:.]+(?:%25[\w.~-]+)?\]|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::(\d{0,5}))?$/;

const MAX_PORT = 65_535;

/** Whether a value is `host`, `host:port`, `[v6]` or `[v6]:port`; an empty one is allowed. */
export function isHost(value: string): boolean {
  const match = HOST.exec(value);
  return match !== null && Number(match[1] ?? 0) <= MAX_PORT;
}
