/** What a link keeps is bounded, whichever end floods it or stops reading. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { MAX_BACKLOG, MAX_TEXT, WINDOW } from "../../src/links/packets.ts";
import type { Outbound, RequestHead } from "../../src/exchange.ts";
import { DEFAULT_LIMITS } from "../../src/testing/client_options.ts";
import { handFront, type HandPipe, headOf, startedWorker } from "./doubles.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

Deno.test("RemoteExchange.pull() reads ahead only so much of a body for a worker that takes nothing in", async () => {
  const { pipe, host, open } = await handFront();
  const { id, engine, inbound } = await open();
  pipe.isShut = true;
  pipe.give(`[19,${id},${2 ** 50},19,${id},${2 ** 50}]`);
  const asked = () => engine.calls.reduce((sum, [name, bytes]) => name === "pull" ? sum + Number(bytes) : sum, 0);
  const first = asked();
  assert(first > 0 && first <= 2 * WINDOW, String(first));
  for (let at = 0; at < first; at += 65_536) inbound.body(new Uint8Array(Math.min(65_536, first - at)), true);
  for (let count = 0; count < 5; count++) await turn();
  assertEquals(asked(), first, "nothing has left");
  host.abandon("");
});

Deno.test("RemoteExchange.pull() goes on where the worker takes it in", async () => {
  const { pipe, host, open } = await handFront();
  const { id, engine, inbound } = await open();
  pipe.give(`[19,${id},1000000]`);
  let given = 0;
  for (let round = 0; round < 100 && given < 1_000_000; round++) {
    const asked = engine.calls.splice(0).reduce((sum, [, bytes]) => sum + Number(bytes), 0);
    if (asked > 0) inbound.body(new Uint8Array(asked), true);
    given += asked;
    await turn();
  }
  assertEquals(given, 1_000_000);
  host.abandon("");
});

Deno.test("RemoteHost gives up a worker that reads nothing while its clients keep the front busy", async () => {
  const { pipe, host, open } = await handFront();
  const { id } = await open();
  pipe.isShut = true;
  host.drain("x", 1); // the one batch that is under way
  await turn();
  pipe.texts.length = 0;
  pipe.give(`[23,${id},200,[],0]`);
  let batches = 0;
  let why: string | null = null;
  void host.lost.then((cause) => why = cause);
  const chunk = new Uint8Array(16_384); // so much is told at once
  for (; why === null && batches < 20_000_000; batches++) {
    pipe.give(`[24,${id},16384]`, chunk);
    if (batches % 1000 === 0) await turn();
  }
  assertMatch(String(why), /takes nothing in/);
  // What was kept by then is the batches' worth of "written" packets, and not more than the limit.
  assert(batches * 24 < MAX_BACKLOG * 1.2, String(batches));
});

Deno.test("RemoteHost ends a WebSocket whose messages nobody takes in, empty ones too", async () => {
  for (const message of ["", "x".repeat(1000), new Uint8Array(), new Uint8Array(100_000)]) {
    const { pipe, host, open } = await handFront();
    const { id, engine } = await open(headOf("websocket"));
    pipe.give(`[28,${id},null,[]]`);
    pipe.isShut = true;
    let sent = 0;
    while (!engine.calls.some(([name]) => name === "abort") && sent < 10_000_000) {
      engine.inbound!.message(message);
      if (++sent % 1000 === 0) await turn();
    }
    const limit = DEFAULT_LIMITS.maxReceiveQueueBytes + DEFAULT_LIMITS.maxMessageBytes;
    assert(sent * message.length <= limit + 200_000 && sent < 2_000_000, `${sent} messages of ${message.length}`);
    assertEquals(engine.calls.at(-1), ["abort", "queue_overflow"]);
    // What the worker had under way crosses that, and is not held against it.
    pipe.give(`[29,${id},"late"]`);
    assertEquals(await Promise.race([host.lost, turn().then(() => "not lost")]), "not lost");
    assertEquals(engine.calls.at(-1), ["abort", "queue_overflow"]);
    host.abandon("");
  }
});

Deno.test("RemoteHost lets only so many lines of a worker into the log, and says how many it dropped", async () => {
  const { pipe, host, notes } = await handFront();
  for (let count = 0; count < 100; count++) pipe.give(`[${Array(1000).fill('5,0,"error","x",null').join()}]`);
  assert(notes.length <= 1000, String(notes.length));
  await new Promise((resolve) => setTimeout(resolve, 50));
  pipe.give('[5,0,"error","y",null]');
  assertMatch(String(notes.at(-2)?.[1]), /^\d+ lines of the worker were dropped/);
  pipe.give(`[5,0,"error","${"z".repeat(1_000_000)}",{"a":"${"z".repeat(500_000)}"}]`);
  assert(JSON.stringify(notes.at(-1)).length < 50_000);
  host.abandon("");
});

Deno.test("RemoteHost gives up a worker that floods it with packets for nobody", async () => {
  const { pipe, host } = await handFront();
  const flood = `[${Array(50_000).fill('27,9,"r"').join()}]`;
  for (let count = 0; count < 10; count++) pipe.give(flood);
  assertMatch(await host.lost, /Too many packets/);
});

Deno.test("RemoteHost gives up a worker that sends more for a client than there is credit for", async () => {
  const { pipe, host, open } = await handFront();
  const { id, engine } = await open();
  pipe.give(`[23,${id},200,[],0]`);
  engine.chunk = (bytes) => void (engine.buffered += bytes.byteLength); // a client that reads nothing
  for (let count = 0; count < 100; count++) pipe.give(`[24,${id},262144]`, new Uint8Array(262_144));
  assertMatch(await host.lost, /credit/);
  assert(engine.buffered < 4 * 2 ** 20, String(engine.buffered));
});

/** A worker's end whose session the test plays. */
async function handWorker(): Promise<{ pipe: HandPipe; open(kind?: RequestHead["kind"]): Outbound; done(): Promise<void> }> {
  const { pipe, worker, out } = await startedWorker();
  pipe.give('[10,0,0,["::1",80],10,0,1,[]]');
  let id = 0;
  return {
    pipe,
    open: (kind = "http") => {
      pipe.give(`[11,${++id},"${kind}","1.1","GET","http","/",null,"","",[],"::2",9,0,"none",1,null]`);
      return out();
    },
    done: async () => {
      pipe.close();
      await worker.ended;
    },
  };
}

