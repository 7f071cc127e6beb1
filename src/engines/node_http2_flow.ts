/**
 * What passes between an HTTP/2 session of Node and its socket: nothing more goes out than the socket takes, and a client that sends too many
 * frames of no use is noticed before they are looked at.
 *
 * As of Deno 2.9.6, a session writes all that the windows of its client allow, whether the socket takes it or not, and counts it as sent. A
 * client with large windows that does not read would fill the memory, and the library below never sees that answers to PING and SETTINGS pile
 * up. And what it is told while it reads or writes it does at once, in the midst of the library: a stream that its client resets was written to
 * and freed twice, which ended the process. Here it waits until the library is done; Node then asks by itself.
 *
 * RFC 9113 section 10.5. Not here: what becomes of a client that floods (`node_http2.ts`).
 *
 * @module
 */

import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { FrameMeter } from "./node_http2_meter.ts";
import { ofSymbol } from "./node_http2_private.ts";

/** From here on a session waits for its socket. */
const MAX_UNWRITTEN_BYTES = 262_144;

/** So much is read of a client that does not take what waits for it; then it is not read either. */
const MAX_READ_AHEAD_BYTES = 65_536;

const NOTHING = new Uint8Array(0);

/** What Node keeps of a session that nghttp2 knows. Not in the types. */
interface Handle {
  getOutgoingChunk?(): Uint8Array;
  receive?(bytes: Uint8Array): void;
  sendPending(): void;
}

/**
 * Stands between the two.
 *
 * @param flooded Is called once, when the client has sent too much of no use; nothing of it is read any more.
 * @returns Whether that was possible: with another version of Deno it may not be.
 */
export function standBetween(session: ServerHttp2Session, socket: Socket, flooded: () => void): boolean {
  const handle = ofSymbol<Handle>(session, "kHandle");
  if (handle?.getOutgoingChunk === undefined || handle.receive === undefined) return false;
  const meter = new FrameMeter(performance.now());
  const take = handle.getOutgoingChunk.bind(handle);
  const receive = handle.receive.bind(handle);
  const send = handle.sendPending;
  let isBusy = false;
  let waits = false;
  let ahead = 0;
  let isOver = false;
  handle.getOutgoingChunk = () => {
    if (isBusy) return NOTHING;
    if (socket.writableLength >= MAX_UNWRITTEN_BYTES) {
      waits = true;
      return NOTHING;
    }
    isBusy = true;
    try {
      const chunk = take();
      meter.sent(chunk);
      return chunk;
    } finally {
      isBusy = false;
    }
  };
  handle.sendPending = () => {
    if (!isBusy) send();
  };
  handle.receive = (bytes) => {
    if (isOver) return;
    if (!meter.received(bytes, performance.now())) {
      isOver = true;
      return flooded();
    }
    if (waits && (ahead += bytes.byteLength) > MAX_READ_AHEAD_BYTES) socket.pause();
    isBusy = true;
    try {
      receive(bytes);
    } finally {
      isBusy = false;
    }
  };
  socket.on("drain", () => {
    if (!waits) return;
    waits = false;
    if (ahead > MAX_READ_AHEAD_BYTES) socket.resume();
    ahead = 0;
    handle.sendPending();
  });
  return true;
}
