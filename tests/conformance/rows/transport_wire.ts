/** The watermarks on a socket, whose buffers hide some megabytes: what holds there whatever the numbers are. */

import { assert, assertEquals } from "@std/assert";
import { httpProbe } from "../probe.ts";
import { row } from "../suite.ts";
import type { Target } from "../target.ts";
import { Gate } from "../waiting.ts";

const WIRE = { wire: true };

/** What happened, in order: until a send waited for the client, and behind that. */
interface Course {
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** While that send waited. */
  readonly buffered: number;
}

const courses = new Map<string, Promise<Course>>();

/** One for each target is enough for all rows. */
async function course(target: Target): Promise<Course> {
  const known = courses.get(target.name) ?? run(target);
  courses.set(target.name, known);
  return await known;
}

/** An app sends until a send waits; then its client begins to read. The first callback of each crossing throws. */
async function run(target: Target): Promise<Course> {
  const events: string[] = [];
  const stuck = new Gate();
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    const transport = scope["pagi.transport"];
    transport.onHighWater(() => {
      events.push("high");
      throw new Error("a callback throws");
    });
    transport.onHighWater((...args: unknown[]) => events.push(`second, ${args.length} arguments`));
    transport.onDrain(() => events.push("drain"));
    await send({ type: "http.response.start", status: 200 });
    let sending: Promise<void>;
    do sending = send({ type: "http.response.body", body: new Uint8Array(65_536), more: 1 }); while (await resolves(sending, 100));
    transport.onHighWater(() => events.push("at once"));
    const before = events.splice(0);
    const buffered = transport.bufferedAmount();
    stuck.open();
    await sending;
    events.push("sent");
    const after = events.slice();
    await send({ type: "http.response.body" });
    return { before, after, buffered };
  });
  await using server = await target.start(app);
  const exchange = await server.exchange({ stalled: true });
  await stuck.pass();
  const [reply, result] = await Promise.all([exchange.finish(), outcome()]);
  assertEquals(reply.cut, false);
  await server.noted(/callback/);
  return result;
}

async function resolves(promise: Promise<void>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), ms));
  const first = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return first;
}

row("FLOW-007", "a client that does not read brings the buffer to its mark, and onHighWater is called", WIRE, async (target) => {
  const { before, buffered } = await course(target);
  assertEquals(before.slice(-3), ["high", "second, 0 arguments", "at once"]);
  assert(buffered >= 65_536, String(buffered));
});

row("FLOW-008", "high and drain take turns", WIRE, async (target) => {
  const { before } = await course(target);
  const turns = before.filter((event) => event === "high" || event === "drain");
  assertEquals(turns, turns.map((_, index) => index % 2 === 0 ? "high" : "drain"));
});

row("FLOW-009", "registered above the mark it is called at once", WIRE, async (target) => {
  assertEquals((await course(target)).before.at(-1), "at once");
});

row("FLOW-010", "onDrain is called once the client has read", WIRE, async (target) => {
  assertEquals((await course(target)).after.filter((event) => event === "drain").length, 1);
});

row("FLOW-011", "callbacks run in order, without arguments; one that throws is logged and stops no other", WIRE, async (target) => {
  const { before } = await course(target);
  for (const [index, event] of before.entries()) if (event === "high") assertEquals(before[index + 1], "second, 0 arguments");
});

row("FLOW-012", "the drain comes before the send that waited resolves", WIRE, async (target) => {
  assertEquals((await course(target)).after, ["drain", "sent"]);
});

const LARGE = { wire: true, needs: ["delivery"] } as const;

row(
  "FLOW-005",
  "A send that finds the buffer below the high mark resolves at once, also one of 16 MiB; the next one waits",
  LARGE,
  async (target) => {
    const opened = new Gate();
    const stuck = new Gate();
    const { app, outcome } = httpProbe(async (scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await opened.pass();
      await send({ type: "http.response.body", body: new Uint8Array(16_777_216), more: 1 });
      const next = send({ type: "http.response.body", body: "x", more: 1 });
      const waits = !await resolves(next, 50);
      const buffered = scope["pagi.transport"].bufferedAmount();
      stuck.open();
      await next;
      await send({ type: "http.response.body" });
      return { waits, counts: buffered > 65_536 && buffered <= 16_777_217 };
    });
    await using server = await target.start(app, { limits: { maxSendBufferBytes: 33_554_432 } });
    const exchange = await server.exchange({ stalled: true });
    opened.open();
    await stuck.pass();
    const [reply, result] = await Promise.all([exchange.finish(), outcome()]);
    assertEquals([reply.body.byteLength, result], [16_777_217, { waits: true, counts: true }]);
  },
);

row("FLOW-017", "A file waits for the client, and little of it is held", LARGE, async (target) => {
  const path = await Deno.makeTempFile();
  await Deno.truncate(path, 33_554_432);
  const stuck = new Gate();
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    const filing = send({ type: "http.response.body", file: path });
    const waits = !await resolves(filing, 200);
    const buffered = scope["pagi.transport"].bufferedAmount();
    stuck.open();
    await filing;
    return { waits, little: buffered < 1_000_000 };
  });
  await using server = await target.start(app);
  const exchange = await server.exchange({ stalled: true });
  await stuck.pass();
  const [reply, result] = await Promise.all([exchange.finish(), outcome()]);
  await Deno.remove(path);
  assertEquals([reply.body.byteLength, result], [33_554_432, { waits: true, little: true }]);
});
