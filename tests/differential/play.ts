/**
 * Plays an entry against a server and writes down what became of it.
 *
 * @module
 */

import { FRAME, frame } from "../conformance/h2_frames.ts";
import { latin1 } from "../conformance/reply.ts";
import type { Entry } from "./entry.ts";
import { readAnswers } from "./h1_answers.ts";
import { PROBE_PING, readH2 } from "./h2_answers.ts";
import { type Lane, PROBE } from "./lane.ts";
import type { Outcome } from "./outcome.ts";
import { Peer } from "./peer.ts";

const PROBE_REQUEST = latin1(`GET ${PROBE} HTTP/1.1\r\nHost: probe\r\n\r\n`);

/** Plays an entry. A server that is silent for `quietMs` says nothing more. */
export async function play(entry: Entry, lane: Lane, quietMs: number): Promise<Outcome> {
  const watch = lane.watch();
  using peer = await Peer.connect(lane.port);
  const outcome = entry.wire === "h2" ? await playH2(entry, peer, quietMs) : await playH1(entry, peer, quietMs);
  // An app whose client is gone, or which has answered, comes to its end by itself.
  if (outcome.fate !== "open") await watch.settled();
  // How much of a flood an app sees is a matter of time.
  return { ...outcome, saw: entry.area === "h2-flood" ? [] : watch.saw.map((saw) => ({ ...saw })) };
}

type Answered = Omit<Outcome, "saw">;

async function playH1(entry: Entry, peer: Peer, quietMs: number): Promise<Answered> {
  const { heads = [], answers = 1 } = entry;
  const read = () => readAnswers(peer.bytes, heads, peer.ended);
  await sendParts(entry, peer, quietMs, (count) => read().answers.length >= count);
  // Behind a good handshake that nothing follows there is nothing to wait for.
  const handshakeOnly = entry.area === "handshake";
  await peer.until(() => {
    const { finals, switched } = read();
    return switched ? handshakeOnly : finals >= answers;
  }, quietMs);
  const before = read();
  let kept = false;
  if (before.finals >= answers && !before.switched && !before.rest && isOpen(entry)) {
    await peer.send(PROBE_REQUEST);
    kept = await peer.until(() => read().probed, quietMs);
  }
  if (entry.parts.includes("fin")) await peer.until(() => false, quietMs);
  const after = read();
  const unfinished = after.rest ? ["the beginning of an answer"] : [];
  return { answers: [...after.answers, ...unfinished], words: after.words, fate: peer.ended ? "closed" : kept ? "kept" : "open" };
}

async function playH2(entry: Entry, peer: Peer, quietMs: number): Promise<Answered> {
  const { answers = 1, area } = entry;
  const read = () => readH2(peer.bytes, area === "h2-websocket");
  await sendParts(entry, peer, quietMs, (count) => read().over >= count);
  await peer.until(() => answers > 0 && read().over >= answers, quietMs);
  if (isOpen(entry)) await peer.send(frame(FRAME.ping, 0, 0, PROBE_PING));
  const kept = await peer.until(() => read().probed, quietMs);
  if (read().goaway !== null) await peer.until(() => false, quietMs); // it may close soon
  const { streams, goaway } = read();
  let shown: readonly string[] = streams;
  // What came before a connection was ended for a fault is a matter of time, and of a flood the GOAWAY too: what the server has not read
  // makes its close a reset, which can overtake it.
  if (area === "h2-flood") shown = peer.ended ? ["the end"] : [];
  else if (goaway !== null) shown = [...(goaway === "NO_ERROR" ? streams : []), `GOAWAY ${goaway}`];
  return { answers: shown, words: [], fate: peer.ended ? "closed" : kept ? "kept" : "open" };
}

async function sendParts(entry: Entry, peer: Peer, quietMs: number, answered: (count: number) => boolean): Promise<void> {
  for (const part of entry.parts) {
    if (part === "fin") await peer.finish();
    else if (typeof part === "string") await peer.send(latin1(part));
    else if (part instanceof Uint8Array) await peer.send(part);
    else if ("answers" in part) await peer.until(() => answered(part.answers), quietMs);
    else await peer.until(() => false, part.pauseMs);
  }
}

/** Whether something can be sent behind it. */
function isOpen({ parts, unfinished }: Entry): boolean {
  return unfinished !== true && !parts.includes("fin");
}
