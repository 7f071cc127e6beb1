/**
 * One response on its way out: the held start, what may be in its body, and how many bytes were promised.
 *
 * An http response, a declined event stream and a denied handshake are all sent by this one class. Contract section 3.
 *
 * @module
 */

import { CLOSE, NOTIFY, type Outbound, type Pairs, type RequestHead, TRAILERS } from "../exchange.ts";
import { EventError } from "../spec/errors.ts";
import { answer, hasNoBody } from "../wire/answers.ts";
import { headerProblem } from "../wire/headers.ts";
import { byteLength, can, toBytes } from "./context.ts";

/** A response whose start was accepted. */
export class HeldResponse {
  readonly status: number;
  /** The head has left. */
  left = false;
  /** Trailers were promised, and this client can get them. */
  trailers = false;
  /** No body byte leaves: HEAD, 204, 205, 304. */
  readonly bodiless: boolean;
  readonly #headers: (readonly [string, string])[] = [];
  readonly #isHead: boolean;
  #declared = -1;
  #written = 0;

  /**
   * Checks and takes over a start event.
   *
   * @throws {EventError} Where the status is no integer from 200 to 599 or a header holds a forbidden byte.
   */
  constructor(event: string, status: unknown, headers: unknown, head: RequestHead) {
    this.status = toStatus(status, event);
    if (this.status === 205 && head.httpVersion !== "2" && !can(head, "reset-content")) {
      throw new EventError(
        event,
        "status",
        "can't be 205 here: this engine can't frame it over HTTP/1.1 (capability \"reset-content\"); 204 says the same",
      );
    }
    this.#isHead = head.method === "HEAD";
    this.bodiless = this.#isHead || hasNoBody(this.status);
    if (headers !== undefined) this.#take(event, headers);
  }

  /** The declared length, or -1. */
  get declared(): number {
    return this.#declared;
  }

  /** Body bytes that have left. */
  get written(): number {
    return this.#written;
  }

  /**
   * Declares a length that the app did not, because the whole body is known. Does nothing where it is declared.
   *
   * @throws {EventError} Where it was declared, and otherwise.
   */
  declare(event: string, length: number): void {
    if (this.bodiless) return;
    if (this.#declared < 0 && !this.left && !this.trailers) this.#declared = length;
    else if (this.#declared >= 0 && this.#declared !== this.#written + length) this.#mismatch(event, this.#written + length);
  }

  /**
   * Sends body data that is not the last, and the head before it.
   *
   * @returns The bytes that were sent.
   * @throws {EventError} Where the body outgrows its declared length; nothing is sent then.
   */
  write(out: Outbound, event: string, data: Uint8Array | string): number {
    const bytes = toBytes(data);
    this.#count(event, bytes.byteLength);
    this.leave(out);
    if (bytes.byteLength === 0 || this.bodiless) return 0;
    out.chunk(bytes);
    return bytes.byteLength;
  }

  /**
   * Sends the last body data and ends the response, in one call where the head is still held.
   *
   * @returns The bytes that may wait now; a whole answer is the engine's at once.
   * @throws {EventError} Where the body disagrees with its declared length; nothing is sent then.
   */
  finish(out: Outbound, event: string, data: Uint8Array | string, flags: number): number {
    if (this.#declared >= 0 && !this.bodiless) {
      const total = this.#written + byteLength(data);
      if (total !== this.#declared) this.#mismatch(event, total);
    }
    if (this.left || this.trailers) {
      const bytes = this.write(out, event, data);
      if (!this.trailers) out.end(null);
      return bytes;
    }
    if (!this.bodiless) {
      out.respond(this.status, this.#headers, data, flags);
    } else if (this.#isHead && data.length > 0 && this.#declared < 0) {
      out.respond(this.status, this.#headers, data, flags); // the engine takes its length and drops the bytes
    } else {
      this.leave(out);
      out.end(null);
    }
    return 0;
  }

  /** Sends the head where it is still held. */
  leave(out: Outbound): void {
    if (this.left) return;
    this.left = true;
    if (this.#declared >= 0) this.#headers.push(["content-length", String(this.#declared)]);
    out.head(this.status, this.#headers, this.trailers ? TRAILERS | NOTIFY : NOTIFY);
  }

  /** Whether the bytes that have left are fewer than declared. */
  get short(): boolean {
    return !this.bodiless && this.#declared > this.#written;
  }

  #take(event: string, headers: unknown): void {
    if (!Array.isArray(headers)) throw new EventError(event, "headers", "must be a list of [name, value] pairs");
    for (const pair of headers as unknown[]) {
      const [name, value] = toPair(event, pair);
      // Framing is the server's: a transfer-encoding of the app's could only contradict it.
      const key = name.length === 14 || name.length === 17 ? name.toLowerCase() : "";
      if (key === "transfer-encoding") continue;
      if (key === "content-length") this.#takeLength(event, value);
      else this.#headers.push([name, value]);
    }
  }

  #takeLength(event: string, value: string): void {
    if (this.#declared >= 0) throw new EventError(event, "headers", "must hold content-length once");
    const length = /^\d{1,15}$/.test(value) ? Number(value) : -1;
    if (length < 0) throw new EventError(event, "headers", `hold the content-length "${value}": it must be a number of bytes`);
    this.#declared = length;
  }

  #count(event: string, bytes: number): void {
    const total = this.#written + bytes;
    if (this.#declared >= 0 && total > this.#declared && !this.bodiless) this.#mismatch(event, total);
    this.#written = total;
  }

  #mismatch(event: string, length: number): never {
    throw new EventError(event, "body", `has ${length} bytes, but content-length says ${this.#declared}`);
  }
}

/**
 * Checks the headers of an accept, of trailers or of an early hint.
 *
 * @returns A copy.
 * @throws {EventError} Where a header holds a forbidden byte.
 */
export function toPairs(event: string, headers: unknown): Pairs {
  if (headers === undefined) return [];
  if (!Array.isArray(headers)) throw new EventError(event, "headers", "must be a list of [name, value] pairs");
  return headers.map((pair) => toPair(event, pair));
}

/** Answers in the app's place, and closes the connection where the engine can. `reason` is for the log. */
export function sendAnswer(out: Outbound, status: number, reason?: string): void {
  const { headers, body } = answer(status);
  out.respond(status, headers, body, CLOSE, reason);
}

function toPair(event: string, pair: unknown): readonly [string, string] {
  if (!Array.isArray(pair) || pair.length !== 2) throw new EventError(event, "headers", "must be a list of [name, value] pairs");
  const [name, value] = pair as [unknown, unknown];
  if (typeof name !== "string" || typeof value !== "string") {
    throw new EventError(event, "headers", `must be pairs of strings, but the value of ${JSON.stringify(name)} is a ${typeof value}`);
  }
  const problem = headerProblem(name, value);
  if (problem !== null) throw new EventError(event, "headers", `are malformed: ${problem}`);
  return [name, value];
}

function toStatus(status: unknown, event: string): number {
  if (typeof status === "number" && status >= 200 && status <= 599 && Number.isInteger(status)) return status;
  throw new EventError(
    event,
    "status",
    status === undefined ? "is missing: it must be an integer from 200 to 599" : "must be an integer from 200 to 599",
  );
}
