/** Rows of the checklist: the text of events and comments. */

import { assertEquals, assertMatch } from "@std/assert";
import { loose, outcomeOf } from "../probe.ts";
import { started, STREAM, stream } from "../streams.ts";
import { elsewhere, row } from "../suite.ts";
import { Gate } from "../waiting.ts";

/** Events and the bytes that they are. */
type Case = readonly [event: Record<string, unknown>, text: string];

/** Declares a row: each event leaves as that text. */
function writes(id: string, says: string, cases: readonly Case[]): void {
  row(id, says, {}, async (target) => {
    const { app } = started(async (send) => {
      for (const [event] of cases) await loose(send)({ type: "comment" in event ? "sse.comment" : "sse.send", ...event });
    });
    for (const validateEvents of [true, false]) {
      await using server = await target.start(app, { validateEvents });
      assertEquals((await server.request({ headers: STREAM })).text, cases.map(([, text]) => text).join(""));
    }
  });
}

/** Declares a row: each event rejects and names the field, and the stream goes on. */
function refuses(id: string, says: string, field: string, events: readonly Record<string, unknown>[]): void {
  row(id, says, {}, async (target) => {
    const { app, outcome } = started(async (send) => {
      const outcomes: string[] = [];
      for (const event of events) outcomes.push(await outcomeOf(loose(send)({ type: "sse.send", data: "bad", ...event })));
      await send({ type: "sse.send", data: "good" });
      return outcomes;
    });
    for (const validateEvents of [true, false]) {
      await using server = await target.start(app, { validateEvents });
      assertEquals((await server.request({ headers: STREAM })).text, "data: good\n\n");
      for (const [at, text] of (await outcome()).entries()) {
        assertMatch(text, new RegExp(`^EventError: Cannot send "sse\\.send": ${field} must `), JSON.stringify(events[at]));
      }
    }
  });
}

writes("SSE-019", "An event is its data line and an empty line", [[{ data: "hello" }, "data: hello\n\n"]]);
writes("SSE-020", "The fields come as event, data, id and retry", [
  [{ retry: 1000, id: "10", data: "a\nb", event: "msg" }, "event: msg\ndata: a\ndata: b\nid: 10\nretry: 1000\n\n"],
]);
writes("SSE-021", "Data is split on LF, CRLF and CR, and no CR is left", [
  [{ data: "a\nb\r\nc\rd" }, "data: a\ndata: b\ndata: c\ndata: d\n\n"],
  [{ data: "\r\r\n\n" }, "data: \ndata: \ndata: \ndata: \n\n"],
]);
writes("SSE-022", "Line ends at the edges of data keep their empty lines", [
  [{ data: "a\n" }, "data: a\ndata: \n\n"],
  [{ data: "\n\nb" }, "data: \ndata: \ndata: b\n\n"],
]);
writes("SSE-023", "Empty data is an event", [[{ data: "" }, "data: \n\n"]]);
refuses("SSE-024", "CR or LF in event or id rejects (EventError), and the stream goes on", "(event|id)", [
  ...["a\nb", "a\rb", "\r\n", "a\ndata: x"].flatMap((text) => [{ event: text }, { id: text }]),
]);
refuses("SSE-025", "A retry that is no non-negative integer rejects (EventError)", "retry", [
  ...[-1, 1.5, "abc", "5000", "5000\ndata: x", NaN, Infinity, true].map((retry) => ({ retry })),
]);
writes("SSE-025", "A retry of 0 is sent", [[{ data: "x", retry: 0 }, "data: x\nretry: 0\n\n"]]);
writes("SSE-026", "An empty event or id is left out, 0 is kept, null counts as absent", [
  [{ data: "x", event: "", id: "" }, "data: x\n\n"],
  [{ data: "x", event: "0", id: "0" }, "event: 0\ndata: x\nid: 0\n\n"],
  [{ data: "x", event: null, id: null, retry: null }, "data: x\n\n"],
]);
refuses("SSE-027", "NUL in an id rejects (EventError): clients would drop the id", "id", [{ id: "a\0" }, { id: "\0" }]);
writes("SSE-028", "Every string is UTF-8", [
  [{ data: "é 🦕", event: "ñ", id: "–" }, "event: ñ\ndata: é 🦕\nid: –\n\n"],
  [{ comment: "ü" }, ":ü\n\n"],
]);
writes("SSE-031", "A comment gets its colon unless it has one, in every line", [
  [{ comment: "ping" }, ":ping\n\n"],
  [{ comment: ":ping" }, ":ping\n\n"],
  [{ comment: "a\nb\r\nc\rd" }, ":a\n:b\n:c\n:d\n\n"],
  [{ comment: ":a\ndata: forged" }, ":a\n:data: forged\n\n"],
  [{ comment: "a\n\ndata: forged" }, ":a\n:\n:data: forged\n\n"],
]);
writes("SSE-032", "An empty comment is a colon and an empty line; nothing is trimmed", [
  [{ comment: "" }, ":\n\n"],
  [{ comment: " sp " }, ": sp \n\n"],
]);
elsewhere("SSE-021", "Events and comments over many texts, read back by a parser of the standard", "tests/wire/sse_test.ts");

