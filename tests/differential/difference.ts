/**
 * What a difference between the two engines is. Data only.
 *
 * @module
 */

/** What a difference is. */
export type Class =
  /** One engine breaks a rule. */
  | "bug"
  /** One engine has a limit that the other has not, or has elsewhere. */
  | "limit"
  /** One engine takes what the other refuses, and both may. */
  | "leniency"
  /** `deno` can't see or do it: one of the capabilities that it lacks. */
  | "capability"
  /** The same in other words. */
  | "same-outcome-different-words";

/** Differences of one cause. */
export interface Group {
  readonly class: Class;
  /** One line. */
  readonly why: string;
  /** Entry: what it is on `deno`, and on `node`. */
  readonly rows: Readonly<Record<string, readonly [deno: string, node: string]>>;
}
