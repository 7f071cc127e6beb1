/**
 * Clients that are slow: `slow.ts URL header|body|read COUNT LIMIT_SECONDS`.
 *
 * - `header` sends a byte of a head each half second, and never its end.
 * - `body` sends a part of a body, and nothing more.
 * - `read` asks for an answer without an end, and reads nothing of it.
 *
 * All of them connect when they are told to work, and it prints how many the server has ended in that time, and when it ended the last
 * one, in seconds from its connection.
 *
 * @module
 */

import { type Peer, request, serveHarness, write } from "./client.ts";

const DRIP_MS = 500;
const AT_ONCE = 50;

type Kind = "header" | "body" | "read";

const [url, kind, count] = Deno.args as [string, Kind, string];
const one = new TextEncoder().encode("x");

await serveHarness(async (milliseconds) => {
  const until = performance.now() + milliseconds;
  const ends: Promise<number | null>[] = [];
  for (let at = 0; at < Number(count); at++) {
    ends.push(slow(until));
    if (at % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const ended = (await Promise.all(ends)).filter((seconds) => seconds !== null);
  return { count: ended.length, last: Math.max(0, ...ended) };
});

/** One client; how long the server has suffered it, `null` where it still does. */
async function slow(until: number): Promise<number | null> {
  const started = performance.now();
  const peer = await connect();
  try {
    const ended = kind === "read" ? resets(peer, until) : closes(peer, until);
    return await ended ? (performance.now() - started) / 1000 : null;
  } finally {
    peer.conn.close();
  }
}

async function connect(): Promise<Peer> {
  const { hostname, port, host } = new URL(url);
  if (kind === "body") {
    const peer = await send(hostname, port, `POST / HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 100000\r\n\r\nabc`);
    return peer;
  }
  return kind === "read" ? await request(url, "/big", []) : await send(hostname, port, `GET / HTTP/1.1\r\nhost: ${host}\r\nx: `);
}

async function send(hostname: string, port: string, text: string): Promise<Peer> {
  const conn = await Deno.connect({ hostname, port: Number(port) });
  await write(conn, new TextEncoder().encode(text));
  return { conn, buffer: new Uint8Array(1024) };
}

/** Reads up to the end; a slow head goes on meanwhile. */
async function closes({ conn, buffer }: Peer, until: number): Promise<boolean> {
  const timer = kind === "header" ? setInterval(() => conn.write(one).catch(() => {}), DRIP_MS) : 0;
  try {
    return await before(
      until,
      (async () => {
        while (await conn.read(buffer).catch(() => null) !== null);
      })(),
    );
  } finally {
    clearInterval(timer);
  }
}

/** A client that reads nothing sees a reset when it writes: what the server throws away is answered so. */
async function resets({ conn }: Peer, until: number): Promise<boolean> {
  while (performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, DRIP_MS));
    // An empty line before a next request is allowed, so this is no fault.
    const written = await conn.write(new TextEncoder().encode("\r\n")).catch(() => null);
    if (written === null) return true;
  }
  return false;
}

async function before(until: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), Math.max(0, until - performance.now())));
  const ended = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return ended;
}
