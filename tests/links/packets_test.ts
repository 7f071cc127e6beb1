/** Every packet of the table, as text written by hand: what it becomes at the front and in a worker, and how calls are written. */

import { assertEquals } from "@std/assert";
import type { Outbound, SocketOutbound } from "../../src/exchange.ts";
import { PACKETS } from "../../src/links/packets.ts";
import { ServedHost, type ServingHost } from "../../src/links/served_host.ts";
import { handFront, HandPipe, headOf, Session, START, startedWorker } from "./doubles.ts";

const bytes = (...numbers: number[]) => new Uint8Array(numbers);
const seen = new Set<string>();

/** Notes that a packet of this name was tested. */
function tested(from: "front" | "worker", name: string): void {
  seen.add(`${from} ${name}`);
}

/** What a worker sends for an exchange (`$` is its number), the bytes with it, and what the engine is told. */
const FROM_WORKER: readonly [name: string, kind: "http" | "websocket", text: string, bytes: Uint8Array<ArrayBuffer>, calls: unknown[][]][] =
  [
    ["note", "http", '[5,$,"warn","slow",{"ms":7,"what":"x"}]', bytes(), [["note", "warn", "slow", { ms: 7, what: "x" }]]],
    ["pull", "http", "[19,$,100]", bytes(), [["pull", 100]]],
    ["watch", "http", "[20,$]", bytes(), [["watch"]]],
    ["inform", "http", '[21,$,103,[["link","</a>"]]]', bytes(), [["inform", 103, [["link", "</a>"]]]]],
    ["respond", "http", '[22,$,200,[["x-a","b"]],"hi",0,null]', bytes(), [["respond", 200, [["x-a", "b"]], "hi", 0]]],
    ["respond", "http", '[22,$,500,[],2,6,"server_error"]', bytes(1, 2), [["respond", 500, [], bytes(1, 2), 6, "server_error"]]],
    [
      "head",
      "http",
      '[23,$,200,[["content-length","3"]],4,24,$,1,24,$,2,26,$,null,null]',
      bytes(1, 2, 3),
      [["head", 200, [["content-length", "3"]], 4], ["chunk", bytes(1)], ["chunk", bytes(2, 3)], ["end", null]],
    ],
    ["chunk", "http", "[23,$,200,[],0,24,$,2]", bytes(1, 2), [["head", 200, [], 0], ["chunk", bytes(1, 2)]]],
    ["flush", "http", "[23,$,200,[],0,25,$]", bytes(), [["head", 200, [], 0], ["flush"]]],
    [
      "end",
      "http",
      '[23,$,200,[],1,26,$,[["x-t","1"]],"done"]',
      bytes(),
      [["head", 200, [], 1], ["end", [["x-t", "1"]], "done"]],
    ],
    ["abort", "http", '[23,$,200,[],0,27,$,"server_error"]', bytes(), [["head", 200, [], 0], ["abort", "server_error"]]],
    ["accept", "websocket", '[28,$,"chat",[["x-a","b"]]]', bytes(), [["accept", "chat", [["x-a", "b"]]]]],
    ["message", "websocket", '[28,$,null,[],29,$,"hé"]', bytes(), [["accept", null, []], ["message", "hé"]]],
    [
      "message part",
      "websocket",
      "[28,$,null,[],30,$,0,1,2,30,$,0,0,1,30,$,1,0,3]",
      bytes(1, 2, 3, 0xe2, 0x82, 0xac),
      [["accept", null, []], ["message", bytes(1, 2, 3)], ["message", "€"]],
    ],
    ["ping", "websocket", "[28,$,null,[],31,$,9]", bytes(), [["accept", null, []], ["ping", 9]]],
    ["close", "websocket", '[28,$,null,[],32,$,4001,"bye"]', bytes(), [["accept", null, []], ["close", 4001, "bye"]]],
  ];

