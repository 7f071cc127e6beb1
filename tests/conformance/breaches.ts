/**
 * How a WebSocket peer breaks RFC 6455, for the rows over HTTP/1.1 and over HTTP/2.
 *
 * @module
 */

import { BINARY, CLOSE, closing, CONTINUATION, type FrameBytes, type FramePeer, PING, TEXT } from "./frames.ts";

/** Each of them: the id over HTTP/1.1, the words, the code that answers it, and the frames. */
export const BREACHES: readonly [id: string, what: string, code: number, breach: (peer: FramePeer<FrameBytes>) => Promise<void>][] = [
  ["WS-019", "A text that is not UTF-8", 1007, (peer) => peer.send(TEXT, new Uint8Array([0xc3, 0x28]))],
  ["WS-028", "A reserved bit", 1002, (peer) => peer.send(TEXT, "a", { reserved: 0x40 })],
  ["WS-029", "The reserved opcode 3", 1002, (peer) => peer.send(3)],
  ["WS-029", "The reserved opcode 11", 1002, (peer) => peer.send(11)],
  ["WS-030", "A control frame of 126 bytes", 1002, (peer) => peer.send(PING, "x".repeat(126))],
  ["WS-031", "A close frame of one byte", 1002, (peer) => peer.send(CLOSE, new Uint8Array([3]))],
  ["WS-032", "The close code 999", 1002, (peer) => peer.send(CLOSE, closing(999))],
  ["WS-032", "The close code 1005", 1002, (peer) => peer.send(CLOSE, closing(1005))],
  ["WS-032", "The close code 2000", 1002, (peer) => peer.send(CLOSE, closing(2000))],
  ["WS-033", "A close reason that is not UTF-8", 1007, (peer) => peer.send(CLOSE, new Uint8Array([3, 232, 0xff]))],
  ["WS-037", "A fragmented control frame", 1002, (peer) => peer.send(PING, "a", { more: true })],
  ["WS-037", "A continuation of nothing", 1002, (peer) => peer.send(CONTINUATION, "a")],
  ["WS-037", "A new message inside a fragmented one", 1002, async (peer) => {
    await peer.send(TEXT, "a", { more: true });
    await peer.send(BINARY, "b");
  }],
];
