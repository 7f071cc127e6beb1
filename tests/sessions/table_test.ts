/**
 * Every state × event pair of every table, against the sessions themselves: a session is driven into the state, the event is fired,
 * and what happens must be what the cell says.
 */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { End } from "../../src/exchange.ts";
import { StateError } from "../../src/spec/errors.ts";
import type { Context } from "../../src/sessions/context.ts";
import { DrainRegistry } from "../../src/sessions/drain.ts";
import { Fairness } from "../../src/sessions/fairness.ts";
import { HttpSession } from "../../src/sessions/http.ts";
import { HTTP_TABLE } from "../../src/sessions/http_table.ts";
import { LifespanSession } from "../../src/sessions/lifespan.ts";
import { LIFESPAN_TABLE } from "../../src/sessions/lifespan_table.ts";
import { SseEncoder, SseSession } from "../../src/sessions/sse.ts";
import { SSE_TABLE } from "../../src/sessions/sse_table.ts";
import { IGNORE, printTable, type Table } from "../../src/sessions/table.ts";
import { WebSocketSession } from "../../src/sessions/websocket.ts";
import { WEBSOCKET_TABLE } from "../../src/sessions/websocket_table.ts";
import { HandClock, head, LIMITS, MemoryFiles, RecordingOutbound, settle, START } from "./doubles.ts";

/** What an event of a table does to a rig. It resolves when the session has taken it. */
type Fire<R> = (rig: R) => unknown;

/** A session with its doubles, as far as the walk needs it. */
interface Rig {
  readonly session: { readonly state: string };
  readonly out: RecordingOutbound;
}

/** Walks a table. `reach[state]` drives a fresh rig there, `fire[event]` fires; events the session makes itself are left out. */
function walk<R extends Rig>(table: Table, make: () => R, reach: Record<string, Fire<R>[]>, fire: Record<string, Fire<R>>): void {
  Deno.test(`${table.name}: the table is whole`, () => {
    assertEquals(table.rows.length, table.states.length);
    for (const row of table.rows) assertEquals(row.length, table.events.length);
    for (const cell of table.rows.flat()) {
      if (typeof cell === "number") assertEquals(cell === IGNORE || cell in table.states, true, `cell ${cell}`);
      else assertMatch(cell, /^[a-z]/);
    }
    assertEquals(printTable(table).trimEnd().split("\n").length, table.states.length + 2);
    assertEquals(Object.keys(reach), table.states);
  });
  for (const [s, state] of table.states.entries()) {
    for (const [e, event] of table.events.entries()) {
      const act = fire[event];
      if (!act) continue;
      const cell = table.rows[s]![e]!;
      if (cell === "the wire and the session disagree") continue;
      const says = typeof cell === "string" ? `refuses: ${cell}` : cell === IGNORE ? "ignores it" : `goes to ${table.states[cell]}`;
      Deno.test(`${table.name}: ${state} × ${event} ${says}`, async () => {
        const rig = make();
        for (const before of reach[state]!) {
          await settled(before(rig));
          await settle();
        }
        assertEquals(rig.session.state, state);
        rig.out.take();
        if (typeof cell === "string") {
          await assertRejects(async () => await act(rig), StateError, cell);
          assertEquals(rig.session.state, state);
          assertEquals(rig.out.take(), []);
          return;
        }
        await settled(act(rig));
        await settle();
        assertEquals(rig.session.state, cell === IGNORE ? state : table.states[cell]);
        if (cell === IGNORE) assertEquals(rig.out.take(), []);
      });
    }
  }
}

/** Waits for a send that can settle by itself; the ones that wait for a file or a flush are left running. */
async function settled(result: unknown): Promise<void> {
  let failure: unknown;
  if (result instanceof Promise) result.catch((error) => failure = error);
  await settle();
  if (failure) throw failure;
}

function context(files: MemoryFiles, clock: HandClock): Context {
  return { clock, files, limits: LIMITS, strict: false, state: null, drain: new DrainRegistry(), fairness: new Fairness(clock) };
}

const LOST: End = { reason: "client_closed" };

// ── http ──

interface HttpRig extends Rig {
  session: HttpSession;
  files: MemoryFiles;
}