Deno.test("ServedExchange sends a window and no more, and counts the rest as buffered until the front has written it", async () => {
  const { pipe, open, done } = await handWorker();
  const out = open();
  out.head(200, [], 0);
  for (let count = 0; count < 100; count++) out.chunk(new Uint8Array(65_536));
  for (let count = 0; count < 5; count++) await turn();
  const sent = () => pipe.bytes.reduce((sum, bytes) => sum + bytes.byteLength, 0);
  assert(sent() >= WINDOW && sent() <= 2 * WINDOW, String(sent()));
  assertEquals(out.buffered, 6_553_600);
  // Taken in by the front, and waiting for a client that does not read: no more is sent.
  const first = sent();
  pipe.give(`[13,1,${first},${first}]`);
  await turn();
  assertEquals([sent(), out.buffered], [first, 6_553_600]);
  // Read by the client.
  pipe.give(`[13,1,${first},0]`);
  await turn();
  assert(sent() > first);
  assertEquals(out.buffered, 6_553_600 - first);
  await done();
});

/** The size of each text that was sent. */
function textBytes(pipe: HandPipe): number {
  return Math.max(...pipe.texts.map((text) => new TextEncoder().encode(text).byteLength));
}

Deno.test("no batch grows over the limit of a text, whatever is escaped in it, from a worker", async () => {
  const { pipe, open, done } = await handWorker();
  for (let count = 0; count < 500; count++) {
    open().respond(200, [["x-a", '"'.repeat(1000)]], "\u0000".repeat(4096), 0);
    open().note("error", "\u0000".repeat(3_000_000), { a: "\u0001".repeat(100_000) });
  }
  for (let count = 0; count < 50; count++) await turn();
  assert(textBytes(pipe) <= MAX_TEXT, String(textBytes(pipe)));
  await done();
});

