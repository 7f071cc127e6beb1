/** The http session against a recording wire: what leaves, in which call, and what the app is told. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { RequestHead } from "../../src/exchange.ts";
import type { Context } from "../../src/sessions/context.ts";
import { DrainRegistry } from "../../src/sessions/drain.ts";
import { Fairness } from "../../src/sessions/fairness.ts";
import { HttpSession } from "../../src/sessions/http.ts";
import { EventError, StateError } from "../../src/spec/errors.ts";
import type { HttpSendEvent } from "../../src/spec/events.ts";
import { HandClock, head, LIMITS, MemoryFiles, RecordingOutbound, settle } from "./doubles.ts";

function rig(overrides: Partial<RequestHead> = {}, more: Partial<Context> = {}) {
  const out = new RecordingOutbound();
  const clock = new HandClock();
  const files = new MemoryFiles({ "/f": "0123456789", "/big": "x".repeat(600_000) });
  const context: Context = {
    clock,
    files,
    limits: LIMITS,
    strict: false,
    state: null,
    drain: new DrainRegistry(),
    fairness: new Fairness(clock),
    ...more,
  };
  const session = new HttpSession(head(overrides), out, context);
  return { out, clock, files, session, connection: session.scope["pagi.connection"], transport: session.scope["pagi.transport"] };
}

const START: HttpSendEvent = { type: "http.response.start", status: 200 };
/** As much as fills the buffer to its high mark. */
const BIG = "x".repeat(LIMITS.highWaterBytes);

Deno.test("HttpSession holds the start and sends a whole body in one call", async () => {
  const { out, session } = rig();
  await session.send({ type: "http.response.start", status: 201, headers: [["X-A", "1"], ["set-cookie", "a"], ["set-cookie", "b"]] });
  assertEquals(out.take(), []);
  await session.send({ type: "http.response.body", body: "hi" });
  assertEquals(out.take(), ['respond 201 [["X-A","1"],["set-cookie","a"],["set-cookie","b"]] "hi" 0']);
});

Deno.test("HttpSession copies the headers, so that the app can't change them behind the check", async () => {
  const { out, session } = rig();
  const pair: [string, string] = ["x-a", "good"];
  await session.send({ type: "http.response.start", status: 200, headers: [pair] });
  pair[1] = "bad\x01";
  await session.send({ type: "http.response.body" });
  assertEquals(out.take(), ['respond 200 [["x-a","good"]] "" 0']);
});

Deno.test("HttpSession streams parts and drops the app's transfer-encoding", async () => {
  const { out, session } = rig();
  await session.send({ type: "http.response.start", status: 200, headers: [["Transfer-Encoding", "chunked"]] });
  await session.send({ type: "http.response.body", body: "a", more: true });
  await session.send({ type: "http.response.body", body: "", more: 1 });
  await session.send({ type: "http.response.body", body: new Uint8Array([98]) });
  assertEquals(out.take(), ["head 200 [] 4", 'chunk "a"', 'chunk "b"', "end null"]);
});

Deno.test("HttpSession leaves the response unstarted when a start is refused", async () => {
  const { out, session, connection } = rig();
  const bad: [HttpSendEvent, string][] = [
    [{ type: "http.response.start", status: 200, headers: [["x-a", "a\r\nb: c"]] }, "headers"],
    [{ type: "http.response.start", status: 200, headers: [["x a", "a"]] }, "headers"],
    [{ type: "http.response.start", status: 200, headers: [["x-a", "\u0100"]] }, "headers"],
    [{ type: "http.response.start", status: 200, headers: [["x-a", 1 as unknown as string]] }, "headers"],
    [{ type: "http.response.start", status: 200, headers: { "x-a": "1" } as unknown as [] }, "headers"],
    [{ type: "http.response.start", status: 200, headers: [["content-length", "1"], ["content-length", "1"]] }, "headers"],
    [{ type: "http.response.start", status: 200, headers: [["content-length", "-1"]] }, "headers"],
    [{ type: "http.response.start", status: 199 }, "status"],
    [{ type: "http.response.start", status: 600 }, "status"],
    [{ type: "http.response.start", status: NaN }, "status"],
    [{ type: "http.response.start" } as unknown as HttpSendEvent, "status"],
    [{ type: "http.response.start", status: 200, trailers: "yes" as unknown as 1 }, "trailers"],
  ];
  for (const [event, field] of bad) {
    const error = await assertRejects(() => session.send(event), EventError);
    assertEquals([error.event, error.field], ["http.response.start", field]);
  }
  assertEquals(connection.responseStarted(), false);
  await session.send(START);
  await session.send({ type: "http.response.body", body: "ok" });
  assertEquals(out.take().at(-1), 'respond 200 [] "ok" 0');
});

