/** A worker that sends what it must not: the link ends with a reason, and no engine sees it. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Kind } from "../../src/links/packet_kinds.ts";
import { PACKETS } from "../../src/links/packets.ts";
import { generator, handFront, headOf } from "./doubles.ts";

const NOTHING = new Uint8Array();

/** Whether the front gave its worker up by now, and why. */
async function verdict(lost: Promise<string>): Promise<string | null> {
  return await Promise.race([lost, Promise.resolve().then(() => null)]);
}

/** Gives a worker's text for an exchange in some state, and says why the front gave up, and what its engine was told. */
async function give(
  text: string,
  { before = "", bytes = NOTHING as Uint8Array<ArrayBuffer>, kind = "http" as "http" | "websocket", changes = {} } = {},
): Promise<[string | null, unknown[][]]> {
  const { pipe, host, open } = await handFront();
  const { id, engine } = await open(headOf(kind, changes));
  if (before !== "") pipe.give(before.replaceAll("$", String(id)), bytes);
  assertEquals(await verdict(host.lost), null, "what comes before is right");
  engine.calls.length = 0;
  pipe.give(text.replaceAll("$", String(id)), before === "" ? bytes : NOTHING);
  const why = await verdict(host.lost);
  host.abandon("");
  return [why, engine.calls];
}

/** Answers of the front alone: a cut or a 502. */
function isOwn(call: unknown[]): boolean {
  return call[0] === "abort" && call[1] === "x-worker-lost" || call[0] === "respond" && call[1] === 502;
}

const ZOO: readonly unknown[] = [
  ...[null, true, -1, 1.5, 1e300, 2 ** 53, "", "x", "a b", "a\r\nb", "\u0001", "é€", "x".repeat(2000), [], {}, [[]], [["a"]], [["a", 1]]],
  ...[[["a b", "c"]], [["a", "b\u0001"]], [["a", "b\r\nx: y"]], [["a", "€"]], [["", "x"]], [["a", "b", "c"]], [[
    "transfer-encoding",
    "chunked",
  ]]],
  ...[99, 100, 101, 103, 199, 600, 205, 1004, 1006, 1015, 999, 2999, 5000, 65_536, 8, { a: {} }, { a: null }, [["a", null]], [[
    ["a"],
    "b",
  ]]],
];

/** A control byte in a header ends the process of a `Deno.serve`. */
function hasControl(text: string): boolean {
  return [...text].some((character) => character !== "\t" && (character < " " || character === "\u007f"));
}

/** A value of the zoo that a field may have, written without a look at the code under test. */
const ALLOWED: Partial<Record<Kind, (value: unknown) => boolean>> = {
  any: () => true,
  count: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  "count?": (value) => value === null || Number.isSafeInteger(value) && (value as number) >= 0,
  flag: (value) => value === 0 || value === 1,
  text: (value) => typeof value === "string",
  "text?": (value) => value === null || typeof value === "string",
  "token?": (value) => value === null || value === "x" || typeof value === "string" && /^x+$/.test(value),
  reason: (value) => typeof value === "string" && value.length <= 1024,
  "reason?": (value) => value === null || typeof value === "string" && value.length <= 1024,
  level: () => false,
  fields: (value) => value === null || typeof value === "object" && !Array.isArray(value) && Object.keys(value as object).length === 0,
  status: (value) => [205].includes(value as number),
  interim: (value) => value === 103,
  headers: (value) => Array.isArray(value) && value.length === 0,
  "headers?": (value) => value === null || Array.isArray(value) && value.length === 0,
  flags: (value) => value === 0,
  bytes: (value) => value === 0,
  body: (value) => typeof value === "string",
  code: () => false,
  closeText: (value) => typeof value === "string" && new TextEncoder().encode(value).byteLength <= 123,
};