for (const [name, kind, text, data, calls] of FROM_WORKER) {
  Deno.test(`RemoteHost takes the packet "${name}": ${text}`, async () => {
    tested("worker", name);
    const { pipe, host, open } = await handFront();
    const { id, engine } = await open(headOf(kind));
    pipe.give(text.replaceAll("$", String(id)), data);
    assertEquals(engine.calls, calls);
    host.abandon("");
  });
}

Deno.test("RemoteHost takes the packets of a worker's life", async () => {
  for (const name of ["ready", "failed", "beat", "note", "recycle", "stopped"]) tested("worker", name);
  const { pipe, host, notes } = await handFront(); // ready
  const before = host.heardAt;
  pipe.give("[4,0]");
  assertEquals(host.heardAt >= before, true);
  pipe.give('[5,0,"info","loaded",null]');
  assertEquals(notes, [["info", "loaded", {}]]);
  pipe.give("[6,0]");
  const stopping = host.stop(60_000);
  assertEquals(await pipe.next(), "[8,0,59900]");
  pipe.give("[9,0]");
  await stopping;
  host.abandon("");
});

/** What the front's engine calls, and the packet for the worker. The number of the exchange is 1. */
Deno.test("RemoteHost writes the packets of requests", async () => {
  const { pipe, host, open } = await handFront();
  const { id, inbound } = await open();
  const written = async (name: string, text: string) => {
    tested("front", name);
    assertEquals(await pipe.next(), text.replaceAll("$", String(id)));
  };
  inbound.body(bytes(1, 2, 3), true);
  inbound.body(bytes(), false, [["x-t", "1"]]);
  await written("body", '[12,$,1,3,null,12,$,0,0,[["x-t","1"]]]');
  assertEquals(pipe.bytes.at(-1), bytes(1, 2, 3));
  inbound.flushed();
  await written("flushed", "[14,$]");
  inbound.drained();
  await written("written", "[13,$,0,0]");
  inbound.closed({ reason: "client_closed" });
  await written("closed", '[15,$,"client_closed",null,null,null]');
  host.drain("shutdown", 1.5);
  await written("drain", '[7,0,"shutdown",1.5]');
  void host.stop(0);
  await written("stop", "[8,0,0]");
  host.abandon("");
});

Deno.test("RemoteHost writes the packets of WebSockets", async () => {
  const { pipe, host, open } = await handFront();
  const { id, engine } = await open(headOf("websocket"));
  pipe.give(`[28,${id},null,[]]`);
  const socket = engine.inbound!;
  const written = async (name: string, text: string) => {
    tested("front", name);
    assertEquals(await pipe.next(), text.replaceAll("$", String(id)));
  };
  socket.message('a"é\u0000');
  await written("message", '[16,$,"a\\"é\\u0000"]');
  socket.message(bytes(5, 6));
  await written("message part", "[17,$,0,0,2]");
  assertEquals(pipe.bytes.at(-1), bytes(5, 6));
  socket.pong(3);
  await written("pong", "[18,$,3]");
  socket.closed({ reason: "client_closed", code: 1001, text: "bye", clean: true });
  await written("closed", '[15,$,"client_closed",1001,"bye",true]');
  host.abandon("");
});

Deno.test("RemoteHost counts the exchanges of a worker that listens, and is idle once that says that no more come", async () => {
  tested("worker", "counts");
  const { pipe, host } = await handFront({ listens: true });
  const seen = () => [host.size, host.completed, host.idle];
  assertEquals(seen(), [0, 0, false]);
  pipe.give("[34,0,2,40,1]");
  assertEquals(seen(), [2, 40, false]);
  pipe.give("[34,0,1,41,0]");
  assertEquals(seen(), [1, 41, false]);
  pipe.give("[34,0,0,42,0]");
  assertEquals(seen(), [0, 42, true]);
  pipe.give("[34,0,3,50,0]");
  host.abandon("it is gone");
  assertEquals(seen(), [0, 53, true]);
});