Deno.test("HttpSession refuses what is no event of its protocol, in every state", async () => {
  const { session } = rig();
  for (const event of [null, undefined, 1, {}, { type: 5 }, { type: "websocket.send", text: "a" }, { type: "http.response.strat" }]) {
    await assertRejects(() => session.send(event as HttpSendEvent), EventError);
  }
  session.closed({ reason: "client_closed" });
  const error = await assertRejects(() => session.send({ type: "sse.start" } as unknown as HttpSendEvent), EventError);
  assertStringIncludes(
    error.message,
    'Cannot send "sse.start": type is not an event of the http protocol, which are http.response.start, ',
  );
  const misspelt = await assertRejects(() => session.send({ type: "http.respone.start" } as unknown as HttpSendEvent), EventError);
  assertStringIncludes(misspelt.message, 'did you mean "http.response.start"?');
});

Deno.test("HttpSession refuses a body that disagrees with its content-length", async (t) => {
  await t.step("a whole body, before anything has left", async () => {
    const { out, session } = rig();
    await session.send({ type: "http.response.start", status: 200, headers: [["Content-Length", "5"]] });
    const error = await assertRejects(() => session.send({ type: "http.response.body", body: "äö" }), EventError);
    assertStringIncludes(error.message, "has 4 bytes, but content-length says 5");
    session.threw(error);
    assertStringIncludes(out.take()[0]!, "respond 500");
  });
  await t.step("a part too many", async () => {
    const { out, session } = rig();
    await session.send({ type: "http.response.start", status: 200, headers: [["content-length", "5"]] });
    await session.send({ type: "http.response.body", body: "1234", more: 1 });
    await assertRejects(() => session.send({ type: "http.response.body", body: "56", more: 1 }), EventError);
    await session.send({ type: "http.response.body", body: "5" });
    assertEquals(out.take(), ['head 200 [["content-length","5"]] 4', 'chunk "1234"', 'chunk "5"', "end null"]);
  });
  await t.step("a part too few, which cuts the response when the app gives up", async () => {
    const { out, session } = rig();
    await session.send({ type: "http.response.start", status: 200, headers: [["content-length", "5"]] });
    await session.send({ type: "http.response.body", body: "12", more: 1 });
    await assertRejects(() => session.send({ type: "http.response.body", body: "3" }), EventError);
    session.returned();
    assertEquals(out.take().slice(2), ["abort server_error"]);
    assertEquals(out.notes, ["error: The app returned before its response was complete"]);
  });
});

