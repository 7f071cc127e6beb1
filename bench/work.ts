/**
 * What a work of bench/works is, and what it is run with.
 *
 * @module
 */

import type { Command } from "./process.ts";
import type { Row } from "./table.ts";

/** How a run is made. */
export interface RunSettings {
  /** How often each side is measured, one after the other in turn. */
  readonly rounds: number;
  /** How long each measurement lasts. */
  readonly seconds: number;
  /** A line for whoever watches. */
  note(text: string): void;
}

/** One work with one or more rows of the table. */
export interface Work {
  /** For `--only`. */
  readonly name: string;
  run(settings: RunSettings): Promise<Row[]>;
}

/** The command line that is measured: the real one, in production, on a free port. */
export function ours(app: string, options: readonly string[] = [], denoOptions: readonly string[] = []): Command {
  const args = ["run", "-A", ...denoOptions, pathOf("../cli.ts"), pathOf(`apps/${app}`), "--port", "0", "--env", "production", ...options];
  return { program: Deno.execPath(), args };
}

/** Options of the command line for an app in workers. */
export function inWorkers(type: "process" | "thread", count: number = 1): string[] {
  return ["--workers", String(count), "--worker-type", type];
}

/** A bare server of bench/apps beside it. */
export function bare(app: string): Command {
  return { program: Deno.execPath(), args: ["run", "-A", pathOf(`apps/${app}`)] };
}

/** A file beside this one. */
export function pathOf(relative: string): string {
  return new URL(relative, import.meta.url).pathname;
}