/** Good values, by kind. */
const GOOD: Partial<Record<Kind, unknown>> = {
  ...{
    count: 1,
    flag: 0,
    text: "t",
    "text?": null,
    "token?": null,
    reason: "r",
    "reason?": null,
    level: "info",
    fields: null,
    status: 200,
  },
  ...{ interim: 103, headers: [], "headers?": null, flags: 0, bytes: 0, body: "b", code: 1000, closeText: "" },
};

/** What brings an exchange to the state that a packet needs. */
const STATE: Readonly<Record<string, string>> = { chunk: "[23,$,200,[],0]", flush: "[23,$,200,[],0]", end: "[23,$,200,[],0]" };
const SOCKET_PACKETS = ["accept", "message", "message part", "ping", "close"];

Deno.test("RemoteHost gives a worker up for each value that a field can't have, and the engine never sees one", async () => {
  let refused = 0;
  for (const [code, { name, from, fields }] of PACKETS.entries()) {
    if (from !== "worker" || name === "hello") continue;
    const isSocket = SOCKET_PACKETS.includes(name);
    const before = isSocket && name !== "accept" ? "[28,$,null,[]]" : STATE[name] ?? "";
    for (const [at, [field, kind]] of fields.entries()) {
      for (const value of ZOO) {
        if (ALLOWED[kind]!(value)) continue;
        const values = fields.map(([, kind], index) => index === at ? value : GOOD[kind]);
        const text = `[${code},${name === "failed" ? 0 : "$"},${values.map((value) => JSON.stringify(value)).join()}]`;
        const [why, calls] = await give(text, { before, kind: isSocket ? "websocket" : "http" });
        assert(why !== null, `${name}.${field} = ${JSON.stringify(value)} was taken`);
        assertMatch(why, /^(The field |A packet names more bytes)/, text);
        assert(calls.every(isOwn), `${text}: ${Deno.inspect(calls)}`);
        refused++;
      }
    }
  }
  assert(refused > 500, String(refused));
});