Deno.test("HttpSession sends no body byte for HEAD, 204 and 304", async () => {
  const cases: [string, number, [string, string][], string, string[]][] = [
    ["HEAD", 200, [], "hi", ['respond 200 [] "hi" 0']], // the engine takes the length and drops the bytes
    ["HEAD", 200, [["content-length", "42"]], "", ['head 200 [["content-length","42"]] 4', "end null"]],
    ["HEAD", 200, [["content-length", "42"]], "hi", ['head 200 [["content-length","42"]] 4', "end null"]],
    ["HEAD", 200, [], "", ["head 200 [] 4", "end null"]],
    ["GET", 204, [], "hi", ["head 204 [] 4", "end null"]],
    ["GET", 304, [["etag", '"a"']], "hi", ['head 304 [["etag","\\"a\\""]] 4', "end null"]],
  ];
  for (const [method, status, headers, body, calls] of cases) {
    const { out, session } = rig({ method });
    await session.send({ type: "http.response.start", status, headers });
    await session.send({ type: "http.response.body", body });
    assertEquals(out.take(), calls, `${method} ${status}`);
  }
  const { out, session } = rig({ method: "HEAD" });
  await session.send(START);
  await session.send({ type: "http.response.body", body: "a", more: 1 });
  await session.send({ type: "http.response.body", file: "/none" }); // not opened for HEAD
  assertEquals(out.take(), ["head 200 [] 4", "end null"]);
});

Deno.test("HttpSession answers 500 while nothing has left, and cuts afterwards", async () => {
  const unstarted = rig();
  unstarted.session.returned();
  assertStringIncludes(unstarted.out.take()[0]!, "respond 500");
  assertEquals(unstarted.out.notes, ["error: The app returned without starting a response"]);
  assertEquals(unstarted.connection.disconnectReason(), "server_error");
  assertEquals(unstarted.connection.responseStarted(), true);

  const held = rig();
  await held.session.send(START);
  held.session.threw(new Error("boom"));
  assertStringIncludes(held.out.take()[0]!, "respond 500");
  assertEquals(held.out.notes, ["error: The app failed (Error: boom)"]);

  const streaming = rig();
  await streaming.session.send(START);
  await streaming.session.send({ type: "http.response.body", body: "a", more: 1 });
  streaming.session.threw(new Error("boom"));
  assertEquals(streaming.out.take().at(-1), "abort server_error");

  const gone = rig();
  gone.session.closed({ reason: "client_closed" });
  gone.session.threw(new Error("boom"));
  assertEquals([gone.out.take(), gone.out.notes], [[], []]);
});

Deno.test("HttpSession.receive() asks for credit, gives the body, then the disconnect", async () => {
  const { out, session } = rig({ body: "plain", method: "POST" });
  const first = session.receive();
  assertEquals(out.take(), ["pull 65536"]);
  session.body(new Uint8Array([1, 2]), true);
  assertEquals(await first, { type: "http.request", body: new Uint8Array([1, 2]), more: 1 });
  const second = session.receive();
  session.body(new Uint8Array(0), false);
  assertEquals(await second, { type: "http.request", body: new Uint8Array(0), more: 0 });
  const third = session.receive();
  assertEquals(out.take(), ["pull 65536", "watch"]);
  session.closed({ reason: "client_closed" });
  assertEquals(await third, { type: "http.disconnect" });
  assertEquals(await session.receive(), { type: "http.disconnect" });
});

Deno.test("HttpSession joins the tiny chunks of a body that wait", async () => {
  const { session } = rig({ body: "plain" });
  let next = session.receive();
  for (let at = 0; at < 1000; at++) session.body(new Uint8Array([at & 255]), true);
  session.body(new Uint8Array(0), false);
  const bytes: number[] = [];
  for (let events = 1;; events++) {
    const event = await next;
    if (event.type !== "http.request") throw new Error(event.type);
    bytes.push(...event.body);
    assert(events <= 64, `${events} events`);
    if (!event.more) break;
    next = session.receive();
  }
  assertEquals(bytes, Array.from({ length: 1000 }, (_, at) => at & 255));
});

Deno.test("HttpSession.receive() gives trailers with the last body event, and the extension says so", async () => {
  const { session } = rig({ body: "plain", method: "POST", capabilities: ["request-trailers"] });
  assertEquals(session.scope.extensions["http.request.trailers"], {});
  session.receive();
  session.body(new Uint8Array([1]), true);
  session.body(new Uint8Array(0), false, [["x-sum", "1"]]);
  assertEquals(await session.receive(), { type: "http.request", body: new Uint8Array(0), more: 0, trailers: [["x-sum", "1"]] });
  assertEquals("http.request.trailers" in rig().session.scope.extensions, false);
});

