/**
 * Calls from the wire to a session: in order, and never while the session is calling the wire (rules 1 and 3 of the seam).
 *
 * @module
 */

import type { End, Inbound } from "../exchange.ts";

interface Call<I> {
  readonly name: string;
  readonly run: (inbound: I) => void;
}

/** The calls on their way to one session. */
export class Inbox<I extends Inbound> {
  /** `closed` has been called: the session knows that nothing comes any more. */
  told = false;
  readonly #onFailure: (call: string, error: unknown) => void;
  readonly #calls: Call<I>[] = [];
  #inbound: I | null = null;
  #sealed = false;
  #scheduled = false;

  /** `onFailure` hears of calls that threw: a session must not. */
  constructor(onFailure: (call: string, error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** The session is there: `open` has returned it. */
  attach(inbound: I): void {
    this.#inbound = inbound;
    this.#schedule();
  }

  /** Queues a call. Does nothing after the last one. */
  post(name: string, run: (inbound: I) => void): void {
    if (this.#sealed) return;
    this.#calls.push({ name, run });
    this.#schedule();
  }

  /** Queues the last call. */
  close(end: End): void {
    this.post("closed", (inbound) => {
      this.told = true;
      inbound.closed(end);
    });
    this.#sealed = true;
  }

  /** No call comes any more, not even `closed`. */
  seal(): void {
    this.#sealed = true;
    this.#calls.length = 0;
  }

  #schedule(): void {
    if (this.#scheduled || this.#inbound === null) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#run());
  }

  #run(): void {
    for (let call = this.#calls.shift(); call !== undefined; call = this.#calls.shift()) {
      try {
        call.run(this.#inbound!);
      } catch (error) {
        this.#onFailure(call.name, error);
      }
    }
    this.#scheduled = false;
  }
}