Deno.test("RemoteHost gives up a worker that counts backwards, or counts although it does not listen", async () => {
  const { pipe, host } = await handFront({ listens: true });
  pipe.give("[34,0,0,7,1]");
  pipe.give("[34,0,0,6,1]");
  assertEquals(await host.lost, "A worker counts backwards");
  const other = await handFront();
  other.pipe.give("[34,0,0,0,0]");
  assertEquals(await other.host.lost, "A worker that does not listen has nothing to count");
});

Deno.test("RemoteHost writes tell", async () => {
  tested("front", "tell");
  const { pipe, host } = await handFront({ listens: true });
  host.tell({ is: "reopen" });
  assertEquals(await pipe.next(), '[33,0,{"is":"reopen"}]');
  host.abandon("");
});

Deno.test("RemoteHost writes start, share and open", async () => {
  for (const name of ["start", "share", "open"]) tested("front", name);
  const { pipe, host } = await handFront();
  host.open(headOf(), { ...new Session(), buffered: 0 } as unknown as Outbound);
  assertEquals(
    await pipe.next(),
    '[10,0,0,["127.0.0.1",8000],10,0,1,["early-hints","trailers","flush","ws-ping"],' +
      '11,1,"http","1.1","GET","http","/a%20b","/a b","q=1","",[["host","a"]],"127.0.0.1",50000,0,"plain",1,null]',
  );
  host.abandon("");
});

/** What a served host tells the home in a worker, for packets written by hand. */
async function served(text: string, data: Uint8Array<ArrayBuffer> = bytes()): Promise<unknown[][]> {
  const pipe = new HandPipe();
  const session = new Session();
  const { calls } = session;
  const host: ServingHost = {
    start: (start) => Promise.resolve(void calls.push(["start", start])),
    open: (head: unknown) => (calls.push(["open", head]), session),
    openSocket: (head: unknown) => (calls.push(["openSocket", head]), session),
    drain: (...args) => void calls.push(["drain", ...args]),
    stop: (graceMs) => Promise.resolve(void calls.push(["stop", graceMs])),
    tell: (what) => void calls.push(["tell", what]),
    lost: new Promise(() => {}),
  };
  const worker = new ServedHost(pipe, (load) => (calls.push(["load", load]), host));
  pipe.give(`[1,0,1,{"app":"/a.ts","args":{}},${JSON.stringify(START)},0]`);
  assertEquals(await pipe.next(), "[2,0]");
  assertEquals(calls.splice(0), [["load", { app: "/a.ts", args: {} }], ["start", JSON.parse(JSON.stringify(START))]]);
  pipe.give('[10,0,0,["::1",80],10,0,1,["flush"],10,0,2,{"server_cert":null}]');
  pipe.give(text, data);
  const told = [...calls];
  pipe.close();
  await worker.ended;
  return told;
}

const OPEN = '11,5,"http","2","POST","https","/a",null,"","/m",[["host","a"]],null,0,0,"plain",1,2';
const HEAD = {
  ...{ kind: "http", id: 5, httpVersion: "2", method: "POST", scheme: "https", rawPath: "/a", path: "/a", query: "", rootPath: "/m" },
  ...{ headers: [["host", "a"]], server: ["::1", 80], body: "plain", capabilities: ["flush"], tls: { server_cert: null } },
};
const SOCKET = '11,5,"websocket","1.1","GET","http","/a",null,"","",[],"::2",9,0,"none",1,null';

Deno.test("ServedHost takes open, body, flushed, written and closed", async () => {
  assertEquals(
    await served(`[${OPEN},12,5,1,2,null,12,5,0,0,[["x-t","1"]],14,5,13,5,0,0,15,5,"client_closed",null,null,null]`, bytes(1, 2)),
    [
      ["open", HEAD],
      ["body", bytes(1, 2), true],
      ["body", bytes(), false, [["x-t", "1"]]],
      ["flushed"],
      ["drained"],
      ["closed", { reason: "client_closed" }],
    ],
  );
});