Deno.test("HttpSession.receive() gives one empty body event without a body, and the disconnect after the response", async () => {
  const { out, session } = rig();
  assertEquals(await session.receive(), { type: "http.request", body: new Uint8Array(0), more: 0 });
  await session.send(START);
  const pending = session.receive();
  await session.send({ type: "http.response.body" });
  assertEquals(await pending, { type: "http.disconnect" });
  const late = rig({ body: "plain" });
  await late.session.send(START);
  await late.session.send({ type: "http.response.body" });
  assertEquals(await late.session.receive(), { type: "http.disconnect" });
  assertEquals(late.out.take().length, 1);
  assertEquals(out.calls.filter((call) => call === "watch").length, 1);
});

Deno.test("Connection tells an abnormal end in the order of the contract", async () => {
  const { session, connection, out } = rig();
  await session.receive();
  const order: string[] = [];
  const log = (what: string) => order.push(`${what} ${connection.isConnected()} ${connection.disconnectReason()}`);
  const { signal } = connection;
  signal.addEventListener("abort", () => log("signal"));
  connection.onDisconnect((reason) => log(`first ${reason}`));
  connection.onDisconnect(() => {
    throw new Error("in a callback");
  });
  connection.onDisconnect(() => log("third"));
  connection.onComplete(() => log("complete"));
  const future = connection.disconnectFuture().then(() => log("future"));
  const event = session.receive().then((event) => log(event.type));
  assertEquals(connection.isConnected(), true);
  session.closed({ reason: "client_closed" });
  session.closed({ reason: "write_error" });
  await Promise.all([future, event]);
  assertEquals(order.slice(0, 3), ["signal false client_closed", "first client_closed false client_closed", "third false client_closed"]);
  assertEquals(order.slice(3), ["future false client_closed", "http.disconnect false client_closed"]);
  assertEquals(out.notes, ["error: A callback failed (Error: in a callback)"]);
  assertStringIncludes(String(signal.reason), "client_closed");
  let late = "";
  connection.onDisconnect((reason) => late = reason);
  assertEquals([late, await connection.disconnectFuture()], ["client_closed", "client_closed"]);
});

Deno.test("Connection tells a completion, and never both ends", async () => {
  const { session, connection, out } = rig();
  const order: string[] = [];
  connection.onDisconnect(() => order.push("disconnect"));
  connection.onComplete(() => order.push("complete"));
  void connection.disconnectFuture().then(() => order.push("future"));
  await session.send(START);
  await session.send({ type: "http.response.body", body: "x" });
  assertEquals(out.take(), ["watch", 'respond 200 [] "x" 4']);
  assertEquals([order.length, connection.isConnected(), connection.responseComplete()], [0, true, true]);
  session.closed({ reason: null });
  session.closed({ reason: "client_closed" });
  connection.onComplete(() => order.push("late"));
  connection.onDisconnect(() => order.push("never"));
  await settle();
  assertEquals([order, connection.isConnected(), connection.disconnectReason()], [["complete", "late"], false, undefined]);
});

Deno.test("Connection is told nothing, and the wire is not watched, unless somebody asks", async () => {
  const { session, out, connection } = rig();
  await session.send(START);
  await session.send({ type: "http.response.body", body: "x" });
  assertEquals(out.take(), ['respond 200 [] "x" 0']);
  let completed = false;
  connection.onComplete(() => completed = true);
  assertEquals([completed, connection.isConnected()], [true, false]);
});

