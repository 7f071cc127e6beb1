/**
 * A worker is killed in each state of an exchange: what its clients get, that the exchanges of the other worker go on and end well, and
 * that nothing is left.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { WebSocket } from "ws";
import { Mailbox, within } from "../conformance/waiting.ts";
import { FaultServer } from "./fault_server.ts";
import { ask, RawClient, request, upload } from "./raw_client.ts";

/** An exchange on one worker that goes on while the other worker dies: its client sends, and gets back what it sent. */
class Bystander implements Disposable {
  readonly client: RawClient;
  readonly pid: number;

  static async on(server: FaultServer): Promise<Bystander> {
    const client = await RawClient.to(server.url, upload("/echo"));
    return new Bystander(client, Number((await client.until(/\r\n(\d+)\n\r\n/))[1]));
  }

  private constructor(client: RawClient, pid: number) {
    this.client = client;
    this.pid = pid;
  }

  /** Proves that it is alive, and ends it. */
  async finish(): Promise<void> {
    await this.client.chunk("still here?");
    await this.client.until(/still here\?/);
    await this.client.send("0\r\n\r\n");
    const { end, text } = await this.client.rest();
    assertEquals([end, text.endsWith("0\r\n\r\n")], ["closed", true], text);
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
  }
}

/** A WebSocket on one worker. */
class Peer {
  /** The code of the close. */
  readonly closed: Promise<number>;
  pid = 0;
  readonly #socket: WebSocket;
  readonly #messages = new Mailbox<string>();

  static async to(url: string): Promise<Peer> {
    const peer = new Peer(new WebSocket(url.replace("http", "ws")));
    peer.pid = Number(await peer.#messages.take("the first message"));
    return peer;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Uint8Array) => this.#messages.put(String(data)));
    this.closed = new Promise((resolve) => socket.on("close", resolve));
  }

  async ask(text: string): Promise<string> {
    this.#socket.send(text);
    return await this.#messages.take("an answer");
  }

  leave(): void {
    this.#socket.close(1000);
  }
}

/** Kills the worker of an exchange that has reached a state, and proves the rest. */
async function kill(server: FaultServer, bystander: Bystander, pid: number): Promise<void> {
  assert(pid !== bystander.pid, "both exchanges are on one worker");
  Deno.kill(pid, "SIGKILL");
  await server.log(new RegExp(`Worker \\d is gone: .*signal SIGKILL.* pid=${pid}`));
}

/** What holds after each of them. */
async function aftermath(server: FaultServer, bystander: Bystander): Promise<void> {
  await bystander.finish();
  assertEquals((await ask(server.url, "/")).status, 200);
  await server.recovered();
  await server.stop();
}

const UNANSWERED = [
  ["before it has answered", request("/hang", { close: true }), "hang", "/hang"],
  ["between start and body", request("/started", { close: true }), "started", "/started"],
  ["while the request body arrives", upload("/upload") + "5\r\nhello\r\n", "upload", "/upload"],
] as const;

for (const [when, head, state, path] of UNANSWERED) {
  Deno.test(`a worker that is killed ${when}: 502`, async () => {
    await using server = await FaultServer.start();
    using bystander = await Bystander.on(server);
    using client = await RawClient.to(server.url, head);
    await kill(server, bystander, await server.at(state));
    assertEquals(await client.status(), 502);
    // The connection is good for another request once the body of this one is over.
    if (head.includes("chunked")) await client.send("0\r\n\r\n");
    const { end, text } = await client.rest();
    assertEquals(end, "closed");
    assertMatch(text, /\r\n\r\nBad Gateway\n$/);
    await server.access(`502 ${path} x-worker-lost`);
    await aftermath(server, bystander);
  });
}

Deno.test("a worker that is killed in the midst of an answer: the client sees that it is cut", async () => {
  await using server = await FaultServer.start();
  using bystander = await Bystander.on(server);
  using client = await RawClient.to(server.url, request("/stream"));
  const pid = await server.at("stream");
  await client.until(new RegExp(`first of ${pid}`));
  await kill(server, bystander, pid);
  const { text } = await client.rest();
  assertMatch(text, /^HTTP\/1\.1 200 /);
  assert(!text.includes("\r\n0\r\n"), text);
  await server.access("200 /stream x-worker-lost");
  await aftermath(server, bystander);
});

Deno.test("a worker that is killed while it sends events: the stream is cut", async () => {
  await using server = await FaultServer.start();
  using bystander = await Bystander.on(server);
  using client = await RawClient.to(server.url, request("/events", { headers: ["Accept: text/event-stream"] }));
  const pid = await server.at("sse");
  await client.until(new RegExp(`data: ${pid}`));
  await kill(server, bystander, pid);
  const { text } = await client.rest();
  assert(!text.includes("\r\n0\r\n"), text);
  await server.access("200 /events x-worker-lost");
  await aftermath(server, bystander);
});

Deno.test("a worker that is killed with WebSockets open: 1011, and those of the other worker go on", async () => {
  await using server = await FaultServer.start();
  using bystander = await Bystander.on(server);
  const sockets: Peer[] = [];
  for (let n = 0; n < 6; n++) sockets.push(await Peer.to(server.url));
  const victim = sockets.find(({ pid }) => pid !== bystander.pid)!.pid;
  await kill(server, bystander, victim);
  let closed = 0;
  for (const socket of sockets) {
    if (socket.pid === victim) {
      assertEquals(await within(socket.closed, "the close"), 1011);
      closed++;
    } else {
      assertEquals(await socket.ask("hello"), "you said hello");
      socket.leave();
      assertEquals(await within(socket.closed, "the close"), 1000);
    }
  }
  assert(closed >= 3 && closed < 6, `${closed} of 6 sockets were closed`);
  await server.access("101 / x-worker-lost");
  await aftermath(server, bystander);
});

Deno.test("a worker that is killed with many exchanges: each of its clients is told, and none of the others feels it", async () => {
  await using server = await FaultServer.start();
  using bystander = await Bystander.on(server);
  using stack = new DisposableStack();
  const streams: { client: RawClient; pid: number }[] = [];
  for (let n = 0; n < 40; n++) {
    const client = stack.use(await RawClient.to(server.url, request("/stream", { close: true })));
    streams.push({ client, pid: Number((await client.until(/first of (\d+)/))[1]) });
  }
  const victim = streams.find(({ pid }) => pid !== bystander.pid)!.pid;
  await kill(server, bystander, victim);
  const lost = streams.filter(({ pid }) => pid === victim);
  assert(lost.length >= 20 && lost.length <= 21, `${lost.length} of 40 were on it`);
  for (const { client } of lost) assert(!(await client.rest()).text.includes("\r\n0\r\n"));
  for (const { client } of streams.filter(({ pid }) => pid !== victim)) assert(!client.isOver);
  stack.dispose();
  await aftermath(server, bystander);
});
