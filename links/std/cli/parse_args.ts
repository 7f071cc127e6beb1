/**
 * `@std/cli/parse-args` from npm, with the signature that this project uses.
 *
 * @module
 */

import { parseArgs as impl } from "deno-std/cli/parse_args.js";

/** What may be told about the arguments. */
export interface ParseOptions {
  readonly "--"?: boolean;
  readonly alias?: Readonly<Record<string, string | readonly string[]>>;
  readonly boolean?: boolean | readonly string[];
  readonly default?: Readonly<Record<string, unknown>>;
  readonly stopEarly?: boolean;
  readonly string?: string | readonly string[];
  readonly collect?: string | readonly string[];
  readonly negatable?: string | readonly string[];
  unknown?(arg: string, key?: string, value?: unknown): unknown;
}

/** The arguments by name; positional ones under `_`. */
export interface Args {
  _: (string | number)[];
  "--"?: string[];
  [name: string]: unknown;
}

/** Parses command line arguments. */
export const parseArgs: (args: readonly string[], options?: ParseOptions) => Args = impl;
