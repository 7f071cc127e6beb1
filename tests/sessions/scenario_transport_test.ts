/** Contract section 8, `pagi.transport`, in every scope type, over the memory engine. */

import { assertEquals } from "@std/assert";
import { type App, defineApp } from "../../src/spec/app.ts";
import type { Transport } from "../../src/spec/handles.ts";
import { type TestClient, testClient } from "../../src/testing/mod.ts";
import { settle } from "../../src/testing/waiting.ts";

const LIMITS = { highWaterBytes: 1000, lowWaterBytes: 250, maxSendBufferBytes: 10_000 };

/** Runs `play` in a scope of each type, with a function that sends 400 payload bytes. */
function app(play: (transport: Transport, send: (bytes?: number) => Promise<void>) => Promise<void>): App {
  return defineApp({
    async http(scope, _receive, send) {
      await send({ type: "http.response.start", status: 200 });
      await play(scope["pagi.transport"], (bytes = 400) => send({ type: "http.response.body", body: new Uint8Array(bytes), more: true }));
      await send({ type: "http.response.body" });
    },
    async sse(scope, _receive, send) {
      await send({ type: "sse.start" });
      await play(scope["pagi.transport"], (bytes = 400) => send({ type: "sse.send", data: "x".repeat(bytes - 8) }));
    },
    async websocket(scope, _receive, send) {
      await send({ type: "websocket.accept" });
      await play(scope["pagi.transport"], (bytes = 400) => send({ type: "websocket.send", text: "x".repeat(bytes) }));
    },
  });
}

interface Stalled {
  resume(bytes?: number): void;
  readonly buffered: number;
  disconnect(): void;
  cut(): Promise<boolean>;
}

const KINDS: Record<string, (client: TestClient) => Promise<Stalled>> = {
  http: async (client) => {
    const exchange = await client.open("GET", "/", { stalled: true });
    return {
      resume: (bytes) => exchange.resume(bytes),
      get buffered() {
        return exchange.buffered;
      },
      disconnect: () => exchange.disconnect(),
      cut: async () => (await exchange.closed) === "queue_overflow",
    };
  },
  sse: async (client) => {
    const stream = await client.sse("/", { stalled: true });
    return {
      resume: (bytes) => stream.exchange.resume(bytes),
      get buffered() {
        return stream.exchange.buffered;
      },
      disconnect: () => stream.close(),
      cut: async () => (await stream.closed) === "queue_overflow",
    };
  },
  websocket: async (client) => {
    const socket = await client.websocket("/", { stalled: true });
    return {
      resume: (bytes) => socket.resume(bytes),
      get buffered() {
        return socket.buffered;
      },
      disconnect: () => socket.drop(),
      cut: async () => (await socket.closed).code === 1006,
    };
  },
};

for (const [kind, open] of Object.entries(KINDS)) {
  Deno.test(`transport of ${kind}: marks, callbacks once per crossing, sends that wait`, async () => {
    const log: string[] = [];
    await using client = await testClient(
      app(async (transport, send) => {
        log.push(`marks ${transport.highWaterMark()} ${transport.lowWaterMark()} ${transport.bufferedAmount()}`);
        transport.onHighWater(() => log.push(`high ${transport.bufferedAmount()}`));
        transport.onHighWater(() => {
          throw new Error("a callback that throws");
        });
        transport.onHighWater(() => log.push("high too"));
        transport.onDrain(() => log.push("drain"));
        for (let i = 0; i < 4; i++) {
          await send();
          log.push(`sent ${i}`);
        }
        transport.onHighWater(() => log.push("never"));
      }),
      { limits: LIMITS },
    );
    const stalled = await open(client);
    await settle();
    assertEquals(log, ["marks 1000 250 0", "sent 0", "sent 1", "high 1200", "high too", "sent 2"]);
    assertEquals(stalled.buffered, 1600, "the send that waits was taken");
    stalled.resume(1200);
    await settle();
    assertEquals(log.length, 6, "400 is not below the low mark");
    stalled.resume();
    await settle();
    assertEquals(log.slice(6), ["drain", "sent 3"]);
    assertEquals(client.notes.filter(({ level }) => level === "error").length, 1);
  });

  Deno.test(`transport of ${kind}: a callback that comes late is called at once where the buffer is high`, async () => {
    const log: string[] = [];
    await using client = await testClient(
      app(async (transport, send) => {
        await send(1000);
        transport.onHighWater(() => log.push("high"));
        transport.onDrain(() => log.push("drain"));
        log.push("registered");
        await send();
        await send(1000);
      }),
      { limits: LIMITS },
    );
    const stalled = await open(client);
    await settle();
    assertEquals(log, ["high", "registered"]);
    stalled.resume(1400);
    await settle();
    assertEquals(log, ["high", "registered", "drain", "high"], "the next crossing is told again");
    stalled.resume();
  });

  Deno.test(`transport of ${kind}: a send that waits resolves when the client leaves, without a drain`, async () => {
    const log: string[] = [];
    await using client = await testClient(
      app(async (transport, send) => {
        transport.onDrain(() => log.push("drain"));
        await send(1000);
        await send();
        log.push(`resolved ${transport.bufferedAmount()}`);
      }),
      { limits: LIMITS },
    );
    const stalled = await open(client);
    await settle();
    stalled.disconnect();
    await settle();
    assertEquals(log, ["resolved 0"]);
    assertEquals(client.errors, []);
  });

  Deno.test(`transport of ${kind}: an app that does not await its sends is cut with queue_overflow`, async () => {
    await using client = await testClient(
      app(async (_transport, send) => {
        for (let i = 0; i < 100; i++) void send();
        await new Promise(() => {});
      }),
      { limits: LIMITS },
    );
    const stalled = await open(client);
    assertEquals(await stalled.cut(), true);
    assertEquals(client.finished.at(-1)!.end.reason, "queue_overflow");
    assertEquals(client.notes.some(({ level }) => level === "warn"), true);
  });
}

Deno.test("transport of http: the start alone is held back, a whole answer counts until it is read", async () => {
  const log: unknown[] = [];
  const single = defineApp({
    async http(scope, _receive, send) {
      const transport = scope["pagi.transport"];
      scope["pagi.connection"].isConnected();
      await send({ type: "http.response.start", status: 200 });
      log.push(transport.bufferedAmount());
      await send({ type: "http.response.body", body: "12345" });
      log.push(transport.bufferedAmount());
    },
  });
  await using client = await testClient(single);
  await client.open("GET", "/", { stalled: true });
  await settle();
  assertEquals(log, [0, 5]);
});