const httpFire: Record<string, Fire<HttpRig>> = {
  "start": ({ session }) => session.send({ type: "http.response.start", status: 200 }),
  "body, more": ({ session }) => session.send({ type: "http.response.body", body: "a", more: 1 }),
  "body, last": ({ session }) => session.send({ type: "http.response.body", body: "z" }),
  "file or fh": ({ session, files }) => {
    files.gate = new Promise(() => {}); // opening never ends
    return session.send({ type: "http.response.body", file: "/f" });
  },
  "trailers": ({ session }) => session.send({ type: "http.response.trailers", headers: [["x-t", "1"]] }),
  "early_hint": ({ session }) => session.send({ type: "http.response.early_hint", headers: [["link", "</a>"]] }),
  "fullflush": ({ session }) => session.send({ type: "http.fullflush" }),
  "(app returns)": ({ session }) => session.returned(),
  "(app throws)": ({ session }) => session.threw(new Error("boom")),
  "(delivered)": ({ session }) => session.closed({ reason: null }),
  "(lost)": ({ session }) => session.closed(LOST),
};
const promising: Fire<HttpRig> = ({ session }) => session.send({ type: "http.response.start", status: 200, trailers: 1 });
/** A file whose second chunk never comes: the session stays in the middle of it. */
const endless: Fire<HttpRig> = ({ session }) => {
  let reads = 0;
  const read = (into: Uint8Array) => reads++ === 0 ? Promise.resolve(into.byteLength) : new Promise<null>(() => {});
  return session.send({ type: "http.response.body", fh: { read } });
};
const listen: Fire<HttpRig> = ({ session }) => session.scope["pagi.connection"].isConnected();

walk<HttpRig>(
  HTTP_TABLE,
  () => {
    const out = new RecordingOutbound();
    const files = new MemoryFiles({ "/f": "file" });
    return { session: new HttpSession(head(), out, context(files, new HandClock())), out, files };
  },
  {
    idle: [],
    held: [listen, httpFire.start!],
    streaming: [httpFire.start!, httpFire["body, more"]!],
    opening: [httpFire.start!, httpFire["file or fh"]!],
    appending: [httpFire.start!, httpFire["body, more"]!, httpFire["file or fh"]!],
    file: [httpFire.start!, endless],
    trailing: [promising, httpFire["body, last"]!],
    sent: [listen, httpFire.start!, httpFire["body, last"]!],
    done: [httpFire.start!, httpFire["body, last"]!],
    gone: [httpFire["(lost)"]!],
  },
  httpFire,
);

Deno.test("http: opening × (opened) goes to file, and to its end", async () => {
  const out = new RecordingOutbound();
  const files = new MemoryFiles({ "/f": "file" });
  const session = new HttpSession(head(), out, context(files, new HandClock()));
  await session.send({ type: "http.response.start", status: 200 });
  await session.send({ type: "http.response.body", file: "/f" });
  assertEquals(out.take(), ['respond 200 [] "file" 0']);
  assertEquals(session.state, "done");
  assertEquals(files.closed, ["/f"]);
});

for (const [before, body] of [["held", null], ["streaming", "a"]] as const) {
  Deno.test(`http: (not opened) goes back to ${before}`, async () => {
    const out = new RecordingOutbound();
    const session = new HttpSession(head(), out, context(new MemoryFiles({}), new HandClock()));
    await session.send({ type: "http.response.start", status: 200 });
    if (body) await session.send({ type: "http.response.body", body, more: 1 });
    await assertRejects(() => session.send({ type: "http.response.body", file: "/none" }), Deno.errors.NotFound);
    assertEquals(session.state, before);
    await session.send({ type: "http.response.body", body: "z" });
    assertEquals(session.complete, true);
  });
}

Deno.test("http: held × body, last, trailers promised goes to trailing", async () => {
  const out = new RecordingOutbound();
  const session = new HttpSession(head(), out, context(new MemoryFiles({}), new HandClock()));
  await session.send({ type: "http.response.start", status: 200, trailers: 1 });
  await session.send({ type: "http.response.body", body: "z" });
  assertEquals(session.state, "trailing");
  assertEquals(out.take(), ["head 200 [] 5", 'chunk "z"']);
  await session.send({ type: "http.response.trailers", headers: [["x-t", "1"]] });
  assertEquals(out.take(), ['end [["x-t","1"]]']);
});

// ── sse ──

interface SseRig extends Rig {
  session: SseSession;
}

const sseFire: Record<string, Fire<SseRig>> = {
  "start": ({ session }) => session.send({ type: "sse.start" }),
  "send": ({ session }) => session.send({ type: "sse.send", data: "a" }),
  "comment": ({ session }) => session.send({ type: "sse.comment", comment: "c" }),
  "keepalive": ({ session }) => session.send({ type: "sse.keepalive", interval: 5 }),
  "close": ({ session }) => session.send({ type: "sse.close" }),
  "decline start": ({ session }) => session.send({ type: "sse.http.response.start", status: 404 }),
  "decline body, more": ({ session }) => session.send({ type: "sse.http.response.body", body: "a", more: 1 }),
  "decline body, last": ({ session }) => session.send({ type: "sse.http.response.body", body: "z" }),
  "fullflush": ({ session }) => session.send({ type: "http.fullflush" }),
  "(app returns)": ({ session }) => session.returned(),
  "(app throws)": ({ session }) => session.threw(new Error("boom")),
  "(lost)": ({ session }) => session.closed(LOST),
};

