/**
 * Sends a `Response`: its start, then its body chunk by chunk, each send awaited, so that the client's pace reaches the handler's stream.
 *
 * @module
 */

import type { Send } from "../../spec/app.ts";
import type { HttpScope, SseScope } from "../../spec/scope.ts";
import type { Watch } from "./fetch_watch.ts";

type Chunk = ReadableStreamReadResult<Uint8Array<ArrayBuffer>>;

/**
 * Turns of the microtask queue in which a body that was never a stream has given its only chunk and its end. Then it leaves as one event,
 * with its length; where more turns are needed it is a stream, and nothing but its framing differs.
 */
const TURNS = 12;

const NOT_YET = Symbol("not yet");

/** Sends a response to its end. It rejects with what broke the body's stream. */
export async function sendResponse(response: Response, scope: HttpScope | SseScope, send: Send, watch: Watch): Promise<void> {
  const prefix = scope.type === "http" ? "http" : "sse.http";
  const sendBody = (body: Uint8Array | string, more: 0 | 1): Promise<void> => send({ type: `${prefix}.response.body`, body, more });
  // Iterating gives each set-cookie its own pair.
  await send({ type: `${prefix}.response.start`, status: response.status, headers: [...response.headers] });
  if (response.body === null) await sendBody("", 0);
  else await sendStream(response.body.getReader(), scope.method === "HEAD", sendBody, watch);
  watch.end();
}

async function sendStream(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  isHead: boolean,
  sendBody: (body: Uint8Array | string, more: 0 | 1) => Promise<void>,
  watch: Watch,
): Promise<void> {
  let reading = reader.read();
  let chunk = await soon(reading);
  if (chunk !== NOT_YET) {
    if (chunk.done) return await sendBody("", 0);
    const following = reader.read();
    const next = await soon(following);
    if (next !== NOT_YET && next.done) return await sendBody(toBytes(chunk.value), 0);
    reading = following;
    if (!isHead) await sendBody(toBytes(chunk.value), 1);
    chunk = next;
  } else if (!isHead) await sendBody("", 1); // the head leaves now: the first chunk may be a long time coming
  if (isHead) {
    ignore(reading);
    reader.cancel("The request was a HEAD").catch(() => {});
    return await sendBody("", 0);
  }
  let gone = false;
  watch.onGone(() => {
    gone = true;
    // It ends the pending read too. What the source says to it concerns nobody any more.
    reader.cancel("The client has left").catch(() => {});
  });
  for (let result = chunk === NOT_YET ? await reading : chunk; !result.done && !gone; result = await reader.read()) {
    await sendBody(toBytes(result.value), 1);
  }
  if (!gone) await sendBody("", 0);
}

/** What a read gives within a few microtasks, so that waiting costs no turn of the event loop. */
async function soon(reading: Promise<Chunk>): Promise<Chunk | typeof NOT_YET> {
  let result: Chunk | typeof NOT_YET = NOT_YET;
  let failure: { error: unknown } | null = null;
  reading.then((chunk) => result = chunk, (error) => failure = { error });
  for (let turn = 0; turn < TURNS && result === NOT_YET && failure === null; turn++) await null;
  if (failure !== null) throw (failure as { error: unknown }).error;
  return result;
}

function ignore(reading: Promise<unknown>): void {
  reading.catch(() => {});
}

function toBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError("The stream of a response gave a chunk that is no Uint8Array");
}
