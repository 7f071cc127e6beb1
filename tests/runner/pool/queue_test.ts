import { assertEquals } from "@std/assert";
import type { Host, Inbound } from "../../../src/exchange.ts";
import { WaitQueue } from "../../../src/runner/pool/queue.ts";
import { ManualClock } from "../../../src/testing/clock.ts";
import { FakeOut } from "./fakes.ts";

function rig(limit: number, timeoutMs: number) {
  const clock = new ManualClock();
  const refused: string[] = [];
  const queue = new WaitQueue(limit, timeoutMs, clock, (refusal) => refused.push(refusal));
  const opened: { id: number; host: string; calls: string[] }[] = [];
  const add = (id: number) => {
    const out = new FakeOut(id);
    const inbound = queue.add(out, (host) => {
      const entry = { id, host: String(host), calls: [] as string[] };
      opened.push(entry);
      const call = (name: string) => () => void entry.calls.push(name);
      return {
        body: call("body"),
        drained: call("drained"),
        flushed: call("flushed"),
        closed: call("closed"),
        message: call("message"),
        pong: call("pong"),
      } as Inbound;
    });
    return { out, inbound };
  };
  return { clock, queue, refused, opened, add };
}

Deno.test("WaitQueue.flush() hands out what waits in its order, each exchange to the next host", () => {
  const { clock, queue, opened, add } = rig(10, 1000);
  const { inbound } = add(1);
  add(2);
  add(3);
  assertEquals([queue.size, opened.length], [3, 0]);
  let turn = 0;
  queue.flush(() => `host ${turn++}` as unknown as Host);
  assertEquals(opened.map(({ id, host }) => [id, host]), [[1, "host 0"], [2, "host 1"], [3, "host 2"]]);
  assertEquals([queue.size, clock.pending], [0, 0]);
  inbound.body(new Uint8Array(1), false);
  inbound.drained();
  inbound.flushed();
  inbound.message("x");
  inbound.pong(1);
  inbound.closed({ reason: null });
  assertEquals(opened[0]!.calls, ["body", "drained", "flushed", "message", "pong", "closed"]);
});

Deno.test("WaitQueue.add() answers 503 with retry-after where the queue is full", () => {
  const { queue, refused, add } = rig(2, 1000);
  const outs = [add(1), add(2), add(3)].map(({ out }) => out);
  assertEquals(outs.map(({ ends }) => ends), [[], [], ["503 x-queue-full"]]);
  assertEquals(outs[2]!.headers.find(([name]) => name === "retry-after"), ["retry-after", "5"]);
  assertEquals([refused, queue.size], [["x-queue-full"], 2]);
  assertEquals(outs.map(({ watched }) => watched), [1, 1, 0]);
});

Deno.test("WaitQueue.add() lets nothing wait where it may not", () => {
  assertEquals(rig(0, 1000).add(1).out.ends, ["503 x-queue-full"]);
  assertEquals(rig(5, 0).add(1).out.ends, ["503 x-queue-full"]);
});

Deno.test("WaitQueue answers 503 to each exchange when its own time is over", async () => {
  const { clock, queue, add } = rig(10, 1000);
  const first = add(1).out;
  await clock.advance(400);
  const second = add(2).out;
  await clock.advance(599);
  assertEquals([first.ends, second.ends], [[], []]);
  await clock.advance(1);
  assertEquals([first.ends, second.ends], [["503 x-queue-timeout"], []]);
  await clock.advance(400);
  assertEquals([first.ends, second.ends, queue.size, clock.pending], [["503 x-queue-timeout"], ["503 x-queue-timeout"], 0, 0]);
});

Deno.test("WaitQueue forgets an exchange whose client has left", async () => {
  const { clock, queue, opened, add } = rig(1, 1000);
  const { out, inbound } = add(1);
  inbound.closed({ reason: "client_closed" });
  assertEquals([queue.size, clock.pending], [0, 0]);
  add(2);
  queue.flush(() => "host" as unknown as Host);
  await clock.advance(5000);
  assertEquals([out.ends, opened.map(({ id }) => id)], [[], [2]]);
});

Deno.test("WaitQueue.refuseAll() answers 503 to everything that waits", () => {
  const { clock, queue, add } = rig(9, 1000);
  const outs = [add(1), add(2)].map(({ out }) => out);
  queue.refuseAll();
  assertEquals(outs.map(({ ends }) => ends), [["503 server_shutdown"], ["503 server_shutdown"]]);
  assertEquals([queue.size, clock.pending], [0, 0]);
});