Deno.test("Transport: a send waits while the buffer is high, callbacks come once for each crossing", async () => {
  const { session, out, transport } = rig();
  const order: string[] = [];
  transport.onHighWater(() => order.push("high"));
  transport.onDrain(() => order.push(`drain ${transport.bufferedAmount()}`));
  assertEquals([transport.highWaterMark(), transport.lowWaterMark(), transport.bufferedAmount()], [1000, 250, 0]);
  await session.send(START);
  out.buffered = 5000;
  await session.send({ type: "http.response.body", body: BIG, more: 1 }); // one big send completes at once
  const waiting = session.send({ type: "http.response.body", body: "b", more: 1 }).then(() => order.push("sent"));
  transport.onHighWater(() => order.push("late high"));
  out.buffered = 250;
  session.drained();
  await settle();
  assertEquals(order, ["high", "late high"]);
  out.buffered = 249;
  session.drained();
  session.drained();
  await waiting;
  assertEquals(order, ["high", "late high", "drain 249", "sent"]);
  out.buffered = 1000;
  await session.send({ type: "http.response.body", body: BIG, more: 1 });
  assertEquals(order.slice(4), ["high", "late high"]);
});

Deno.test("Transport: a wait ends with the exchange, an app that never waits is stopped", async () => {
  const lost = rig();
  await lost.session.send(START);
  lost.out.buffered = 2000;
  await lost.session.send({ type: "http.response.body", body: BIG, more: 1 });
  const waiting = lost.session.send({ type: "http.response.body", body: "b", more: 1 });
  lost.session.closed({ reason: "client_closed" });
  await waiting;
  assertEquals(lost.transport.bufferedAmount(), 0);

  const flood = rig();
  await flood.session.send(START);
  flood.out.buffered = 20_000; // one send over the limit is taken: its app may well wait
  await flood.session.send({ type: "http.response.body", body: BIG, more: 1 });
  assertEquals(flood.out.take().at(-1), `chunk "${BIG}"`);
  await flood.session.send({ type: "http.response.body", body: "b", more: 1 });
  assertEquals(flood.out.take().at(-1), "abort queue_overflow");
  assertEquals(flood.connection.disconnectReason(), "queue_overflow");
  await flood.session.send({ type: "http.response.body", body: "c" });
  assertEquals(flood.out.take(), []);

  const last = rig();
  await last.session.send(START);
  last.out.buffered = 20_000;
  await last.session.send({ type: "http.response.body", body: BIG, more: 1 });
  last.out.take();
  const ending = last.session.send({ type: "http.response.body", body: "the last event may wait, however big" });
  assertEquals(last.out.take().at(-1), "end null", "and is not cut behind its end");
  last.session.closed({ reason: null });
  await ending;
  assertEquals([last.session.state, last.out.take()], ["done", []]);
});

Deno.test("HttpSession sends a window of a file, with its length", async () => {
  const windows: [Record<string, number>, string][] = [
    [{}, '"0123456789"'],
    [{ offset: 3 }, '"3456789"'],
    [{ offset: 3, length: 4 }, '"3456"'],
    [{ offset: 8, length: 100 }, '"89"'],
    [{ offset: 99 }, '""'],
    [{ length: 0 }, '""'],
  ];
  for (const [range, body] of windows) {
    const { out, session, files } = rig();
    await session.send(START);
    await session.send({ type: "http.response.body", file: "/f", more: 1, ...range });
    assertEquals(out.take().map((call) => call.replace(/\["content-length","\d+"\]/, "")), [`respond 200 [] ${body} 0`]);
    assertEquals(files.closed, ["/f"]);
    await assertRejects(() => session.send({ type: "http.response.body", body: "more" }), StateError, "the response is complete");
  }
});

Deno.test("HttpSession sends a big file in chunks of its own and waits for the client", async () => {
  const { out, session, files } = rig();
  await session.send(START);
  out.buffered = 5000;
  const sending = session.send({ type: "http.response.body", file: "/big" });
  await settle();
  await settle();
  assertEquals(out.take().map((call) => call.slice(0, 40)), [
    'head 200 [["content-length","600000"]] 4',
    `chunk "${"x".repeat(33)}`,
    `chunk "${"x".repeat(33)}`,
  ]);
  assertEquals(files.closed, []);
  out.buffered = 0;
  session.drained();
  await sending;
  assertEquals(out.take().map((call) => call.slice(0, 8)), ['chunk "x', "end null"]);
  assertEquals(files.closed, ["/big"]);
});

