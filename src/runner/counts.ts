/**
 * Counts in words.
 *
 * @module
 */

/** `1 open exchange has`, `2 open exchanges have`: for a message that goes on. */
export function openExchanges(count: number, one = "", many = one): string {
  return count === 1 ? `1 open exchange${one}` : `${count} open exchanges${many}`;
}
