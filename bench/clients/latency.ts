/**
 * Requests at a steady rate on a few connections: `latency.ts URL RATE`. It prints how long they took, in microseconds: half of them at
 * most `p50`, all but a hundredth at most `p99`.
 *
 * @module
 */

import { type Peer, request, serveHarness, write } from "./client.ts";

const CONNECTIONS = 4;

const [url, rate] = Deno.args as [string, string];
const { host } = new URL(url);
const decoder = new TextDecoder();
const bytes = new TextEncoder().encode(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
const peers = await Promise.all(Array.from({ length: CONNECTIONS }, () => request(url, "/", [])));
await Promise.all(peers.map(answer));

await serveHarness(async (milliseconds) => {
  const until = performance.now() + milliseconds;
  const taken = (await Promise.all(peers.map((peer) => ask(peer, until)))).flat().toSorted((a, b) => a - b);
  const at = (part: number) => taken[Math.min(taken.length - 1, Math.floor(taken.length * part))]!;
  return { count: taken.length, p50: at(0.5), p99: at(0.99) };
});

async function ask(peer: Peer, until: number): Promise<number[]> {
  const pauseMs = 1000 * CONNECTIONS / Number(rate);
  const taken: number[] = [];
  for (let due = performance.now(); due < until; due += pauseMs) {
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    const started = performance.now();
    await write(peer.conn, bytes);
    await answer(peer);
    taken.push((performance.now() - started) * 1000);
  }
  return taken;
}

/** Reads an answer: up to its length, or up to its last chunk. */
async function answer({ conn, buffer }: Peer): Promise<void> {
  let end = -1;
  for (let at = 0;;) {
    const count = await conn.read(buffer.subarray(at));
    if (count === null) throw new Error("The server closed");
    at += count;
    const text = decoder.decode(buffer.subarray(0, at));
    const body = text.indexOf("\r\n\r\n") + 4;
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(text)?.[1];
    if (body >= 4 && length !== undefined) end = body + Number(length);
    if (end < 0 ? text.endsWith("\r\n0\r\n\r\n") : at >= end) return;
  }
}
