/**
 * What the clients of this folder share: plain sockets, and the talk with the harness over standard input and output.
 *
 * @module
 */

/** One connection and the rest of what it has read. */
export interface Peer {
  readonly conn: Deno.TcpConn;
  readonly buffer: Uint8Array<ArrayBuffer>;
}

/** Connects and sends a request. `headers` beyond `host`. */
export async function request(url: string, path: string, headers: readonly string[]): Promise<Peer> {
  const { hostname, port, host } = new URL(url);
  const conn = await Deno.connect({ hostname, port: Number(port) });
  conn.setNoDelay(true);
  const head = [`GET ${path} HTTP/1.1`, `host: ${host}`, ...headers, "", ""].join("\r\n");
  await write(conn, new TextEncoder().encode(head));
  return { conn, buffer: new Uint8Array(65_536) };
}

/** Reads a response head byte by byte, so that nothing of what follows is lost. */
export async function readHead({ conn }: Peer, status: number): Promise<void> {
  const one = new Uint8Array(1);
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    if (await conn.read(one) === null) throw new Error(`The server closed: ${head}`);
    head += String.fromCharCode(one[0]!);
  }
  if (!head.startsWith(`HTTP/1.1 ${status} `)) throw new Error(`The server answered ${head}`);
}

/** Writes all bytes. */
export async function write(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.byteLength) at += await conn.write(bytes.subarray(at));
}

/** Opens a WebSocket. */
export async function openWebSocket(url: string): Promise<Peer> {
  const peer = await request(url, "/", [
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
  ]);
  await readHead(peer, 101);
  return peer;
}

/**
 * Says `ready`, then works as long as the harness says, once for each line it sends, until its end. What the work gives is a count, or a
 * record that holds one.
 */
export async function serveHarness(work: (milliseconds: number) => Promise<number | { readonly count: number }>): Promise<never> {
  console.log("ready");
  let rest = "";
  for await (const part of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const started = performance.now();
      const done = await work(Number(line) * 1000);
      const record = typeof done === "number" ? { count: done } : done;
      console.log(JSON.stringify({ ...record, seconds: (performance.now() - started) / 1000 }));
    }
  }
  Deno.exit(0);
}