/** Packets that are well-formed and wrong: what they are sent behind, for what, and what the front says. */
const WRONG: readonly [text: string, says: RegExp, options?: Parameters<typeof give>[1]][] = [
  ["[24,$,0]", /"chunk" came at the wrong time/],
  ["[26,$,null,null]", /"end" came at the wrong time/],
  ["[25,$]", /"flush" came at the wrong time/],
  ['[22,$,200,[],"b",4,null,22,$,200,[],"b",4,null]', /"respond" came at the wrong time/],
  ['[22,$,200,[],"b",4,null]', /"respond" came at the wrong time/, { before: "[23,$,200,[],0]" }],
  ["[23,$,200,[],0]", /"head" came at the wrong time/, { before: "[23,$,200,[],0]" }],
  ["[24,$,0]", /"chunk" came at the wrong time/, { before: "[23,$,200,[],0,26,$,null,null]" }],
  ["[19,$,1]", /"pull" came at the wrong time/, { before: '[22,$,200,[],"b",4,null]' }],
  ['[27,$,"r"]', /"abort" came at the wrong time/, { before: '[22,$,200,[],"b",4,null]' }],
  ["[21,$,103,[]]", /"inform" came at the wrong time/, { before: "[23,$,200,[],0]" }],
  ["[28,$,null,[]]", /"accept" came for a request/],
  ['[29,$,"t"]', /"message" came at the wrong time/, { kind: "websocket" }],
  ["[28,$,null,[]]", /"accept" came at the wrong time/, { kind: "websocket", before: "[28,$,null,[]]" }],
  ['[22,$,200,[],"b",0,null]', /"respond" came at the wrong time/, { kind: "websocket", before: "[28,$,null,[]]" }],
  ['[29,$,"t"]', /"message" came at the wrong time/, { kind: "websocket", before: '[28,$,null,[],32,$,1000,""]' }],
  ["[30,$,0,1,0]", /A part of a message is empty/, { kind: "websocket", before: "[28,$,null,[]]" }],
  ['[28,$,null,[["sec-websocket-accept","x"]]]', /of a handshake/, { kind: "websocket" }],
  ['[28,$,null,[["upgrade","x"]]]', /of a handshake/, { kind: "websocket" }],
  ['[22,$,204,[],"b",0,null]', /A 204 came with a body/],
  ['[22,$,304,[],"b",0,null]', /A 304 came with a body/],
  ['[22,$,205,[],"",0,null]', /A 205 came/],
  ["[23,$,205,[],0]", /A 205 came/],
  ['[22,$,200,[["Content-Length","1"]],"b",0,null]', /length of a whole answer/],
  ['[22,$,200,[],"b",1,null]', /has no trailers/],
  ['[23,$,200,[["content-length","x"]],0]', /no number of bytes/],
  ['[23,$,200,[["content-length","1"],["content-length","1"]],0]', /no number of bytes/],
  ["[24,$,0]", /no body/, { before: "[23,$,204,[],0]" }],
  ["[23,$,200,[],0,24,$,1]", /no body/, { changes: { method: "HEAD" }, bytes: new Uint8Array(1) }],
  ['[26,$,[["a","b"]],null]', /not announced/, { before: "[23,$,200,[],0]" }],
  ["[23,$,200,[],1]", /engine can't/, { changes: { capabilities: [] } }],
  ["[21,$,103,[]]", /engine can't/, { changes: { capabilities: [] } }],
  ["[23,$,200,[],0,25,$]", /engine can't/, { changes: { capabilities: [] } }],
  ['[23,$,200,[["content-length","1"]],0,24,$,2]', /longer than it was declared/, { bytes: new Uint8Array(2) }],
  ['[23,$,200,[["content-length","3"]],0,24,$,2,26,$,null,null]', /shorter than it was declared/, { bytes: new Uint8Array(2) }],
  ["[19,$,1]", /the request has none/, { changes: { body: "none" } }],
  ["[23,$,200,[],0,24,$,5]", /more bytes than there are/, { bytes: new Uint8Array(2) }],
  ["[23,$,200,[],0,24,$,1]", /bytes that no packet names/, { bytes: new Uint8Array(2) }],
  ["[22,$,200", /not JSON/],
  ["", /not JSON/],
  ["{}", /no list/],
  ["7", /no list/],
  ["null", /no list/],
  ["[22,$,200]", /cut short/],
  ["[22]", /cut short/],
  ["[33,$]", /sends no packet 33/],
  ["[-1,$]", /sends no packet -1/],
  ["[1.5,$]", /sends no packet/],
  ['["22",$,200,[],"b",0,null]', /sends no packet/],
  ["[[22],$]", /sends no packet/],
  ['["length",$]', /sends no packet/],
  ['["__proto__",$]', /sends no packet/],
  ['[0,0,1,"secret",1]', /sends no packet 0/],
  ["[1,0,1,{},{},0]", /sends no packet 1/],
  ["[15,$,null,null,null,null]", /sends no packet 15/],
  ["[".repeat(100_000), /not JSON/],
  [`[${"[".repeat(100_000)}${"]".repeat(100_000)}]`, /sends no packet/],
  [`[5,0,"info",${"[".repeat(100_000)}${"]".repeat(100_000)},null]`, /The field text/],
];

for (const [text, says, options] of WRONG) {
  Deno.test(`RemoteHost gives a worker up for ${text.slice(0, 60)} ${JSON.stringify(options ?? {})}`, async () => {
    const [why, calls] = await give(text, options);
    assert(why !== null, "it was taken");
    // Deep lists may be too much for an inspection as well.
    assertMatch(why, text.length > 1000 ? new RegExp(`${says.source}|could not be handled`) : says);
    const last = calls.at(-1);
    assert(last === undefined || isOwn(last) || ["respond", "end", "head", "abort"].includes(String(last[0])), Deno.inspect(calls));
  });
}

Deno.test("RemoteHost drops packets for exchanges that it does not know, their bytes too, and judges what follows", async () => {
  const { pipe, host, open } = await handFront();
  const { id, engine } = await open();
  pipe.give(`[24,9999,2,22,-5,200,[],1,0,null,30,1.5,0,0,1,27,9998,"r",22,${id},200,[],1,4,null]`, new Uint8Array([1, 2, 3, 4, 5]));
  assertEquals(engine.calls, [["respond", 200, [], new Uint8Array([5]), 4]]);
  host.abandon("");
});

Deno.test("RemoteHost lets nothing of an exchange reach its engine after an abort", async () => {
  for (const text of ['27,$,"again"', "24,$,1", "26,$,null,null", '22,$,200,[],"b",0,null', "23,$,200,[],0", "19,$,5", "25,$"]) {
    const [why, calls] = await give(`[23,$,200,[],0,27,$,"r",${text}]`, { bytes: text.startsWith("24") ? new Uint8Array(1) : NOTHING });
    assertEquals([why, calls], [null, [["head", 200, [], 0], ["abort", "r"]]], text);
  }
});

Deno.test("RemoteHost ends well whatever a worker sends: ten thousand batches of nonsense made of right packets", async () => {
  const random = generator(3);
  let [given, ended] = [0, 0];
  for (let round = 0; round < 10_000; round++) {
    const { pipe, host, open } = await handFront();
    const http = await open();
    const socket = await open(headOf("websocket"));
    const ids = [http.id, socket.id, 0, 77];
    const items: unknown[] = [];
    for (let count = 0; count < 1 + random(6); count++) {
      const code = random(10) === 0 ? random(40) : [5, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32][random(15)]!;
      items.push(code, ids[random(4)]);
      for (const [, kind] of PACKETS[code]?.fields ?? []) items.push(random(8) === 0 ? ZOO[random(ZOO.length)] : GOOD[kind]);
      if (random(30) === 0) items.splice(random(items.length), 1);
    }
    pipe.give(JSON.stringify(items), new Uint8Array(random(4) === 0 ? random(4) : 0));
    const why = await verdict(host.lost);
    if (why === null) given++;
    else ended++;
    for (const [name, first, second] of [...http.engine.calls, ...socket.engine.calls]) {
      if (name === "respond" || name === "head") assert(Number(first) >= 200 && Number(first) <= 599, String(first));
      const headers = name === "accept" || name === "respond" || name === "head" || name === "inform"
        ? second
        : name === "end"
        ? first
        : null;
      for (const [header, value] of (headers ?? []) as [string, string][]) assert(!hasControl(header + value), header);
    }
    for (const calls of [http.engine.calls, socket.engine.calls]) {
      const last = calls.findIndex(([name]) => name === "respond" || name === "end" || name === "abort");
      const after = last < 0 ? [] : calls.slice(last + 1).filter(([name]) => name !== "note" && name !== "watch" && name !== "flush");
      assertEquals(after, [], JSON.stringify(items));
    }
    host.abandon("");
  }
  assert(given > 500 && ended > 500, `${given} ${ended}`);
});

Deno.test("RemoteHost answers every exchange of a worker that it gives up: 502 where nothing was sent, a cut where something was", async () => {
  const { pipe, host, open } = await handFront();
  const [fresh, started, socket, whole] = [await open(), await open(), await open(headOf("websocket")), await open()];
  pipe.give(`[23,${started.id},200,[],0,28,${socket.id},null,[],22,${whole.id},200,[],"w",4,null]`);
  pipe.give("[99,0]");
  assertEquals(await host.lost, "A worker sends no packet 99");
  assertEquals(fresh.engine.calls.map(([name, status, , , , reason]) => [name, status, reason]), [["respond", 502, "x-worker-lost"]]);
  assertEquals(started.engine.calls.at(-1), ["abort", "x-worker-lost"]);
  assertEquals(socket.engine.calls.at(-1), ["abort", "x-worker-lost"]);
  assertEquals(whole.engine.calls.length, 1);
  assertEquals([host.size, host.completed], [0, 4]);
  pipe.give(`[22,${fresh.id},200,[],"late",0,null]`);
  assertEquals(fresh.engine.calls.length, 1);
});
