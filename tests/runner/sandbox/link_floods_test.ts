/**
 * A worker that floods or breaks its link, from inside: real processes, and an app that gets at the connection or at what writes to it. Its
 * worker is retired and logged, its neighbour goes on, the server's memory stays where it was.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { folder } from "../process.ts";
import { ARGS, serves, TimedCli } from "./attacker.ts";

/**
 * Answers, or begins to answer and attacks. The prototype of connections comes from one of its own, then the next write of the worker shows
 * the link's. Packets by number, as in `src/links/packets.ts`.
 */
const APP = `
const frame = (text, bytes = 0) => {
  const body = new TextEncoder().encode(text);
  const whole = new Uint8Array(8 + body.length + bytes);
  const view = new DataView(whole.buffer);
  view.setUint32(0, body.length, true);
  view.setUint32(4, bytes, true);
  whole.set(body, 8);
  return whole;
};
const many = (text, bytes) => {
  const one = frame(text, bytes);
  const count = Math.ceil(131072 / one.length);
  const all = new Uint8Array(count * one.length);
  for (let n = 0; n < count; n++) all.set(one, n * one.length);
  return all;
};
const floods = {
  garbage: () => frame("{]"),
  lengths: () => new Uint8Array(65536).fill(255),
  beats: () => many("[4,0]"),
  "beats in one": () => frame("[4,0" + ",4,0".repeat(500_000) + "]"),
  notes: () => many('[5,0,"info","a line",null]'),
  "unknown ids": () => many("[19,123456789,1]"),
  "unknown ids in one": () => frame("[20,123456789" + ",20,123456789".repeat(100_000) + "]"),
  empty: () => many("[]"),
  watches: (id) => many("[20," + id + "]"),
  flushes: (id) => many("[25," + id + "]"),
  "empty chunks": (id) => many("[24," + id + ",0]"),
  pulls: (id) => many("[19," + id + ",1]"),
  "large chunks": (id) => many("[24," + id + ",262144]", 262144),
};
const patches = {
  push: () => { const real = Array.prototype.push; Array.prototype.push = function (...items) { return real.call(this, ...items, ...items); }; },
  stringify: () => { JSON.stringify = () => "[4,0"; },
  "huge text": () => { const real = JSON.stringify; JSON.stringify = (value) => real(value) + " ".repeat(3_000_000); },
  encodeInto: () => { TextEncoder.prototype.encodeInto = (text, into) => ({ read: text.length, written: crypto.getRandomValues(into.subarray(0, 64)).length }); },
  setUint32: () => { const real = DataView.prototype.setUint32; DataView.prototype.setUint32 = function (at) { return real.call(this, at, 0x7fffffff, true); }; },
};
async function flood(make) {
  const { port } = new URL("http://" + Deno.env.get("FRONT"));
  const own = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  let conns = Object.getPrototypeOf(own);
  while (!Object.hasOwn(conns, "write")) conns = Object.getPrototypeOf(conns);
  const write = conns.write;
  own.close();
  let id = 0;
  const real = JSON.stringify;
  JSON.stringify = (items) => { if (items[0] === 23) id = items[1]; return real(items); };
  let begun = false;
  conns.write = async function (bytes) {
    if (begun) return new Promise(() => {});
    const count = await write.call(this, bytes);
    if (id === 0) return count;
    begun = true;
    const data = make(id);
    for (let at = 0;; at %= data.length) at += await write.call(this, data.subarray(at));
  };
}
export default async (scope, receive, send) => {
  if (scope.type !== "http") throw new Error("Unsupported scope type: " + scope.type);
  const name = decodeURIComponent(scope.path.slice(1));
  if (name === "port") { const [, port] = scope.server; Deno.env.set("FRONT", "127.0.0.1:" + port); }
  if (name in floods) { Deno.env.set("FRONT", "127.0.0.1:" + scope.server[1]); await flood(floods[name]); }
  if (name in patches) patches[name]();
  await send({ type: "http.response.start", status: 200 });
  if (name !== "ok") { await send({ type: "http.response.body", body: "begun", more: true }); await new Promise(() => {}); }
  await send({ type: "http.response.body", body: "got ok" });
};
`;

/** What is done to the link, and what is said of the worker; `null`: it goes on, within its credit. */
const FLOODS: readonly [name: string, says: RegExp][] = [
  ["garbage", /is gone: The text of a batch is not JSON/],
  ["lengths", /is gone: A frame of 4294967295 and 4294967295 bytes is over the limit/],
  ["beats", /is gone: Too many packets/],
  ["beats in one", /is gone: Too many packets/],
  ["notes", /is gone: Too many packets/],
  ["unknown ids", /is gone: Too many packets/],
  ["unknown ids in one", /is gone: Too many packets/],
  ["empty", /is gone: .*batch/],
  ["watches", /is gone: Too many packets/],
  ["flushes", /is gone: A flush was asked for/],
  ["empty chunks", /is gone: .*chunk/i],
  ["pulls", /is gone: A body was asked for/],
  ["large chunks", /is gone: More was sent for a client than there was credit for/],
  ["push", /is gone: /],
  ["stringify", /is gone: The text of a batch is not JSON/],
  ["huge text", /is gone: A frame of \d+ and \d+ bytes is over the limit/],
  ["encodeInto", /is gone: /],
  ["setUint32", /is gone: A frame of 2147483647 and 2147483647 bytes is over the limit/],
];

/** The neighbour answers within that, on a machine that has other things to do. */
const LATENCY_MS = 1000;
/** The server grows by no more. */
const GROWTH_BYTES = 128 * 1_048_576;

for (const [name, says] of FLOODS) {
  Deno.test(`a worker that sends ${name} is retired, and its neighbour goes on`, async () => {
    await using dir = await folder({ "app.js": APP });
    await using command = new TimedCli(
      [...ARGS, "--workers", "2", "--heartbeat-timeout", "20", "--allow-net=127.0.0.1", "--allow-env=FRONT"],
      { cwd: dir.path },
    );
    const url = await command.url();
    await command.stderr.until(/is ready[\s\S]*is ready/);
    assertEquals(await (await fetch(`${url}ok`)).text(), "got ok");
    const before = rss(command.pid);
    // A client that never reads more than the head.
    const attack = await fetch(url + encodeURIComponent(name)).catch(() => null);
    let isOver = false;
    const gone = command.stderr.until(says).finally(() => isOver = true);
    gone.catch(() => {}); // told below
    const late: number[] = [];
    let most = before;
    for (let n = 0; n < 50 || !isOver; n++) {
      const at = performance.now();
      const response = await fetch(`${url}ok`);
      assertEquals([response.status, await response.text()], [200, "got ok"], `request ${n}`);
      const ms = performance.now() - at;
      if (ms > LATENCY_MS) late.push(ms);
      most = Math.max(most, rss(command.pid));
    }
    const text = await gone;
    assertEquals(late, []);
    assert(most - before < GROWTH_BYTES, `the server grew by ${Math.round((most - before) / 1_048_576)} MiB`);
    assertMatch(text, new RegExp(`Worker (\\d) ${says.source}`));
    await attack?.body?.cancel().catch(() => {});
    await serves(url);
    assertEquals((await command.stop()).code, 0);
  });
}

function rss(pid: number): number {
  return Number(Deno.readTextFileSync(`/proc/${pid}/statm`).split(" ")[1]) * 4096;
}
