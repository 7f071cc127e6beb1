/**
 * The open exchanges of a link, by their numbers.
 *
 * No `Map`: one that lives long and takes and loses thousands of entries a second leaves a chain of outgrown tables behind, each of
 * which keeps the next one and all that is in it from the young generation's collector. That cost a worker a third of its time.
 *
 * @module
 */

/** Entries that a table begins with; a power of two. */
const FIRST = 256;

/** Entries by their numbers. */
export class Slots<T extends { readonly id: number }> {
  #entries: (T | null)[] = new Array(FIRST).fill(null);
  #next = 1;
  #size = 0;

  /** Entries that are there. */
  get size(): number {
    return this.#size;
  }

  /** A number whose place is free; numbers grow and are not given again. */
  number(): number {
    if (this.#size * 2 >= this.#entries.length) this.#grow();
    const mask = this.#entries.length - 1;
    while (this.#entries[this.#next & mask] !== null) this.#next = next(this.#next);
    const id = this.#next;
    this.#next = next(id);
    return id;
  }

  /** Puts an entry in its place. */
  add(entry: T): void {
    while (this.#entries[entry.id & this.#entries.length - 1] !== null) this.#grow();
    this.#entries[entry.id & this.#entries.length - 1] = entry;
    this.#size++;
  }

  /** The entry of a number. */
  get(id: number): T | undefined {
    const entry = this.#entries[id & this.#entries.length - 1];
    return entry !== null && entry !== undefined && entry.id === id ? entry : undefined;
  }

  /** Takes an entry out; false where it is not there. */
  delete(entry: T): boolean {
    const place = entry.id & this.#entries.length - 1;
    if (this.#entries[place] !== entry) return false;
    this.#entries[place] = null;
    this.#size--;
    return true;
  }

  /** Takes all out. */
  clear(): T[] {
    const all = this.#entries.filter((entry) => entry !== null);
    this.#entries.fill(null);
    this.#size = 0;
    return all;
  }

  #grow(): void {
    const entries = this.#entries;
    for (let length = entries.length * 2;; length *= 2) {
      this.#entries = new Array(length).fill(null);
      if (entries.every((entry) => entry === null || this.#place(entry))) return;
    }
  }

  #place(entry: T): boolean {
    const place = entry.id & this.#entries.length - 1;
    if (this.#entries[place] !== null) return false;
    this.#entries[place] = entry;
    return true;
  }
}

// A bitwise operation keeps 31 bits of a number: after the last of them it begins anew.
function next(id: number): number {
  return id === 0x7fffffff ? 1 : id + 1;
}
