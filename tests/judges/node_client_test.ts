/** The HTTP/2 client and the fetch of Node, in a process of Node, on the node engine. */

import { assertEquals } from "@std/assert";
import { needs } from "../tools.ts";
import { judge, judged } from "./judged.ts";

const SCRIPT = `
const { connect } = require("node:http2");
const [url] = process.argv.slice(1);
const session = connect(url);
session.on("error", (error) => console.log("session: " + error.message));
const ask = (headers, body) => new Promise((resolve) => {
  const stream = session.request(headers, { endStream: body === undefined });
  let [text, status, trailers] = ["", 0, null];
  stream.on("response", (head) => status = head[":status"]);
  stream.on("trailers", (fields) => trailers = fields["x-sum"]);
  stream.on("data", (chunk) => text += chunk);
  stream.on("error", (error) => resolve("error: " + error.code));
  stream.on("close", () => resolve([status, text, ...(trailers === null ? [] : [trailers])].join(" ")));
  if (body !== undefined) stream.end(body);
});
(async () => {
  console.log(await ask({ ":path": "/get" }));
  console.log(await ask({ ":path": "/post", ":method": "POST" }, Buffer.alloc(300000)));
  console.log(await ask({ ":path": "/trailers" }));
  console.log(await ask({ ":path": "/head", ":method": "HEAD" }));
  const many = await Promise.all(Array.from({ length: 300 }, (_, at) => ask({ ":path": "/" + at })));
  console.log(new Set(many.map((text, at) => text === "200 2 GET /" + at + " 0")).has(false) ? "some failed" : "300 were answered");
  const reset = session.request({ ":path": "/big" });
  await new Promise((resolve) => reset.once("data", resolve));
  reset.close(8);
  await new Promise((resolve) => reset.once("close", resolve));
  console.log("after a reset: " + await ask({ ":path": "/next" }));
  const socket = session.request({ ":method": "CONNECT", ":protocol": "websocket", ":path": "/ws", "sec-websocket-version": "13" });
  const status = await new Promise((resolve) => socket.once("response", (head) => resolve(head[":status"])));
  socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
  const frame = await new Promise((resolve) => socket.once("data", resolve));
  console.log("websocket: " + status + " " + frame.subarray(2));
  socket.close(8);
  session.close(() => console.log("closed"));
})();
`;

Deno.test(needs("node", "Node's HTTP/2 client: requests, trailers, 300 streams, a reset, a WebSocket"), async () => {
  await using server = await judged();
  const { out, err } = await judge("node", ["-e", SCRIPT, server.url]);
  assertEquals(err, "");
  assertEquals(out.trim().split("\n"), [
    "200 2 GET /get 0",
    "200 2 POST /post 300000",
    "200 with trailers 42",
    "200 ",
    "300 were answered",
    "after a reset: 200 2 GET /next 0",
    "websocket: 200 2 hi",
    "closed",
  ]);
});

Deno.test(needs("node", "Node's fetch: an upload without a length, and many requests on few connections"), async () => {
  await using server = await judged();
  const script = `
    const [url] = process.argv.slice(1);
    (async () => {
      const body = new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("abc")); c.close(); } });
      console.log(await (await fetch(url + "/up", { method: "POST", body, duplex: "half" })).text());
      const all = await Promise.all(Array.from({ length: 200 }, async (_, at) => (await fetch(url + "/" + at)).text()));
      console.log(all.every((text, at) => text === "1.1 GET /" + at + " 0"));
    })();`;
  const { out, err } = await judge("node", ["-e", script, server.url]);
  assertEquals([out, err], ["1.1 POST /up 3\ntrue\n", ""]);
});
