/**
 * What the fields of packets can be, and how a receiver knows that they are.
 *
 * A server does not trust its workers: a control byte in a header would end its process, a status of 99 would throw, a name of a
 * header could split an answer. So what a session has checked in the worker is checked here again. RFC 9110 sections 5 and 15.
 *
 * @module
 */

import { CLOSE, NOTIFY, TRAILERS } from "../exchange.ts";
import { WorkerError } from "../spec/errors.ts";
import { closeTextProblem } from "../wire/close_codes.ts";
import { headerProblem, isToken } from "../wire/headers.ts";
import { MAX_BYTES, MAX_HEADER_CHARS, MAX_HEADERS, MAX_REASON, PACKETS } from "./packets.ts";

/** A kind of field; with a question mark it may be `null`. */
export type Kind =
  | "any" // from the server itself, or judged by whoever takes it
  | "count"
  | "count?"
  | "flag"
  | "text"
  | "text?"
  | "token?"
  | "reason"
  | "reason?"
  | "level"
  | "fields"
  | "status"
  | "interim"
  | "headers"
  | "headers?"
  | "flags"
  | "bytes"
  | "body"
  | "code"
  | "closeText";

/** Fields of a line for the log. */
const MAX_FIELDS = 32;

const CHECKS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  any: () => true,
  count: isCount,
  "count?": (value) => value === null || isCount(value),
  flag: (value) => value === 0 || value === 1,
  text: isText,
  "text?": (value) => value === null || isText(value),
  "token?": (value) => value === null || (isText(value) && isToken(value)),
  reason: isReason,
  "reason?": (value) => value === null || isReason(value),
  level: (value) => value === "debug" || value === "info" || value === "warn" || value === "error",
  fields: isFields,
  status: (value) => isCount(value) && value >= 200 && value <= 599,
  interim: (value) => value === 103,
  headers: isHeaders,
  "headers?": (value) => value === null || isHeaders(value),
  flags: (value) => isCount(value) && (value & ~(TRAILERS | CLOSE | NOTIFY)) === 0,
  bytes: (value) => isCount(value) && value <= MAX_BYTES,
  body: (value) => isText(value) || (isCount(value) && value <= MAX_BYTES),
  code: isSendableCode,
  closeText: (value) => isText(value) && closeTextProblem(value) === null,
};

/** For each packet of the table, the checks of its fields. */
const CHECKS_OF: readonly (readonly ((value: unknown) => boolean)[])[] = PACKETS.map(({ fields }) =>
  fields.map(([, kind]) => CHECKS[kind])
);

/**
 * Checks the fields of a packet that stands at `at` of a batch.
 *
 * @throws {WorkerError} Where one is not what the table says.
 */
export function checkFields(code: number, items: readonly unknown[], at: number): void {
  const checks = CHECKS_OF[code]!;
  if (at + 2 + checks.length > items.length) throw new WorkerError(`The packet "${PACKETS[code]!.name}" is cut short`);
  for (let index = 0; index < checks.length; index++) {
    if (checks[index]!(items[at + 2 + index])) continue;
    const [name, kind] = PACKETS[code]!.fields[index]!;
    throw new WorkerError(`The field ${name} of the packet "${PACKETS[code]!.name}" is no ${kind}`);
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isReason(value: unknown): boolean {
  return isText(value) && value.length <= MAX_REASON;
}

function isFields(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== "object" || Array.isArray(value)) return false;
  const values = Object.values(value);
  return values.length <= MAX_FIELDS && values.every((item) => isText(item) || typeof item === "number");
}

function isHeaders(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > MAX_HEADERS) return false;
  let characters = 0;
  for (const pair of value as unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) return false;
    const [name, text] = pair as [unknown, unknown];
    if (!isText(name) || !isText(text) || headerProblem(name, text) !== null) return false;
    characters += name.length + text.length;
    if (name.length === 17 && name.toLowerCase() === "transfer-encoding") return false; // framing is the server's
  }
  return characters <= MAX_HEADER_CHARS;
}

// RFC 6455 section 7.4; 1005 stands for a close frame without a code.
function isSendableCode(value: unknown): boolean {
  return isCount(value) && ((value >= 1000 && value <= 1014 && value !== 1004 && value !== 1006) || (value >= 3000 && value <= 4999));
}
