/** What the access log says of exchanges that ended oddly, through a whole server and raw bytes. */

import { assertEquals } from "@std/assert";
import { defineApp, serve } from "@pagi/server";

/** Sends bytes and reads until the server closes, or until `stop` is in what came. */
async function exchange(port: number, request: string, stop?: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(4096);
  let text = "";
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return text;
    text += new TextDecoder().decode(buffer.subarray(0, count));
    if (stop !== undefined && text.includes(stop)) return text;
  }
}

const app = defineApp({
  async http(scope, _receive, send) {
    if (scope.path === "/late") return await new Promise(() => {});
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "ok" });
  },
  async sse(_scope, _receive, send) {
    await send({ type: "sse.start" });
    await send({ type: "sse.close", reason: "job done" });
  },
});

Deno.test("the access log tells an app's close reason, a timeout, and a head that can't be read", async () => {
  const accessLog = await Deno.makeTempFile();
  const server = await serve(app, { port: 0, quiet: true, accessLog, accessLogFormat: "json", requestTimeoutMs: 50, lifespan: "off" });
  const { port } = server.addr as Deno.NetAddr;
  await exchange(port, "GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n", "0\r\n\r\n");
  await exchange(port, "GET /late HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\nGateway Timeout");
  await exchange(port, "GET /real HTTP/1.1\r\nHost: a/fake?q=\r\n\r\n", "Bad Request");
  await exchange(port, "GET /bad%zz?q=1 HTTP/1.1\r\nHost: a\r\n\r\n", "Bad Request");
  const large = await exchange(port, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", "0\r\n\r\n");
  await server.shutdown(100);
  const lines = (await Deno.readTextFile(accessLog)).trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ client, path, status, reason }) => ({ client, path, status, reason })), [
    { client: "127.0.0.1", path: "/events", status: 200, reason: "job done" },
    { client: "127.0.0.1", path: "/late", status: 504, reason: "client_timeout" },
    { client: "127.0.0.1", path: "a/fake", status: 400, reason: "protocol_error" },
    { client: "127.0.0.1", path: "/bad%zz", status: 400, reason: "protocol_error" },
    { client: "127.0.0.1", path: "/", status: 413, reason: "body_too_large" },
  ]);
  assertEquals(large.match(/connection: close/gi)?.length, 1);
  await Deno.remove(accessLog);
});
