/**
 * What clients of HTTP/2 may do, by a seed: requests with and without bodies, WebSockets, resets, windows, GOAWAY, nonsense, and the ways to leave.
 *
 * The same seed is the same bytes. Each script found once what ended the process, or may.
 *
 * @module
 */

import { Socket } from "node:net";
import { FLAG, FRAME, frame, literal, PREFACE } from "../conformance/h2_frames.ts";
import { join } from "../conformance/reply.ts";

/** A packet, a pause in milliseconds, or an end. */
export type Step = Uint8Array | number | "reset" | "end";

const PATHS = ["/", "/later", "/stream", "/trailers", "/big", "/never", "/throw", "/late-throw", "/hint", "/read", "/echo", "/empty"];
const SOCKET_PATHS = ["/", "/refuse", "/close", "/flood"];
const CODES = [0, 1, 2, 5, 7, 8, 8, 8, 11];
const WHOLE = FLAG.endStream | FLAG.endHeaders;
const PRIORITY = 2;

/** Numbers from 0 to 1 that a seed decides. */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function number(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]);
}

function setting(id: number, value: number): Uint8Array {
  return frame(FRAME.settings, 0, 0, join([new Uint8Array([0, id]), number(value)]));
}

function headOf(method: string, path: string): Uint8Array {
  return join([literal(":method", method), literal(":scheme", "http"), literal(":path", path), literal(":authority", "t")]);
}

function socketHead(path: string): Uint8Array {
  const fields = [literal(":protocol", "websocket"), literal("sec-websocket-version", "13")];
  return join([
    literal(":method", "CONNECT"),
    fields[0]!,
    literal(":scheme", "http"),
    literal(":path", path),
    literal(":authority", "t"),
    fields[1]!,
  ]);
}

/** A masked text frame. */
function message(text: string): Uint8Array {
  return join([new Uint8Array([0x81, 0x80 | text.length, 0, 0, 0, 0]), new TextEncoder().encode(text)]);
}

/** The script of a seed. */
export function script(seed: number): Step[] {
  const random = randomOf(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const steps: Step[] = [];
  let packet: Uint8Array[] = [new TextEncoder().encode(PREFACE)];
  const send = () => {
    if (packet.length > 0) steps.push(join(packet));
    packet = [];
  };
  packet.push(random() < 0.5 ? setting(4, pick([0, 1, 100, 1_000_000])) : frame(FRAME.settings, 0, 0));
  if (random() < 0.3) packet.push(frame(FRAME.window, 0, 0, number(0x7fff_0000)));
  const inPieces = random() * 0.7;
  const resets = random() < 0.5 ? 0.25 : 0.08;
  const goaways = random() < 0.4 ? 0.05 : 0.005;
  const isBroken = random() < 0.3;
  const open: number[] = [];
  const sockets: number[] = [];
  let next = 1;
  for (let left = 5 + Math.floor(random() * 50); left > 0; left--) {
    if (random() < inPieces) {
      send();
      if (random() < 0.5) steps.push(Math.floor(random() * random() * 20));
    }
    const what = next === 1 ? 0 : random();
    const stream = open.length > 0 && random() < 0.8 ? pick(open) : Math.max(1, next - 2);
    if (what < 0.4) {
      const isSocket = random() < 0.2;
      const hasBody = isSocket || random() < 0.4;
      const head = isSocket ? socketHead(pick(SOCKET_PATHS)) : headOf(hasBody ? "POST" : pick(["GET", "GET", "HEAD"]), pick(PATHS));
      packet.push(frame(FRAME.headers, hasBody ? FLAG.endHeaders : WHOLE, next, head));
      if (hasBody) open.push(next);
      if (isSocket) sockets.push(next);
      if (random() < resets) packet.push(frame(FRAME.reset, 0, next, number(pick(CODES))));
      next += 2;
    } else if (what < 0.55) {
      const isSocket = sockets.length > 0 && random() < 0.6;
      const payload = isSocket ? message(pick(["a", "close"])) : new Uint8Array(pick([0, 1, 1000, 16_384]));
      packet.push(frame(FRAME.data, random() < 0.3 ? FLAG.endStream : 0, isSocket ? pick(sockets) : stream, payload));
    } else if (what < 0.55 + resets / 2) {
      packet.push(frame(FRAME.reset, 0, random() < 0.5 ? stream : Math.max(1, next - 2 * Math.ceil(random() * 5)), number(pick(CODES))));
    } else if (what < 0.72) packet.push(setting(pick([1, 3, 4, 4, 6]), pick([0, 1, 1000, 65_535])));
    else if (what < 0.8) packet.push(frame(FRAME.window, 0, random() < 0.5 ? 0 : stream, number(pick([1, 100, 65_535, 1_000_000]))));
    else if (what < 0.84) packet.push(frame(FRAME.ping, 0, 0, new Uint8Array(8)));
    else if (what < 0.88) packet.push(frame(PRIORITY, 0, stream, new Uint8Array([0, 0, 0, pick([0, 3, 5, 7]), 3])));
    else if (what < 0.88 + goaways) packet.push(frame(FRAME.goaway, 0, 0, join([number(0), number(pick([0, 0, 0, 2, 11]))])));
    else if (what < 0.97) packet.push(frame(FRAME.headers, WHOLE, stream, literal("x-trailer", "1")));
    else if (isBroken) {
      const nonsense = [
        frame(FRAME.window, 0, stream, number(0)),
        frame(FRAME.ping, FLAG.ack, 0, new Uint8Array(8)),
        frame(FRAME.settings, FLAG.ack, 0, number(1)),
        frame(FRAME.continuation, FLAG.endHeaders, stream, number(1)),
        frame(FRAME.headers, WHOLE, next + 2, new Uint8Array([255, 255, 255, 255, 255])),
        frame(99, 255, stream, number(1)),
      ];
      packet.push(pick(nonsense));
    }
  }
  if (random() < 0.4) packet.push(frame(FRAME.goaway, 0, 0, join([number(0), number(pick([0, 0, 2]))])));
  send();
  steps.push(Math.floor(random() * 30), random() < 0.6 ? "reset" : "end");
  return steps;
}

/** Plays a script; resolves when the connection is over. */
export async function play(port: number, steps: readonly Step[]): Promise<void> {
  const socket = new Socket({ allowHalfOpen: true });
  const over = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => {});
  socket.on("data", () => {});
  socket.on("end", () => socket.destroy());
  await new Promise<void>((resolve) => socket.connect(port, "127.0.0.1", () => resolve()));
  socket.setNoDelay(true);
  let timer: ReturnType<typeof setTimeout> | undefined;
  for (const step of steps) {
    if (socket.destroyed) break;
    if (typeof step === "number") await new Promise((resolve) => setTimeout(resolve, step));
    else if (step === "reset") socket.resetAndDestroy();
    else if (step === "end") {
      socket.end();
      timer = setTimeout(() => socket.destroy(), 50);
    } else socket.write(step);
  }
  await over;
  clearTimeout(timer);
}
