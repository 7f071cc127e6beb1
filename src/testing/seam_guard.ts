/**
 * The rules of the seam that can be judged by one call and its request alone; what depends on the calls before stands in `memory_exchange.ts`.
 *
 * @module
 */

import type { Capability, Pairs, RequestHead } from "../exchange.ts";
import { headerProblem } from "../wire/headers.ts";
import { SeamError } from "./errors.ts";

/** Judges the calls of one session. */
export class SeamGuard {
  readonly #head: RequestHead;
  readonly #onBroken: (error: SeamError) => void;

  /** `onBroken` hears of a broken rule before the session does. */
  constructor(head: RequestHead, onBroken: (error: SeamError) => void) {
    this.#head = head;
    this.#onBroken = onBroken;
  }

  /**
   * A rule was broken.
   *
   * @throws {SeamError} Always.
   */
  violate(call: string, problem: string, cause?: unknown): never {
    throw this.report(call, problem, cause);
  }

  /** A rule was broken where nobody can be thrown at. */
  report(call: string, problem: string, cause?: unknown): SeamError {
    const error = new SeamError(call, `${problem} (${this.#head.method} ${this.#head.rawPath})`);
    if (cause !== undefined) error.cause = cause;
    this.#onBroken(error);
    return error;
  }

  /**
   * A call needs something of the wire.
   *
   * @throws {SeamError} Where the wire was not said to have it.
   */
  require(call: string, capability: Capability): void {
    if (!this.#head.capabilities.includes(capability)) this.violate(call, `this wire lacks the capability "${capability}"`);
  }

  /**
   * Header bytes are the session's to check, the transfer framing is the wire's.
   *
   * @throws {SeamError} Where a header is malformed, or frames.
   */
  checkHeaders(call: string, headers: Pairs): void {
    for (const [name, value] of headers) {
      const problem = headerProblem(name, value);
      if (problem !== null) this.violate(call, problem);
      if (name.toLowerCase() === "transfer-encoding") this.violate(call, "transfer-encoding is the wire's");
    }
  }

  /**
   * The head of a final response.
   *
   * @throws {SeamError} Where status or headers are not those of one.
   */
  checkHead(call: string, status: number, headers: Pairs): void {
    if (!Number.isInteger(status) || status < 200 || status > 599) this.violate(call, `${status} is no final status`);
    this.checkHeaders(call, headers);
  }
}