row("SSE-029", "Over HTTP/1.1 an event that is awaited is one chunk, with its length in bytes", { wire: true }, async (target) => {
  const next = new Gate();
  const { app } = started(async (send) => {
    await send({ type: "sse.send", data: "hi" });
    await next.pass();
    await send({ type: "sse.send", data: "é" });
  });
  await using server = await target.start(app);
  const connection = await server.connect();
  await connection.send("GET / HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n");
  await connection.head();
  assertMatch(await connection.until("\n\n\r\n"), /^a\r\ndata: hi\n\n\r\n$/i);
  next.open();
  assertMatch(await connection.until("0\r\n\r\n"), /^a\r\ndata: \xc3\xa9\n\n\r\n0\r\n\r\n$/i);
});

row("SSE-029", "A field that was refused leaves the stream usable", {}, async (target) => {
  const { app } = started(async (send) => {
    await send({ type: "sse.send", data: "a" });
    await outcomeOf(send({ type: "sse.send", data: "b", id: "\n" }));
    await outcomeOf(loose(send)({ type: "sse.send" }));
    await send({ type: "sse.comment", comment: "c" });
  });
  await using server = await target.start(app);
  assertEquals((await server.request({ headers: STREAM })).text, "data: a\n\n:c\n\n");
});

row("SSE-030", "An event is with the client before the next one is sent", {}, async (target) => {
  const gates = [new Gate(), new Gate(), new Gate()] as const;
  const { app } = started(async (send) => {
    await gates[0].pass();
    await send({ type: "sse.send", data: "one" });
    await gates[1].pass();
    await send({ type: "sse.comment", comment: "two" });
    await gates[2].pass();
  });
  await using server = await target.start(app);
  const exchange = await stream(server);
  assertEquals((await exchange.head()).status, 200, "the head is flushed too");
  gates[0].open();
  assertEquals(await exchange.readUntil("\n\n"), "data: one\n\n");
  gates[1].open();
  assertEquals(await exchange.readUntil(":two\n\n"), "data: one\n\n:two\n\n");
  gates[2].open();
  assertEquals((await exchange.finish()).cut, false);
});

row("SSE-063", "Unknown event types reject (EventError), http.response.start among them", {}, async (target) => {
  const { app, outcome } = started(async (send) => {
    const outcomes: string[] = [];
    for (const type of ["http.response.start", "sse.sent", "websocket.send", "sse.disconnect"]) {
      outcomes.push(await outcomeOf(loose(send)({ type, status: 200 })));
    }
    return outcomes;
  });
  await using server = await target.start(app);
  assertEquals((await server.request({ headers: STREAM })).text, "");
  for (const text of await outcome()) assertMatch(text, /^EventError: Cannot send ".*": type is not an event of the sse protocol/);
});
