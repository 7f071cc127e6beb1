/**
 * `@std/assert` from npm, with the signatures of the functions that this project uses.
 *
 * @module
 */

import { assert as assertImpl } from "deno-std/assert/assert.js";
import { assertAlmostEquals as assertAlmostEqualsImpl } from "deno-std/assert/almost_equals.js";
import { assertArrayIncludes as assertArrayIncludesImpl } from "deno-std/assert/array_includes.js";
import { assertEquals as assertEqualsImpl } from "deno-std/assert/equals.js";
import { assertExists as assertExistsImpl } from "deno-std/assert/exists.js";
import { assertGreater as assertGreaterImpl } from "deno-std/assert/greater.js";
import { assertGreaterOrEqual as assertGreaterOrEqualImpl } from "deno-std/assert/greater_or_equal.js";
import { assertInstanceOf as assertInstanceOfImpl } from "deno-std/assert/instance_of.js";
import { assertLess as assertLessImpl } from "deno-std/assert/less.js";
import { assertLessOrEqual as assertLessOrEqualImpl } from "deno-std/assert/less_or_equal.js";
import { assertMatch as assertMatchImpl } from "deno-std/assert/match.js";
import { assertNotEquals as assertNotEqualsImpl } from "deno-std/assert/not_equals.js";
import { assertNotMatch as assertNotMatchImpl } from "deno-std/assert/not_match.js";
import { assertObjectMatch as assertObjectMatchImpl } from "deno-std/assert/object_match.js";
import { assertRejects as assertRejectsImpl } from "deno-std/assert/rejects.js";
import { assertStrictEquals as assertStrictEqualsImpl } from "deno-std/assert/strict_equals.js";
import { assertStringIncludes as assertStringIncludesImpl } from "deno-std/assert/string_includes.js";
import { assertThrows as assertThrowsImpl } from "deno-std/assert/throws.js";
import { fail as failImpl } from "deno-std/assert/fail.js";

/** The class of an expected error. */
export type ErrorClass<E> = abstract new (...args: never[]) => E;

/** Fails unless `condition` holds. */
export function assert(condition: unknown, message?: string): asserts condition {
  assertImpl(condition, message);
}
/** Fails unless both are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  assertEqualsImpl(actual, expected, message);
}
/** Fails where both are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  assertNotEqualsImpl(actual, expected, message);
}
/** Fails unless both are the same. */
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  assertStrictEqualsImpl(actual, expected, message);
}
/** Fails unless the numbers are close. */
export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, message?: string): void {
  assertAlmostEqualsImpl(actual, expected, tolerance, message);
}
/** Fails for null and undefined. */
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  assertExistsImpl(actual, message);
}
/** Fails unless `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  assertGreaterImpl(actual, expected, message);
}
/** Fails unless `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  assertGreaterOrEqualImpl(actual, expected, message);
}
/** Fails unless `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  assertLessImpl(actual, expected, message);
}
/** Fails unless `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  assertLessOrEqualImpl(actual, expected, message);
}
/** Fails unless the text matches. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  assertMatchImpl(actual, expected, message);
}
/** Fails where the text matches. */
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void {
  assertNotMatchImpl(actual, expected, message);
}
/** Fails unless the text holds the part. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  assertStringIncludesImpl(actual, expected, message);
}
/** Fails unless the list holds the values. */
export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, message?: string): void {
  assertArrayIncludesImpl(actual, expected, message);
}
/** Fails unless the object holds the subset. */
export function assertObjectMatch(actual: Record<PropertyKey, unknown>, expected: Record<PropertyKey, unknown>, message?: string): void {
  assertObjectMatchImpl(actual, expected, message);
}
/** Fails unless the value is of the class. */
export function assertInstanceOf<T>(
  actual: unknown,
  expected: abstract new (...args: never[]) => T,
  message?: string,
): asserts actual is T {
  assertInstanceOfImpl(actual, expected, message);
}
/** Fails unless the promise rejects, with an error of the class whose message holds the text. */
export function assertRejects<E extends Error = Error>(
  run: () => PromiseLike<unknown>,
  expected?: ErrorClass<E>,
  includes?: string,
): Promise<E> {
  return assertRejectsImpl(run, expected, includes);
}
/** Fails unless the function throws, an error of the class whose message holds the text. */
export function assertThrows<E extends Error = Error>(run: () => unknown, expected?: ErrorClass<E>, includes?: string): E {
  return assertThrowsImpl(run, expected, includes);
}
/** Fails. */
export function fail(message?: string): never {
  failImpl(message);
  throw new Error("unreachable");
}
