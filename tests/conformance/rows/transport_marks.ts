/** Rows of the checklist: the exact crossings of the watermarks, on a wire that knows of every byte when it was read. */

import { assert, assertEquals } from "@std/assert";
import { httpProbe, outcomeOf, sseProbe } from "../probe.ts";
import { elsewhere, row } from "../suite.ts";
import type { Exchange, Target } from "../target.ts";
import { settle } from "../waiting.ts";
import type { Send } from "../../../src/spec/app.ts";
import type { HttpSendEvent } from "../../../src/spec/events.ts";
import type { Transport } from "../../../src/spec/handles.ts";

/** `delivery`: every byte counts until it was written; `force-close`: nothing hides in the buffers of a kernel. */
const EXACT = { needs: ["delivery", "force-close"] } as const;
/** The same where nothing lies between the server and its client: a kernel takes a small answer, whether the client reads or not. */
const BARE = { instead: "memory" } as const;
const MARKS = { highWaterBytes: 1000, lowWaterBytes: 200 };

/** Runs a handler of a streamed response whose client reads nothing before the handler asks for it. */
async function stalled<T>(
  target: Target,
  handler: (transport: Transport, write: (bytes: number) => Promise<void>, read: () => void, send: Send<HttpSendEvent>) => Promise<T>,
): Promise<T> {
  const opened = Promise.withResolvers<Exchange>();
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    const exchange = await opened.promise;
    await send({ type: "http.response.start", status: 200 });
    const write = (bytes: number) => send({ type: "http.response.body", body: new Uint8Array(bytes), more: 1 });
    const result = await handler(scope["pagi.transport"], write, () => exchange.resume(), send);
    exchange.resume();
    if (!scope["pagi.connection"].responseComplete()) await send({ type: "http.response.body" });
    return result;
  });
  await using server = await target.start(app, { limits: MARKS });
  const exchange = await server.exchange({ stalled: true });
  opened.resolve(exchange);
  const finishing = exchange.finish();
  const result = await outcome();
  await finishing;
  return result;
}

row("FLOW-002", "bufferedAmount() is exactly what was sent and not read, looked at anew with each call", EXACT, async (target) => {
  const amounts = await stalled(target, async (transport, write) => {
    const amounts = [transport.bufferedAmount()];
    for (const bytes of [100, 0, 250]) {
      await write(bytes);
      amounts.push(transport.bufferedAmount());
    }
    return amounts;
  });
  assertEquals(amounts, [0, 100, 100, 350]);
});

row(
  "FLOW-005",
  "A send that finds the buffer below the high mark resolves at once, however big; the next one waits",
  BARE,
  async (target) => {
    const states = await stalled(target, async (transport, write, read) => {
      await write(5000);
      const states: unknown[] = [transport.bufferedAmount()];
      let waits = true;
      const next = write(1).then(() => waits = false);
      await settle();
      states.push(waits, transport.bufferedAmount());
      read();
      await next;
      return states;
    });
    assertEquals(states, [5000, true, 5001]);
  },
);

row("FLOW-007", "onHighWater is called once, with the write that reaches the mark", EXACT, async (target) => {
  const calls = await stalled(target, async (transport, write) => {
    const calls: unknown[][] = [];
    transport.onHighWater((...given: unknown[]) => calls.push([transport.bufferedAmount(), ...given]));
    await write(999);
    calls.push(["below"]);
    const writing = write(1);
    calls.push(["returned"]);
    await writing;
    return calls;
  });
  assertEquals(calls, [["below"], [1000], ["returned"]]);
});

row("FLOW-008", "It is not called again before a drain, and then again", EXACT, async (target) => {
  const events = await stalled(target, async (transport, write, read) => {
    const events: string[] = [];
    transport.onHighWater(() => events.push("high"));
    transport.onDrain(() => events.push("drain"));
    await write(1500);
    const more = [write(1500), write(1500)];
    read();
    await Promise.all(more);
    await write(1500);
    await write(1);
    return events;
  });
  assertEquals(events, ["high", "drain", "high", "drain"]);
});

row("FLOW-009", "Registered above the mark it is called at once", EXACT, async (target) => {
  const events = await stalled(target, async (transport, write) => {
    const events: string[] = [];
    transport.onHighWater(() => events.push("early"));
    await write(1000);
    transport.onHighWater(() => events.push("late"));
    return events;
  });
  assertEquals(events, ["early", "late"]);
});

row("FLOW-010", "onDrain is called once below the low mark after a high, and never when it is registered", EXACT, async (target) => {
  const events = await stalled(target, async (transport, write, read) => {
    const events: string[] = [];
    await write(500);
    transport.onDrain(() => events.push(`drain below ${transport.bufferedAmount() < 200}`));
    read();
    await settle();
    events.push("was never high");
    await write(2000);
    await write(1);
    await settle();
    return events;
  });
  assertEquals(events, ["was never high", "drain below true"]);
});

