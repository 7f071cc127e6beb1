/**
 * What is open in an engine: each entry knows its place, so that it is added and taken out in no time.
 *
 * No `Set`: see `links/slots.ts`. One that lives long and takes and loses thousands of entries a second keeps the dead ones alive for the
 * young generation's collector.
 *
 * @module
 */

/** An entry; its place is the list's. */
export interface Placed {
  /** -1 outside a list. */
  place: number;
}

/** Entries in no order. */
export class OpenList<T extends Placed> {
  readonly #entries: T[] = [];

  /** Entries that are there. */
  get size(): number {
    return this.#entries.length;
  }

  /** Adds an entry that is in no list. */
  add(entry: T): void {
    entry.place = this.#entries.length;
    this.#entries.push(entry);
  }

  /** Takes an entry out; false where it is not in this list. */
  delete(entry: T): boolean {
    const { place } = entry;
    if (place < 0 || this.#entries[place] !== entry) return false;
    const last = this.#entries.pop()!;
    if (last !== entry) {
      this.#entries[place] = last;
      last.place = place;
    }
    entry.place = -1;
    return true;
  }

  /** All of them, as they are now. */
  all(): T[] {
    return [...this.#entries];
  }
}
