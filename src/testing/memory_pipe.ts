/**
 * The way from a session to a client in memory: what was accepted and not yet read, and a reader that can stall.
 *
 * It stands for the socket's send buffer, the network and the client's receive buffer together. It knows no protocol.
 *
 * @module
 */

/** One thing on its way: a head, body bytes, a frame, an end. */
export interface Parcel {
  /** Payload bytes that count as buffered. */
  readonly size: number;
  /** `bytes`: may be read in parts. `frame`: is read whole, by a reader that does not stall. `mark`: is read by a stalled reader too. */
  readonly kind: "bytes" | "frame" | "mark";
  /** Hands it to the reader: the range of a `bytes` parcel, else 0 and `size`. */
  arrive(from: number, to: number): void;
}

/** A queue of parcels and the reader at its end. */
export class Pipe {
  /** Bytes accepted and not yet read. */
  buffered = 0;
  /** Bytes read. */
  taken = 0;
  readonly #onShrunk: () => void;
  readonly #onLimit: () => void;
  readonly #parcels: Parcel[] = [];
  /** Bytes of the first parcel that were read. */
  #read = 0;
  #allowance = Infinity;
  #limit = Infinity;
  #scheduled = false;

  /** `onShrunk` tells that the buffer is smaller, `onLimit` that the limit was reached; both come later than the call that caused them. */
  constructor(onShrunk: () => void, onLimit: () => void) {
    this.#onShrunk = onShrunk;
    this.#onLimit = onLimit;
  }

  /** Puts a parcel on its way. */
  push(parcel: Parcel): void {
    this.#parcels.push(parcel);
    this.buffered += parcel.size;
    this.#schedule();
  }

  /** The reader stops reading. */
  stall(): void {
    this.#allowance = 0;
  }

  /** The reader goes on, for so many bytes and then stalls again, or for ever. */
  resume(bytes = Infinity): void {
    this.#allowance = bytes;
    this.#schedule();
  }

  /** Calls `onLimit` as soon as so many bytes were read in all, and the reader takes no more. */
  limit(bytes: number): void {
    this.#limit = bytes;
    this.#schedule();
  }

  /** Drops everything that is on its way. */
  discard(): void {
    this.#parcels.length = 0;
    this.#read = 0;
    this.buffered = 0;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    let told = this.taken;
    const tell = (): void => {
      if (this.taken > told) this.#onShrunk();
      told = this.taken;
    };
    for (let first = this.#parcels[0]; first !== undefined; first = this.#parcels[0]) {
      const left = first.size - this.#read;
      const room = Math.min(this.#allowance, this.#limit - this.taken);
      if (first.kind === "mark") tell(); // what it tells comes behind
      else if (room <= 0) break;
      const count = first.kind === "bytes" ? Math.min(left, room) : left;
      const from = this.#read;
      if (count === left) {
        this.#parcels.shift();
        this.#read = 0;
      } else this.#read += count;
      this.buffered -= count;
      this.taken += count;
      this.#allowance = Math.max(0, this.#allowance - count);
      first.arrive(from, from + count);
    }
    tell();
    if (this.taken >= this.#limit) {
      this.#limit = Infinity;
      this.#onLimit();
    }
  }
}