row("FLOW-011", "Callbacks get nothing, run in order, and one that throws is logged and stops no other", EXACT, async (target) => {
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    const calls: unknown[][] = [];
    const transport = scope["pagi.transport"];
    for (const name of ["first", "second"]) {
      transport.onHighWater((...given: unknown[]) => {
        calls.push([`high ${name}`, ...given]);
        throw new Error("the callback broke");
      });
      transport.onDrain((...given: unknown[]) => void calls.push([`drain ${name}`, ...given]));
    }
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: new Uint8Array(2000), more: 1 });
    await send({ type: "http.response.body", body: new Uint8Array(1), more: 1 });
    await send({ type: "http.response.body" });
    return calls;
  });
  await using server = await target.start(app, { limits: MARKS });
  await server.request();
  assertEquals(await outcome(), [["high first"], ["high second"], ["drain first"], ["drain second"]]);
  assertEquals(server.notes.map(({ text, level }) => `${level}: ${text}`), ["error: A callback failed", "error: A callback failed"]);
});

row(
  "FLOW-012",
  "At a crossing: the callbacks of the high mark; then the drain, with nothing buffered; then the send that waited",
  BARE,
  async (
    target,
  ) => {
    const events = await stalled(target, async (transport, write, read) => {
      const events: string[] = [];
      transport.onHighWater(() => events.push("high"));
      transport.onDrain(() => events.push(`drain at ${transport.bufferedAmount()}`));
      await write(5000);
      events.push("sent");
      const waiting = write(10).then(() => events.push("sent the next"));
      await settle();
      events.push("reading");
      read();
      await waiting;
      return events;
    });
    assertEquals(events, ["high", "sent", "reading", "drain at 0", "sent the next"]);
  },
);

row("FLOW-013", "Payload bytes of this exchange alone are counted, not those of its neighbours", EXACT, async (target) => {
  const amount = await stalled(target, async (transport, write) => {
    await write(10);
    return transport.bufferedAmount();
  });
  assertEquals(amount, 10);
});

row("FLOW-017", "The head alone counts nothing; files and comments wait at the mark like everything else", BARE, async (target) => {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, new Uint8Array(1_000_000));
  const states = await stalled(target, async (transport, write, read, send) => {
    const states = [transport.bufferedAmount() === 0];
    await write(1000);
    let waits = true;
    const filing = send({ type: "http.response.body", file: path }).then(() => waits = false);
    await settle(50);
    states.push(waits, transport.bufferedAmount() < 500_000);
    read();
    await filing;
    return states;
  });
  await Deno.remove(path);
  assertEquals(states, [true, true, true]);
});

row("FLOW-017", "A comment waits at the mark", BARE, async (target) => {
  const opened = Promise.withResolvers<Exchange>();
  const { app, outcome } = sseProbe(async (_scope, _receive, send) => {
    const exchange = await opened.promise;
    await send({ type: "sse.start" });
    await send({ type: "sse.send", data: "x".repeat(1000) });
    let waits = true;
    const commenting = send({ type: "sse.comment", comment: "c" }).then(() => waits = false);
    await settle();
    const before = waits;
    exchange.resume();
    await commenting;
    return before;
  });
  await using server = await target.start(app, { limits: MARKS });
  const exchange = await server.exchange({ headers: [["accept", "text/event-stream"]], stalled: true });
  opened.resolve(exchange);
  assertEquals((await exchange.finish()).text.endsWith("\n\n:c\n\n"), true);
  assertEquals(await outcome(), true);
});

row("FLOW-004", "An app that does not wait is stopped at max_send_buffer: queue_overflow, and no send rejects", EXACT, async (target) => {
  const { app, outcome } = httpProbe(async (scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    const sends: Promise<string>[] = [];
    for (let count = 0; count < 10; count++) {
      sends.push(outcomeOf(send({ type: "http.response.body", body: new Uint8Array(1000), more: 1 })));
    }
    return { sends: await Promise.all(sends), reason: scope["pagi.connection"].disconnectReason() };
  });
  await using server = await target.start(app, { limits: { ...MARKS, maxSendBufferBytes: 5000 } });
  const exchange = await server.exchange({ stalled: true });
  const { sends, reason } = await outcome();
  assert(sends.every((text) => text === "resolved"), sends.join());
  assertEquals([reason, (await server.ended()).end.reason], ["queue_overflow", "queue_overflow"]);
  exchange.leave();
});

elsewhere("FLOW-007", "The buffer of the engine that serves sockets goes high and drains", "tests/engines/deno_serve_socket_test.ts");
