/** File bodies. */

import { assertEquals } from "@std/assert";
import { answer, http, rejection } from "../apps.ts";
import { elsewhere, row } from "../suite.ts";
import type { Reply } from "../reply.ts";
import type { Ask, Target } from "../target.ts";
import { Mailbox } from "../waiting.ts";
import { WireExchange } from "../wire_exchange.ts";
import type { HttpResponseBodyEvent } from "../../../src/spec/events.ts";

type Body = Omit<HttpResponseBodyEvent, "type">;

/** Bytes, each value among them. */
const SIZE = 300_000;
const BYTES = Uint8Array.from({ length: SIZE }, (_, index) => (index * 7 + (index >> 8)) & 255);

/** A folder with `data`, `empty` and `folder`. */
async function files() {
  const path = await Deno.makeTempDir();
  await Deno.writeFile(`${path}/data`, BYTES);
  await Deno.writeFile(`${path}/empty`, new Uint8Array());
  await Deno.mkdir(`${path}/folder`);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** The answer to a request for one body, or to a plain text body where that is refused; and what its `send` came to. */
async function ask(
  target: Target,
  make: (folder: string) => Body | Promise<Body>,
  headers: readonly (readonly [string, string])[] = [],
  request: Ask = {},
): Promise<{ reply: Reply; outcome: string }> {
  await using folder = await files();
  const outcomes = new Mailbox<string>();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    const body = await make(folder.path);
    await send({ type: "http.response.start", status: 200, headers });
    try {
      await send({ type: "http.response.body", ...body } as HttpResponseBodyEvent);
      outcomes.put("sent");
    } catch (error) {
      outcomes.put(error instanceof Error ? error.name : "?");
      await send({ type: "http.response.body", body: "another" });
    }
  }));
  const reply = await server.request(request);
  return { reply, outcome: await outcomes.take() };
}

/** The whole file, opened by the app and closed by it too. */
function open(folder: string, opened: Deno.FsFile[]): Deno.FsFile {
  const file = Deno.openSync(`${folder}/data`);
  opened.push(file);
  return file;
}

function isSlice(reply: Reply, from: number, to: number): void {
  assertEquals([reply.cut, reply.body.byteLength], [false, to - from]);
  assertEquals(reply.body.every((byte, index) => byte === BYTES[from + index]), true);
}

row("FILE-001", "A file is opened, sent and closed by the server, byte for byte", {}, async (target) => {
  const { reply, outcome } = await ask(target, (folder) => ({ file: `${folder}/data` }));
  isSlice(reply, 0, SIZE);
  assertEquals([outcome, reply.get("content-length") ?? String(SIZE)], ["sent", String(SIZE)]);
});

row("FILE-001", "also with a length of the app", {}, async (target) => {
  isSlice((await ask(target, (folder) => ({ file: `${folder}/data` }), [["content-length", String(SIZE)]])).reply, 0, SIZE);
});

row("FILE-002", "A handle is read to its end, or for `length` bytes, and stays open: the app closes it", {}, async (target) => {
  for (const length of [undefined, 1000]) {
    const opened: Deno.FsFile[] = [];
    const { reply } = await ask(target, (folder) => ({ fh: open(folder, opened), ...(length === undefined ? {} : { length }) }));
    isSlice(reply, 0, length ?? SIZE);
    await opened[0]!.stat();
    opened[0]!.close();
  }
});

row("FILE-003", "`offset` and `length` send exactly that window; without `length` it goes to the end", {}, async (target) => {
  isSlice((await ask(target, (folder) => ({ file: `${folder}/data`, offset: 100, length: 500 }))).reply, 100, 600);
  isSlice((await ask(target, (folder) => ({ file: `${folder}/data`, offset: 150_000 }))).reply, 150_000, SIZE);
  const opened: Deno.FsFile[] = [];
  isSlice((await ask(target, (folder) => ({ fh: open(folder, opened), offset: 100, length: 500 }))).reply, 100, 600);
  opened[0]!.close();
});

row("FILE-004", "`more` is ignored: the response is complete behind the file", {}, async (target) => {
  await using folder = await files();
  const said = new Mailbox<string>();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", file: `${folder.path}/data`, length: 10, more: 1 });
    said.put((await rejection(send({ type: "http.response.body", body: "late" }))).name);
  }));
  isSlice(await server.request(), 0, 10);
  assertEquals(await said.take(), "StateError");
});

row("FILE-004", "a `length` beyond the end sends what is there", {}, async (target) => {
  isSlice((await ask(target, (folder) => ({ file: `${folder}/data`, offset: SIZE - 10, length: 100 }))).reply, SIZE - 10, SIZE);
});

row("FILE-005", "An empty file is an empty body", {}, async (target) => {
  for (const headers of [[], [["content-length", "0"]]] as const) {
    const { reply, outcome } = await ask(target, (folder) => ({ file: `${folder}/empty` }), headers);
    assertEquals([reply.status, reply.body.byteLength, reply.cut, outcome], [200, 0, false, "sent"]);
  }
});

row("FILE-006", "`length: 0` is an empty body with one end", { wire: true }, async (target) => {
  await using folder = await files();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", file: `${folder.path}/data`, length: 0 });
  }));
  const connection = await server.connect();
  await connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  for (let count = 0; count < 2; count++) assertEquals((await WireExchange.reply(connection)).body.byteLength, 0);
});

