/** Rows of the checklist: how an event stream is told of its end, and requests that are declined. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { SseStreamEvent } from "../../../src/spec/events.ts";
import { outcomeOf, sseProbe } from "../probe.ts";
import { type SseArgs, started, STREAM, stream } from "../streams.ts";
import { elsewhere, row } from "../suite.ts";
import type { Target } from "../target.ts";
import { settle } from "../waiting.ts";

/** Starts, sends one event, and gives the first disconnect and the one after it. */
function waiter() {
  return started(async (send, receive) => {
    await send({ type: "sse.send", data: "x" });
    await receive();
    return [await receive(), await receive()];
  });
}

const told = (reason: string) => [{ type: "sse.disconnect" as const, reason }, { type: "sse.disconnect" as const, reason }];

row("SSE-047", "A client that leaves is told as sse.disconnect with client_closed", {}, async (target) => {
  const { app, outcome } = waiter();
  await using server = await target.start(app);
  const exchange = await stream(server);
  await exchange.readUntil("data: x");
  exchange.leave();
  assertEquals(await outcome(), told("client_closed"));
});

row("SSE-048", "A stop is told as server_shutdown, again and again, and cuts the stream", {}, async (target) => {
  const { app, outcome } = waiter();
  await using server = await target.start(app);
  const exchange = await stream(server);
  await exchange.readUntil("data: x");
  const stopping = server.stop(0);
  assertEquals(await outcome(), told("server_shutdown"));
  assertEquals((await exchange.finish()).cut, true);
  await stopping;
  assertEquals((await server.ended()).end.reason, "server_shutdown");
});

row("SSE-048", "The idle limit is told as idle_timeout; events put it off", {}, async (target) => {
  const { app, outcome } = started(async (send, receive) => {
    await receive();
    const start = performance.now();
    for (let count = 0; count < 4; count++) {
      await settle(25);
      await send({ type: "sse.send", data: "x" });
    }
    const { type, ...rest } = await receive();
    return { type, rest, lasted: performance.now() - start };
  });
  await using server = await target.start(app, { limits: { sseIdleTimeoutMs: 60 } });
  const reply = await server.request({ headers: STREAM });
  assertEquals([reply.text, reply.cut], ["data: x\n\n".repeat(4), true]);
  const { type, rest, lasted } = await outcome();
  assertEquals([type, rest], ["sse.disconnect", { reason: "idle_timeout" }]);
  assert(lasted >= 150, `${lasted}`);
});

elsewhere("SSE-048", "A failed write is told as write_error", "tests/sessions/scenario_sse_test.ts");

/** Sends events of a decline and tells what became of each; the answer is the client's. */
async function declined(target: Target, events: readonly SseStreamEvent[], then?: (...args: SseArgs) => Promise<unknown>) {
  const { app, outcome } = sseProbe(async (scope, receive, send) => {
    const outcomes: string[] = [];
    for (const event of events) outcomes.push((await outcomeOf(send(event))).replace(/^StateError: Cannot send ".*": /, ""));
    const last = await then?.(scope, receive, send);
    return { outcomes, last };
  });
  await using server = await target.start(app);
  const reply = await server.request({ headers: STREAM });
  return { reply, ...await outcome(), server };
}

const START: SseStreamEvent = { type: "sse.http.response.start", status: 404, headers: [["content-type", "text/plain"], ["X-A", "1"]] };
const BODY: SseStreamEvent = { type: "sse.http.response.body", body: "no such stream" };
const STREAM_EVENTS: readonly SseStreamEvent[] = [
  { type: "sse.send", data: "x" },
  { type: "sse.comment", comment: "x" },
  { type: "sse.keepalive", interval: 1 },
  { type: "sse.close" },
  { type: "sse.start" },
];

row("SSE-049", "A decline is that plain response and no event stream", {}, async (target) => {
  const { reply } = await declined(target, [START, BODY]);
  assertEquals([reply.status, reply.get("content-type"), reply.get("x-a"), reply.text], [404, "text/plain", "1", "no such stream"]);
  assertEquals([reply.get("cache-control"), reply.cut], [null, false]);
});

row("SSE-050", "The body of a decline may come in parts", {}, async (target) => {
  const { reply } = await declined(target, [
    START,
    { type: "sse.http.response.body", body: "a", more: 1 },
    { type: "sse.http.response.body", body: new TextEncoder().encode("b"), more: true },
    { type: "sse.http.response.body" },
  ]);
  assertEquals([reply.status, reply.text, reply.cut], [404, "ab", false]);
});

