/**
 * The Range header of a request for one file. RFC 9110 section 14.
 *
 * @module
 */

/** A part of a file, in bytes. */
export interface Range {
  /** The first byte. */
  readonly offset: number;
  /** How many bytes; never 0. */
  readonly length: number;
}

const ONE_RANGE = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i;

/**
 * Reads a Range header.
 *
 * @returns `null` where the whole file is the right answer: no header, another unit, several ranges, malformed.
 */
export function parseRange(value: string | null, size: number): Range | "unsatisfiable" | null {
  if (value === null) return null;
  const [, first, last] = ONE_RANGE.exec(value) ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return null;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { offset: size - length, length };
  }
  const offset = Number(first);
  const end = last === "" ? size - 1 : Number(last);
  if (last !== "" && end < offset) return null; // section 14.1.1: such a range is malformed, not unsatisfiable
  return offset >= size ? "unsatisfiable" : { offset, length: Math.min(end, size - 1) - offset + 1 };
}