Deno.test("no batch grows over the limit of a text, whatever is escaped in it, from the front", async () => {
  const { pipe, host, open } = await handFront();
  const { id, engine } = await open(headOf("websocket"));
  pipe.give(`[28,${id},null,[]]`);
  for (let count = 0; count < 500; count++) {
    engine.inbound!.message("\u0000".repeat(4096));
    host.open(headOf("http", { id: 100 + count, headers: [["x-a", '"é'.repeat(30_000)]], rawPath: `/${"é".repeat(4000)}` }), engine);
  }
  for (let count = 0; count < 50; count++) await turn();
  assert(textBytes(pipe) <= MAX_TEXT, String(textBytes(pipe)));
  host.abandon("");
});

Deno.test("a long reason and long headers of an app do not cost its worker the link", async () => {
  const { pipe, host, open: openAtFront } = await handFront();
  const { id, engine } = await openAtFront(headOf("http", { kind: "sse" }));
  const worker = await handWorker();
  const out = worker.open();
  out.head(200, [], 0);
  out.end(null, "r".repeat(50_000));
  pipe.give((await worker.pipe.next()).replaceAll(/\b(23|26),1,/g, `$1,${id},`));
  assertEquals(engine.calls.map(([name]) => name), ["head", "end"]);
  worker.open().respond(200, [["x-a", "a".repeat(1_000_000)]], "", 0);
  const told = await worker.pipe.next();
  assertMatch(told, /could not be sent.*500/s);
  host.abandon("");
  await worker.done();
});

Deno.test("RemoteHost cuts a WebSocket whose app floods a client with messages that no buffer counts, and keeps the worker", async () => {
  for (const packets of [`29,$,""`, "30,$,0,0,0"]) {
    const { pipe, host, open } = await handFront();
    const { id, engine } = await open(headOf("websocket"));
    const other = await open();
    pipe.give(`[28,${id},null,[]]`);
    engine.calls.length = 0;
    const batch = `[${Array(1000).fill(packets.replace("$", String(id))).join(",")}]`;
    for (let count = 0; count < 5; count++) pipe.give(batch);
    const sent = engine.calls.filter(([name]) => name === "message").length;
    assert(sent > 900 && sent < 2000, `${sent} of ${packets}`);
    assertEquals(engine.calls.filter(([name]) => name === "abort"), [["abort", "queue_overflow"]]);
    pipe.give(`[22,${other.id},200,[],"",0,null]`);
    assertEquals(other.engine.calls.at(-1)?.[0], "respond");
    host.abandon("");
  }
});

Deno.test("RemoteHost hears once that its worker asks to be replaced", async () => {
  const { pipe, host, asked } = await handFront();
  pipe.give(`[${Array(1000).fill("6,0").join(",")}]`);
  assertEquals(asked, ["recycle"]);
  host.abandon("");
});

Deno.test("RemoteHost takes only so many characters for its log in a second, however few the lines", async () => {
  const { pipe, host, notes } = await handFront();
  const fields = JSON.stringify(Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`f${at}`, "x".repeat(8000)])));
  for (let count = 0; count < 100; count++) pipe.give(`[5,0,"info","y",${fields}]`);
  assert(JSON.stringify(notes).length < 600_000, `${notes.length} lines`);
  host.abandon("");
});

Deno.test("RemoteHost gives a worker up for headers of more characters than a session sends", async () => {
  const { pipe, host, open } = await handFront();
  const { id } = await open();
  pipe.give(`[22,${id},200,[["x-a","${"b".repeat(300_000)}"]],"",0,null]`);
  assertMatch(await host.lost, /headers/);
});
