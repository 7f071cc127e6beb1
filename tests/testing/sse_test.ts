/** Event streams of the test client, over the real sessions; and its parser alone. */

import { assertEquals, assertRejects } from "@std/assert";
import { defineApp } from "../../src/spec/app.ts";
import { testClient } from "../../src/testing/client.ts";
import { ManualClock } from "../../src/testing/clock.ts";
import { ClosedError, RefusedError } from "../../src/testing/errors.ts";
import { type SseEvent, SseParser } from "../../src/testing/sse_parser.ts";
import { settle } from "../../src/testing/waiting.ts";

Deno.test("TestClient.sse() gives events with their fields", async () => {
  const app = defineApp({
    async sse(_scope, _receive, send) {
      await send({ type: "sse.start", headers: [["x-a", "1"]] });
      await send({ type: "sse.comment", comment: "hello" });
      await send({ type: "sse.send", data: "a\nb", event: "tick", id: "7", retry: 1500 });
      await send({ type: "sse.send", data: '{"n":1}' });
    },
  });
  await using client = await testClient(app);
  const stream = await client.sse("/");
  assertEquals([stream.status, stream.headers.get("content-type"), stream.headers.get("x-a")], [200, "text/event-stream", "1"]);
  assertEquals(await stream.receive(), { data: "a\nb", event: "tick", id: "7", retry: 1500 });
  assertEquals(await stream.receiveJson(), { n: 1 });
  assertEquals(await stream.receive(), null);
  assertEquals(await stream.closed, null);
  assertEquals(stream.comments.map((comment) => comment.trim()), ["hello"]);
  assertEquals(stream.text.includes("data: a\ndata: b\n"), true);
});

Deno.test("TestClient.sse() sends a body, and the app sees the client leave", async () => {
  const seen: unknown[] = [];
  const app = defineApp({
    async sse(scope, receive, send) {
      const event = await receive();
      if (event.type === "sse.request") seen.push(scope.method, new TextDecoder().decode(event.body), event.more);
      await send({ type: "sse.start" });
      seen.push(await receive());
    },
  });
  await using client = await testClient(app);
  const stream = await client.sse("/", { method: "POST", json: { q: 1 } });
  stream.close();
  await settle();
  assertEquals(seen, ["POST", '{"q":1}', 0, { type: "sse.disconnect", reason: "client_closed" }]);
  await assertRejects(() => stream.receive(), ClosedError, "client_closed");
});

Deno.test("TestClient.sse() rejects with the response of a decline", async () => {
  const app = defineApp({
    async sse(_scope, _receive, send) {
      await send({ type: "sse.http.response.start", status: 404, headers: [["content-type", "text/plain"]] });
      await send({ type: "sse.http.response.body", body: "no such stream" });
    },
  });
  await using client = await testClient(app);
  const error = await assertRejects(() => client.sse("/x"), RefusedError, "GET /x was answered with status 404");
  assertEquals(error.response.text(), "no such stream");
});

Deno.test("TestSse.comments shows keepalives of the injected clock", async () => {
  const app = defineApp({
    async sse(_scope, receive, send) {
      await send({ type: "sse.start" });
      await send({ type: "sse.keepalive", interval: 15 });
      while ((await receive()).type !== "sse.disconnect");
    },
  });
  const clock = new ManualClock();
  await using client = await testClient(app, { clock });
  const stream = await client.sse("/");
  await clock.advance(14_999);
  assertEquals(stream.comments.length, 0);
  await clock.advance(30_001);
  assertEquals(stream.comments.length, 3);
});

Deno.test("TestSse.exchange stalls the stream", async () => {
  let sent = 0;
  const app = defineApp({
    async sse(_scope, _receive, send) {
      await send({ type: "sse.start" });
      for (; sent < 5; sent++) await send({ type: "sse.send", data: "x".repeat(60) });
    },
  });
  await using client = await testClient(app, { limits: { highWaterBytes: 100, lowWaterBytes: 50 } });
  const stream = await client.sse("/", { stalled: true });
  await settle();
  assertEquals(sent < 5, true);
  stream.exchange.resume();
  let events = 0;
  for await (const _event of stream) events++;
  assertEquals(events, 5);
});

Deno.test("TestSse.receive() throws where the stream is cut", async () => {
  const app = defineApp({
    async sse(_scope, _receive, send) {
      await send({ type: "sse.start" });
      throw new Error("no");
    },
  });
  await using client = await testClient(app);
  const stream = await client.sse("/");
  assertEquals((await assertRejects(() => stream.receive(), ClosedError)).reason, "server_error");
  assertEquals(await stream.closed, "server_error");
});

/** Parses text at every possible split in two. */
function parse(text: string): { events: SseEvent[]; comments: string[] } {
  const results = new Set<string>();
  for (let at = 0; at <= text.length; at++) {
    const events: SseEvent[] = [];
    const comments: string[] = [];
    const parser = new SseParser((event) => void events.push(event), (comment) => void comments.push(comment));
    parser.push(text.slice(0, at));
    parser.push(text.slice(at));
    results.add(JSON.stringify({ events, comments }));
  }
  assertEquals(results.size, 1, "every split gives the same");
  return JSON.parse([...results][0]!);
}

for (
  const [what, text, events] of [
    ["line ends of all kinds", "data:a\r\n\r\ndata:b\n\ndata: c\r\rx", [{ data: "a" }, { data: "b" }, { data: "c" }]],
    ["one space after the colon", "data:  two\n\n", [{ data: " two" }]],
    ["a field without a colon", "data\n\n", [{ data: "" }]],
    ["unknown fields", "foo: 1\ndata: x\n\n", [{ data: "x" }]],
    ["an event without data", "event: a\n\ndata: b\n\n", [{ data: "b" }]],
    ["a retry of its own", "retry: 10\n\ndata: b\n\n", [{ data: "b", retry: 10 }]],
    ["a retry that is no number", "retry: 1x\ndata: b\n\n", [{ data: "b" }]],
    ["an id with NUL", "id: a\0b\ndata: b\n\n", [{ data: "b" }]],
    ["a byte order mark", "\uFEFFdata: b\n\n", [{ data: "b" }]],
    ["an unfinished event", "data: b\n", []],
  ] as [string, string, SseEvent[]][]
) {
  Deno.test(`SseParser reads ${what}`, () => assertEquals(parse(text).events, events));
}

Deno.test("SseParser keeps comments", () => assertEquals(parse(": a\n:b\n\n").comments, [" a", "b"]));
