/**
 * Values that the heads of many requests share, such as the address that took the connection: they cross a link once and are named by an
 * index afterwards.
 *
 * @module
 */

import type { Outbox } from "./outbox.ts";
import { SHARE } from "./packets.ts";

/** More are not kept: the oldest gives its index to the newest. */
const MOST = 256;

/** Gives indices to values, by identity. */
export class SharedValues {
  readonly #outbox: Outbox;
  readonly #indices = new Map<object, number>();
  #next = 0;

  /** New values are announced through the outbox. */
  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** The index of a value, which the other end knows by the time it reads it. */
  index(value: object): number {
    return this.#indices.get(value) ?? this.#share(value);
  }

  #share(value: object): number {
    let index = this.#next;
    if (this.#indices.size < MOST) this.#next++;
    else {
      const [oldest, freed] = this.#indices.entries().next().value!;
      this.#indices.delete(oldest);
      index = freed;
    }
    this.#indices.set(value, index);
    this.#outbox.items.push(SHARE, 0, index, value);
    this.#outbox.added(4096);
    return index;
  }
}
