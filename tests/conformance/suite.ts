/**
 * The rows of the conformance suite: each is a test that runs on every target, or says where else it is proven, or why it is not met yet.
 *
 * Files of `rows/` call {@linkcode row}, {@linkcode elsewhere} and {@linkcode later} with ids of the checklist; several may share an id.
 * `conformance_test.ts` makes tests of them, `page.ts` the page docs/compliance.md.
 *
 * @module
 */

import type { Capability } from "../../src/exchange.ts";
import { allIds } from "./checklist.ts";
import type { Target } from "./target.ts";
import { has } from "../tools.ts";

/** On which targets a row runs; on the others it is skipped by name. */
export interface RowOptions {
  /** What the engine must be able to do. */
  readonly needs?: readonly Capability[];
  /** What the engine must not be able to do: the row says what happens without it. */
  readonly lacks?: Capability;
  /** The one engine that this is about: the row says what happens there, in place of what {@linkcode except} leaves out. */
  readonly instead?: string;
  /** Engines that this is not true of, by name, and the fact that stands in the way of each. */
  readonly except?: Readonly<Record<string, string>>;
  /** A Unix socket is needed: workers that listen themselves take none. */
  readonly unix?: boolean;
  /** Bytes on a socket are needed: not in memory. */
  readonly wire?: boolean;
  /** A program that must be on the path. */
  readonly tool?: string;
}

/** A row that the suite tests. */
export interface TestRow {
  readonly kind: "test";
  readonly id: string;
  readonly says: string;
  readonly options: RowOptions;
  readonly test: (target: Target) => Promise<void>;
}

/** A row that another test file proves. */
export interface ElsewhereRow {
  readonly kind: "elsewhere";
  readonly id: string;
  readonly says: string;
  /** Path of the test file, from the root of the project. */
  readonly where: string;
}

/** A row that is not met, and why. */
export interface LaterRow {
  readonly kind: "later";
  readonly id: string;
  readonly says: string;
  readonly reason: string;
  /** The one engine that this is about; left out for all. */
  readonly engine?: string;
}

/** Any row. */
export type Row = TestRow | ElsewhereRow | LaterRow;

const IDS: ReadonlySet<string> = new Set(allIds());

/** All rows that have been declared, in order. */
export const ROWS: Row[] = [];

/**
 * Declares a row that is tested on every target.
 *
 * @param id An id of the checklist.
 * @param says What is tested, in one sentence without a full stop.
 */
export function row(id: string, says: string, options: RowOptions, test: (target: Target) => Promise<void>): void {
  add({ kind: "test", id, says, options, test });
}

/** Declares a row that a test file outside the suite proves. */
export function elsewhere(id: string, says: string, where: string): void {
  add({ kind: "elsewhere", id, says, where });
}

/**
 * Declares a row that is not met, and says why: a missing capability by name, or the fact that stands in the way.
 *
 * @param engine Where this is so; all engines by default.
 */
export function later(id: string, says: string, reason: string, engine?: string): void {
  add({ kind: "later", id, says, reason, ...(engine === undefined ? {} : { engine }) });
}

/** Loads every file of `rows/`. */
export async function loadRows(): Promise<readonly Row[]> {
  const folder = new URL("./rows/", import.meta.url);
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".ts")) names.push(name);
  names.sort();
  for (const name of names) await import(new URL(name, folder).href);
  return ROWS;
}

/** Why a row is not run on a target, in a few words; `null` where it is. */
export function skipped({ options }: TestRow, target: Target): string | null {
  if (options.wire === true && !target.wire) return "needs bytes on a socket";
  if (options.unix === true && target.home === "listener") return "Deno never serves an inherited Unix socket";
  const missing = (options.needs ?? []).filter((capability) => !target.capabilities.includes(capability));
  if (missing.length > 0) return `needs ${missing.join(", ")}`;
  const { lacks, except, instead } = options;
  if (instead !== undefined && instead !== target.engine) return `is about the engine ${instead}`;
  if (except !== undefined && target.engine in except) return except[target.engine]!;
  if (lacks !== undefined && target.capabilities.includes(lacks)) return `is about an engine without ${lacks}`;
  return null;
}

/** The name of the test of a row on a target. */
export function testName(row: TestRow, target: Target): string {
  const skip = skipped(row, target) ?? (missesTool(row) ? `needs the program ${row.options.tool}` : null);
  return `${target.name} ${row.id} ${row.says}${skip === null ? "" : ` (${skip})`}`;
}

/** The row needs a program that this machine does not have. */
export function missesTool({ options }: TestRow): boolean {
  return options.tool !== undefined && !has(options.tool);
}

function add(row: Row): void {
  if (!IDS.has(row.id)) throw new RangeError(`${row.id} is no id of the checklist`);
  if (row.kind !== "test" && ROWS.some((other) => other.kind === row.kind && other.id === row.id && other.says === row.says)) {
    throw new RangeError(`${row.id} is declared twice: ${row.says}`);
  }
  ROWS.push(row);
}