row("SSE-051", "A decline with 204 stops an EventSource: no body, no length", {}, async (target) => {
  const { reply } = await declined(target, [{ type: "sse.http.response.start", status: 204 }, { type: "sse.http.response.body" }]);
  assertEquals([reply.status, reply.get("content-length"), reply.get("transfer-encoding"), reply.body.byteLength], [204, null, null, 0]);
});

row("SSE-052", "A decline after the start rejects (StateError), and the stream goes on", {}, async (target) => {
  const { reply, outcomes } = await declined(target, [{ type: "sse.start" }, START, BODY, { type: "sse.send", data: "x" }]);
  assertEquals([reply.status, reply.text], [200, "data: x\n\n"]);
  assertEquals(outcomes, ["resolved", "the stream has started", "the stream has started", "resolved"]);
});

row("SSE-052", "Behind the start of a decline every stream event rejects (StateError)", {}, async (target) => {
  const { reply, outcomes } = await declined(target, [START, ...STREAM_EVENTS, BODY]);
  assertEquals([reply.status, reply.text], [404, "no such stream"]);
  assertEquals(outcomes, ["resolved", ...STREAM_EVENTS.map(() => "the stream is being declined"), "resolved"]);
});

row("SSE-053", "A decline works without any extension flag", {}, async (target) => {
  const { reply, last } = await declined(target, [START, BODY], (scope) => Promise.resolve(Object.keys(scope.extensions)));
  assertEquals(reply.status, 404);
  assert(!(last as string[]).some((name) => name.startsWith("sse")));
});

row(
  "SSE-054",
  "No sse.disconnect is told after a decline, neither to a receive that waited before it nor to a later one",
  {},
  async (target) => {
    const { app, outcome } = sseProbe(async (_scope, receive, send) => {
      await receive();
      const told: string[] = [];
      void receive().then(({ type }) => told.push(type));
      await send({ type: "sse.http.response.start", status: 404 });
      await send({ type: "sse.http.response.body", body: "none" });
      void receive().then(({ type }) => told.push(type));
      await settle(100);
      return told;
    });
    await using server = await target.start(app);
    const exchange = await stream(server);
    assertEquals((await exchange.finish()).status, 404);
    exchange.leave();
    assertEquals(await outcome(), []);
  },
);

row("SSE-055", "A decline gets content-length and date; its status is required (EventError)", {}, async (target) => {
  const { reply, outcomes } = await declined(target, [{ type: "sse.http.response.start" } as SseStreamEvent, START, BODY]);
  assertEquals([reply.status, reply.get("content-length")], [404, "14"]);
  assert(reply.get("date") !== null);
  assertMatch(outcomes[0]!, /^EventError: .*: status is missing/);
});

row("SSE-056", "A second start, a body without a start and unknown types reject", {}, async (target) => {
  const unknown = { type: "http.response.body" } as unknown as SseStreamEvent;
  const { reply, outcomes } = await declined(target, [BODY, START, START, unknown, BODY]);
  assertEquals([reply.status, reply.text], [404, "no such stream"]);
  assertEquals([outcomes[0], outcomes[2]], ["the decline has not started", "the stream is being declined"]);
  assertMatch(outcomes[3]!, /^EventError/);
});

row("SSE-057", "Behind a complete decline every event rejects (StateError; the reference resolves)", {}, async (target) => {
  const { outcomes } = await declined(target, [START, BODY, ...STREAM_EVENTS, START, BODY]);
  assertEquals(outcomes.slice(2), new Array(7).fill("the stream is declined"));
});

row("SSE-058", "A decline that the app leaves before its body is answered 500, logged", {}, async (target) => {
  const { reply, server } = await declined(target, [START]);
  assertEquals(reply.status, 500);
  assertEquals((await server.noted(/before its decline was complete/)).level, "error");
});

row("SSE-058", "A decline that the app leaves inside its body is cut", {}, async (target) => {
  const { reply } = await declined(target, [START, { type: "sse.http.response.body", body: "part", more: 1 }], () => settle());
  assertEquals([reply.status, reply.text, reply.cut], [404, "part", true]);
});

row("SSE-059", "A bad header in the start of a decline rejects (EventError), and a corrected one works", {}, async (target) => {
  const { reply, outcomes } = await declined(target, [{ ...START, headers: [["x-a", "b\r\nx-evil: 1"]] }, START, BODY]);
  assertEquals([reply.status, reply.text, reply.get("x-evil")], [404, "no such stream", null]);
  assertMatch(outcomes[0]!, /^EventError: .*: headers /);
});