row("FILE-007", "A file that is not there rejects before any body byte: the app may send another body", {}, async (target) => {
  const { reply, outcome } = await ask(target, (folder) => ({ file: `${folder}/absent` }));
  assertEquals([reply.status, reply.text, outcome === "sent"], [200, "another", false]);
});

row("FILE-007", "where the app does not, the answer is a 500, and the server lives on", {}, async (target) => {
  await using server = await target.start(http(async (scope, _receive, send) => {
    if (scope.path === "/ok") return await answer(send);
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", file: "/nowhere/at/all" });
  }));
  assertEquals((await server.request()).status, 500);
  assertEquals((await server.request({ target: "/ok" })).status, 200);
});

row("FILE-008", "A folder rejects", {}, async (target) => {
  const { reply, outcome } = await ask(target, (folder) => ({ file: `${folder}/folder` }));
  assertEquals([reply.text, outcome === "sent"], ["another", false]);
});

row("FILE-009", "What is no handle, and a handle that is closed, reject", {}, async (target) => {
  const closed = (folder: string): Body => {
    const file = Deno.openSync(`${folder}/data`);
    file.close();
    return { fh: file };
  };
  for (const make of [closed, () => ({ fh: {} } as unknown as Body), () => ({ fh: 3 } as unknown as Body)]) {
    const { reply, outcome } = await ask(target, make);
    assertEquals([reply.text === "another" || reply.cut || reply.status === 500, outcome === "sent"], [true, false]);
  }
});

row("FILE-010", "An `offset` past the end sends no byte, and completes the response", {}, async (target) => {
  const { reply, outcome } = await ask(target, (folder) => ({ file: `${folder}/data`, offset: 2 * SIZE }));
  assertEquals([reply.body.byteLength, reply.cut, outcome], [0, false, "sent"]);
});

row("FILE-011", "A negative or broken `offset` or `length` rejects", {}, async (target) => {
  for (const bad of [{ offset: -1 }, { length: -1 }, { offset: 1.5 }, { length: NaN }]) {
    const { reply, outcome } = await ask(target, (folder) => ({ file: `${folder}/data`, ...bad }));
    assertEquals([reply.text, outcome], ["another", "EventError"], JSON.stringify(bad));
  }
});

row("FILE-012", "`file` is an absolute path: a relative one rejects", {}, async (target) => {
  const { reply, outcome } = await ask(target, () => ({ file: "deno.json" }));
  assertEquals([reply.text, outcome], ["another", "EventError"]);
});

/** A handle without a file: 40 full parts. It counts the largest. */
class Parts {
  largest = 0;
  #left = 40;

  read(into: Uint8Array): Promise<number | null> {
    this.largest = Math.max(this.largest, into.byteLength);
    return Promise.resolve(this.#left-- > 0 ? into.byteLength : null);
  }
}

row("FILE-013", "A file is sent in parts, not loaded whole", {}, async (target) => {
  const fh = new Parts();
  const { reply } = await ask(target, () => ({ fh }));
  assertEquals([reply.cut, reply.body.byteLength, fh.largest < 1_000_000], [false, 40 * fh.largest, true]);
});

row("FILE-014", "A part is at least 64 KiB where there is as much, and at most 256 KiB", {}, async (target) => {
  const fh = new Parts();
  await ask(target, () => ({ fh }));
  assertEquals([fh.largest >= 65_536, fh.largest <= 262_144], [true, true]);
});

row("FILE-015", "The bytes are the same for every length around the size of a part", {}, async (target) => {
  for (const length of [1, 65_536, 262_143, 262_144, 262_145]) {
    isSlice((await ask(target, (folder) => ({ file: `${folder}/data`, length }))).reply, 0, length);
  }
});

row("FILE-016", "Any object with `read` is a handle", {}, async (target) => {
  const parts = ["hello ", "world"];
  const fh = {
    read(into: Uint8Array): Promise<number | null> {
      const part = parts.shift();
      return Promise.resolve(part === undefined ? null : new TextEncoder().encodeInto(part, into).written);
    },
  };
  assertEquals((await ask(target, () => ({ fh }))).reply.text, "hello world");
});

row("FILE-016", "HEAD does not open the file", {}, async (target) => {
  const { reply, outcome } = await ask(target, () => ({ file: "/nowhere/at/all" }), [], { method: "HEAD" });
  assertEquals([reply.status, outcome], [200, "sent"]);
});

row("FILE-017", "Promised trailers follow a file, and the body has one end", {}, async (target) => {
  await using folder = await files();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, trailers: 1 });
    await send({ type: "http.response.body", file: `${folder.path}/data`, length: 10 });
    await send({ type: "http.response.trailers", headers: [["x-sum", "1"]] });
  }));
  const reply = await server.request();
  isSlice(reply, 0, 10);
  assertEquals(reply.trailers, target.capabilities.includes("trailers") ? [["x-sum", "1"]] : null);
});

row("FILE-018", "The access log counts the bytes of the file", {}, async (target) => {
  await using folder = await files();
  await using server = await target.start(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", file: `${folder.path}/data`, length: 1234 });
  }));
  await server.request();
  assertEquals((await server.ended()).bytes, 1234);
});

elsewhere(
  "FILE-019",
  "The server reads files through one small interface: open, size, read at an offset, close",
  "tests/loading/system_test.ts",
);
