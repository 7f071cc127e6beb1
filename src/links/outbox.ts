/**
 * Packets on their way out: those of one turn of the event loop leave as one batch, and while the pipe is busy they gather.
 *
 * @module
 */

import { PIECE } from "./packets.ts";
import type { Pipe } from "./pipe.ts";

/** A batch is closed when it has grown to this, in characters or bytes. */
const FULL = PIECE / 2;

/** Who wants to know when its bytes have left. */
export interface Sender {
  /** So many have. */
  left(bytes: number): void;
}

/** Packets of one batch. */
class Batch {
  readonly items: unknown[] = [];
  readonly parts: Uint8Array[] = [];
  bytes = 0;
  /** Senders and bytes, in turn. */
  senders: [Sender, number][] | null = null;
}

/** Gathers packets and sends them. */
export class Outbox {
  readonly #pipe: Pipe;
  #batch = new Batch();
  #weight = 0;
  #waiting: Batch[] = [];
  #scheduled = false;
  #busy = false;
  #idle: (() => void)[] = [];

  /** Sends over a pipe. */
  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  /** Batches that are full and wait. */
  get backlog(): number {
    return this.#waiting.length;
  }

  /** The packets of the open batch, to add one to: all its items in one call, then {@linkcode added}. */
  get items(): unknown[] {
    return this.#batch.items;
  }

  /** Adds the bytes of the packet that was added last. At most {@linkcode PIECE}. */
  part(bytes: Uint8Array): void {
    this.#batch.parts.push(bytes);
    this.#batch.bytes += bytes.byteLength;
  }

  /** Says who wants to know when the packet that was added last has left. */
  account(sender: Sender, bytes: number): void {
    (this.#batch.senders ??= []).push([sender, bytes]);
  }

  /** A packet was added; `weight` is about how many characters it has. */
  added(weight: number): void {
    this.#weight += weight;
    if (this.#weight >= FULL || this.#batch.bytes >= FULL) this.#seal();
    if (this.#scheduled || this.#busy) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  /** Resolves when all that was added has left, or the pipe is closed. */
  async empty(): Promise<void> {
    if (this.#busy || this.#scheduled) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #seal(): void {
    this.#waiting.push(this.#batch);
    this.#batch = new Batch();
    this.#weight = 0;
  }

  async #flush(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (;;) {
      if (this.#waiting.length === 0) {
        if (this.#batch.items.length === 0) break;
        this.#seal();
      }
      const { items, parts, senders } = this.#waiting.shift()!;
      await this.#pipe.send(JSON.stringify(items), parts);
      if (senders !== null) { for (const [sender, bytes] of senders) sender.left(bytes); }
    }
    this.#busy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
