/**
 * Reads what an HTTP/1 server has sent, and the frames of a WebSocket behind it.
 *
 * @module
 */

import { fromLatin1 } from "../conformance/reply.ts";

/** What was read. */
export interface Reading {
  /** One text for each answer and each frame. */
  readonly answers: readonly string[];
  /** Texts of answers that no app made. */
  readonly words: readonly string[];
  /** Answers that are whole, interim ones left out. */
  readonly finals: number;
  /** The last of them is the probe's. */
  readonly probed: boolean;
  /** Bytes behind the last whole answer, which are the beginning of another. */
  readonly rest: boolean;
  readonly switched: boolean;
}

/** Reads all of it; `ended` tells that the connection is over, which ends an answer without a length. */
export function readAnswers(bytes: Uint8Array, heads: readonly number[], ended: boolean): Reading {
  const text = fromLatin1(bytes);
  const [answers, words]: [string[], string[]] = [[], []];
  let [at, finals, probed, switched] = [0, 0, false, false];
  while (at < text.length && !switched) {
    const end = text.indexOf("\r\n\r\n", at);
    const match = /^HTTP\/(\d\.\d) (\d{3}) ?([^\r\n]*)\r\n/.exec(text.slice(at, end + 2));
    if (end < 0 || match === null) break;
    const [version, status, phrase] = [match[1]!, Number(match[2]), match[3]!];
    const head = `${text.slice(at, end)}\r\n`.toLowerCase();
    const shown = version === "1.1" ? `${status}` : `HTTP/${version} ${status}`;
    if (status < 200) {
      at = end + 4;
      switched = status === 101;
      answers.push(switched ? `101${handshake(head)}` : shown);
      continue;
    }
    const noBody = heads.includes(finals) || status === 204 || status === 304;
    const body = noBody ? { framing: framingOf(head), cut: false, text: "", next: end + 4 } : bodyOf(text, end + 4, head, ended);
    if (body === null) break;
    finals++;
    at = body.next;
    probed = head.includes("x-probe: 1");
    if (probed) continue;
    answers.push(`${shown}${status < 300 ? ` ${body.framing}` : body.cut ? " cut" : ""}`);
    if (status >= 400) words.push(JSON.stringify(`${phrase}${/\r\nconnection: close/.test(head) ? ", close" : ""}: ${body.text.trim()}`));
  }
  if (switched) answers.push(...frames(bytes.subarray(at)));
  return { answers, words, finals, probed, rest: !switched && at < text.length, switched };
}

function handshake(head: string): string {
  const shown = ["sec-websocket-protocol", "sec-websocket-extensions"].map((name) => new RegExp(`\r\n${name}: ([^\r\n]*)`).exec(head)?.[1]);
  return shown.map((value) => value === undefined ? "" : ` with ${value}`).join("");
}

function framingOf(head: string): string {
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
  if (length !== undefined) return "with a length";
  return head.includes("\r\ntransfer-encoding: chunked") ? "in chunks" : "without a length";
}

interface Body {
  readonly framing: string;
  readonly cut: boolean;
  readonly text: string;
  readonly next: number;
}

function bodyOf(text: string, at: number, head: string, ended: boolean): Body | null {
  const framing = framingOf(head);
  if (framing === "with a length") {
    const next = at + Number(/\r\ncontent-length: (\d+)/.exec(head)![1]);
    if (next <= text.length) return { framing, cut: false, text: text.slice(at, next), next };
  } else if (framing === "in chunks") {
    const chunks = readChunks(text, at);
    if (chunks !== null) return { framing, cut: false, ...chunks };
  } else if (ended) return { framing: "up to the end", cut: false, text: text.slice(at), next: text.length };
  return ended ? { framing: `${framing}, cut`, cut: true, text: "", next: text.length } : null;
}

/** The text of a chunked body and where it ends; `null` where it is not whole. */
function readChunks(text: string, from: number): { text: string; next: number } | null {
  let whole = "";
  for (let at = from;;) {
    const line = text.indexOf("\r\n", at);
    if (line < 0) return null;
    const size = parseInt(text.slice(at, line), 16);
    if (size === 0) {
      const end = text.indexOf("\r\n\r\n", line);
      return end < 0 ? null : { text: whole, next: end + 4 };
    }
    whole += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}

/** Frames of a server, one text for each; a frame that is not whole is left out. */
export function frames(bytes: Uint8Array): string[] {
  const found: string[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const [first, second] = [bytes[at]!, bytes[at + 1]!];
    const short = second & 127;
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
    const start = at + 2 + extra;
    const size = extra === 0 ? short : bytes.subarray(at + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
    if (start + size > bytes.length) break;
    const payload = bytes.subarray(start, start + size);
    found.push(
      `${NAMES[first & 15] ?? `opcode ${first & 15}`}${(first & 0x70) === 0 ? "" : " with reserved bits"}${
        payloadText(first & 15, payload)
      }`,
    );
    at = start + size;
  }
  return found;
}

const NAMES: Readonly<Record<number, string>> = { 0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong" };

function payloadText(opcode: number, payload: Uint8Array): string {
  if (opcode === 8) return payload.length < 2 ? " without a code" : ` ${payload[0]! * 256 + payload[1]!}`;
  return payload.length > 30 || opcode === 2 ? ` ${payload.length}` : ` ${JSON.stringify(new TextDecoder().decode(payload))}`;
}
