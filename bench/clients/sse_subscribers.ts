/**
 * Subscribers of an event stream: `sse_subscribers.ts URL COUNT`. Again and again it asks for an event at `/publish` and waits until every
 * subscriber has it. Each event must hold one exclamation mark, and nothing else may.
 *
 * @module
 */

import { type Peer, readHead, request, serveHarness } from "./client.ts";

const MARK = 0x21;

const [url, count] = Deno.args as [string, string];
const total = Number(count);
const progress = { left: 0, done: () => {} };
const peers: Peer[] = [];
for (let at = 0; at < total; at++) {
  const peer = await request(url, "/events", ["accept: text/event-stream"]);
  await readHead(peer, 200);
  peers.push(peer);
}
for (const peer of peers) listen(peer);

await serveHarness(async (milliseconds) => {
  const until = performance.now() + milliseconds;
  let events = 0;
  while (performance.now() < until) {
    const { promise, resolve } = Promise.withResolvers<void>();
    progress.left = total;
    progress.done = resolve;
    const response = await fetch(`${url}/publish`);
    if (await response.text() !== count) throw new Error("Not all subscribers are known to the server");
    await promise;
    events += total;
  }
  return events;
});

async function listen({ conn }: Peer): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (;;) {
    const read = await conn.read(buffer);
    if (read === null) throw new Error("The server closed a stream");
    for (let at = buffer.indexOf(MARK); at !== -1 && at < read; at = buffer.indexOf(MARK, at + 1)) {
      if (--progress.left === 0) progress.done();
    }
  }
}
