/**
 * Packets on their way out: those of one turn of the event loop leave as one batch, and while the pipe is busy they gather.
 *
 * @module
 */

import type { Pairs } from "../exchange.ts";
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
  weight = 0;
  /** Senders and bytes, in turn. */
  senders: [Sender, number][] | null = null;
}

/** Gathers packets and sends them. */
export class Outbox {
  readonly #pipe: Pipe;
  readonly #overflow: (() => void) | null;
  readonly #maxBacklog: number;
  #batch = new Batch();
  /** Of the batches that are full. */
  #backlog = 0;
  #waiting: Batch[] = [];
  #scheduled = false;
  #busy = false;
  #idle: (() => void)[] = [];

  /** Sends over a pipe. Where more than `maxBacklog` bytes and characters wait for it, `overflow` is called. */
  constructor(pipe: Pipe, maxBacklog: number = Infinity, overflow: (() => void) | null = null) {
    this.#pipe = pipe;
    this.#maxBacklog = maxBacklog;
    this.#overflow = overflow;
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
    this.#batch.weight += weight;
    if (this.#batch.weight >= FULL || this.#batch.bytes >= FULL) this.#seal();
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
    this.#backlog += this.#batch.weight + this.#batch.bytes;
    this.#batch = new Batch();
    if (this.#backlog > this.#maxBacklog) this.#overflow?.();
  }

  async #flush(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (;;) {
      if (this.#waiting.length === 0) {
        if (this.#batch.items.length === 0) break;
        this.#seal();
      }
      const { items, parts, senders, weight, bytes } = this.#waiting.shift()!;
      this.#backlog -= weight + bytes;
      await this.#pipe.send(JSON.stringify(items), parts);
      if (senders !== null) { for (const [sender, bytes] of senders) sender.left(bytes); }
    }
    this.#busy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** About how many characters a packet with these headers has. */
export function weightOf(headers: Pairs): number {
  let weight = 48;
  for (const [name, value] of headers) weight += name.length + value.length + 8;
  return weight;
}