Deno.test("ServedHost takes message, message part, pong and closed of a WebSocket", async () => {
  const told = await served(
    `[${SOCKET},16,5,"hé",17,5,1,1,1,17,5,1,0,2,17,5,0,0,1,18,5,4,15,5,null,1000,"",true]`,
    bytes(0xe2, 0x82, 0xac, 7),
  );
  assertEquals(told.slice(1), [
    ["message", "hé"],
    ["message", "€"],
    ["message", bytes(7)],
    ["pong", 4],
    ["closed", { reason: null, code: 1000, text: "", clean: true }],
  ]);
});

Deno.test("ServedHost takes drain and stop", async () => {
  assertEquals(await served('[7,0,"shutdown",1.5,8,0,50]'), [["drain", "shutdown", 1.5], ["stop", 50]]);
});

Deno.test("ServedHost takes tell, for a host that can be told something", async () => {
  assertEquals(await served('[33,0,{"is":"reopen"}]'), [["tell", { is: "reopen" }]]);
});

Deno.test("ServedHost writes counts", async () => {
  const { pipe, worker } = await startedWorker();
  worker.counts(2, 40, true);
  assertEquals(await pipe.next(), "[34,0,2,40,1]");
  worker.counts(0, 42, false);
  assertEquals(await pipe.next(), "[34,0,0,42,0]");
  pipe.close();
  await worker.ended;
});

/** What a session calls in a worker, and the packets for the front. */
async function writes(call: (out: SocketOutbound) => void): Promise<[string, Uint8Array]> {
  const { pipe, worker, out } = await startedWorker();
  pipe.give(`[10,0,0,["::1",80],10,0,1,["flush"],${SOCKET}]`);
  call(out() as SocketOutbound);
  const text = await pipe.next();
  pipe.close();
  await worker.ended;
  return [text, pipe.bytes.at(-1)!];
}

const CALLS: readonly [(out: SocketOutbound) => void, string, Uint8Array][] = [
  [(out) => out.pull(100), "[19,5,100]", bytes()],
  [(out) => out.watch(), "[20,5]", bytes()],
  [(out) => out.inform(103, [["link", "</a>"]]), '[21,5,103,[["link","</a>"]]]', bytes()],
  [(out) => out.respond(200, [["x-a", "b"]], "hi", 0), '[22,5,200,[["x-a","b"]],"hi",0,null]', bytes()],
  [(out) => out.respond(500, [], bytes(1, 2), 6, "server_error"), '[22,5,500,[],2,6,"server_error"]', bytes(1, 2)],
  [
    (out) => {
      out.head(200, [], 5);
      out.chunk(bytes(1));
      out.flush();
      out.end([["x-t", "1"]], "done");
    },
    '[23,5,200,[],5,24,5,1,25,5,26,5,[["x-t","1"]],"done"]',
    bytes(1),
  ],
  [(out) => out.abort("server_error"), '[27,5,"server_error"]', bytes()],
  [(out) => out.note("warn", "slow", { ms: 7 }), '[5,5,"warn","slow",{"ms":7}]', bytes()],
  [
    (out) => {
      out.accept("chat", [["x-a", "b"]]);
      out.message("hé");
      out.message(bytes(1, 2));
      out.ping(9);
      out.close(4001, "bye");
    },
    '[28,5,"chat",[["x-a","b"]],29,5,"hé",30,5,0,0,2,31,5,9,32,5,4001,"bye"]',
    bytes(1, 2),
  ],
];

for (const [call, text, data] of CALLS) {
  Deno.test(`ServedHost writes ${text}`, async () => {
    assertEquals(await writes(call), [text, data]);
  });
}

Deno.test("every packet of the table has its test", () => {
  for (const name of ["hello"]) tested("worker", name); // socket_listener_test.ts
  assertEquals(PACKETS.map(({ from, name }) => `${from} ${name}`).filter((name) => !seen.has(name)), []);
});
