/** The socket of a worker: who may come, and what is left behind. The other end is raw bytes. */

import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { SocketListener } from "../../src/links/socket_listener.ts";
import { WorkerError } from "../../src/spec/errors.ts";

/** A frame with a text and no bytes. */
function frame(text: string): Uint8Array<ArrayBuffer> {
  const encoded = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + encoded.byteLength);
  bytes[0] = encoded.byteLength & 0xff;
  bytes[1] = encoded.byteLength >> 8;
  bytes.set(encoded, 8);
  return bytes;
}

const connect = ({ path }: SocketListener) => Deno.connect({ transport: "unix", path });
const exists = (path: string) => Deno.lstat(path).then(() => true, () => false);
const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));

Deno.test("SocketListener.accept() takes the worker that knows the secret, and leaves nothing in the file system", async () => {
  const socket = await SocketListener.open();
  assertEquals((await Deno.lstat(folderOf(socket.path))).mode! & 0o777, 0o700);
  const accepted = socket.accept(5000);
  const conn = await connect(socket);
  await conn.write(frame(JSON.stringify([0, 0, 1, socket.secret, 1234])));
  const pipe = await accepted;
  assertEquals([await exists(socket.path), await exists(folderOf(socket.path))], [false, false]);
  const got = new Promise<string>((resolve) => pipe.start(resolve));
  await conn.write(frame("[2,0]"));
  assertEquals(await got, "[2,0]");
  conn.close();
  assertEquals(await pipe.closed, "");
});

Deno.test("SocketListener.accept() closes whoever does not know it, and goes on waiting", async () => {
  const socket = await SocketListener.open();
  const accepted = socket.accept(5000);
  const strangers = [
    frame(JSON.stringify([0, 0, 1, "wrong", 1])),
    frame(JSON.stringify([0, 0, 1, null, 1])),
    frame(JSON.stringify([22, 0, 200, [], "", 0, null])),
    frame("nonsense"),
    frame(JSON.stringify([0, 0, 1, socket.secret, 1, 2, 0])),
    new Uint8Array(64).fill(0xff),
    new Uint8Array([0xd0, 0x07, 0, 0, 0, 0, 0, 0, ...new Uint8Array(2000)]),
  ];
  for (const bytes of strangers) {
    const conn = await connect(socket);
    await conn.write(bytes);
    assertEquals(await conn.read(new Uint8Array(1)).catch(() => null), null);
    conn.close();
  }
  const gone = await connect(socket);
  gone.close();
  const conn = await connect(socket);
  await conn.write(frame(JSON.stringify([0, 0, 1, socket.secret, 1])));
  (await accepted).close();
  conn.close();
});

Deno.test("SocketListener.accept() rejects where the worker speaks another version", async () => {
  const socket = await SocketListener.open();
  const accepted = assertRejects(() => socket.accept(5000), WorkerError, "version of the link: 2, not 1");
  const conn = await connect(socket);
  await conn.write(frame(JSON.stringify([0, 0, 2, socket.secret, 1])));
  await accepted;
  assertEquals(await exists(folderOf(socket.path)), false);
  conn.close();
});

Deno.test("SocketListener.accept() rejects where nobody comes, and close() where it is given up", async () => {
  const late = await SocketListener.open();
  await assertRejects(() => late.accept(20), WorkerError, "did not connect within 0.02 s");
  const given = await SocketListener.open();
  const rejected = assertRejects(() => given.accept(5000), WorkerError, "given up");
  await given.close();
  await rejected;
  assertEquals([await exists(late.path), await exists(given.path)], [false, false]);
  assertNotEquals(late.secret, given.secret);
});