Deno.test("HttpSession closes a file whose client has left", async () => {
  const { out, session, files } = rig();
  await session.send(START);
  out.buffered = 5000;
  const sending = session.send({ type: "http.response.body", file: "/big" });
  await settle();
  session.closed({ reason: "client_closed" });
  await sending;
  assertEquals(files.closed, ["/big"]);
});

Deno.test("HttpSession refuses a malformed file body, and the app can still answer", async () => {
  const { out, session } = rig();
  await session.send({ type: "http.response.start", status: 200, headers: [["content-length", "4"]] });
  const bad: [Record<string, unknown>, string][] = [
    [{ file: "f" }, "file"],
    [{ file: 1 }, "file"],
    [{ file: "/f", offset: -1 }, "offset"],
    [{ file: "/f", length: 1.5 }, "length"],
    [{ file: "/f", body: "a" }, "body"],
    [{ file: "/f", fh: {} }, "body"],
    [{ fh: {} }, "fh"],
    [{ fh: { read() {} }, offset: 1 }, "fh"],
    [{ file: "/f" }, "body"], // ten bytes, four declared
  ];
  for (const [fields, field] of bad) {
    const error = await assertRejects(
      async () => await session.send({ type: "http.response.body", ...fields } as HttpSendEvent),
      EventError,
    );
    assertEquals(error.field, field, JSON.stringify(fields));
  }
  await session.send({ type: "http.response.body", body: "fine" });
  assertEquals(out.take(), ['respond 200 [] "fine" 0']);
});

Deno.test("HttpSession reads a handle to its end, or its length, and leaves it open", async () => {
  const { out, session } = rig();
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "0123456789");
  using fh = await Deno.open(file);
  await session.send(START);
  await session.send({ type: "http.response.body", fh, offset: 2, length: 5 });
  assertEquals(out.take(), ['respond 200 [] "23456" 0']);
  assertEquals(await fh.seek(0, 1), 7);
  const closed = await Deno.open(file);
  closed.close();
  const other = rig();
  await other.session.send(START);
  await assertRejects(() => other.session.send({ type: "http.response.body", fh: closed }), Deno.errors.BadResource);
  assertEquals(other.session.state, "held");
  await Deno.remove(file);
});

Deno.test("HttpSession drops trailers that the client can't get, and their order still counts", async () => {
  const { out, session } = rig({ capabilities: [] });
  assertEquals(session.scope.extensions["http.response.trailers"], undefined);
  await session.send({ type: "http.response.start", status: 200, trailers: 1 });
  await session.send({ type: "http.response.body", body: "x" });
  assertEquals(out.take(), ['respond 200 [] "x" 0']);
  await session.send({ type: "http.response.trailers", headers: [["x-t", "1"]] });
  assertEquals(out.take(), []);
  await assertRejects(() => session.send({ type: "http.response.trailers" }), StateError, "the response is complete");
});

Deno.test("HttpSession drops trailers that come when the rest was delivered long ago, and calls the wire no more", async () => {
  for (const parts of [["x"], ["a", "x"]]) {
    for (const listens of [true, false]) {
      for (const [act, state] of [["trailers", "done"], ["return", "done"], ["throw", "done"], ["stall", "trailing"]] as const) {
        const { out, session, clock } = rig({ capabilities: [] }, { limits: { ...LIMITS, requestTimeoutMs: 1000 } });
        const told: string[] = [];
        if (listens) {
          session.scope["pagi.connection"].onComplete(() => told.push("complete"));
          session.scope["pagi.connection"].onDisconnect((reason) => told.push(reason));
        }
        await session.send({ type: "http.response.start", status: 200, trailers: 1 });
        for (const [at, body] of parts.entries()) await session.send({ type: "http.response.body", body, more: at < parts.length - 1 });
        if (listens || parts.length > 1) session.closed({ reason: null });
        out.take();
        if (act === "trailers") await session.send({ type: "http.response.trailers", headers: [["x-t", "1"]] });
        if (act === "return") session.returned();
        if (act === "throw") session.threw(new Error("late"));
        if (act === "stall") clock.advance(5000);
        assertEquals([session.state, session.delivered, out.take()], [state, true, []], `${parts} ${listens} ${act}`);
        assertEquals(told, listens ? ["complete"] : []);
      }
    }
  }
});

