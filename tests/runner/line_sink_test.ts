import { assert, assertEquals } from "@std/assert";
import { LineSink, type LineTarget } from "../../src/runner/line_sink.ts";

/** Keeps what is written; `hold` lets writes wait. */
class Target implements LineTarget {
  writes: string[] = [];
  gate: Promise<void> = Promise.resolve();
  problem: Error | null = null;
  most = Infinity;

  async write(bytes: Uint8Array): Promise<number> {
    await this.gate;
    if (this.problem !== null) throw this.problem;
    const count = Math.min(this.most, bytes.byteLength);
    this.writes.push(new TextDecoder().decode(bytes.subarray(0, count)));
    return count;
  }
}

function unexpected(problem: string): void {
  throw new Error(problem);
}

Deno.test("LineSink.flush() writes all lines at once, in order", async () => {
  const target = new Target();
  const sink = new LineSink(target, unexpected);
  for (const line of ["a", "b", "c"]) sink.write(line);
  assertEquals(target.writes, []);
  await sink.flush();
  assertEquals(target.writes, ["a\nb\nc\n"]);
});

Deno.test("LineSink.write() writes without being asked, soon", async () => {
  const target = new Target();
  const written = Promise.withResolvers<void>();
  const sink = new LineSink({
    write: (bytes) => target.write(bytes).finally(written.resolve),
  }, unexpected);
  const start = performance.now();
  sink.write("a");
  // The timer of the sink does not keep a process alive, so the test does.
  const alive = setTimeout(() => {}, 5000);
  await written.promise;
  clearTimeout(alive);
  assert(performance.now() - start < 500);
  assertEquals(target.writes, ["a\n"]);
});

Deno.test("LineSink.write() writes a full buffer at once, and lines that come meanwhile after it", async () => {
  const target = new Target();
  const gate = Promise.withResolvers<void>();
  target.gate = gate.promise;
  const sink = new LineSink(target, unexpected);
  const big = "x".repeat(300_000);
  sink.write(big);
  sink.write("later");
  gate.resolve();
  await sink.flush();
  assertEquals(target.writes, [`${big}\n`, "later\n"]);
});

Deno.test("LineSink.flush() goes on where a write was short", async () => {
  const target = new Target();
  target.most = 2;
  const sink = new LineSink(target, unexpected);
  sink.write("abc");
  await sink.flush();
  assertEquals(target.writes.join(""), "abc\n");
});

Deno.test("LineSink reports a failed write once, and goes on", async () => {
  const target = new Target();
  const problems: string[] = [];
  const sink = new LineSink(target, (problem) => problems.push(problem));
  target.problem = new Error("disk full");
  sink.write("a");
  await sink.flush();
  sink.write("b");
  await sink.flush();
  target.problem = null;
  sink.write("c");
  await sink.flush();
  assertEquals([problems, target.writes], [["disk full"], ["c\n"]]);
});

Deno.test("LineSink drops lines beyond its bound, and says how many", async () => {
  const target = new Target();
  const problems: string[] = [];
  const gate = Promise.withResolvers<void>();
  target.gate = gate.promise;
  const sink = new LineSink(target, (problem) => problems.push(problem));
  const line = "x".repeat(1_000_000);
  for (let count = 0; count < 30; count++) sink.write(line);
  gate.resolve();
  await sink.flush();
  const lines = target.writes.join("").split("\n").length - 1;
  assertEquals(problems, [`${30 - lines} lines were dropped: they came faster than they could be written`]);
});
