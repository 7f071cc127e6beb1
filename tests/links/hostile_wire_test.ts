/** A hostile worker behind a real server: the client gets an answer, and the server lives. The worker is raw bytes on the socket. */

import { assertEquals, assertMatch } from "@std/assert";
import { DenoServeEngine } from "../../src/engines/deno_serve.ts";
import { RemoteHost } from "../../src/links/remote_host.ts";
import { SocketListener } from "../../src/links/socket_listener.ts";
import { START } from "./doubles.ts";

/** Reads and writes frames, and knows nothing of the code under test. */
class RawWorker {
  readonly #conn: Deno.Conn;
  #bytes = new Uint8Array();

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async send(text: string, bytes: Uint8Array = new Uint8Array()): Promise<void> {
    const encoded = new TextEncoder().encode(text);
    const frame = new Uint8Array(8 + encoded.byteLength + bytes.byteLength);
    new DataView(frame.buffer).setUint32(0, encoded.byteLength, true);
    new DataView(frame.buffer).setUint32(4, bytes.byteLength, true);
    frame.set(encoded, 8);
    frame.set(bytes, 8 + encoded.byteLength);
    await this.raw(frame);
  }

  async raw(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** The number of the next exchange. */
  async opened(): Promise<number> {
    for (;;) {
      const match = /(?:^\[|\],)11,(\d+),"/.exec(await this.#text());
      if (match !== null) return Number(match[1]);
    }
  }

  async #text(): Promise<string> {
    for (;;) {
      if (this.#bytes.byteLength >= 8) {
        const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
        const [text, whole] = [8 + view.getUint32(0, true), 8 + view.getUint32(0, true) + view.getUint32(4, true)];
        if (this.#bytes.byteLength >= whole) {
          const found = new TextDecoder().decode(this.#bytes.subarray(8, text));
          this.#bytes = this.#bytes.slice(whole);
          return found;
        }
      }
      const buffer = new Uint8Array(65_536);
      const count = await this.#conn.read(buffer);
      if (count === null) throw new Error("The server closed the link");
      const more = new Uint8Array(this.#bytes.byteLength + count);
      more.set(this.#bytes);
      more.set(buffer.subarray(0, count), this.#bytes.byteLength);
      this.#bytes = more;
    }
  }

  close(): void {
    this.#conn.close();
  }
}

/** What a worker answers to a request, and what its client and its server make of it. */
async function serve(answer: (worker: RawWorker, id: number) => Promise<void>): Promise<{ got: string; why: string }> {
  const socket = await SocketListener.open();
  const accepted = socket.accept(5000);
  const worker = new RawWorker(await Deno.connect({ transport: "unix", path: socket.path }));
  await worker.send(JSON.stringify([0, 0, 1, socket.secret, 1]));
  const host = new RemoteHost(await accepted, { load: { args: {} }, heartbeatMs: 0, note: () => {}, ended: () => {} });
  const started = host.start(START);
  await worker.send("[2,0]");
  await started;
  const engine = new DenoServeEngine({
    listeners: [{ at: { kind: "tcp", host: "127.0.0.1", port: 0 }, tls: null, proxyProtocol: false }],
    ...{ rootPath: "", maxBodyBytes: 0, highWaterBytes: 65_536, lowWaterBytes: 16_384, headers: [] },
  });
  const [addr] = await engine.listen(host, { opened: () => {}, finished: () => {}, note: () => {} });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: (addr as Deno.NetAddr).port });
  await client.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  await answer(worker, await worker.opened());
  let got = "";
  const buffer = new Uint8Array(65_536);
  for (let count = await client.read(buffer).catch(() => null); count !== null; count = await client.read(buffer).catch(() => null)) {
    got += new TextDecoder("latin1").decode(buffer.subarray(0, count));
  }
  const why = await Promise.race([host.lost, Promise.resolve("")]);
  client.close();
  worker.close();
  await engine.close(0);
  await host.lost;
  return { got, why };
}

type Garbage = readonly [name: string, answer: (worker: RawWorker, id: number) => Promise<void>, why: RegExp];

const GARBAGE: readonly Garbage[] = [
  ...["\\u0001", "\\u0000", "a\\r\\nx-injected: 1", "\\u007f", "€"].map((value): Garbage => [
    `a header with ${value}`,
    (worker: RawWorker, id: number) => worker.send(`[22,${id},200,[["x-a","${value}"]],"hi",0,null]`),
    /field headers/,
  ]),
  ...[99, 101, 199, 600, 205, "200"].map((status): Garbage => [
    `the status ${JSON.stringify(status)}`,
    (worker: RawWorker, id: number) => worker.send(`[22,${id},${JSON.stringify(status)},[],"",0,null]`),
    /field status|A 205/,
  ]),
  ["a body on a 204", (worker, id) => worker.send(`[22,${id},204,[],"hi",0,null]`), /A 204 came with a body/],
  ["a chunk without a head", (worker, id) => worker.send(`[24,${id},2]`, new Uint8Array(2)), /wrong time/],
  ["an accept for a request", (worker, id) => worker.send(`[28,${id},null,[]]`), /came for a request/],
  ["bytes at random", (worker) => worker.raw(new Uint8Array(500).map((_, index) => index * 37 % 256)), /over the limit|UTF-8|JSON/],
  ["a text that is not UTF-8", (worker) => worker.raw(new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0xff])), /UTF-8/],
  ["a length of 4 GiB", (worker) => worker.raw(new Uint8Array(8).fill(0xff)), /over the limit/],
  ["an end of the link", (worker) => Promise.resolve(worker.close()), /the worker has ended/],
];

for (const [name, answer, why] of GARBAGE) {
  Deno.test(`a worker that sends ${name} is given up, and its client gets a 502`, async () => {
    // A link that is closed twice is closed.
    const outcome = await serve((worker, id) => answer(guarded(worker), id));
    assertMatch(outcome.why, why);
    assertMatch(outcome.got, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
    assertEquals(outcome.got.includes("x-injected"), false);
  });
}

Deno.test("what a worker streamed before its garbage arrives, and the answer is cut", async () => {
  const { got, why } = await serve(async (worker, id) => {
    await worker.send(`[23,${id},200,[],0,24,${id},5]`, new TextEncoder().encode("first"));
    await worker.send(`[25,${id}]`).catch(() => {});
  });
  assertMatch(why, /flush/);
  assertMatch(got, /^HTTP\/1\.1 200 OK\r\n/);
  assertEquals(got.endsWith("0\r\n\r\n"), false);
});

Deno.test("respond twice: the second is for an exchange that is over, and dropped", async () => {
  const { got } = await serve(async (worker, id) => {
    await worker.send(`[22,${id},200,[],"one",0,null,22,${id},200,[],"two",0,null]`);
    await worker.send("[99,0]");
  });
  assertMatch(got, /\r\n\r\none$/);
});

/** A worker whose link may be closed by both. */
function guarded(worker: RawWorker): RawWorker {
  const { close } = worker;
  worker.close = () => {
    try {
      close.call(worker);
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  };
  return worker;
}