Deno.test("HttpSession ends a response whose promised trailers never come", async () => {
  const { out, session } = rig();
  await session.send({ type: "http.response.start", status: 200, trailers: 1 });
  await session.send({ type: "http.response.body", body: "x" });
  session.returned();
  assertEquals(out.take().at(-1), "end []");
  assertEquals(out.notes, ["warn: The app returned without the trailers that it promised"]);
});

Deno.test("HttpSession answers 504 or cuts when nothing moves for the request timeout", async () => {
  const limits = { ...LIMITS, requestTimeoutMs: 1000 };
  const unstarted = rig({}, { limits });
  unstarted.clock.advance(900);
  await unstarted.session.receive();
  unstarted.clock.advance(900);
  assertEquals(unstarted.out.take(), []);
  unstarted.clock.advance(100);
  assertEquals(unstarted.out.take()[0]!.endsWith(" client_timeout"), true);
  assertEquals(unstarted.connection.disconnectReason(), "client_timeout");
  assertEquals(unstarted.clock.pending, 0);

  const started = rig({}, { limits });
  await started.session.send(START);
  await started.session.send({ type: "http.response.body", body: "a", more: 1 });
  started.clock.advance(1000);
  assertEquals(started.out.take().at(-1), "abort client_timeout");

  const done = rig({}, { limits });
  await done.session.send(START);
  await done.session.send({ type: "http.response.body" });
  assertEquals(done.clock.pending, 0);
});

Deno.test("HttpSession refuses extensions that are not offered", async () => {
  const { session } = rig({ capabilities: [] });
  assertEquals(Object.keys(session.scope.extensions), ["drain"]);
  await assertRejects(() => session.send({ type: "http.fullflush" }), StateError, "fullflush");
  await assertRejects(() => session.send({ type: "http.response.early_hint", headers: [] }), StateError, "early_hint");
});

Deno.test("HttpSession flushes the head, and resolves when the wire says so", async () => {
  const { session, out } = rig();
  await session.send(START);
  let flushed = false;
  const flush = session.send({ type: "http.fullflush" }).then(() => flushed = true);
  assertEquals(out.take(), ["head 200 [] 4", "flush"]);
  await settle();
  assertEquals(flushed, false);
  session.flushed();
  await flush;
});

Deno.test("The drain signal is aborted once, says why, and is let go with its exchange", async () => {
  const drain = new DrainRegistry();
  const open = rig({}, { drain });
  const signal = open.session.scope.extensions.drain!.signal;
  const over = rig({}, { drain });
  const quiet = over.session.scope.extensions.drain!.signal;
  await over.session.send(START);
  await over.session.send({ type: "http.response.body" });
  drain.drain("The server shuts down", 30);
  assertEquals([signal.aborted, quiet.aborted], [true, false]);
  assertEquals(String(signal.reason), "DrainError: The server shuts down: 30 s left");
  assertEquals(rig({}, { drain }).session.scope.extensions.drain!.signal.aborted, true);
});

Deno.test("Transport: with a low mark of 0 a send waits for an empty buffer", async () => {
  const { session, out } = rig({}, { limits: { ...LIMITS, lowWaterBytes: 0 } });
  await session.send(START);
  out.buffered = 2000;
  await session.send({ type: "http.response.body", body: BIG, more: 1 });
  let sent = false;
  const waiting = session.send({ type: "http.response.body", body: "b", more: 1 }).then(() => sent = true);
  out.buffered = 1;
  session.drained();
  await settle();
  assertEquals(sent, false);
  out.buffered = 0;
  session.drained();
  await waiting;
});

