/**
 * Changes bytes at random, by a seed, so that a run can be had again.
 *
 * @module
 */

/** Numbers that look random; the same ones for the same seed. */
export class Dice {
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** A whole number from 0 to `sides` - 1. */
  roll(sides: number): number {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (this.#seed >> 8) % sides;
  }

  /** One of a few. */
  pick<T>(values: readonly T[]): T {
    return values[this.roll(values.length)]!;
  }
}

/** NUL, LF, CR, space, colon and 255: bytes that parsers look at. */
const TELLING = [0, 10, 13, 32, 58, 255];

/** One to four changes; `other` is what may be put in between. */
export function mutate(bytes: Uint8Array, other: Uint8Array, dice: Dice): Uint8Array {
  let all = [...bytes];
  for (let left = dice.roll(4); left >= 0 && all.length > 0; left--) {
    const at = dice.roll(all.length);
    switch (dice.roll(7)) {
      case 0:
        all[at] = dice.roll(256);
        break;
      case 1:
        all.splice(at, 1 + dice.roll(8));
        break;
      case 2:
        all.splice(at, 0, ...all.slice(at, at + 1 + dice.roll(20)));
        break;
      case 3:
        all = all.slice(0, at);
        break;
      case 4:
        all[at]! ^= 1 << dice.roll(8);
        break;
      case 5:
        all.splice(at, 0, ...other.subarray(0, 200));
        break;
      case 6:
        all[at] = dice.pick(TELLING);
        break;
    }
  }
  return new Uint8Array(all);
}
