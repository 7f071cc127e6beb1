/**
 * Clients that are slow: `slow.ts URL header|body|read COUNT`.
 *
 * - `header` sends a byte of a head each half second, and never its end.
 * - `body` sends a part of a body, and nothing more.
 * - `read` asks for an answer without an end, and reads nothing of it.
 *
 * All of them have connected when it is ready. Then it works until the server has ended them or the time is up, and prints how many were
 * ended, and when the last one was, in seconds from its connection.
 *
 * @module
 */

import { type Peer, request, serveHarness, write } from "./client.ts";

const DRIP_MS = 500;
/** Pauses between connections. The system takes megabytes for a client that does not read, and copying them is not what is measured. */
const PAUSE_MS = { header: 0, body: 0, read: 8 };

type Kind = keyof typeof PAUSE_MS;

const [url, kind, count] = Deno.args as [string, Kind, string];
const one = new TextEncoder().encode("x");
const line = new TextEncoder().encode("\r\n");
const ended: number[] = [];
const ends: Promise<void>[] = [];
for (let at = 0; at < Number(count); at++) {
  ends.push(slow(await connect()));
  if (PAUSE_MS[kind] > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS[kind]));
}

await serveHarness(async (milliseconds) => {
  await Promise.race([Promise.all(ends), new Promise((resolve) => setTimeout(resolve, milliseconds))]);
  return { count: ended.length, last: Math.max(0, ...ended) };
});

/** One client, until the server ends it. */
async function slow(peer: Peer): Promise<void> {
  const started = performance.now();
  await (kind === "read" ? reset(peer) : closed(peer));
  ended.push((performance.now() - started) / 1000);
  peer.conn.close();
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
async function closed({ conn, buffer }: Peer): Promise<void> {
  const timer = kind === "header" ? setInterval(() => conn.write(one).catch(() => {}), DRIP_MS) : 0;
  while (await conn.read(buffer).catch(() => null) !== null);
  clearInterval(timer);
}

/** A client that reads nothing sees a reset when it writes: what a server has thrown away is answered so. */
async function reset({ conn }: Peer): Promise<void> {
  do await new Promise((resolve) => setTimeout(resolve, DRIP_MS)); while (await conn.write(line).catch(() => null) !== null);
}