Deno.test("Transport: the wire is asked for its buffer only when it may be full", async () => {
  const { session, out } = rig();
  let asked = 0;
  Object.defineProperty(out, "buffered", { get: () => (asked++, 0) });
  await session.send(START);
  for (let part = 0; part < 9; part++) await session.send({ type: "http.response.body", body: "x".repeat(100), more: 1 });
  assertEquals(asked, 0);
  await session.send({ type: "http.response.body", body: "x".repeat(100), more: 1 });
  assertEquals(asked, 1);
});

Deno.test("Transport: a client that takes everything at once lets others in, once for sixteen high marks", async () => {
  const { session, clock } = rig();
  await session.send(START);
  for (let part = 0; part < 480; part++) await session.send({ type: "http.response.body", body: "x".repeat(100), more: 1 });
  assertEquals(clock.turns, 3);
});

Deno.test("HttpSession costs a turn of the event loop for every hundredth call without effect", async () => {
  const { session, clock } = rig();
  session.closed({ reason: "client_closed" });
  for (let call = 0; call < 500; call++) await session.send({ type: "http.response.body", more: 1 });
  assertEquals(clock.turns, 5);
  for (let call = 0; call < 500; call++) await session.receive();
  assertEquals(clock.turns, 10);
  const head = rig({ method: "HEAD" });
  await head.session.send(START);
  for (let call = 0; call < 500; call++) await head.session.send({ type: "http.response.body", body: "x", more: 1 });
  assertEquals(head.clock.turns, 5);
});

Deno.test("HttpSession answers 500 whatever the app throws", () => {
  const odd = Object.defineProperty(new Error("x"), "stack", {
    get: () => {
      throw new Error("inner");
    },
  });
  for (
    const error of [
      Object.create(null),
      odd,
      new Proxy({}, {
        getPrototypeOf() {
          throw new Error("trap");
        },
      }),
      null,
      Symbol("s"),
    ]
  ) {
    const { session, out } = rig();
    session.threw(error);
    assertStringIncludes(out.take()[0]!, "respond 500");
  }
});

Deno.test("HttpSession refuses a 205 where the engine can't frame it", async () => {
  const event: HttpSendEvent = { type: "http.response.start", status: 205 };
  await assertRejects(() => rig({ capabilities: [] }).session.send(event), EventError, "204 says the same");
  await rig({ capabilities: [], httpVersion: "2" }).session.send(event);
  await rig({ capabilities: ["reset-content"] }).session.send(event);
});

Deno.test("HttpSession takes no bytes of shared memory and no Proxy of bytes", async () => {
  const { session } = rig();
  await session.send(START);
  for (const body of [new Uint8Array(new SharedArrayBuffer(8)), new Proxy(new Uint8Array(8), {})]) {
    await assertRejects(() => session.send({ type: "http.response.body", body }), EventError);
  }
});

Deno.test("HttpSession gives each app an empty body of its own", async () => {
  const first = await rig().session.receive() as { body: Uint8Array<ArrayBuffer> };
  structuredClone(first.body, { transfer: [first.body.buffer] });
  const second = await rig().session.receive() as { body: Uint8Array<ArrayBuffer> };
  structuredClone(second.body, { transfer: [second.body.buffer] });
});

Deno.test("Transport: callbacks that register themselves again are called once for each crossing", async () => {
  const { session, out, transport } = rig();
  let highs = 0;
  let drains = 0;
  const high = () => {
    highs++;
    transport.onHighWater(high);
  };
  const drain = () => {
    drains++;
    transport.onDrain(drain);
  };
  transport.onHighWater(high);
  transport.onDrain(drain);
  await session.send(START);
  for (let crossing = 0; crossing < 5; crossing++) {
    out.buffered = 2000;
    await session.send({ type: "http.response.body", body: BIG, more: 1 });
    out.buffered = 0;
    session.drained();
  }
  assertEquals([highs, drains], [5, 5]);
});