walk<SseRig>(
  SSE_TABLE,
  () => {
    const out = new RecordingOutbound();
    const session = new SseSession(head({ kind: "sse" }), out, context(new MemoryFiles({}), new HandClock()), new SseEncoder());
    return { session, out };
  },
  {
    idle: [],
    open: [sseFire.start!],
    declining: [sseFire["decline start"]!],
    declined: [sseFire["decline start"]!, sseFire["decline body, last"]!],
    closed: [sseFire.start!, sseFire.close!],
    gone: [sseFire["(lost)"]!],
  },
  sseFire,
);

// ── websocket ──

interface SocketRig extends Rig {
  session: WebSocketSession;
}

const socketFire: Record<string, Fire<SocketRig>> = {
  "accept": ({ session }) => session.send({ type: "websocket.accept" }),
  "send": ({ session }) => session.send({ type: "websocket.send", text: "a" }),
  "keepalive": ({ session }) => session.send({ type: "websocket.keepalive", interval: 5 }),
  "close": ({ session }) => session.send({ type: "websocket.close" }),
  "denial start": ({ session }) => session.send({ type: "websocket.http.response.start", status: 401 }),
  "denial body, more": ({ session }) => session.send({ type: "websocket.http.response.body", body: "a", more: 1 }),
  "denial body, last": ({ session }) => session.send({ type: "websocket.http.response.body", body: "z" }),
  "(app returns)": ({ session }) => session.returned(),
  "(app throws)": ({ session }) => session.threw(new Error("boom")),
  "(lost)": ({ session }) => session.closed({ reason: null, code: 1000, clean: true }),
};

walk<SocketRig>(
  WEBSOCKET_TABLE,
  () => {
    const out = new RecordingOutbound();
    return { session: new WebSocketSession(head({ kind: "websocket" }), out, context(new MemoryFiles({}), new HandClock())), out };
  },
  {
    connecting: [],
    denying: [socketFire["denial start"]!],
    refused: [socketFire.close!],
    open: [socketFire.accept!],
    closing: [socketFire.accept!, socketFire.close!],
    gone: [socketFire["(lost)"]!],
  },
  socketFire,
);

// ── lifespan ──

interface LifespanRig extends Rig {
  session: LifespanSession;
  clock: HandClock;
  send: (type: string) => Promise<void>;
  app: PromiseWithResolvers<void>;
}

const lifespanFire: Record<string, Fire<LifespanRig>> = {
  "startup.complete": ({ send }) => send("lifespan.startup.complete"),
  "startup.failed": ({ send }) => send("lifespan.startup.failed"),
  "shutdown.complete": ({ send }) => send("lifespan.shutdown.complete"),
  "shutdown.failed": ({ send }) => send("lifespan.shutdown.failed"),
  "(app returns)": ({ app }) => app.resolve(),
  "(app throws)": ({ app }) => app.reject(new Error("boom")),
  "(timeout)": ({ clock }) => clock.advance(60_000),
  "(server stops)": ({ session }) => void session.shutdown(30_000),
};

walk<LifespanRig>(
  LIFESPAN_TABLE,
  () => {
    const app = Promise.withResolvers<void>();
    const clock = new HandClock();
    const rig = { out: new RecordingOutbound(), clock, app } as unknown as LifespanRig & { session: LifespanSession };
    const session = new LifespanSession(
      (_scope, _receive, send) => {
        Object.assign(rig, { send: (type: string) => send({ type } as Parameters<typeof send>[0]) });
        return app.promise;
      },
      { ...START, lifespan: "auto" },
      { clock, note() {} },
    );
    session.startup().catch(() => {});
    return Object.assign(rig, { session });
  },
  {
    starting: [],
    started: [lifespanFire["startup.complete"]!],
    stopping: [lifespanFire["startup.complete"]!, lifespanFire["(server stops)"]!],
    stopped: [lifespanFire["startup.complete"]!, lifespanFire["(server stops)"]!, lifespanFire["shutdown.complete"]!],
    failed: [lifespanFire["startup.failed"]!],
    declined: [lifespanFire["(app returns)"]!],
    over: [lifespanFire["startup.complete"]!, lifespanFire["(app returns)"]!],
  },
  lifespanFire,
);
