/** Clients that stop reading, and an app that stops receiving, before a server and a worker that are real processes. */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url).pathname;
const MIB = 2 ** 20;

/** A server process with one worker process. */
class Server implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #worker: number;

  static async start(): Promise<Server> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "cli.ts",
        "--workers",
        "1",
        "--port",
        "0",
        "--max-body-size",
        "0",
        "--no-access-log",
        "tests/links/stalled_app.ts",
      ],
      cwd: ROOT,
      stdout: "null",
      stderr: "piped",
    }).spawn();
    let text = "";
    const decoder = new TextDecoder();
    const reader = child.stderr.getReader();
    while (!/http:\/\/[^\s]+:\d+/.test(text)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`The server did not start: ${text}`);
      text += decoder.decode(value);
    }
    void (async () => {
      while (!(await reader.read()).done);
    })();
    return new Server(child, Number(/http:\/\/[^\s]+:(\d+)/.exec(text)![1]));
  }

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    this.#worker = Number(Deno.readTextFileSync(`/proc/${child.pid}/task/${child.pid}/children`).trim().split(" ")[0]);
    assert(this.#worker > 0, "there is a worker process");
  }

  /** Stops the worker, as a debugger would. */
  freeze(): void {
    Deno.kill(this.#worker, "SIGSTOP");
  }

  /** Resident bytes of both. */
  get rss(): number {
    return [this.#child.pid, this.#worker].reduce(
      (sum, pid) => sum + 1024 * Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]),
      0,
    );
  }

  /** Waits until both use about as much as half a second ago. */
  async settle(): Promise<number> {
    const end = performance.now() + 30_000;
    for (let before = -MIB * 1000;;) {
      const now = this.rss;
      if (Math.abs(now - before) < MIB || performance.now() > end) return now;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  async connect(request: string): Promise<Deno.Conn> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    await conn.write(new TextEncoder().encode(request));
    return conn;
  }

  /** The median of short requests, in milliseconds. */
  async latency(count: number): Promise<[median: number]> {
    const times: number[] = [];
    const buffer = new Uint8Array(4096);
    for (let index = 0; index < count; index++) {
      const begin = performance.now();
      const conn = await this.connect("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      let text = "";
      for (let read = await conn.read(buffer); read !== null; read = await conn.read(buffer)) {
        text += new TextDecoder().decode(buffer.subarray(0, read));
      }
      conn.close();
      assert(text.endsWith("ok"), text);
      times.push(performance.now() - begin);
    }
    times.sort((a, b) => a - b);
    return [times[count >> 1]!];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Deno.kill(this.#worker, "SIGKILL");
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

const STREAM = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";

Deno.test("a stalled client holds less than 4 MiB of both processes together", async () => {
  await using server = await Server.start();
  await server.latency(500);
  const before = await server.settle();
  const clients: Deno.Conn[] = [];
  for (let count = 0; count < 100; count++) clients.push(await server.connect(STREAM));
  const held = (await server.settle() - before) / clients.length;
  for (const client of clients) client.close();
  assert(held < 4 * MIB, `${held}`);
});

Deno.test("1,000 stalled clients do not slow the others", async () => {
  await using server = await Server.start();
  await server.latency(500);
  const [usual] = await server.latency(200);
  const clients: Deno.Conn[] = [];
  for (let count = 0; count < 1000; count++) clients.push(await server.connect(STREAM));
  await server.settle();
  const [median] = await server.latency(200);
  for (const client of clients) client.close();
  assert(median < usual * 3 + 1, `${usual} ${median}`);
});

Deno.test("an upload that its app does not receive is not read, in neither process", async () => {
  await using server = await Server.start();
  await server.latency(500);
  const before = await server.settle();
  const clients: Deno.Conn[] = [];
  const piece = new Uint8Array(MIB);
  let taken = 0;
  for (let count = 0; count < 20; count++) {
    const conn = await server.connect(`POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: ${100 * MIB}\r\n\r\n`);
    clients.push(conn);
    void (async () => {
      for (let sent = 0; sent < 100; sent++) {
        for (let at = 0; at < MIB;) {
          const wrote = await conn.write(piece.subarray(at));
          at += wrote;
          taken += wrote;
        }
      }
    })().catch(() => {});
  }
  const held = (await server.settle() - before) / clients.length;
  assert(held < 4 * MIB, `${held}`);
  assert(taken < clients.length * 20 * MIB, "backpressure reaches the client");
  const [median] = await server.latency(50);
  assert(median < 100, `${median}`);
  for (const client of clients) client.close();
  assertEquals(clients.length, 20);
});

Deno.test("a flood of WebSocket messages for a worker that has stopped is bounded, and ends that WebSocket", async () => {
  await using server = await Server.start();
  await server.latency(200);
  const key = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const conn = await server.connect(`GET /ws HTTP/1.1\r\nHost: a\r\n${key}\r\n`);
  const buffer = new Uint8Array(4096);
  const answer = new TextDecoder().decode(buffer.subarray(0, (await conn.read(buffer))!));
  assert(answer.startsWith("HTTP/1.1 101 "), answer);
  const before = await server.settle();
  server.freeze();
  // A binary message of 65,536 bytes, masked with zeros.
  const frame = new Uint8Array(14 + 65_536);
  frame.set([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  let sent = 0;
  let isOver = false;
  void conn.read(buffer).catch(() => {}).then(() => isOver = true);
  for (; !isOver && sent < 4000; sent++) {
    try {
      for (let at = 0; at < frame.byteLength;) at += await conn.write(frame.subarray(at));
    } catch {
      break;
    }
  }
  assert(sent < 4000, "it was ended");
  const held = server.rss - before;
  assert(held < 100 * MIB, `${held / MIB} MiB`);
  conn.close();
});
